"""The way of an artifact from one schema version to the next, kept so that it survives.

A migration is data where it can be: a list of steps like those of JSON Patch (RFC 6902), with
``*`` in a path for every item of a list or value of an object. A function is kept by the name it
is imported by, with a digest of its code.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from decimal import Decimal, InvalidOperation
from importlib import import_module
from typing import Any, cast

from ctxlab.core.digests import code_digest
from ctxlab.errors import NotFoundError, SpecError, UnknownNameError
from ctxlab.store.json_text import json_text
from ctxlab.text.json_numbers import exact

MigrateOne = Callable[[dict[str, Any]], dict[str, Any]]
"""Turns an artifact of the schema version before into one of its own version."""
Steps = Sequence[Mapping[str, Any]]
"""The same as data, such as ``[{"op": "scale", "path": "/price", "factor": "0.01"}]``."""

_OPS: Mapping[str, tuple[str, ...]] = {
    "rename": ("path", "to"),
    "move": ("from", "path"),
    "remove": ("path",),
    "add": ("path", "value"),
    "default": ("path", "value"),
    "scale": ("path", "factor"),
    "map": ("path", "values"),
}


def written(migration: MigrateOne | Steps) -> str:
    """Return a migration as JSON text for the store.

    Raises
    ------
    SpecError, UnknownNameError
        When a step is none of: rename, move, remove, add, default, scale, map.

    Examples
    --------
    >>> written([{"op": "rename", "path": "/price", "to": "cost"}])
    '{"steps":[{"op":"rename","path":"/price","to":"cost"}]}'
    """
    if callable(migration):
        digest = code_digest(migration)
        place = f"{migration.__module__}:{migration.__qualname__}"
        found = {"function": place} | ({"sha256": digest.text} if digest.certain else {})
        return json.dumps(found)
    for step in migration:
        _check(step)
    return json_text({"steps": [dict(step) for step in migration]}, "migration")


def _check(step: Mapping[str, Any]) -> None:
    op = str(step.get("op"))
    if op not in _OPS:
        raise UnknownNameError("migration step", op, _OPS)
    wrong = set(step) ^ {"op", *_OPS[op]}
    if wrong:
        raise SpecError(
            f"migration step {op!r} has {', '.join(sorted(_OPS[op]))}, not {sorted(wrong)[0]!r}"
        )
    for name in {"path", "from"} & set(step):
        if not str(step[name]).startswith("/"):
            raise SpecError(f"{name} {step[name]!r} is no JSON pointer; write /price")
    if op == "scale":
        try:
            Decimal(str(step["factor"]))
        except InvalidOperation as error:
            raise SpecError(f"factor {step['factor']!r} is no number") from error


def read(text: str, what: str) -> MigrateOne:
    """Return the migration that stands in the store.

    Raises
    ------
    NotFoundError
        When it is a function that cannot be found any more, or whose code has changed.

    Examples
    --------
    >>> read('{"steps":[{"op":"scale","path":"/price","factor":"0.01"}]}', "v2")({"price": 1200})
    {'price': 12}
    >>> read('{"function": "shop.changes:to_euros"}', "facts, version 2")
    Traceback (most recent call last):
    ctxlab.errors.NotFoundError: the migration to facts, version 2 is the function
    'shop.changes:to_euros', which cannot be imported; ...
    """
    found = json.loads(text)
    if "steps" in found:
        return lambda artifact: apply(found["steps"], artifact)
    place = found["function"]
    module, _, name = place.partition(":")
    try:
        function: Any = import_module(module)
        for part in name.split("."):
            function = getattr(function, part)
    except (ImportError, AttributeError, ValueError) as error:
        raise NotFoundError(
            f"the migration to {what} is the function {place!r}, which cannot be imported; "
            "register the version again with migrate=, best as a list of steps"
        ) from error
    if found.get("sha256") != code_digest(function).text:
        raise NotFoundError(
            f"the migration to {what} is the function {place!r}, whose code is not the one that "
            "was registered; register the version again with migrate="
        )
    return cast("MigrateOne", function)


def apply(steps: Steps, artifact: Mapping[str, Any]) -> dict[str, Any]:
    """Return an artifact with the steps done, in their order; the one given stays as it is.

    A step whose path leads nowhere changes nothing.

    Raises
    ------
    SpecError
        When a value that is to be scaled is no number.

    Examples
    --------
    >>> steps = [{"op": "rename", "path": "/items/*/price", "to": "cents"},
    ...          {"op": "scale", "path": "/items/*/cents", "factor": 100},
    ...          {"op": "default", "path": "/currency", "value": "EUR"}]
    >>> apply(steps, {"items": [{"price": 12.34}]})
    {'items': [{'cents': 1234}], 'currency': 'EUR'}
    """
    new = copy.deepcopy(dict(artifact))
    for step in steps:
        _STEPS[step["op"]](new, step)
    return new


def _places(root: object, path: str) -> Iterator[tuple[Any, Any]]:
    """Yield every container and key that a path leads to; the key itself may be absent."""
    *parts, last = [p.replace("~1", "/").replace("~0", "~") for p in path.split("/")[1:]]
    nodes: list[Any] = [root]
    for part in parts:
        nodes = [node[key] for node in nodes for key in _keys(node, part) if _has(node, key)]
    for node in nodes:
        yield from ((node, key) for key in _keys(node, last))


def _keys(node: object, part: str) -> list[Any]:
    if isinstance(node, dict):
        return list(node) if part == "*" else [part]
    if isinstance(node, list):
        return list(range(len(node))) if part == "*" else [int(part)] if part.isdecimal() else []
    return []


def _has(node: object, key: object) -> bool:
    if isinstance(node, dict):
        return key in node
    return isinstance(node, list) and isinstance(key, int) and key < len(node)


def _rename(root: dict[str, Any], step: Mapping[str, Any]) -> None:
    for node, key in list(_places(root, step["path"])):
        if isinstance(node, dict) and key in node:
            # The field keeps its place.
            items = [(step["to"] if name == key else name, v) for name, v in node.items()]
            node.clear()
            node.update(items)


def _move(root: dict[str, Any], step: Mapping[str, Any]) -> None:
    values = [node.pop(key) for node, key in list(_places(root, step["from"])) if _has(node, key)]
    for (node, key), value in zip(_places(root, step["path"]), values, strict=False):
        node[key] = value


def _remove(root: dict[str, Any], step: Mapping[str, Any]) -> None:
    # Backwards, so that the places of a list that are still to come stay the same.
    for node, key in reversed(list(_places(root, step["path"]))):
        if _has(node, key):
            del node[key]


def _add(root: dict[str, Any], step: Mapping[str, Any]) -> None:
    for node, key in _places(root, step["path"]):
        if isinstance(node, dict) or _has(node, key):
            node[key] = copy.deepcopy(step["value"])


def _default(root: dict[str, Any], step: Mapping[str, Any]) -> None:
    for node, key in _places(root, step["path"]):
        if isinstance(node, dict) and key not in node:
            node[key] = copy.deepcopy(step["value"])


def _scale(root: dict[str, Any], step: Mapping[str, Any]) -> None:
    for node, key in _places(root, step["path"]):
        if not _has(node, key) or node[key] is None:
            continue
        value = node[key]
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise SpecError(f"{step['path']} is {value!r}; only a number can be scaled")
        # Decimals: 1234 hundredths are 12.34, not 12.340000000000002.
        made = Decimal(getattr(value, "text", repr(value))) * Decimal(str(step["factor"]))
        whole = made == made.to_integral_value()
        node[key] = int(made) if whole else exact(format(made, "f"))


def _map(root: dict[str, Any], step: Mapping[str, Any]) -> None:
    for node, key in _places(root, step["path"]):
        if _has(node, key) and isinstance(node[key], str):
            node[key] = step["values"].get(node[key], node[key])


_STEPS: Mapping[str, Callable[[dict[str, Any], Mapping[str, Any]], None]] = {
    "rename": _rename,
    "move": _move,
    "remove": _remove,
    "add": _add,
    "default": _default,
    "scale": _scale,
    "map": _map,
}
