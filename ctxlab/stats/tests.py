"""Tests of paired differences, and the correction for making many of them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ctxlab.errors import StatisticsError
from ctxlab.stats.samples import (
    Clusters,
    by_cluster,
    checked_p,
    checked_resamples,
    paired_difference,
)

_EXACT_PATTERNS = 4096
_BLOCK = 2**22


@dataclass(frozen=True, slots=True)
class Permutation:
    """A permutation test: its p-value, and the smallest that its design can give.

    Parameters
    ----------
    p_value : float
        Two-sided.
    smallest_p : float
        The floor of the design: no data could give less.
    exact : bool
        Whether every sign pattern was counted, not a sample of them.
    clusters : int
        Units whose signs were flipped.

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

    Two-sided, on the absolute sum of the differences. All sign patterns are counted when there
    are at most 4,096 (12 clusters); beyond that a random sample, in which what was seen counts as
    one more draw, so that p is never 0. With k clusters no exact p-value can be below 2 / 2**k:
    four conversations never give less than 0.125. Sources: Good, "Permutation, Parametric, and
    Bootstrap Tests of Hypotheses", 2005; Phipson & Smyth, "Permutation p-values should never be
    zero", 2010.

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
        When the lengths differ, there is no value, or one is not a finite number.

    Examples
    --------
    >>> paired_permutation([1, 1, 1, 1], [0, 0, 0, 0], ["a", "b", "c", "d"]).p_value
    0.125
    """
    difference = paired_difference(a, b)
    sums, _ = by_cluster(difference, range(difference.size) if clusters is None else clusters)
    n, draws = len(sums), checked_resamples(resamples)
    exact = 2**n <= _EXACT_PATTERNS
    total = sums.sum()
    # Rounding must not make a pattern that ties with what was seen count as smaller.
    reach = abs(total) - 1e-9 * np.abs(sums).sum()
    blocks = iter([_all_flips(n)]) if exact else _random_flips(n, draws, seed)
    extreme = sum(int((np.abs(total - 2 * (flips @ sums)) >= reach).sum()) for flips in blocks)
    if exact:
        return Permutation(extreme / 2**n, min(1.0, 2 / 2**n), True, n)
    return Permutation((extreme + 1) / (draws + 1), 1 / (draws + 1), False, n)


def _all_flips(n: int) -> NDArray[np.int64]:
    return np.arange(2**n)[:, None] >> np.arange(n) & 1


def _random_flips(n: int, draws: int, seed: int) -> Iterator[NDArray[np.int8]]:
    """Yield rows of random flips, in blocks that bound the memory for thousands of units."""
    random, rows = np.random.default_rng(seed), max(1, _BLOCK // n)
    for start in range(0, draws, rows):
        yield random.integers(0, 2, (min(rows, draws - start), n), np.int8)


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


def mcnemar(a: ArrayLike, b: ArrayLike) -> float:
    """Return the exact two-sided p-value of McNemar's test on two rows of yes and no.

    It takes questions for independent; `paired_permutation` with clusters does not. Source:
    McNemar, "Note on the sampling error of the difference between correlated proportions", 1947.

    Parameters
    ----------
    a, b : array_like, shape (n,)
        0 or 1 for the same probes.

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
    values = np.concatenate([np.asarray(a, np.float64), np.asarray(b, np.float64)])
    odd = values[~np.isin(values, (0, 1))]
    if odd.size:
        raise StatisticsError(
            f"McNemar's test takes 0 and 1 only, not {odd[0]:g}; use wilcoxon for shares"
        )
    better, worse = int((difference > 0).sum()), int((difference < 0).sum())
    return float(binomtest(better, better + worse).pvalue) if better + worse else 1.0


def wilcoxon(a: ArrayLike, b: ArrayLike, clusters: Clusters | None = None) -> float:
    """Return the p-value of Wilcoxon's signed-rank test on the conversations' mean differences.

    Two-sided. Every conversation counts once, however many probes it has; those without a
    difference are left out. Source: Wilcoxon, "Individual comparisons by ranking methods", 1945, as
    `scipy.stats.wilcoxon` computes it.

    Parameters
    ----------
    a, b : array_like, shape (n,)
        Values of the same probes.
    clusters : sequence, length n, optional
        The conversation of every probe; without it every probe stands for itself.

    Raises
    ------
    StatisticsError
        When the lengths differ, there is no value, or one is not a finite number.

    Examples
    --------
    >>> wilcoxon([1, 1, 1, 1, 1], [0.1, 0.2, 0.3, 0.4, 0.5], "abcde")
    0.0625
    """
    from scipy.stats import wilcoxon as signed_rank

    difference = paired_difference(a, b)
    sums, counts = by_cluster(difference, range(difference.size) if clusters is None else clusters)
    means = sums / counts
    if not means.any():
        return 1.0
    # Ranks do not change with the scale, and rounded means that are equal share their rank.
    ranked = np.round(means / np.abs(means).max(), 12)
    return float(signed_rank(ranked).pvalue)
