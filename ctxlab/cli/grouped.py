"""``--by`` and ``--weights`` of ``ctxlab compare``: results by category, age, place and more."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

from ctxlab.cli.output import put_table

if TYPE_CHECKING:
    import polars as pl

    from ctxlab.bench.leaderboard import Leaderboard


class Grouping(StrEnum):
    """What results are told apart by.

    Examples
    --------
    >>> Grouping("age").value
    'age'
    """

    CATEGORY = "category"
    AGE = "age"
    POSITION = "position"
    CONVERSATION = "conversation"
    DATASET = "dataset"


class Weighed(StrEnum):
    """What counts once.

    Examples
    --------
    >>> Weighed("question").value
    'question'
    """

    QUESTION = "question"
    CONVERSATION = "conversation"


def put_groups(name: str, frame: pl.DataFrame, board: Leaderboard) -> None:
    """Print a table for each budget: a row for each strategy, a column for each group.

    Examples
    --------
    >>> from ctxlab.testing import sample_results
    >>> results = sample_results()
    >>> put_groups("category", results.by("category"), results.leaderboard())
    all evidence kept, % by category, budget 40%
    ...
    """
    from ctxlab.display.numbers import estimate

    traits = board.measured.metrics[board.metric]
    title = f"{traits.title}{', %' if traits.unit == 'share' else ''} by {name}"
    groups = dict.fromkeys(frame["group"])
    found = {
        (strategy, budget, group): (estimate(value, low, high, traits.unit), n)
        for strategy, budget, group, value, low, high, n, _ in frame.iter_rows()
    }
    for budget in dict.fromkeys(frame["budget"]):
        ranked = [row.strategy for row in board.rows() if row.budget == budget]
        asked = {
            group: max(
                (n for (_, at, one), (_, n) in found.items() if (at, one) == (budget, group))
            )
            for group in groups
            if any((at, one) == (budget, group) for _, at, one in found)
        }
        put_table(
            (
                [one, *(found.get((one, budget, group), ("–", 0))[0] for group in asked)]
                for one in ranked
            ),
            ["strategy", *(f"{group} (n = {n:,})" for group, n in asked.items())],
            f"{title}, budget {budget}",
            ["name", *["right"] * len(asked)],
        )
