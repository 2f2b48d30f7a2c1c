"""What differs between two JSON Schemas, and what it means for the artifacts of the old one.

A difference is compatible only where every artifact that the old schema accepts is accepted by
the new one. What the rules do not understand is unknown, never compatible.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import combinations
from typing import Any, Literal

Kind = Literal["compatible", "unknown", "needs migration", "breaking"]
SEVERITY: tuple[Kind, ...] = ("compatible", "unknown", "needs migration", "breaking")
"""From harmless to worst."""


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


def changes(old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[Change]:
    """Yield every difference between two JSON Schemas with what it means for old artifacts.

    Examples
    --------
    >>> [c.reason for c in changes({"type": "string"}, {"type": "string", "maxLength": 9})]
    ['maxLength is new or tighter: 9']
    >>> [c.kind for c in changes({}, {"not": {"type": "null"}})]
    ['unknown']
    """
    yield from _compare(_Side(old, old), _Side(new, new), "$", frozenset())


@dataclass(frozen=True)
class _Side:
    """A schema within the document that its references point into."""

    schema: Mapping[str, Any]
    root: Mapping[str, Any]

    def resolved(self) -> _Side:
        seen: set[str] = set()
        schema = self.schema
        while isinstance(reference := schema.get("$ref"), str) and reference not in seen:
            seen.add(reference)
            found: Any = self.root
            for part in reference.removeprefix("#").split("/")[1:]:
                found = found[part.replace("~1", "/").replace("~0", "~")]
            rest = {key: value for key, value in schema.items() if key != "$ref"}
            schema = {**_schema(found), **rest}
        return _Side(schema, self.root)

    def at(self, schema: object) -> _Side:
        return _Side(_schema(schema), self.root).resolved()

    @property
    def own(self) -> dict[str, Any]:
        """What is not said only for people, nor for references to point at."""
        return {key: value for key, value in self.schema.items() if key not in _NOTES}

    def whole(self) -> str:
        """Return the text that an equal schema has, with what its references may point at."""
        text = json.dumps(self.own, sort_keys=True)
        defined = [self.root.get(word) for word in ("$defs", "definitions")]
        # A reference to the root points at everything.
        root = self.root if '"$ref": "#"' in text or '"$ref": "#/p' in text else None
        return json.dumps([text, defined, root], sort_keys=True) if '"$ref"' in text else text


def _schema(found: object) -> Mapping[str, Any]:
    if isinstance(found, Mapping):
        return found
    return {"not": {}} if found is False else {}


_NOTES = frozenset(
    ("title", "description", "examples", "default", "deprecated", "readOnly", "writeOnly",
     "$comment", "$id", "$schema", "$defs", "definitions", "discriminator")
)  # fmt: skip
_UNDERSTOOD = frozenset(
    ("type", "enum", "const", "properties", "required", "additionalProperties", "items",
     "uniqueItems", "anyOf", "oneOf")
)  # fmt: skip
_ENTANGLED = frozenset(("unevaluatedProperties", "unevaluatedItems", "patternProperties"))
"""What these refuse depends on the words beside them."""
_SPLIT = frozenset(("if", "then", "else", "prefixItems", "contains", "minContains", "allOf"))
"""Dropping one of these may refuse more, not less: the words beside them change meaning."""
_Seen = frozenset[tuple[str, str]]


def _compare(old: _Side, new: _Side, path: str, seen: _Seen) -> Iterator[Change]:
    old, new = old.resolved(), new.resolved()
    pair = (old.whole(), new.whole())
    if pair[0] == pair[1] or pair in seen or old.own == {"not": {}} or not new.own:
        return
    seen |= {pair}
    if new.own == {"not": {}}:
        yield Change(path, "needs migration", "no value is allowed now")
        return
    before, after = _options(old), _options(new)
    if before is None or after is None:
        yield Change(path, "unknown", "a choice of schemas repeats words of the schema around it")
    elif {"anyOf", "oneOf"} & (old.schema.keys() | new.schema.keys()):
        yield from _choices(before, after, path, seen)
        if "oneOf" in new.schema and not _disjoint(after):
            yield Change(path, "unknown", "a value may fit more than one schema of oneOf now")
    else:
        yield from _plain(old, new, path, seen)


def _options(side: _Side) -> list[_Side] | None:
    """Return the schemas of which one must fit; None where they cannot be told apart."""
    found = [word for word in ("anyOf", "oneOf") if word in side.schema]
    if not found:
        return [side]
    rest = {key: value for key, value in side.own.items() if key != found[0]}
    listed = [side.at(one) for one in side.schema[found[0]]]
    if len(found) > 1 or any(rest.keys() & one.own.keys() for one in listed):
        return None
    return [_Side({**rest, **one.own}, side.root) for one in listed]


def _choices(old: list[_Side], new: list[_Side], path: str, seen: _Seen) -> Iterator[Change]:
    """Yield, for every schema that was allowed, what differs from the nearest one allowed now."""
    nearest = [min((list(_compare(a, b, path, seen)) for b in new), key=_severity) for a in old]
    fits = any(_severity(found)[0] == 0 for found in nearest)
    for found in dict.fromkeys(change for one in nearest for change in one):
        # Where another choice still fits, the way there is a migration.
        worst = found.kind == "breaking" and found.path == path and fits
        yield replace(found, kind="needs migration") if worst else found


def _severity(found: list[Change]) -> tuple[int, int]:
    kinds = [SEVERITY.index(change.kind) for change in found]
    return max(kinds, default=0), len([kind for kind in kinds if kind])


def _disjoint(options: list[_Side]) -> bool:
    """Say whether no value can fit two of the schemas: by type, or by a constant field."""

    def apart(a: _Side, b: _Side) -> bool:
        types = _types_of(a.own), _types_of(b.own)
        both = types[0] & types[1] or ({"number", "integer"} <= types[0] | types[1])
        if all(types) and not both:
            return True
        fields = a.own.get("properties", {}), b.own.get("properties", {})
        needed = set(a.own.get("required", ())) & set(b.own.get("required", ()))
        kept = [_values(side.at(part.get(n)).own) for n in needed for side, part in
                ((a, fields[0]), (b, fields[1]))]  # fmt: skip
        objects = types == ({"object"}, {"object"})
        pairs = zip(kept[::2], kept[1::2], strict=True)
        return objects and any(x and y and not x & y for x, y in pairs)

    return all(apart(a, b) for a, b in combinations(options, 2))


def _plain(old: _Side, new: _Side, path: str, seen: _Seen) -> Iterator[Change]:
    yield from _types(old.own, new.own, path)
    yield from _limits(old.own, new.own, path)
    yield from _unknown(old, new, path)
    yield from _fields(old, new, path, seen)
    if "items" in new.own:
        items = old.at(old.schema.get("items")), new.at(new.schema["items"])
        yield from _compare(*items, f"{path}[*]", seen)


def _types(old: Mapping[str, Any], new: Mapping[str, Any], path: str) -> Iterator[Change]:
    before, after = _types_of(old), _types_of(new)
    lost = before - after
    if "integer" in lost and "number" in after:
        lost -= {"integer"}
    if not before and after:
        yield Change(path, "needs migration", f"only {', '.join(sorted(after))} is allowed now")
    elif lost and after:
        kind: Kind = "breaking" if not before & after and lost != {"null"} else "needs migration"
        yield Change(path, kind, f"{', '.join(sorted(lost))} is no longer allowed")


def _types_of(schema: Mapping[str, Any]) -> set[str]:
    given = schema.get("type", ())
    return {given} if isinstance(given, str) else set(given)


def _values(schema: Mapping[str, Any]) -> set[str] | None:
    values = schema.get("enum", [schema["const"]] if "const" in schema else None)
    return None if values is None else {json.dumps(value) for value in values}


def _limits(old: Mapping[str, Any], new: Mapping[str, Any], path: str) -> Iterator[Change]:
    before, after = _values(old), _values(new)
    if after is not None and (before is None or not before <= after):
        lost = "" if before is None else ": " + ", ".join(sorted(before - after))
        yield Change(path, "needs migration", f"fewer values are allowed{lost}")
    for word, tighter in _LIMITS.items():
        if word in new and (word not in old or tighter(new[word], old[word])):
            yield Change(path, "needs migration", f"{word} is new or tighter: {new[word]!r}")
    if new.get("uniqueItems") and not old.get("uniqueItems"):
        yield Change(path, "needs migration", "items must be unique now")


def _differs(new: Any, old: Any) -> bool:  # noqa: ANN401 - JSON
    return bool(new != old)


def _less(new: Any, old: Any) -> bool:  # noqa: ANN401 - numbers
    return bool(new < old)


def _more(new: Any, old: Any) -> bool:  # noqa: ANN401 - numbers
    return bool(new > old)


_LIMITS: dict[str, Callable[[Any, Any], bool]] = {
    **dict.fromkeys(("maxLength", "maxItems", "maxProperties"), _less),
    **dict.fromkeys(("maximum", "exclusiveMaximum"), _less),
    **dict.fromkeys(("minLength", "minItems", "minProperties"), _more),
    **dict.fromkeys(("minimum", "exclusiveMinimum"), _more),
    **dict.fromkeys(("pattern", "format", "multipleOf"), _differs),
}


def _unknown(old: _Side, new: _Side, path: str) -> Iterator[Change]:
    """Yield the words whose meaning is not looked into, where they are new or differ."""
    known = _UNDERSTOOD | _LIMITS.keys()
    for word in sorted((old.own.keys() | new.own.keys()) - known):
        sides = [_Side({word: side.own.get(word)}, side.root).whole() for side in (old, new)]
        gone = word not in new.own and word not in _SPLIT | _ENTANGLED
        if (sides[0] != sides[1] and not gone) or word in _ENTANGLED:
            yield Change(path, "unknown", f"{word} is not looked into; try it on artifacts")


def _fields(old: _Side, new: _Side, path: str, seen: _Seen) -> Iterator[Change]:
    before, after = old.schema.get("properties", {}), new.schema.get("properties", {})
    was, is_now = set(old.schema.get("required", ())), set(new.schema.get("required", ()))
    others = old.at(old.schema.get("additionalProperties"))
    others_now = new.at(new.schema.get("additionalProperties"))
    was_closed, closed = others.own == {"not": {}}, others_now.own == {"not": {}}
    for name in sorted(before.keys() - after.keys()):
        here = f"{path}.{name}"
        if closed:
            kind: Kind = "breaking" if name in was else "needs migration"
            yield Change(here, kind, "the field is gone, and unknown fields are refused")
        else:
            yield Change(here, "compatible", "the field is no longer described")
            yield from _compare(old.at(before[name]), others_now, here, seen)
    for name in sorted(is_now - was):
        new_one = name not in before
        reason = "a new required field" if new_one else "the field is required now"
        yield Change(f"{path}.{name}", "needs migration", reason)
    for name in sorted(after):
        here = f"{path}.{name}"
        if name in before:
            if name in was - is_now:
                yield Change(here, "compatible", "the field is optional now")
            yield from _compare(old.at(before[name]), new.at(after[name]), here, seen)
        elif name not in is_now:
            yield Change(here, "compatible", "a new optional field")
        if name not in before and not was_closed and _narrower(others, new.at(after[name]), seen):
            reason = "an old artifact may hold the field already, as something else"
            yield Change(here, "unknown", reason)
    if closed and not was_closed:
        yield Change(path, "needs migration", "unknown fields are refused now")
    elif not was_closed:
        yield from _compare(others, others_now, f"{path}.*", seen)


def _narrower(old: _Side, new: _Side, seen: _Seen) -> bool:
    return _severity(list(_compare(old, new, "$", seen)))[0] > 0
