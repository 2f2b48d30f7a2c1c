"""Tests of paired differences, and corrections for making many of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np
from numpy.typing import ArrayLike

from ctxlab.errors import StatisticsError
from ctxlab.stats.intervals import Clusters, by_cluster, paired_bootstrap, paired_difference

_EXACT = 12


@dataclass(frozen=True, slots=True)
class Permutation:
    """A permutation test: its p-value, and the smallest that its design can give.

    Examples
    --------
    >>> Permutation(p_value=0.125, smallest_p=0.125, exact=True, clusters=4).exact
    True
    """

    p_value: float
    smallest_p: float
    exact: bool
    clusters: int


def paired_permutation(
    a: ArrayLike,
    b: ArrayLike,
    clusters: Clusters | None = None,
    *,
    resamples: int = 10_000,
    seed: int = 0,
) -> Permutation:
    """Test whether a and b differ by flipping the sign of whole conversations' differences.

    Two-sided; all sign patterns up to 12 clusters, a random sample beyond. With k clusters no
    p-value can be below 2 / 2**k: four conversations never give less than 0.125. Source: Good,
    "Permutation, Parametric, and Bootstrap Tests of Hypotheses", 2005.

    Parameters
    ----------
    a, b : array_like, shape (n,)
        Values of the same probes.
    clusters : sequence, length n, optional
        The conversation of every probe; without it every probe stands for itself.
    resamples, seed : int
        Sign patterns drawn when there are too many for all, and their seed.

    Raises
    ------
    StatisticsError
        When the lengths differ, there is no value, or one is not a number.

    Examples
    --------
    >>> paired_permutation([1, 1, 1, 1], [0, 0, 0, 0], ["a", "b", "c", "d"]).p_value
    0.125
    """
    difference = paired_difference(a, b)
    sums, _ = by_cluster(difference, range(difference.size) if clusters is None else clusters)
    n = len(sums)
    observed = abs(sums.sum())
    # Rounding must not make a pattern that ties with what was seen count as smaller.
    reach = observed - 1e-9 * max(1.0, observed)
    if n <= _EXACT:
        signs = np.array(list(product((1.0, -1.0), repeat=n)))
        p_value = float((np.abs(signs @ sums) >= reach).mean())
        return Permutation(p_value, min(1.0, 2 / 2**n), True, n)
    draw = np.random.default_rng(seed).integers(0, 2, (resamples, n)) * 2.0 - 1.0
    extreme = int((np.abs(draw @ sums) >= reach).sum())
    return Permutation((extreme + 1) / (resamples + 1), 1 / (resamples + 1), False, n)


def holm(p_values: Sequence[float | None]) -> list[float | None]:
    """Return p-values adjusted for making all these tests; None stays None and counts for none.

    Source: Holm, "A simple sequentially rejective multiple test procedure", 1979.

    Examples
    --------
    >>> holm([0.01, None, 0.04, 0.03])
    [0.03, None, 0.06, 0.06]
    """
    known = sorted((p, i) for i, p in enumerate(p_values) if p is not None)
    adjusted: list[float | None] = [None] * len(p_values)
    highest = 0.0
    for rank, (p, i) in enumerate(known):
        highest = max(highest, min(1.0, (len(known) - rank) * p))
        adjusted[i] = highest
    return adjusted


def mcnemar(a: ArrayLike, b: ArrayLike) -> float:
    """Return the exact two-sided p-value of McNemar's test on two rows of yes and no.

    It takes questions for independent; `paired_permutation` does not. Source: McNemar 1947.

    Raises
    ------
    StatisticsError
        When a value is neither 0 nor 1, or the lengths differ.

    Examples
    --------
    >>> mcnemar([1, 1, 1, 1, 1, 0], [0, 0, 0, 0, 0, 1])
    0.21875
    """
    from scipy.stats import binomtest

    difference = paired_difference(a, b)
    if not np.isin(np.concatenate([np.asarray(a), np.asarray(b)]), (0, 1)).all():
        raise StatisticsError("McNemar's test takes 0 and 1 only; use wilcoxon for shares")
    better, worse = int((difference > 0).sum()), int((difference < 0).sum())
    return float(binomtest(better, better + worse).pvalue) if better + worse else 1.0


def wilcoxon(a: ArrayLike, b: ArrayLike, clusters: Clusters) -> float:
    """Return the p-value of Wilcoxon's signed-rank test on the conversations' mean differences.

    Source: Wilcoxon 1945, as scipy computes it.

    Raises
    ------
    StatisticsError
        When the lengths differ, there is no value, or one is not a number.

    Examples
    --------
    >>> wilcoxon([1, 1, 1, 1, 1], [0.1, 0.2, 0.3, 0.4, 0.5], "abcde")
    0.0625
    """
    from scipy.stats import wilcoxon as signed_rank

    sums, counts = by_cluster(paired_difference(a, b), clusters)
    means = sums / counts
    return float(signed_rank(means).pvalue) if np.any(means) else 1.0


@dataclass(frozen=True, slots=True)
class Bound:
    """A one-sided statement on a difference: whether it holds, and the bound it rests on.

    Examples
    --------
    >>> Bound(holds=True, bound=-0.01, margin=0.02).holds
    True
    """

    holds: bool
    bound: float | None
    margin: float


def non_inferiority(
    a: ArrayLike, b: ArrayLike, clusters: Clusters, *, margin: float, level: float = 0.95
) -> Bound:
    """Say whether a is not worse than b by more than `margin`, one-sided at `level`.

    Holds when the lower bound of the paired bootstrap of a − b lies above −margin.

    Raises
    ------
    StatisticsError
        When the margin is not above 0, or the values are not paired.

    Examples
    --------
    >>> non_inferiority([1, 1, 1], [1, 1, 1], "abc", margin=0.02).holds
    True
    """
    if margin <= 0:
        raise StatisticsError(f"a margin of {margin} is not above 0; give the loss you can bear")
    interval = paired_bootstrap(a, b, clusters, level=1 - 2 * (1 - level))
    return Bound(interval.low is not None and interval.low > -margin, interval.low, margin)


def equivalent(
    a: ArrayLike, b: ArrayLike, clusters: Clusters, *, margin: float, level: float = 0.95
) -> bool:
    """Say whether a and b differ by less than `margin` either way: two one-sided tests.

    Source: Schuirmann, "A comparison of the two one-sided tests procedure", 1987.

    Raises
    ------
    StatisticsError
        When the margin is not above 0, or the values are not paired.

    Examples
    --------
    >>> equivalent([1, 1, 1], [1, 1, 1], "abc", margin=0.02)
    True
    """
    sides = ((a, b), (b, a))
    return all(non_inferiority(x, y, clusters, margin=margin, level=level).holds for x, y in sides)


def skill(value: float | None, floor: float | None, ceiling: float | None) -> float | None:
    """Return where `value` stands between a floor (0) and a ceiling (1).

    None when one of them is not known, or floor and ceiling meet.

    Examples
    --------
    >>> skill(0.75, 0.5, 1.0)
    0.5
    """
    if value is None or floor is None or ceiling is None or ceiling <= floor:
        return None
    return (value - floor) / (ceiling - floor)


def krippendorff_alpha(
    ratings: Sequence[Sequence[float | None]], *, interval: bool = False
) -> float:
    """Return the agreement of raters beyond chance, 1 for perfect, 0 for chance.

    Source: Krippendorff, "Content Analysis", 2004, chapter 11.

    Parameters
    ----------
    ratings : sequence of sequences, shape (raters, items)
        One row a rater; None where a rater gave no rating.
    interval : bool
        Take ratings for numbers, whose squared distance counts; otherwise for names.

    Raises
    ------
    StatisticsError
        When no item has two ratings.

    Examples
    --------
    >>> krippendorff_alpha([[1, 2, 3, None], [1, 2, 3, 1]])
    1.0
    """
    items = [[r for r in column if r is not None] for column in zip(*ratings, strict=True)]
    items = [item for item in items if len(item) > 1]
    if not items:
        raise StatisticsError("no item has two ratings; give ratings by at least two raters")
    pooled = np.array([rating for item in items for rating in item], float)

    def disagreement(values: np.ndarray[tuple[int, ...], np.dtype[np.float64]]) -> float:
        distance = values[:, None] - values[None, :]
        return float((distance**2).sum() if interval else (distance != 0).sum())

    observed = sum(disagreement(np.array(item, float)) / (len(item) - 1) for item in items)
    expected = disagreement(pooled) / (pooled.size - 1)
    return 1.0 if expected == 0 else 1.0 - observed / expected
