"""Compressed contexts as the ledger keeps them, so that a new metric needs no new compression.

What stayed whole is told by the fates alone; only pieces that a strategy cut or wrote are
written out.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from importlib import import_module
from typing import Any

from ctxlab.core.context import Context
from ctxlab.core.foreign_imports import refuse_import
from ctxlab.core.segments import ContextTier, Payload, Segment, Span, ToolCall

_LONGEST = 200_000
"""Characters of written text above which a context is not kept, but compressed again."""
_PLAIN = (
    "text", "role", "name", "step", "group", "pinned", "verbatim", "tool_call_id", "note",
    "placeholder",
)  # fmt: skip


def to_pieces(before: Context, after: Context) -> list[Any] | None:
    """Return `after` as what it took from `before`: positions, cuts, and segments written out.

    A position alone is a segment that stayed as it was, ``[position, start, end]`` a cut of it,
    and a mapping a segment that was written. None where too much was written to keep.

    Examples
    --------
    >>> whole = Segment.of("a", "one two")
    >>> to_pieces(Context((whole, whole)), Context((whole.cut(0, 3),)))
    [[0, 0, 3]]
    """
    places = {id(segment): at for at, segment in enumerate(before)}
    by_source = {segment.source: (at, segment) for at, segment in enumerate(before)}
    by_source |= {s.source: (at, s) for at, s in reversed(list(enumerate(before)))}
    pieces: list[Any] = []
    written = 0
    for segment in after:
        at = places.get(id(segment))
        piece: Any = at if at is not None else _cut(segment, by_source.get(segment.source))
        if piece is None:
            if segment.inverse and not _named(segment.inverse):
                return None
            piece = _written(segment)
            written += len(segment.text)
            if written > _LONGEST:
                return None
        pieces.append(piece)
    return pieces


def _cut(segment: Segment, found: tuple[int, Segment] | None) -> Any:  # noqa: ANN401 - JSON
    if found is None or not segment.verbatim:
        return None
    at, origin = found
    if segment == origin and segment.note == origin.note:
        return at
    start = segment.spans[0].start - origin.spans[0].start
    end = start + len(segment.text)
    if not 0 <= start <= end <= len(origin.text) or origin.cut(start, end) != segment:
        return None
    return [at, start, end]


def _written(segment: Segment) -> dict[str, Any]:
    plain = {name: getattr(segment, name) for name in _PLAIN}
    calls = [[call.id, call.name, call.arguments] for call in segment.tool_calls]
    spans = [[span.source, span.start, span.end] for span in segment.spans]
    inverse = _named(segment.inverse) if segment.inverse else None
    return {
        **plain,
        "tier": segment.tier.value,
        "spans": spans,
        "tool_calls": calls,
        "payload": [[one.kind, one.text, one.tokens] for one in segment.payload],
        "inverse": inverse,
    }


def _named(function: Callable[[str], str]) -> str | None:
    """Return the place of a function of ctxlab's; None for any other, which is not imported."""
    place = f"{function.__module__}:{getattr(function, '__qualname__', '<')}"
    return place if place.startswith("ctxlab.") and "<" not in place else None


def from_pieces(before: Context, pieces: Sequence[Any]) -> Context:
    """Return the context that `to_pieces` was given.

    Examples
    --------
    >>> before = Context((Segment.of("a", "one two"),))
    >>> from_pieces(before, [[0, 0, 3]]).text
    'one'
    """
    return Context(tuple(_segment(before, piece) for piece in pieces))


def _segment(before: Context, piece: Any) -> Segment:  # noqa: ANN401 - JSON
    if isinstance(piece, int):
        return before[piece]
    if isinstance(piece, Mapping):
        found = dict(piece)
        found["spans"] = tuple(Span(*span) for span in found["spans"])
        found["tool_calls"] = tuple(ToolCall(*call) for call in found["tool_calls"])
        found["payload"] = tuple(Payload(*one) for one in found.get("payload", ()))
        if place := found.get("inverse"):
            module, _, name = place.partition(":")
            refuse_import(place, "inverse", allow_import=False)
            found["inverse"] = getattr(import_module(module), name)
        return Segment(**{**found, "tier": ContextTier(found["tier"])})
    at, start, end = piece
    return before[at].cut(start, end)
