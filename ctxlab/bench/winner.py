"""From a comparison to production: the recipe of the strategy that is decisively better."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ctxlab.bench.leaderboard import Leaderboard
from ctxlab.core.recipe import Recipe
from ctxlab.core.specs import parse
from ctxlab.core.tokens import DEFAULT_ENCODING
from ctxlab.errors import StatisticsError, UnknownNameError


def winner(board: Leaderboard, manifest: Mapping[str, Any], budget: str | None = None) -> Recipe:
    """Return the recipe of the strategy that is decisively better than every comparable one.

    Parameters
    ----------
    board : Leaderboard
        By its metric.
    manifest : mapping
        The experiment's, for the encoding and the seed.
    budget : str, optional
        At which budget; not needed where there is one.

    Raises
    ------
    StatisticsError
        When none is decisively better: with the comparison that leaves it open.
    UnknownNameError
        When there are several budgets and none is named, or there is no such.

    Examples
    --------
    >>> from ctxlab.testing import sample_results
    >>> results = sample_results()
    >>> winner(results.leaderboard(), results.manifest)
    Traceback (most recent call last):
    ctxlab.errors.StatisticsError: no strategy is decisively better at 40%: ...
    """
    rows = [row for row in board.rows() if row.comparable]
    budgets = list(dict.fromkeys(row.budget for row in rows))
    chosen = _budget(budgets, budget)
    first, *others = [row for row in rows if row.budget == chosen and row.shown.mean is not None]
    for other in others:
        comparison = board.compare(first.strategy, other.strategy, chosen)
        if not comparison.decisive:
            raise StatisticsError(
                f"no strategy is decisively better at {chosen}: {comparison.sentence}"
            )
    return recipe_of(first.strategy, budgets, chosen, manifest, f"best by {board.metric}")


def recipe_of(
    strategy: str,
    budgets: list[str],
    budget: str | None,
    manifest: Mapping[str, Any],
    name: str = "",
) -> Recipe:
    """Return one strategy of an experiment as a recipe.

    Raises
    ------
    UnknownNameError
        When there are several budgets and none is named, or there is no such.

    Examples
    --------
    >>> recipe_of("KeepLast()", ["10%"], None, {"seeds": [3]}).seed
    3
    """
    return Recipe(
        strategy=parse(strategy),
        budget=_budget(budgets, budget),
        encoding=str(manifest.get("encoding") or DEFAULT_ENCODING),
        seed=next(iter(manifest.get("seeds") or (0,))),
        name=name,
    )


def _budget(budgets: list[str], budget: str | None) -> str:
    chosen = budgets[0] if budget is None and len(budgets) == 1 else str(budget or "none")
    if chosen not in budgets:
        raise UnknownNameError("budget of this experiment", chosen, budgets)
    return chosen
