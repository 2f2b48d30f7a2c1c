"""Figures read against what chance would give: skill, and the agreement of raters."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Sequence

import numpy as np

from ctxlab.errors import StatisticsError
from ctxlab.stats.samples import checked


def skill(value: float | None, floor: float | None, ceiling: float | None) -> float | None:
    """Return where `value` stands between a floor (0) and a ceiling (1).

    Below the floor it is negative. None when one of them is not known, or when the ceiling is not
    above the floor.

    Examples
    --------
    >>> skill(0.75, 0.5, 1.0)
    0.5
    """
    if value is None or floor is None or ceiling is None or ceiling <= floor:
        return None
    return (value - floor) / (ceiling - floor)


def krippendorff_alpha(
    ratings: Sequence[Sequence[Hashable | None]], *, interval: bool = False
) -> float | None:
    """Return the agreement of raters beyond chance: 1 when perfect, 0 as by chance.

    None when all ratings are the same: raters who never tell items apart show no agreement and no
    disagreement beyond chance. Source: Krippendorff, "Content Analysis", 2004, chapter 11.

    Parameters
    ----------
    ratings : sequence of sequences, shape (raters, items)
        One row a rater; None where a rater gave no rating.
    interval : bool
        Take ratings for numbers, whose squared distance counts; otherwise for names.

    Raises
    ------
    StatisticsError
        When no item has two ratings, the rows are not equally long, or a rating is not a number.

    Examples
    --------
    >>> krippendorff_alpha([["yes", "no", "yes", None], ["yes", "no", "yes", "no"]])
    1.0
    """
    if len(lengths := {len(row) for row in ratings}) > 1:
        raise StatisticsError(
            f"raters gave {min(lengths)} to {max(lengths)} ratings; give None where one is missing"
        )
    columns = [[r for r in column if r is not None] for column in zip(*ratings, strict=True)]
    items = [column for column in columns if len(column) > 1]
    if not items:
        raise StatisticsError("no item has two ratings; give ratings by at least two raters")
    if any(rating != rating for item in items for rating in item):
        raise StatisticsError("a rating is nan; give None where a rating is missing")
    disagreement = _squared_distances if interval else _unequal_pairs
    pooled = [rating for item in items for rating in item]
    if len(set(pooled)) == 1:
        return None
    expected = disagreement(pooled) / (len(pooled) - 1)
    return 1.0 - sum(disagreement(item) / (len(item) - 1) for item in items) / expected


def _unequal_pairs(ratings: Sequence[Hashable]) -> float:
    """Return the number of ordered pairs of unequal ratings."""
    return float(len(ratings) ** 2 - sum(n * n for n in Counter(ratings).values()))


def _squared_distances(ratings: Sequence[Hashable]) -> float:
    """Return the sum of squared distances over ordered pairs, which is 2 n Σ(x − mean)²."""
    numbers = checked(np.array(ratings))
    return float(2 * numbers.size * ((numbers - numbers.mean()) ** 2).sum())
