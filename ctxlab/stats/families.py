"""Families of tests: what a reader is shown together is corrected together, and named."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ctxlab.stats.samples import checked_p


@dataclass(frozen=True, slots=True)
class Family:
    """All tests that answer one question: rivals against a baseline, at every budget shown.

    Parameters
    ----------
    rivals, budgets : int
        How many are compared, at how many budgets.
    baseline : str
        With what.
    tests : int
        Tests made, where not every rival can be compared at every budget.

    Examples
    --------
    >>> str(Family(8, 3, "KeepLast()", 24))
    '24 tests, 8 rivals at 3 budgets against KeepLast(), by Holm'
    """

    rivals: int
    budgets: int
    baseline: str
    tests: int

    def __str__(self) -> str:
        if self.tests == 1:
            return f"one test, against {self.baseline}"
        rivals = f"{self.rivals} rival{'' if self.rivals == 1 else 's'}"
        budgets = f"{self.budgets} budget{'' if self.budgets == 1 else 's'}"
        return f"{self.tests} tests, {rivals} at {budgets} against {self.baseline}, by Holm"


def holm(p_values: Sequence[float | None]) -> list[float | None]:
    """Return p-values adjusted for making all these tests; None stays None and counts for none.

    Source: Holm, "A simple sequentially rejective multiple test procedure", 1979.

    Raises
    ------
    StatisticsError
        When a p-value is not between 0 and 1.

    Examples
    --------
    >>> holm([0.01, None, 0.04, 0.03])
    [0.03, None, 0.06, 0.06]
    """
    known = sorted((checked_p(p), i) for i, p in enumerate(p_values) if p is not None)
    adjusted: list[float | None] = [None] * len(p_values)
    highest = 0.0
    for rank, (p, i) in enumerate(known):
        highest = max(highest, min(1.0, (len(known) - rank) * p))
        adjusted[i] = highest
    return adjusted
