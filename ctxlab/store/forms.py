"""How the values of a column are written to the store and read back, a whole column at a time."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from ctxlab.core.messages import about_of
from ctxlab.core.segments import About, ToolCall
from ctxlab.store.storable import all_storable, storable, stored


@dataclass(frozen=True, slots=True)
class Form:
    """The two ways of a column's values: from Python into the store, and back.

    Examples
    --------
    >>> CALLS.write([(ToolCall("c1", "search", "{}"),), ()])
    ['[{"id": "c1", "name": "search", "arguments": "{}"}]', None]
    """

    write: Callable[[Sequence[Any]], list[Any]]
    read: Callable[[Sequence[Any]], Sequence[Any]]


def _same(values: Sequence[Any]) -> Sequence[Any]:
    return values


def _unescaped(texts: Sequence[str | None]) -> list[str | None]:
    return [stored(text) if text and text[0] == "\x00" else text for text in texts]


def _calls_to_json(values: Sequence[tuple[ToolCall, ...]]) -> list[str | None]:
    return [json.dumps(list(map(_written, calls))) if calls else None for calls in values]


def _written(call: ToolCall) -> dict[str, str]:
    # DuckDB's JSON refuses lone surrogates even where they are escaped.
    return {name: storable(text) for name, text in asdict(call).items()}


def _calls(values: Sequence[str | None]) -> list[tuple[ToolCall, ...]]:
    return [tuple(map(_call, json.loads(text))) if text else () for text in values]


def _call(written: dict[str, str]) -> ToolCall:
    return ToolCall(**{name: stored(text) for name, text in written.items()})


def _about_to_json(values: Sequence[About | None]) -> list[str | None]:
    return [json.dumps({_ABOUT: asdict(one)}) if one else None for one in values]


def _about(values: Sequence[str | None]) -> list[About | None]:
    found: list[About | None] = []
    for text in values:
        held = json.loads(text) if text else None
        found.append(about_of(held.get(_ABOUT)) if isinstance(held, dict) else None)
    return found


_ABOUT = "ctxlab"
"""Under this key the metadata of a message holds what a log says about it; the rest is others'."""

AS_IS = Form(list, _same)
"""The value is what is stored."""
ESCAPED = Form(list, _unescaped)
"""Text of people, which may hold what UTF-8 cannot; `Table.frame` escapes it where it must."""
ESCAPED_TEXTS = Form(
    lambda lists: [all_storable(texts) for texts in lists],
    lambda lists: [tuple(map(stored, texts)) for texts in lists],
)
"""A tuple of such texts."""
CALLS = Form(_calls_to_json, _calls)
"""Tool calls, as a JSON list of objects."""
ABOUT = Form(_about_to_json, _about)
"""What a log says about a message, within the metadata of its row."""
