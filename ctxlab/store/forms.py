"""How the values of a column are written to the store and read back, a whole column at a time."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from ctxlab.core.messages import about_of
from ctxlab.core.segments import About, Payload, ToolCall
from ctxlab.store.json_marks import storable_json, stored_json
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
    return [storable_json(json.dumps({_ABOUT: asdict(one)})) if one else None for one in values]


def _about(values: Sequence[str | None]) -> list[About | None]:
    found: list[About | None] = []
    for text in values:
        held = json.loads(stored_json(text)) if text else None
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


_KEY = "ctxlab_payload"


def _payloads_to_json(values: Sequence[tuple[Payload, ...]]) -> list[str | None]:
    return [json.dumps({_KEY: list(map(_carried, found))}) if found else None
            for found in values]  # fmt: skip


def _carried(one: Payload) -> dict[str, str | int]:
    return {"kind": storable(one.kind), "text": storable(one.text), "tokens": one.tokens}


def _payloads(values: Sequence[str | None]) -> list[tuple[Payload, ...]]:
    return [_payload(text) if text else () for text in values]


def _payload(text: str) -> tuple[Payload, ...]:
    # Metadata that came from elsewhere is anything.
    found = json.loads(text)
    rows = found.get(_KEY, ()) if isinstance(found, dict) else ()
    return tuple(Payload(stored(r["kind"]), stored(r["text"]), r["tokens"]) for r in rows)


PAYLOADS = Form(_payloads_to_json, _payloads)
"""What messages carry beside their text, as a field of their metadata."""
ABOUT = Form(_about_to_json, _about)
"""What a log says about messages, as another field of their metadata."""


def merged(metadata: Sequence[str | None], about: Sequence[str | None]) -> list[str | None]:
    """Return the metadata of messages with what is said about them.

    Examples
    --------
    >>> merged([None, '{"a": 1}', None], [None, '{"b": 2}', '{"b": 3}'])
    [None, '{"a": 1, "b": 2}', '{"b": 3}']
    """
    return [
        json.dumps(json.loads(one) | json.loads(other)) if one and other else one or other
        for one, other in zip(metadata, about, strict=True)
    ]
