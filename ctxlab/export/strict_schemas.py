"""The strict subset of JSON Schema that structured output takes, and the way into it.

Source: OpenAI, Structured outputs, "Supported schemas" (properties, nesting, enums, keywords).
"""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from ctxlab.export.schema_parts import Schema, at

_FORMATS = frozenset(
    ("date-time", "time", "date", "duration", "email", "hostname", "ipv4", "ipv6", "uuid")
)
_KEPT = frozenset(
    ("type", "properties", "required", "additionalProperties", "items", "enum", "const", "anyOf",
     "$ref", "$defs", "definitions", "title", "description", "pattern", "format", "multipleOf",
     "maximum", "exclusiveMaximum", "minimum", "exclusiveMinimum", "minItems", "maxItems")
)  # fmt: skip
_SAID = {
    "minLength": "at least {} characters", "maxLength": "at most {} characters",
    "uniqueItems": "no item twice", "minProperties": "at least {} fields",
    "maxProperties": "at most {} fields", "default": "by default {}",
    "examples": "for example {}", "format": "format {}",
}  # fmt: skip
_DROPPED = frozenset(("$schema", "$id", "$comment", "discriminator", "deprecated", "readOnly",
                      "writeOnly"))  # fmt: skip
_PROPERTIES, _DEPTH, _TEXT, _ENUMS = 5_000, 10, 120_000, 1_000


@dataclass(frozen=True, slots=True)
class StrictProblem:
    """What the strict subset forbids: where, what, and the change that would allow it.

    Examples
    --------
    >>> print(StrictProblem("$.age", "is optional", "require it, and allow null"))
    $.age: is optional; require it, and allow null
    """

    path: str
    problem: str
    change: str

    def __str__(self) -> str:
        return f"{self.path}: {self.problem}; {self.change}"


def strict_problems(schema: Mapping[str, Any]) -> list[StrictProblem]:
    """Return everything in a schema that the strict subset forbids.

    Examples
    --------
    >>> schema = {"type": "object", "properties": {"a": {"type": "string", "maxLength": 9}}}
    >>> [problem.path for problem in strict_problems(schema)]
    ['$', '$.a', '$.a']
    """
    found = list(_problems(schema, "$"))
    if schema.get("type") != "object" or "anyOf" in schema:
        found.insert(0, StrictProblem("$", "is no plain object", 'give the root "type": "object"'))
    for word in ("$defs", "definitions"):
        for name, one in schema.get(word, {}).items():
            found += _problems(one, f"$.{word}.{name}")
    found += _sizes(schema)
    return found


def _problems(schema: object, path: str) -> Iterator[StrictProblem]:
    if not isinstance(schema, Mapping):
        yield StrictProblem(path, f"is {schema!r}", "write a schema with a type")
        return
    for word in sorted(schema.keys() - _KEPT):
        yield StrictProblem(path, f"has {word!r}", _change(word))
    if "format" in schema and schema["format"] not in _FORMATS:
        yield StrictProblem(path, f"has format {schema['format']!r}", "say it in the description")
    if "$ref" in schema and schema.keys() - {"$ref", "$defs", "definitions"}:
        yield StrictProblem(path, "has words beside $ref", "leave the reference alone")
    if not schema.keys() & {"type", "anyOf", "$ref", "enum", "const"}:
        yield StrictProblem(path, "allows anything", "give it a type")
    kinds = schema.get("type", ())
    kinds = {kinds} if isinstance(kinds, str) else set(kinds)
    if "object" in kinds or "properties" in schema:
        yield from _object(schema, path)
    if "array" in kinds and "items" not in schema and "prefixItems" not in schema:
        yield StrictProblem(path, "has no items", "describe the items")
    if "items" in schema:
        yield from _problems(schema["items"], f"{path}[*]")
    for at_, one in enumerate(schema.get("anyOf", ())):
        yield from _problems(one, f"{path}.anyOf[{at_}]")


def _object(schema: Mapping[str, Any], path: str) -> Iterator[StrictProblem]:
    properties = schema.get("properties", {})
    others = schema.get("additionalProperties", True)
    if others is not False:
        free = not properties or isinstance(others, Mapping)
        change = "list its fields, or make it a list of keys and values" if free else (
            'set "additionalProperties": false'
        )  # fmt: skip
        yield StrictProblem(path, "takes fields that are not listed", change)
    for name, one in properties.items():
        if name not in schema.get("required", ()):
            yield StrictProblem(f"{path}.{name}", "is optional", "require it, and allow null")
        yield from _problems(one, f"{path}.{name}")


def _change(word: str) -> str:
    if word in _SAID or word in _DROPPED:
        return "say it in the description" if word in _SAID else "leave it out"
    return {
        "oneOf": "write anyOf",
        "allOf": "merge the schemas into one",
        "prefixItems": "write an object with a field for each place",
        "patternProperties": "make it a list of keys and values",
    }.get(word, "leave it out, and check it afterwards")


def _sizes(schema: Mapping[str, Any]) -> Iterator[StrictProblem]:
    names, values, depth = _measured(schema, 0)
    for what, size, limit in (
        ("properties", len(names), _PROPERTIES),
        ("enum values", len(values), _ENUMS),
        ("characters of names and values", sum(map(len, names + values)), _TEXT),
        ("levels of nesting", depth, _DEPTH),
    ):
        if size > limit:
            yield StrictProblem("$", f"has {size:,} {what}", f"at most {limit:,} are allowed")


def _measured(schema: object, depth: int) -> tuple[list[str], list[str], int]:
    names: list[str] = []
    values: list[str] = []
    deepest = depth
    if isinstance(schema, Mapping):
        values += map(str, schema.get("enum", ()))
        properties = schema.get("properties", {})
        names += properties
        below = [(one, depth + 1) for one in properties.values()]
        below += [(schema["items"], depth)] if "items" in schema else []
        below += [(one, depth) for one in schema.get("anyOf", ())]
        for word in ("$defs", "definitions"):
            names += schema.get(word, {})
            below += [(one, depth) for one in schema.get(word, {}).values()]
        for one, level in below:
            more, others, deep = _measured(one, level)
            names, values, deepest = names + more, values + others, max(deepest, deep)
    return names, values, deepest


def strict_rewrite(schema: Mapping[str, Any], step: str = "") -> Schema:
    """Return a schema as the strict subset takes it, as far as it can be brought there.

    Optional fields become required and may be null; what only limits a value moves to its
    description. A map of free keys and a tuple stay: they have no strict form of the same shape.

    Parameters
    ----------
    schema : mapping
        A JSON Schema of an object.
    step : str
        Whose, for the error of a broken reference.

    Examples
    --------
    >>> strict_rewrite({"type": "object", "properties": {"a": {"type": "string", "maxLength": 9}}})
    {'type': 'object', 'properties': {'a': {'anyOf': [{'type': 'string', 'description':
    'At most 9 characters.'}, {'type': 'null'}]}}, 'additionalProperties': False,
    'required': ['a']}
    """
    root = copy.deepcopy(dict(schema))
    made: Schema = _strict(root, root, step)
    return made


def _strict(schema: object, root: Mapping[str, Any], step: str) -> Any:  # noqa: ANN401 - JSON
    if not isinstance(schema, dict):
        return schema
    if isinstance(schema.get("$ref"), str):
        if "$defs" not in schema and "definitions" not in schema:
            return {"$ref": schema["$ref"]}
        rest = {key: value for key, value in schema.items() if key != "$ref"}
        schema = {**at(root, schema["$ref"], step), **rest}
    if len(schema.get("allOf", ())) == 1:
        schema = {**schema["allOf"][0], **{k: v for k, v in schema.items() if k != "allOf"}}
        return _strict(schema, root, step)
    said = [_SAID[word].format(schema[word]) for word in _SAID if _is_said(schema, word)]
    kept: Schema = {}
    for word, value in schema.items():
        if word in _DROPPED or _is_said(schema, word):
            continue
        name = "anyOf" if word == "oneOf" else word
        if name == "anyOf":
            kept[name] = [_strict(one, root, step) for one in value]
        elif word in ("$defs", "definitions", "properties"):
            kept[name] = {key: _strict(one, root, step) for key, one in value.items()}
        elif word == "items":
            kept[name] = _strict(value, root, step)
        else:
            kept[name] = value
    if said:
        before = str(kept.get("description", "")).rstrip(". ")
        text = "; ".join(said)
        kept["description"] = f"{before}. {text}." if before else f"{text[0].upper()}{text[1:]}."
    if "properties" in kept:
        needed = set(kept.get("required", ()))
        kept["properties"] = {
            name: one if name in needed else _nullable(one)
            for name, one in kept["properties"].items()
        }
        if not isinstance(kept.get("additionalProperties"), Mapping):
            kept["additionalProperties"] = False
        kept["required"] = list(kept["properties"])
    return kept


def _is_said(schema: Mapping[str, Any], word: str) -> bool:
    return word in _SAID and word in schema and (word != "format" or schema[word] not in _FORMATS)


def _nullable(schema: Schema) -> Schema:
    if any(one == {"type": "null"} for one in schema.get("anyOf", ())):
        return schema
    kinds = schema.get("type")
    if kinds == "null" or (isinstance(kinds, list) and "null" in kinds):
        return schema
    return {"anyOf": [schema, {"type": "null"}]}
