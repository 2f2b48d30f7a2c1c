"""Fitting pieces for an API: a chat begins with a user's message where the API wants it so."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from ctxlab.chats.adapter import Adapter
from ctxlab.chats.pieces import Kept, Piece
from ctxlab.chats.selection import Fitting, Plan
from ctxlab.errors import PinnedOverBudgetError

OPENING = "(earlier messages left out)"
"""What a chat begins with where it would begin with the assistant."""


def fitted(plan: Plan, adapter: Adapter, pieces: Sequence[Piece]) -> Fitting:
    """Compress pieces by a plan to what an adapter's API takes.

    Examples
    --------
    >>> from ctxlab.chats.anthropic import ANTHROPIC
    >>> pieces = [Piece(0, "assistant", ("Yes.",)), Piece(1, "user", ("Why?",))]
    >>> [kept.texts for kept in fitted(Plan.of("KeepLast()", budget=99), ANTHROPIC, pieces).kept]
    [('(earlier messages left out)',), ('Yes.',), ('Why?',)]
    """
    return opened(plan, adapter, lambda reserve: plan.fitting(pieces, reserve=reserve))


def opened(plan: Plan, adapter: Adapter, fit: Callable[[int], Fitting]) -> Fitting:
    """Fit a chat so that it begins as an adapter's API wants it to.

    Parameters
    ----------
    plan : Plan
        For what the line costs that stands in for what was left out.
    adapter : Adapter
        Of the API.
    fit : callable
        From tokens of the budget to leave free to what is left.

    Examples
    --------
    >>> from ctxlab.chats.openai import OPENAI
    >>> plan, pieces = Plan.of("KeepLast()", budget=9), [Piece(0, "user", ("Hi",))]
    >>> len(opened(plan, OPENAI, lambda reserve: plan.fitting(pieces)).kept)
    1
    """
    found = fit(0)
    if adapter.opens(found.kept):
        return found
    line = Piece(-1, "user", (OPENING,))
    try:
        found = fit(plan.cost(line))
    except PinnedOverBudgetError:
        # There is no room for the line: begin with the user's message, which always stays.
        found = fit(0)
        return replace(found, kept=_from_user(found.kept))
    if adapter.opens(found.kept):
        return found
    at = next((n for n, one in enumerate(found.kept) if not _is_system(one)), 0)
    kept = [*found.kept[:at], Kept(None, (OPENING,)), *found.kept[at:]]
    return replace(found, kept=kept)


def _is_system(one: Kept) -> bool:
    return one.piece is not None and one.piece.role == "system"


def _from_user(kept: Sequence[Kept]) -> list[Kept]:
    """Leave out what stands before the first user message, other than system messages."""
    users = (n for n, one in enumerate(kept) if one.piece is None or one.piece.role == "user")
    first = next(users, len(kept))
    return [one for n, one in enumerate(kept) if n >= first or _is_system(one)]
