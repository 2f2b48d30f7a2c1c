"""Pieces: a peer's messages as ctxlab sees them, paired by call and result, and what is left."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from typing import TYPE_CHECKING

from ctxlab.core.context import Context
from ctxlab.core.segments import Message, Payload, Role, Segment, Span, ToolCall

if TYPE_CHECKING:
    from ctxlab.chats.editing import Slot

_BREAK = "\n"


@dataclass(frozen=True, slots=True)
class Piece:
    r"""A message of a peer's, or the part of one that stays or goes by itself.

    Parameters
    ----------
    home : int
        Position of the message among the peer's.
    role : Role
        ``tool`` for the result of a call.
    texts : tuple of str
        Its texts in order: those of its text parts.
    part : int
        Position of the part within the message; -1 for the message itself.
    name : str, optional
        Of the speaker.
    calls : tuple of ToolCall
        What it calls, with the peer's ids, which may repeat or be empty.
    answers : str
        The id of the call that it is the result of; empty for the oldest one still open.
    payload : tuple of Payload
        What is billed and is neither text nor a call, such as thinking and images.
    slots : tuple of Slot
        Where its texts, its calls and the rest stand in the message.
    id, created_at : str
        As the peer's message gives them; empty where it does not.
    session : str, optional
        The session that it belongs to, where a chat holds several.
    along : tuple of int
        Positions of the messages before it that stay or go with it, such as its reasoning.
    pinned : bool
        Neither dropped nor changed.
    asks : bool
        What a user piece says is a person's; False for what a framework says in a user's voice.

    Examples
    --------
    >>> Piece(0, "user", ("Look:", "What is it?")).text
    'Look:\nWhat is it?'
    """

    home: int
    role: Role
    texts: tuple[str, ...] = ()
    part: int = -1
    name: str | None = None
    calls: tuple[ToolCall, ...] = ()
    answers: str = ""
    payload: tuple[Payload, ...] = ()
    pinned: bool = False
    asks: bool = True
    slots: tuple[Slot, ...] = ()
    id: str = ""
    created_at: str | None = None
    session: str | None = None
    along: tuple[int, ...] = ()

    @property
    def text(self) -> str:
        """The texts, a line break between them.

        Examples
        --------
        >>> Piece(0, "tool").text
        ''
        """
        return _BREAK.join(self.texts)


@dataclass(frozen=True, slots=True)
class Kept:
    """What is left of a piece, or a text that a strategy put in where it stands.

    Parameters
    ----------
    piece : Piece, optional
        None for a text that was put in.
    texts : tuple of str
        What is left of each text of the piece, in its order, empty where nothing is. A piece
        without text has one, for what a strategy may have written.
    calls : tuple of int
        Positions of the calls that have a result.

    Examples
    --------
    >>> Kept(None, ("(3 messages left out)",)).texts[0]
    '(3 messages left out)'
    """

    piece: Piece | None
    texts: tuple[str, ...]
    calls: tuple[int, ...] = ()

    @classmethod
    def whole(cls, piece: Piece) -> Kept:
        """Return a piece of which all is left.

        Examples
        --------
        >>> Kept.whole(Piece(0, "user", ("Hi",))).texts
        ('Hi',)
        """
        return cls(piece, piece.texts, tuple(range(len(piece.calls))))

    @property
    def is_whole(self) -> bool:
        """Whether all of the piece is left, and nothing was put in.

        Examples
        --------
        >>> Kept(Piece(0, "user", ("Hi",)), ("H",)).is_whole
        False
        """
        if self.piece is None:
            return True
        length = len(self.piece.texts)
        same = self.texts[:length] == self.piece.texts and not any(self.texts[length:])
        return same and len(self.calls) == len(self.piece.calls)


def of_home(kept: Iterable[Kept]) -> Iterator[tuple[int | None, list[Kept]]]:
    """Yield neighbours that come from one message, with that message's position.

    Examples
    --------
    >>> found = of_home([Kept(Piece(4, "user"), ()), Kept(None, ("x",))])
    >>> [home for home, _ in found]
    [4, None]
    """
    for home, group in groupby(kept, key=lambda one: one.piece.home if one.piece else None):
        yield home, list(group)


@dataclass(frozen=True, slots=True)
class Link:
    """A piece with the calls of it that are answered, and the call that it answers.

    Calls are named by the position of their piece and their own, whatever the peer's ids are.

    Examples
    --------
    >>> Link(Piece(0, "user", ("Hi",))).message(7).id
    'm7'
    """

    piece: Piece
    calls: tuple[tuple[int, int], ...] = ()
    answers: tuple[int, int] | None = None

    def message(self, number: int) -> Message:
        """Return the piece as a message, with the id ``m`` and `number`.

        Examples
        --------
        >>> Link(Piece(0, "tool", ("12:00",)), answers=(4, 0)).message(5).tool_call_id
        'c4.0'
        """
        piece = self.piece
        return Message(
            f"m{number}",
            piece.role,
            piece.text,
            name=piece.name,
            tool_calls=tuple(replace(piece.calls[at[1]], id=_call_id(at)) for at in self.calls),
            tool_call_id=_call_id(self.answers) if self.answers else None,
            pinned=piece.pinned,
            payload=piece.payload,
        )


def _call_id(at: tuple[int, int]) -> str:
    return f"c{at[0]}.{at[1]}"


def left(links: Sequence[Link], result: Context) -> list[Kept]:
    """Return what is left of `links` in `result`, calls and results still in pairs.

    Parameters
    ----------
    links : sequence of Link
        Their messages, by position, are what was compressed to `result`.

    Examples
    --------
    >>> from ctxlab.chats.pairing import linked
    >>> links = linked([Piece(0, "user", ("one", "two"))])
    >>> context = Context.of(link.message(at) for at, link in enumerate(links))
    >>> left(links, context.keep([context[0].cut(4, 7)]))[0].texts
    ('', 'two')
    """
    calls: dict[str, tuple[int, int]] = {}
    order: list[int | str] = []
    texts: dict[int, list[str]] = {}
    callers: set[tuple[int, int] | None] = set()
    for turn in result.turns():
        number = _number(turn[0].source, len(links))
        if number is None or all(map(_put_in, turn)):
            order.append("".join(segment.text for segment in turn))
            continue
        if turn[0].tool_calls:
            calls |= {_call_id(call): call for call in links[number].calls}
            callers |= {calls.get(call.id) for call in turn[0].tool_calls}
        found = _split(links[number].piece.texts, turn)
        if number in texts:
            found = [a + b for a, b in zip(texts[number], found, strict=True)]
        else:
            order.append(number)
        texts[number] = found
    results = {links[number].answers for number in texts}
    kept: list[Kept] = []
    for one in order:
        if isinstance(one, str):
            kept.append(Kept(None, (one,)))
            continue
        link = links[one]
        made = tuple(call[1] for call in link.calls if call in callers and call in results)
        orphan = link.answers is not None and link.answers not in callers
        spent = link.piece.calls and not made and not any(texts[one]) and not link.piece.payload
        if not orphan and not spent:
            kept.append(Kept(link.piece, tuple(texts[one]), made))
    return kept


def _number(source: str, links: int) -> int | None:
    """Return the position of the link whose message a source is; None where there is none."""
    digits = source.removeprefix("message:m")
    if digits == source or not digits.isdecimal() or len(digits) > len(str(links)):
        return None
    number = int(digits)
    return number if number < links and str(number) == digits else None


def _put_in(segment: Segment) -> bool:
    """Say whether a strategy put a segment where something was, and shows none of it."""
    shows = any(span.start < span.end for span in segment.spans)
    return segment.role == "user" and not segment.verbatim and not shows


def _split(texts: Sequence[str], turn: Iterable[Segment]) -> list[str]:
    """Give the text of segments back to the texts that their spans lie in."""
    found = ["" for _ in texts] or [""]
    ranges: list[tuple[int, int]] = []
    for text in texts:
        start = ranges[-1][1] + len(_BREAK) if ranges else 0
        ranges.append((start, start + len(text)))
    for segment in turn:
        span = segment.spans[0]
        if not segment.verbatim:
            found[_place(ranges, span)] += segment.text
            continue
        for at, (start, end) in enumerate(ranges):
            low, high = max(start, span.start), min(end, span.end)
            if low < high:
                found[at] += segment.text[low - span.start : high - span.start]
    return found


def _place(ranges: Sequence[tuple[int, int]], span: Span) -> int:
    return next((at for at, (_, end) in enumerate(ranges) if span.start <= end), 0)
