"""Pydantic: one module with a model a step, written by datamodel-code-generator."""

from __future__ import annotations

import json
import warnings
from collections.abc import Mapping, Sequence
from typing import cast

from ctxlab.errors import DataError, MissingExtraError
from ctxlab.export.chosen_schemas import StepSchema, class_name
from ctxlab.export.export_options import PLAIN, ExportOptions
from ctxlab.export.schema_parts import parsed

JSONObject = dict[str, object]

_ROOT = "WorkshopArtifacts"
_DEFINITIONS = ("$defs", "definitions")
# Names that the generated module imports, or that Pydantic's models have.
_TAKEN = (
    "Annotated", "Any", "BaseModel", "ConfigDict", "Enum", "Field", "Literal", "Model",
    "RootModel", "StrEnum", "Union", "Optional", _ROOT,
)  # fmt: skip
_HEAD = '"""Artifact schemas of ctxlab: {listing}."""'
_DRAFT = "https://json-schema.org/draft/2020-12/schema"


def files(schemas: Sequence[StepSchema], options: ExportOptions = PLAIN) -> dict[str, str]:
    """Return one module: a class a step, and ``ARTIFACT_SCHEMAS`` with the class of every step.

    Raises
    ------
    MissingExtraError
        When datamodel-code-generator is not installed.
    DataError
        When it cannot express a schema.

    Examples
    --------
    >>> text = files([StepSchema("retro", 1, '{"type": "object", "title": "R"}')])["artifacts.py"]
    >>> "class Retro(BaseModel):" in text
    True
    """
    definitions, roots = _together(schemas)
    whole = {
        "$schema": _DRAFT,
        "title": _ROOT,
        "description": "The artifacts of one workshop, by step.",
        "type": "object",
        "properties": {step: {"$ref": f"#/$defs/{name}"} for step, name in roots.items()},
        "additionalProperties": False,
        "$defs": definitions,
    }
    listing = ", ".join(f"{one.step} {one.version}" for one in schemas)
    head = _HEAD.format(listing=listing.replace("\\", "").replace('"', ""))
    table = "".join(f"    {json.dumps(step)}: {name},\n" for step, name in roots.items())
    end = f"ARTIFACT_SCHEMAS: dict[str, type[BaseModel]] = {{\n{table}}}\n"
    return {"artifacts.py": f"{_generated(whole, head).strip()}\n\n\n{end}"}


def _generated(schema: JSONObject, head: str) -> str:
    try:
        from datamodel_code_generator import InputFileType, generate
        from datamodel_code_generator.enums import DataModelType
        from datamodel_code_generator.format import Formatter, PythonVersion
        from datamodel_code_generator.parser import LiteralType
    except ImportError as error:
        raise MissingExtraError("writing Pydantic models", "export") from error
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            text = generate(
                json.dumps(schema),
                input_file_type=InputFileType.JsonSchema,
                output_model_type=DataModelType.PydanticV2BaseModel,
                target_python_version=PythonVersion.PY_311,
                # The generator's own formatter: the bytes depend on no other tool's version.
                formatters=[Formatter.BUILTIN],
                builtin_format_line_length=100,
                custom_file_header=head,
                enum_field_as_literal=LiteralType.All,
                # A field with a default may be absent; that does not make it nullable.
                strict_nullable=True,
                field_constraints=True,
                use_annotated=True,
                use_schema_description=True,
                use_double_quotes=True,
            )
    except Exception as error:
        # The generator raises whatever its parts raise.
        raise DataError(f"an artifact schema cannot be a Pydantic model: {error}") from error
    return str(text)


def _together(schemas: Sequence[StepSchema]) -> tuple[JSONObject, dict[str, str]]:
    """Put all definitions under names of their own; return them, and the name of every step."""
    definitions: JSONObject = {}
    roots = {}
    # The steps' names come first, so that no inner definition takes one of them.
    for one in schemas:
        roots[one.step] = _free_name(one.name, definitions)
        definitions[roots[one.step]] = {}
    for one in schemas:
        root: JSONObject = parsed(one)
        inner: JSONObject = {}
        for word in _DEFINITIONS:
            inner |= {f"#/{word}/{k}": v for k, v in cast("JSONObject", root.pop(word, {})).items()}
        root.pop("$schema", None), root.pop("$id", None)
        names = {"#": roots[one.step]}
        for place in inner:
            wished = class_name(place.rsplit("/", 1)[1])
            names[place] = _free_name(wished, {**definitions, **dict.fromkeys(names.values())})
        for place, schema in {"#": root, **inner}.items():
            definitions[names[place]] = _renamed(schema, names) | {"title": names[place]}
    return definitions, roots


def _free_name(wished: str, taken: Mapping[str, object]) -> str:
    name, number = wished, 1
    while name in taken or name in _TAKEN:
        number += 1
        name = f"{wished}{number}"
    return name


def _renamed(schema: object, names: Mapping[str, str]) -> JSONObject:
    return cast("JSONObject", _walk(schema, names))


def _walk(value: object, names: Mapping[str, str]) -> object:
    if isinstance(value, list):
        return [_walk(one, names) for one in value]
    if not isinstance(value, dict):
        return value
    walked = {key: _walk(one, names) for key, one in value.items()}
    target = walked.get("$ref")
    if isinstance(target, str):
        if target not in names:
            raise DataError(
                f"refers to {target!r}; expected one of its own definitions", field="$ref"
            )
        walked["$ref"] = f"#/$defs/{names[target]}"
    return _nullable(walked)


def _nullable(schema: JSONObject) -> JSONObject:
    """Write "a limited type, or null" as one type, which becomes a plain optional field."""
    choices = schema.get("anyOf")
    if not isinstance(choices, list) or len(choices) != 2 or choices[1] != {"type": "null"}:
        return schema
    limits = cast("JSONObject", choices[0])
    if limits.get("type") not in ("integer", "number", "string") or {"enum", "const"} & set(limits):
        return schema
    others = {key: value for key, value in schema.items() if key != "anyOf"}
    return limits | others | {"type": [limits["type"], "null"]}
