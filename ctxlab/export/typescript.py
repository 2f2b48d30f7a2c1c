"""TypeScript: a type for every step's artifact, and for what it is made of."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

from ctxlab.export.chosen_schemas import StepSchema, class_name
from ctxlab.export.export_options import PLAIN, ExportOptions
from ctxlab.export.schema_parts import Schema, at, distinct, parsed, type_names

FILE = "artifacts.types.ts"
"""The file of the types, which the modules of other targets import."""
_SCALARS = {
    "string": "string", "number": "number", "integer": "number", "boolean": "boolean",
    "null": "null",
}  # fmt: skip


def files(schemas: Sequence[StepSchema], options: ExportOptions = PLAIN) -> dict[str, str]:
    r"""Return one module of types, and `Artifacts` with the type of every step.

    Raises
    ------
    DataError
        When a reference leads out of its schema.

    Examples
    --------
    >>> text = '{"type": "object", "properties": {"age": {"type": "integer"}}}'
    >>> print(files([StepSchema("persona", 1, text)])["artifacts.types.ts"].split("\n\n")[1])
    /** Artifact of step persona, schema version 1. */
    export type Persona = {
      "age"?: number;
      [key: string]: unknown;
    };
    """
    names = type_names(schemas)
    used = dict.fromkeys(names.values())
    parts = ["// Artifact types, written by ctxlab from the registered schemas."]
    for one in schemas:
        parts += _Types(one, names[one.step], used).declarations()
    rows = "".join(f"  {_key(step)}: {name};\n" for step, name in names.items())
    parts.append(f"/** The artifact of every step. */\nexport type Artifacts = {{\n{rows}}};")
    parts.append(
        "/** The artifact of one step, or of any. */\n"
        "export type ArtifactOf<S extends keyof Artifacts = keyof Artifacts> = Artifacts[S];"
    )
    return {FILE: "\n\n".join(parts) + "\n"}


def _key(text: str) -> str:
    # ASCII alone: no line separator, nor anything else that an editor hides, stands in the code.
    return json.dumps(text)


class _Types:
    """The types of one schema, whose definitions carry the step's name."""

    def __init__(self, schema: StepSchema, name: str, used: dict[str, None]) -> None:
        self._schema, self._name = schema, name
        self._root = parsed(schema)
        self._names = {"#": name}
        self._definitions: dict[str, Schema] = {}
        for word in ("$defs", "definitions"):
            for key in self._root.get(word, {}):
                place = f"#/{word}/{key.replace('~', '~0').replace('/', '~1')}"
                self._definitions[place] = at(self._root, place, schema.step)
        made = distinct(
            self._definitions, lambda p: name + class_name(p.rsplit("/", 1)[1]), "", used
        )
        used.update(dict.fromkeys(made.values()))
        self._names |= made

    def declarations(self) -> list[str]:
        about = f"Artifact of step {self._schema.step}, schema version {self._schema.version}."
        parts = [self._declared(self._name, self._root, about)]
        for place, schema in self._definitions.items():
            parts.append(self._declared(self._names[place], schema, schema.get("description", "")))
        return parts

    def _declared(self, name: str, schema: Schema, about: object) -> str:
        return f"{_comment(about, '')}export type {name} = {self.type(schema, '')};"

    def type(self, schema: object, indent: str) -> str:
        """Return the type that a schema describes."""
        if schema is True or not isinstance(schema, dict):
            return "never" if schema is False else "unknown"
        parts = []
        if isinstance(schema.get("$ref"), str):
            parts.append(self._reference(schema["$ref"], indent))
        if "const" in schema:
            parts.append(_literal(schema["const"]))
        elif isinstance(schema.get("enum"), list):
            parts.append(_union([_literal(value) for value in schema["enum"]]))
        else:
            parts += self._plain(schema, indent)
        for word in ("anyOf", "oneOf"):
            if word in schema:
                parts.append(_union([self.type(one, indent) for one in schema[word]]))
        parts += [self.type(one, indent) for one in schema.get("allOf", ())]
        parts = [part for part in dict.fromkeys(parts) if part != "unknown"]
        if len(parts) > 1:
            return " & ".join(f"({part})" if " | " in part else part for part in parts)
        return parts[0] if parts else "unknown"

    def _reference(self, reference: str, indent: str) -> str:
        if reference in self._names:
            return self._names[reference]
        return self.type(at(self._root, reference, self._schema.step), indent)

    def _plain(self, schema: Mapping[str, Any], indent: str) -> list[str]:
        kinds = schema.get("type")
        if kinds is None:
            kinds = ["object"] if "properties" in schema else []
        kinds = [kinds] if isinstance(kinds, str) else list(kinds)
        found = [self._kind(kind, schema, indent) for kind in kinds]
        return [_union(found)] if found else []

    def _kind(self, kind: str, schema: Mapping[str, Any], indent: str) -> str:
        if kind == "array":
            return self._array(schema, indent)
        if kind == "object":
            return self._object(schema, indent)
        return _SCALARS.get(kind, "unknown")

    def _array(self, schema: Mapping[str, Any], indent: str) -> str:
        first = schema.get("prefixItems")
        items = self.type(schema.get("items", True), indent)
        if not isinstance(first, list):
            return f"Array<{items}>"
        least = schema.get("minItems", 0)
        parts = [
            self.type(one, indent) if place < least else f"({self.type(one, indent)})?"
            for place, one in enumerate(first)
        ]
        closed = schema.get("items") is False or schema.get("maxItems") == len(first)
        return f"[{', '.join([*parts, *([] if closed else [f'...Array<{items}>'])])}]"

    def _object(self, schema: Mapping[str, Any], indent: str) -> str:
        properties = schema.get("properties", {})
        required, inner = set(schema.get("required", ())), indent + "  "
        lines = []
        for name, one in properties.items():
            mark = "" if name in required else "?"
            about = _comment(one.get("description", "") if isinstance(one, dict) else "", inner)
            lines.append(f"{about}{inner}{_key(name)}{mark}: {self.type(one, inner)};\n")
        others = schema.get("additionalProperties", True)
        if others is not False:
            # Beside known fields, a type for the others would have to hold for those, too.
            kind = "unknown" if properties else self.type(others, inner)
            lines.append(f"{inner}[key: string]: {kind};\n")
        elif not lines:
            return "Record<string, never>"
        return f"{{\n{''.join(lines)}{indent}}}"


def _literal(value: object) -> str:
    if isinstance(value, str) or value is None or isinstance(value, bool | int | float):
        return json.dumps(value)
    return "unknown"


def _union(parts: Sequence[str]) -> str:
    kept = list(dict.fromkeys(parts))
    return "unknown" if "unknown" in kept or not kept else " | ".join(kept)


def _comment(about: object, indent: str) -> str:
    text = " ".join(str(about).split()) if about else ""
    # What could end the comment, or hide in it, is written so that it cannot.
    text = re.sub(r"[^\x20-\x7e\xa0-\ud7ff]", " ", text).replace("*/", "*\\/")
    text = text.replace("\u2028", " ").replace("\u2029", " ")
    return f"{indent}/** {text} */\n" if text else ""
