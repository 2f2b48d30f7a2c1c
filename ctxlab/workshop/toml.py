"""Protocols as TOML tables: reading with the place of every error, and a small, stable writer."""

from __future__ import annotations

import json
import reprlib
import tomllib
from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from ctxlab.errors import DataError
from ctxlab.workshop.artifact_schema import ArtifactSchema


def read_toml(source: str | Path) -> tuple[dict[str, Any], str | None]:
    r"""Return the table of a TOML text or file, and the file's name.

    Parameters
    ----------
    source : str or Path
        A text; a path, or a string of one line, is a file.

    Raises
    ------
    DataError
        When the file cannot be read, or is not TOML.

    Examples
    --------
    >>> read_toml("name = 'retro'\nversion = 2")
    ({'name': 'retro', 'version': 2}, None)
    """
    file = None
    if isinstance(source, Path) or "\n" not in source:
        file = str(source)
        try:
            source = Path(source).read_text(encoding="utf-8-sig")
        except UnicodeDecodeError as error:
            raise DataError(f"is not UTF-8: {error}", file) from error
        except (OSError, ValueError) as error:
            raise DataError(f"cannot be opened: {error}", file) from error
    try:
        return tomllib.loads(source), file
    except tomllib.TOMLDecodeError as error:
        raise DataError(f"is not TOML: {error}", file) from error


def steps_of(table: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the steps of a protocol's table, each with its order and its artifact schema.

    A step without an ``order`` takes its position. Its artifact stands in ``fields``, one line
    a field, or in ``schema``, a JSON Schema as JSON text or as a table.

    Raises
    ------
    DataError
        With the field at fault.

    Examples
    --------
    >>> steps_of({"steps": [{"id": "facts"}]})
    [{'id': 'facts', 'order': 1}]
    """
    steps = table.get("steps")
    tables = isinstance(steps, list) and all(isinstance(step, dict) for step in steps)
    if not steps or not tables:
        raise DataError("must be tables; begin each step with [[steps]]", field="steps")
    return [_step(step, index) for index, step in enumerate(steps)]


def _step(table: Mapping[str, Any], index: int) -> dict[str, Any]:
    step = {**table, "order": table.get("order", index + 1)}
    place = f"steps[{index}]"
    if "artifact" in step:
        raise DataError("is written as fields or as schema", field=f"{place}.artifact")
    if "fields" in step and "schema" in step:
        raise DataError("stands beside fields; write one of the two", field=f"{place}.schema")
    try:
        if "fields" in step:
            fields = step.pop("fields")
            if not isinstance(fields, dict):
                raise DataError("must be a table of field names and types", field="fields")
            step["artifact"] = ArtifactSchema.from_fields(fields)
        elif "schema" in step:
            schema = step.pop("schema")
            step["artifact"] = (
                ArtifactSchema(schema) if isinstance(schema, str) else ArtifactSchema.of(schema)
            )
    except DataError as error:
        part = error.field if error.field == "fields" else f"fields.{error.field}"
        where = f"{place}.{part if error.field else 'schema'}"
        raise DataError(error.problem, field=where) from error
    return step


def write_toml(name: str, version: int, steps: Iterable[Mapping[str, Any]]) -> str:
    """Return a protocol as TOML: the same values always give the same text.

    Texts and numbers come as they are, tuples as lists of texts; an artifact schema is written
    as ``fields`` where it is flat, and as JSON Schema text where it is not.

    Examples
    --------
    >>> print(write_toml("retro", 1, [{"id": "facts", "depends_on": ()}]), end="")
    name = "retro"
    version = 1
    <BLANKLINE>
    [[steps]]
    id = "facts"
    """
    lines = [f"name = {_text(name)}", f"version = {version}"]
    for step in steps:
        lines += ["", "[[steps]]"]
        artifact: ArtifactSchema | None = None
        for key, value in step.items():
            if isinstance(value, ArtifactSchema):
                artifact = value
            elif isinstance(value, tuple):
                lines += _list(key, value)
            elif value != "":
                lines.append(f"{key} = {_text(value) if isinstance(value, str) else value}")
        if artifact is not None and artifact != ArtifactSchema():
            lines += _artifact(artifact)
    return "\n".join(lines) + "\n"


def _list(key: str, values: tuple[str, ...]) -> list[str]:
    return [f"{key} = [", *(f"  {_text(value)}," for value in values), "]"] if values else []


def _artifact(artifact: ArtifactSchema) -> list[str]:
    fields = artifact.to_fields()
    if fields is not None:
        rows = [f"{name} = {_text(line)}" for name, line in fields.items()]
        return ["", "[steps.fields]", *rows]
    # JSON, not tables: TOML has no null. An apostrophe could end the text, so it is escaped.
    schema = json.dumps(artifact.as_dict(), ensure_ascii=False, indent=2)
    return ["schema = '''", _without_delete(schema.replace("'", "\\u0027")), "'''"]


def _text(value: str) -> str:
    # A JSON string is a TOML string, but for one character.
    return _without_delete(json.dumps(value, ensure_ascii=False))


def _without_delete(text: str) -> str:
    return text.replace("\x7f", "\\u007f")


def data_error(
    error: ValidationError, keys: Iterable[str] = (), step_keys: Iterable[str] = ()
) -> DataError:
    """Turn Pydantic's first complaint into an error with a field such as ``steps[3].goal``.

    Parameters
    ----------
    error : ValidationError
        What Pydantic found.
    keys, step_keys : iterable of str
        The fields there are, of a protocol and of a step.

    Examples
    --------
    >>> from ctxlab.core.segments import Value
    >>> class Point(Value):
    ...     x: int
    >>> try:
    ...     Point.model_validate({"x": "no"})
    ... except ValidationError as error:
    ...     print(data_error(error))
    field x: is 'no': input should be a valid integer, unable to parse string as an integer
    """
    first, others = error.errors()[0], error.error_count() - 1
    loc = first["loc"]
    place = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in loc)
    message = first["msg"].replace("valid tuple", "list")
    problem = f"is {reprlib.repr(first['input'])}: {message[:1].lower()}{message[1:]}"
    cause = first.get("ctx", {}).get("error")
    if isinstance(cause, DataError):
        problem, place = cause.problem, f"{place}.{cause.field}" if cause.field else place
    elif first["type"] == "missing":
        problem = "is missing"
    elif first["type"] == "extra_forbidden":
        fields = list(step_keys if len(loc) > 1 else keys)
        near = get_close_matches(str(loc[-1]), fields, n=1, cutoff=0.5)
        hint = f"did you mean {near[0]!r}? " if near else ""
        problem = f"is no field here; {hint}Known: {', '.join(fields)}"
    more = f" (and {others} more)" if others else ""
    return DataError(problem + more, field=place.lstrip("."))
