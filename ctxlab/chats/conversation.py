"""Pieces as the messages of a conversation: every piece, each with an id of its own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from ctxlab.chats.pairing import pairs
from ctxlab.chats.pieces import Piece
from ctxlab.core.segments import Message, ToolCall


def conversation(pieces: Sequence[Piece]) -> tuple[Message, ...]:
    """Return pieces as messages, in order; nothing is left out.

    A message has the id that its chat gives it, or that of its place: ``m3``, and ``m3.1`` for
    the first result that stands in message 3. An id that stands twice has a number behind it. A
    call without an id, or with one that an earlier call has, gets one of its place; its result
    goes with it.

    Parameters
    ----------
    pieces : sequence of Piece
        Of one conversation.

    Examples
    --------
    >>> call = Piece(0, "assistant", calls=(ToolCall("", "clock", "{}"),))
    >>> found = conversation([call, Piece(1, "tool", ("12:00",))])
    >>> found[0].tool_calls[0].id == found[1].tool_call_id
    True
    """
    ids = _ids(pieces)
    taken: set[str] = set()
    calls: dict[tuple[int, int], str] = {}
    for at, piece in enumerate(pieces):
        for number, call in enumerate(piece.calls):
            made = f"call_{ids[at]}" if len(piece.calls) == 1 else f"call_{ids[at]}_{number}"
            chosen = call.id if call.id and call.id not in taken else _free(made, taken)
            taken.add(chosen)
            calls[at, number] = chosen
    answers = pairs(pieces)
    found: list[Message] = []
    last: str | None = None
    for at, piece in enumerate(pieces):
        own = tuple(replace(call, id=calls[at, number]) for number, call in enumerate(piece.calls))
        last = own[-1].id if own else last
        found.append(_message(piece, ids[at], own, _answered(piece, calls, answers.get(at), last)))
    return tuple(found)


def _message(piece: Piece, name: str, calls: tuple[ToolCall, ...], answers: str | None) -> Message:
    return Message(
        name,
        piece.role,
        piece.text,
        name=piece.name,
        created_at=piece.created_at,
        session=piece.session,
        tool_calls=calls,
        tool_call_id=answers,
        payload=piece.payload,
    )


def _answered(
    piece: Piece,
    calls: dict[tuple[int, int], str],
    call: tuple[int, int] | None,
    last: str | None,
) -> str | None:
    if piece.role != "tool":
        return None
    if call is not None:
        return calls[call]
    return piece.answers or last


def _ids(pieces: Sequence[Piece]) -> list[str]:
    taken: set[str] = set()
    parts: dict[int, int] = {}
    found: list[str] = []
    for piece in pieces:
        name = piece.id or f"m{piece.home}"
        if not piece.id and piece.part >= 0:
            parts[piece.home] = parts.get(piece.home, 0) + 1
            name = f"m{piece.home}.{parts[piece.home]}"
        found.append(_free(name, taken))
        taken.add(found[-1])
    return found


def _free(name: str, taken: set[str]) -> str:
    number, chosen = 2, name
    while chosen in taken:
        chosen, number = f"{name}#{number}", number + 1
    return chosen
