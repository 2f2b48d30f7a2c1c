"""A schema out of samples: what all of them are, and nothing more."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from ctxlab.errors import DataError
from ctxlab.workshop.artifact_schema import ArtifactSchema

_TYPES = {
    bool: "boolean", int: "integer", str: "string", type(None): "null", list: "array",
    dict: "object",
}  # fmt: skip


def infer_schema(samples: Iterable[Mapping[str, Any]]) -> ArtifactSchema:
    """Return a schema that every sample obeys: types, fields, and which of them all have.

    Raises
    ------
    DataError
        When there is no sample, or one is no object.

    Examples
    --------
    >>> infer_schema([{"name": "Mira", "age": 61}, {"name": "Jo"}]).as_dict()["required"]
    ['name']
    """
    found = list(samples)
    if not found or not all(isinstance(one, dict) for one in found):
        raise DataError("is no sample; give JSON objects, at least one")
    return ArtifactSchema.of(_schema(found))


def _schema(values: list[Any]) -> dict[str, Any]:
    kinds = sorted({_TYPES.get(type(value), "number") for value in values})
    if "number" in kinds and "integer" in kinds:
        kinds.remove("integer")
    if len(kinds) == 1:
        return _of_kind(kinds[0], values)
    return {
        "anyOf": [
            _of_kind(kind, [v for v in values if _is_of(kind, v)]) for kind in kinds
        ]
    }  # fmt: skip


def _is_of(kind: str, value: object) -> bool:
    own = _TYPES.get(type(value), "number")
    return own == kind or (kind == "number" and own == "integer")


def _of_kind(kind: str, values: list[Any]) -> dict[str, Any]:
    schema: dict[str, Any] = {"type": kind}
    if kind == "array":
        items = [item for value in values for item in value]
        if items:
            schema["items"] = _schema(items)
    elif kind == "object":
        names = dict.fromkeys(name for value in values for name in value)
        schema["properties"] = {
            name: _schema([value[name] for value in values if name in value]) for name in names
        }
        schema["required"] = [name for name in names if all(name in value for value in values)]
        schema["additionalProperties"] = False
    return schema
