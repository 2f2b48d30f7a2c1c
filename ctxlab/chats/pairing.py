"""Calls and their results: which belong together, and what no API takes alone."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping, Sequence

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
    return [link for at in range(len(pieces)) for link in links_at(at, pieces, answered)]


def links_at(
    at: int, pieces: Sequence[Piece], answered: Mapping[tuple[int, int], int]
) -> list[Link]:
    """Return a piece and the results of its calls, where an API takes them.

    Parameters
    ----------
    at : int
        Position of the piece; a result stands with its call, and has no links of its own.
    pieces : sequence of Piece
        Of one conversation.
    answered : mapping of (int, int) to int
        The position of the result of each call that has one.

    Examples
    --------
    >>> len(links_at(0, [Piece(0, "user", ("Hi",))], {})), links_at(0, [Piece(0, "tool")], {})
    (1, [])
    """
    piece = pieces[at]
    if piece.role == "tool":
        return []
    calls = tuple((at, n) for n in range(len(piece.calls)) if (at, n) in answered)
    said = calls or not piece.calls or any(piece.texts) or piece.payload
    results = [Link(pieces[answered[call]], answers=call) for call in calls]
    return [Link(piece, calls), *results] if said else results


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
    pairing = Pairing()
    for at, piece in enumerate(pieces):
        pairing.add(at, piece)
    return pairing.found


class Pairing:
    """Calls and their results, piece by piece as a conversation grows.

    Examples
    --------
    >>> from ctxlab.core.segments import ToolCall
    >>> pairing = Pairing()
    >>> pairing.add(0, Piece(0, "assistant", calls=(ToolCall("a", "clock", "{}"),)))
    >>> pairing.add(1, Piece(1, "tool", ("12:00",), answers="a"))
    (0, 0)
    """

    def __init__(self) -> None:
        self.found: dict[int, tuple[int, int]] = {}
        """The call that each result answers, by their positions."""
        self._waiting: dict[str, deque[tuple[int, int]]] = {}
        self._closed: dict[str, tuple[int, int]] = {}

    def add(self, at: int, piece: Piece) -> tuple[int, int] | None:
        """Take the next piece, and return the call that it answers, if any.

        Examples
        --------
        >>> Pairing().add(0, Piece(0, "user", ("Hi",))) is None
        True
        """
        if piece.role == "tool":
            place = _take(self._waiting, piece.answers)
            if place is None and piece.answers:
                place = self._closed.get(piece.answers)
            if place is not None:
                self._closed[piece.answers] = self.found[at] = place
            return place
        # An id that is used again means the newer call.
        for call in piece.calls:
            self._waiting.pop(call.id, None)
            self._closed.pop(call.id, None)
        for number, call in enumerate(piece.calls):
            self._waiting.setdefault(call.id, deque()).append((at, number))
        return None


def _take(waiting: dict[str, deque[tuple[int, int]]], wanted: str) -> tuple[int, int] | None:
    """Return the oldest open call of an id, or of any where there is none, and close it."""
    name = wanted or next(iter(waiting), "")
    if name not in waiting:
        return None
    place = waiting[name].popleft()
    if not waiting[name]:
        del waiting[name]
    return place
