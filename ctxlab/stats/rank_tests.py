"""Tests that others know: McNemar's and Wilcoxon's, beside our own."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from ctxlab.errors import StatisticsError
from ctxlab.stats.samples import (
    Clusters,
    by_cluster,
    paired_difference,
)


def mcnemar(a: ArrayLike, b: ArrayLike) -> float:
    """Return the exact two-sided p-value of McNemar's test on two rows of yes and no.

    It takes questions for independent; `ctxlab.stats.paired_test` does not. Source:
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
