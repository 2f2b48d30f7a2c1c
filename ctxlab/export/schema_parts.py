"""Schemas as their targets need them: the root without a reference, names that never collide."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from ctxlab.errors import DataError
from ctxlab.export.chosen_schemas import StepSchema, class_name

Schema = dict[str, Any]
_LONGEST = 80
"""Characters of a name; file systems take 255 bytes."""
_WORDS = (
    "Array", "Boolean", "Date", "Error", "Function", "Map", "Number", "Object", "Promise",
    "Record", "Set", "String", "Symbol", "Artifacts", "ArtifactOf",
)  # fmt: skip


def parsed(schema: StepSchema) -> Schema:
    """Return a schema whose root says itself what it is; only a recursive model's is a reference.

    Raises
    ------
    DataError
        When a reference leads nowhere.

    Examples
    --------
    >>> text = '{"$ref": "#/$defs/Tree", "$defs": {"Tree": {"type": "object"}}}'
    >>> parsed(StepSchema("note", 1, text))["type"]
    'object'
    """
    root: Schema = json.loads(schema.text)
    seen: set[str] = set()
    while isinstance(reference := root.get("$ref"), str) and reference not in seen:
        seen.add(reference)
        rest = {key: value for key, value in root.items() if key != "$ref"}
        root = {**at(root, reference, schema.step), **rest}
    return root


def at(root: Mapping[str, Any], reference: str, step: str) -> Schema:
    """Return what a reference within a schema leads to.

    Raises
    ------
    DataError
        When it leads out of the schema, or nowhere.

    Examples
    --------
    >>> at({"$defs": {"A": {"type": "null"}}}, "#/$defs/A", "note")
    {'type': 'null'}
    """
    found: Any = root
    try:
        if not reference.startswith("#"):
            raise KeyError(reference)
        for part in reference.removeprefix("#").split("/")[1:]:
            found = found[part.replace("~1", "/").replace("~0", "~")]
    except (KeyError, TypeError, IndexError) as error:
        raise DataError(
            f"the schema of step {step!r} refers to {reference!r}, which is not in it; "
            "put what is meant into its $defs"
        ) from error
    return found if isinstance(found, dict) else {}


def type_names(schemas: Sequence[StepSchema]) -> dict[str, str]:
    """Return a name of a type for every step; none differs from another by case alone.

    Examples
    --------
    >>> type_names([StepSchema("persona", 1, "{}"), StepSchema("Persona", 1, "{}")])
    {'persona': 'Persona', 'Persona': 'Persona2'}
    """
    return distinct((one.step for one in schemas), class_name, "", _WORDS)


def file_names(schemas: Sequence[StepSchema]) -> dict[str, str]:
    """Return a name of a file, without its ending, for every step.

    Examples
    --------
    >>> file_names([StepSchema("a/b", 1, "{}"), StepSchema("A_b", 1, "{}")])
    {'a/b': 'a_b', 'A_b': 'A_b-2'}
    """

    def safe(step: str) -> str:
        # A step's id comes from users: it must not lead out of the folder.
        kept = (c if (c.isascii() and c.isalnum()) or c in "-_" else "_" for c in step)
        name = "".join(kept)[:_LONGEST] or "step"
        if len(step) <= _LONGEST:
            return name
        # What is cut off may be what tells two steps apart.
        digest = hashlib.sha256(step.encode("utf-8", "surrogatepass")).hexdigest()[:10]
        return f"{name}-{digest}"

    return distinct((one.step for one in schemas), safe, "-")


def distinct(
    steps: Iterable[str], name: Callable[[str], str], dash: str, taken: Iterable[str] = ()
) -> dict[str, str]:
    """Return a name for every step, told apart without regard to case.

    Examples
    --------
    >>> distinct(["a", "A"], str, "-")
    {'a': 'a', 'A': 'A-2'}
    """
    used = {word.casefold() for word in taken}
    found: dict[str, str] = {}
    for step in steps:
        plain = made = name(step)
        number = 1
        while made.casefold() in used:
            number += 1
            made = f"{plain}{dash}{number}"
        used.add(made.casefold())
        found[step] = made
    return found
