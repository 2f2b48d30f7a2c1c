"""Calls and their results: which belong together, and what no API takes alone."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence

from ctxlab.chats.pieces import Link, Piece

_ORPHAN = "it answers no call of the chat"
_OPEN = "none of its calls has a result"


def linked(pieces: Sequence[Piece]) -> list[Link]:
    """Pair calls with their results, and put the results right behind their call.

    A result belongs to the newest message before it that makes its call. Results without a
    call, and calls without a result, are left out: no API takes them.

    Parameters
    ----------
    pieces : sequence of Piece
        In the order in which they were sent.

    Examples
    --------
    >>> from ctxlab.core.segments import ToolCall
    >>> call = Piece(0, "assistant", calls=(ToolCall("a", "clock", "{}"),))
    >>> user, result = Piece(1, "user", ("Well?",)), Piece(2, "tool", ("12:00",), answers="a")
    >>> [link.piece.home for link in linked([call, user, result])]
    [0, 2, 1]
    """
    answered = {call: at for at, call in pairs(pieces).items()}
    links: list[Link] = []
    for at, piece in enumerate(pieces):
        if piece.role == "tool":
            continue
        calls = tuple((at, n) for n in range(len(piece.calls)) if (at, n) in answered)
        if calls or not piece.calls or any(piece.texts) or piece.payload:
            links.append(Link(piece, calls))
        links += [Link(pieces[answered[call]], answers=call) for call in calls]
    return links


def unsent(pieces: Sequence[Piece], links: Sequence[Link]) -> tuple[tuple[Piece, str], ...]:
    """Return the pieces that are no link, since no API takes them, and why.

    Examples
    --------
    >>> unsent([Piece(0, "tool", ("12:00",), answers="a")], [])[0][1]
    'it answers no call of the chat'
    """
    if len(links) == len(pieces):
        return ()
    sent = {id(link.piece) for link in links}
    answers = {id(pieces[at]) for at in pairs(pieces)}
    reasons = {True: "a later result stands for the same call", False: _ORPHAN}
    return tuple(
        (piece, reasons[id(piece) in answers] if piece.role == "tool" else _OPEN)
        for piece in pieces
        if id(piece) not in sent
    )


def pairs(pieces: Sequence[Piece]) -> dict[int, tuple[int, int]]:
    """Return the call that each result answers, by their positions.

    A result belongs to the newest message before it that makes a call of its id; one without an
    id to the oldest open call. Of two results for one call the later comes later in the mapping.

    Parameters
    ----------
    pieces : sequence of Piece
        In the order in which they were sent.

    Examples
    --------
    >>> from ctxlab.core.segments import ToolCall
    >>> call = Piece(0, "assistant", calls=(ToolCall("a", "clock", "{}"),))
    >>> results = [Piece(at, "tool", (text,), answers="a") for at, text in ((1, "?"), (2, "12"))]
    >>> pairs([call, *results])
    {1: (0, 0), 2: (0, 0)}
    """
    waiting: dict[str, deque[tuple[int, int]]] = {}
    closed: dict[str, tuple[int, int]] = {}
    found: dict[int, tuple[int, int]] = {}
    for at, piece in enumerate(pieces):
        if piece.role == "tool":
            place = _take(waiting, piece.answers)
            if place is None and piece.answers:
                place = closed.get(piece.answers)
            if place is not None:
                closed[piece.answers] = found[at] = place
        elif piece.calls:
            # An id that is used again means the newer call.
            for call in piece.calls:
                waiting.pop(call.id, None)
                closed.pop(call.id, None)
            for number, call in enumerate(piece.calls):
                waiting.setdefault(call.id, deque()).append((at, number))
    return found


def _take(waiting: dict[str, deque[tuple[int, int]]], wanted: str) -> tuple[int, int] | None:
    """Return the oldest open call of an id, or of any where there is none, and close it."""
    name = wanted or next(iter(waiting), "")
    if name not in waiting:
        return None
    place = waiting[name].popleft()
    if not waiting[name]:
        del waiting[name]
    return place
