"""What an experiment can show, and how many conversations a difference would need."""

from __future__ import annotations

from dataclasses import dataclass

from ctxlab.bench.leaderboard import Leaderboard
from ctxlab.errors import StatisticsError


@dataclass(frozen=True)
class Power:
    """One strategy against the baseline at one budget, and what could be told of the two.

    Parameters
    ----------
    strategy, budget : str
        What is compared with the baseline, and where.
    conversations, questions : int
        What both were asked.
    lead : float
        The difference that was seen.
    detectable : float or None
        The true difference that these conversations find 4 times out of 5; None with fewer than
        two.
    difference : float
        The one that is wanted.
    needed : int or None
        Conversations like these that would find it 4 times out of 5; None where that cannot be
        told, or takes more than 100,000.

    Examples
    --------
    >>> Power("BM25()", "10%", 40, 400, 0.03, 0.04, 0.02, 150).needed
    150
    """

    strategy: str
    budget: str
    conversations: int
    questions: int
    lead: float
    detectable: float | None
    difference: float
    needed: int | None


def power(board: Leaderboard, difference: float) -> list[Power]:
    """Return what every comparison with the baseline could tell, each one of its family of tests.

    Parameters
    ----------
    board : Leaderboard
        What was measured, with the baseline and the metric.
    difference : float
        The true difference to find, in the metric's unit: 0.05 is 5 points of a share.

    Raises
    ------
    StatisticsError
        When the difference is not above 0.

    Examples
    --------
    >>> from ctxlab.testing import sample_results
    >>> [(row.strategy, row.needed) for row in power(sample_results().leaderboard(), 0.05)]
    [('BM25()', None)]
    """
    if not difference > 0:
        raise StatisticsError(f"a difference of {difference:g} to find is not above 0")
    found = []
    for row in board.rows():
        if row.baseline or not row.comparable:
            continue
        compared = board.compare(row.strategy, board.baseline, row.budget, wanted=difference)
        found.append(
            Power(
                row.strategy,
                row.budget,
                compared.difference.clusters,
                compared.probes,
                compared.difference.estimate,
                compared.detectable,
                difference,
                compared.needed,
            )
        )
    return found
