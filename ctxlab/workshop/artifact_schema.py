"""What an artifact schema is: a Pydantic model to write it in, and a value to carry it."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel, ConfigDict

from ctxlab.errors import DataError, NotJSONError
from ctxlab.store.json_text import json_text

_TYPES = {"str": "string", "int": "integer", "float": "number", "bool": "boolean"}
_WORDS = {word: name for name, word in _TYPES.items()}
_FIELD = re.compile(
    r"\s*(?:(?P<choices>[\w-]+(?:\s*\|\s*[\w-]+)+)|list\[(?P<items>\w+)\]|(?P<one>\w+))"
    r"(?P<optional>\?)?\s*(?::\s*(?P<description>.*))?",
    re.DOTALL,
)


def _first_paragraph(schema: dict[str, Any]) -> None:
    # A reader of the schema needs what the class is, not how its doctest runs.
    schema["description"] = " ".join(schema.get("description", "").split("\n\n")[0].split())


class Artifact(BaseModel):
    """Base of artifact schemas: unknown fields are refused, numbers are finite.

    Examples
    --------
    >>> class Retro(Artifact):
    ...     '''What a team learned.'''
    ...     kept: list[str]
    >>> Retro.model_json_schema()["description"]
    'What a team learned.'
    """

    model_config = ConfigDict(
        extra="forbid", allow_inf_nan=False, json_schema_extra=_first_paragraph
    )


@dataclass(frozen=True, slots=True)
class ArtifactSchema:
    """A JSON Schema of an object, kept as JSON text so that it stays hashable and unchanged.

    Examples
    --------
    >>> ArtifactSchema().as_dict()
    {'type': 'object'}
    """

    text: str = '{"type": "object"}'

    def __post_init__(self) -> None:
        try:
            schema = json.loads(self.text)
            json_text(schema, "artifact schema")
            # One way of writing it, so that equal schemas are equal texts.
            text = json.dumps(schema, ensure_ascii=False)
        except ValueError as error:
            raise DataError(f"is not JSON: {error}; expected a JSON Schema") from error
        if not isinstance(schema, dict) or _root(schema).get("type") != "object":
            raise DataError('is not the JSON Schema of an object; its "type" must be "object"')
        object.__setattr__(self, "text", text)

    @classmethod
    def of(cls, source: ArtifactSchema | type[BaseModel] | Mapping[str, Any]) -> ArtifactSchema:
        """Take the schema of a Pydantic model, or a JSON Schema.

        Raises
        ------
        DataError
            When it is neither, or does not describe an object.

        Examples
        --------
        >>> class Retro(Artifact):
        ...     kept: list[str]
        >>> ArtifactSchema.of(Retro).as_dict()["required"]
        ['kept']
        """
        if isinstance(source, ArtifactSchema):
            return source
        schema: object = source
        if isinstance(source, type) and issubclass(source, BaseModel):
            schema = source.model_json_schema()
        if not isinstance(schema, Mapping):
            raise DataError(f"is {source!r}; expected a Pydantic model or a JSON Schema")
        try:
            return cls(json_text(dict(schema), "artifact schema"))
        except NotJSONError as error:
            raise DataError(f"holds what JSON cannot: {error}") from error

    @classmethod
    def from_fields(cls, fields: Mapping[str, str]) -> ArtifactSchema:
        """Build a flat schema from one line a field: its type, ``?`` if optional, what it means.

        Types are ``str``, ``int``, ``float``, ``bool``, a list of one of them, and choices such
        as ``go|stop``. Fields that are not named here are refused.

        Raises
        ------
        DataError
            With the field whose line is not understood.

        Examples
        --------
        >>> schema = ArtifactSchema.from_fields({
        ...     "kept": "list[str]: what we go on doing",
        ...     "mood": "low|fair|high?",
        ... }).as_dict()
        >>> schema["required"], schema["properties"]["kept"]["type"]
        (['kept'], 'array')
        """
        parsed = {name: _property(name, line) for name, line in fields.items()}
        return cls.of(
            {
                "type": "object",
                "properties": {name: schema for name, (schema, _) in parsed.items()},
                "required": [name for name, (_, required) in parsed.items() if required],
                "additionalProperties": False,
            }
        )

    def as_dict(self) -> dict[str, Any]:
        """Return the JSON Schema, a fresh copy each time.

        Examples
        --------
        >>> ArtifactSchema.from_fields({"age": "int"}).as_dict()["properties"]
        {'age': {'type': 'integer'}}
        """
        schema: dict[str, Any] = json.loads(self.text)
        return schema

    def to_fields(self) -> dict[str, str] | None:
        """Return the lines that `from_fields` would build this very schema from, if there are any.

        Examples
        --------
        >>> ArtifactSchema.from_fields({"age": "int?:  in years"}).to_fields()
        {'age': 'int?: in years'}
        >>> ArtifactSchema().to_fields() is None
        True
        """
        schema = self.as_dict()
        properties, required = schema.get("properties"), schema.get("required")
        if not isinstance(properties, dict) or not isinstance(required, list):
            return None
        try:
            lines = {name: _line(one, name in required) for name, one in properties.items()}
            return lines if ArtifactSchema.from_fields(lines) == self else None
        except (AttributeError, DataError, LookupError, TypeError):
            return None


def _root(schema: dict[str, Any]) -> dict[str, Any]:
    """Return what a schema says at its root; that of a recursive model is a reference."""
    seen: set[str] = set()
    while isinstance(reference := schema.get("$ref"), str) and reference not in seen:
        seen.add(reference)
        found: Any = schema
        for part in reference.removeprefix("#/").split("/"):
            found = found.get(part.replace("~1", "/").replace("~0", "~"), {})
        schema = {key: value for key, value in schema.items() if key != "$ref"} | found
    return schema


def _property(name: str, line: object) -> tuple[dict[str, Any], bool]:
    """Turn one field's line into its JSON Schema, and say whether the field is required."""
    if not name.isidentifier():
        raise DataError("is no field name; use letters, digits and underscores", field=name)
    match = _FIELD.fullmatch(line) if isinstance(line, str) else None
    if match is None or not (match["choices"] or (match["items"] or match["one"]) in _TYPES):
        raise DataError(
            f"is {line!r}; expected a type (str, int, float, bool, list[str], a|b), "
            "then ? if optional, then a colon and what it means",
            field=name,
        )
    schema: dict[str, Any]
    if match["choices"]:
        schema = {"type": "string", "enum": re.split(r"\s*\|\s*", match["choices"])}
    elif match["items"]:
        schema = {"type": "array", "items": {"type": _TYPES[match["items"]]}}
    else:
        schema = {"type": _TYPES[match["one"]]}
    if match["optional"] and not match["items"]:
        schema = {"anyOf": [schema, {"type": "null"}]}
    if match["description"]:
        schema["description"] = match["description"].strip()
    return schema, not match["optional"]


def _line(schema: dict[str, Any], required: bool) -> str:
    plain = schema["anyOf"][0] if "anyOf" in schema else schema
    if "enum" in plain:
        kind = "|".join(plain["enum"])
    elif plain["type"] == "array":
        kind = f"list[{_WORDS[plain['items']['type']]}]"
    else:
        kind = _WORDS[plain["type"]]
    description = schema.get("description", "")
    return kind + ("" if required else "?") + (f": {description}" if description else "")
