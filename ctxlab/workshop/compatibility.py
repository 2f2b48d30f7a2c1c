"""Two versions of a schema, compared: by rules, and by replaying every stored artifact."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from ctxlab.store.connection import Database
from ctxlab.store.records import fetch
from ctxlab.store.tables import STEP_ARTIFACTS
from ctxlab.workshop.schema_versions import Fault, faults, schema_of

Kind = Literal["compatible", "needs migration", "breaking"]
_ORDER: tuple[Kind, ...] = ("compatible", "needs migration", "breaking")


@dataclass(frozen=True, slots=True)
class Change:
    """One difference between two schemas: where, what it means, and why.

    Examples
    --------
    >>> Change("$.owner", "compatible", "a new optional field").kind
    'compatible'
    """

    path: str
    kind: Kind
    reason: str


@dataclass(frozen=True)
class Compatibility:
    """What changed, and which stored artifacts the new schema refuses.

    Examples
    --------
    >>> Compatibility((), {}, 0).kind
    'compatible'
    """

    changes: tuple[Change, ...]
    refused: Mapping[str, tuple[Fault, ...]]
    replayed: int

    @property
    def kind(self) -> Kind:
        """The worst of the changes; at least a migration when a stored artifact is refused.

        Examples
        --------
        >>> Compatibility((), {"wst_1": (("$.name", "is missing"),)}, 1).kind
        'needs migration'
        """
        kinds = [change.kind for change in self.changes]
        if self.refused:
            kinds.append("needs migration")
        return max(kinds, key=_ORDER.index, default="compatible")


def compatibility(db: Database, step_id: str, old: int, new: int) -> Compatibility:
    """Compare two registered versions, and replay every artifact of the old one on the new one.

    Rules alone are not trusted: a change that looks harmless is checked on what is stored.

    Raises
    ------
    NotFoundError
        When a version is not registered.

    Examples
    --------
    >>> from ctxlab.workshop.schema_versions import register_schema
    >>> with Database() as db:
    ...     register_schema(db, "note", 1, {"type": "object", "properties": {}})
    ...     register_schema(db, "note", 2, {"type": "object", "required": ["text"],
    ...                     "properties": {"text": {"type": "string"}}})
    ...     compatibility(db, "note", 1, 2).kind
    'needs migration'
    """
    before, after = schema_of(db, step_id, old)[1], schema_of(db, step_id, new)[1]
    kept = fetch(
        db,
        STEP_ARTIFACTS,
        ["workshop_step_id", "artifact"],
        "WHERE workshop_step_id IN (SELECT id FROM workshop_steps WHERE step_id = ?) "
        "AND schema_version = ?",
        [step_id, old],
    )
    artifacts = dict(zip(kept["workshop_step_id"], kept["artifact"], strict=True))
    refused = {
        row: tuple(found)
        for row, text in artifacts.items()
        if (found := faults(after, json.loads(text)))
    }
    differences = tuple(changes(json.loads(before), json.loads(after)))
    return Compatibility(differences, refused, len(artifacts))


def changes(old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[Change]:
    """Yield every difference between two JSON Schemas with what it means for old artifacts.

    Examples
    --------
    >>> [c.reason for c in changes({"type": "string"}, {"type": "string", "maxLength": 9})]
    ['maxLength is new or tighter: 9']
    """
    yield from _compare(_Side(old, old), _Side(new, new), "$", frozenset())


@dataclass(frozen=True)
class _Side:
    """A schema within the document that its references point into."""

    schema: Mapping[str, Any]
    root: Mapping[str, Any]

    def resolved(self) -> _Side:
        reference = self.schema.get("$ref")
        if not isinstance(reference, str):
            return self
        found: Any = self.root
        for part in reference.removeprefix("#/").split("/"):
            found = found[part.replace("~1", "/").replace("~0", "~")]
        return _Side(found, self.root).resolved()

    def at(self, schema: object) -> _Side:
        return _Side(schema if isinstance(schema, Mapping) else {}, self.root).resolved()

    def options(self) -> list[Mapping[str, Any]]:
        listed = self.schema.get("anyOf") or self.schema.get("oneOf") or [self.schema]
        return [self.at(one).schema for one in listed]


_Seen = frozenset[tuple[str, str]]


def _compare(old: _Side, new: _Side, path: str, seen: _Seen) -> Iterator[Change]:
    old, new = old.resolved(), new.resolved()
    pair = (json.dumps(old.schema, sort_keys=True), json.dumps(new.schema, sort_keys=True))
    if pair[0] == pair[1] and old.root.get("$defs") == new.root.get("$defs"):
        return
    if pair in seen:
        return
    seen |= {pair}
    yield from _types(old, new, path)
    yield from _values(old.schema, new.schema, path)
    yield from _fields(old, new, path, seen)
    if "items" in old.schema or "items" in new.schema:
        items = old.at(old.schema.get("items")), new.at(new.schema.get("items"))
        yield from _compare(*items, f"{path}[*]", seen)


def _types(old: _Side, new: _Side, path: str) -> Iterator[Change]:
    before, after = _kinds(old), _kinds(new)
    lost = before - after
    if "integer" in lost and "number" in after:
        lost -= {"integer"}
    if not before and after:
        yield Change(path, "needs migration", f"only {', '.join(sorted(after))} is allowed now")
    elif lost and after:
        kind: Kind = "breaking" if not before & after and lost != {"null"} else "needs migration"
        yield Change(path, kind, f"{', '.join(sorted(lost))} is no longer allowed")


def _kinds(side: _Side) -> set[str]:
    kinds: set[str] = set()
    for option in side.options():
        given = option.get("type")
        kinds |= {given} if isinstance(given, str) else set(given or ())
    return kinds


def _values(old: Mapping[str, Any], new: Mapping[str, Any], path: str) -> Iterator[Change]:
    before, after = _choices(old), _choices(new)
    if after is not None and (before is None or not before <= after):
        lost = "" if before is None else ": " + ", ".join(sorted(before - after))
        yield Change(path, "needs migration", f"fewer values are allowed{lost}")
    for word, tighter in _LIMITS.items():
        if word in new and (word not in old or tighter(new[word], old[word])):
            yield Change(path, "needs migration", f"{word} is new or tighter: {new[word]!r}")


def _choices(schema: Mapping[str, Any]) -> set[str] | None:
    values = schema.get("enum", [schema["const"]] if "const" in schema else None)
    return None if values is None else {json.dumps(value) for value in values}


_LIMITS: dict[str, Callable[[Any, Any], bool]] = {
    "maxLength": lambda new, old: new < old,
    "maxItems": lambda new, old: new < old,
    "maximum": lambda new, old: new < old,
    "exclusiveMaximum": lambda new, old: new < old,
    "minLength": lambda new, old: new > old,
    "minItems": lambda new, old: new > old,
    "minimum": lambda new, old: new > old,
    "exclusiveMinimum": lambda new, old: new > old,
    "pattern": lambda new, old: new != old,
    "format": lambda new, old: new != old,
    "multipleOf": lambda new, old: new != old,
}


def _fields(old: _Side, new: _Side, path: str, seen: _Seen) -> Iterator[Change]:
    before, after = old.schema.get("properties", {}), new.schema.get("properties", {})
    was, is_now = set(old.schema.get("required", ())), set(new.schema.get("required", ()))
    closed = new.schema.get("additionalProperties") is False
    for name in before.keys() - after.keys():
        kind: Kind = "breaking" if name in was else "needs migration"
        if closed:
            yield Change(
                f"{path}.{name}", kind, "the field is gone, and unknown fields are refused"
            )
        else:
            yield Change(f"{path}.{name}", "compatible", "the field is no longer described")
    for name in sorted(after):
        here = f"{path}.{name}"
        if name not in before:
            needed = name in is_now
            reason = "a new required field" if needed else "a new optional field"
            yield Change(here, "needs migration" if needed else "compatible", reason)
            continue
        if name in is_now - was:
            yield Change(here, "needs migration", "the field is required now")
        if name in was - is_now:
            yield Change(here, "compatible", "the field is optional now")
        yield from _compare(old.at(before[name]), new.at(after[name]), here, seen)
    if closed and old.schema.get("additionalProperties") is not False and before:
        yield Change(path, "needs migration", "unknown fields are refused now")
