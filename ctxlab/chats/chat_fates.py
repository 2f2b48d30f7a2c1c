"""What became of every message of a chat that was compressed, and why."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from ctxlab.chats.pieces import Piece
from ctxlab.chats.selection import Fitting
from ctxlab.core.ledger import Fate, LedgerEntry, ledger


@dataclass(frozen=True)
class Explained:
    """A compressed chat, and its ledger.

    Parameters
    ----------
    messages : list or dict
        What `ctxlab.compress` returns without ``explain``.
    ledger : tuple of LedgerEntry
        One for each message that could be sent: its fate, the stage, the reason. The source is
        ``messages[3]``, its place in what was given.
    tokens_before, tokens_after : int
        As the chat is billed.

    Examples
    --------
    >>> from ctxlab import compress
    >>> chat = [{"role": "user", "content": f"Remark {i}."} for i in range(9)]
    >>> found = compress(chat, budget=30, explain=True)
    >>> found.ledger[0].source, found.ledger[0].fate.value
    ('messages[0]', 'dropped')
    """

    messages: Any
    ledger: tuple[LedgerEntry, ...]
    tokens_before: int
    tokens_after: int


def explained(written: Any, found: Fitting) -> Explained:  # noqa: ANN401 - as it was given
    """Return what was written, with the ledger of how it came about.

    Examples
    --------
    >>> from ctxlab.chats.selection import Plan
    >>> fitting = Plan.of("KeepLast()", budget=9).fitting([Piece(0, "user", ("Hi",))])
    >>> explained([], fitting).ledger[0].fate.value
    'kept'
    """
    entries = ledger(found.before, found.stages, found.task)
    places = {f"message:m{at}": _place(link.piece) for at, link in enumerate(found.links)}
    named = [_moved(entry, places) for entry in entries]
    unsent = [_unsent(piece, reason) for piece, reason in found.unsent]
    after = found.stages[-1].context if found.stages else found.before
    return Explained(
        written,
        (*named, *unsent),
        found.task.size(found.before),
        found.task.size(after),
    )


def _place(piece: Piece) -> str:
    if piece.home < 0:
        return piece.id or "body"
    return f"messages[{piece.home}]" + (f".content[{piece.part}]" if piece.part >= 0 else "")


def _moved(entry: LedgerEntry, places: dict[str, str]) -> LedgerEntry:
    return replace(entry, source=places.get(entry.source, entry.source))


def _unsent(piece: Piece, reason: str) -> LedgerEntry:
    return LedgerEntry(_place(piece), 0, len(piece.text), Fate.DROPPED, "", 0, 0, reason)
