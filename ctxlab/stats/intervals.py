"""Bootstrap intervals that resample whole conversations.

Questions on one conversation are not independent; resampling questions one by one would give
intervals that are too narrow. Source: Efron & Tibshirani, "An Introduction to the Bootstrap",
1993; Cameron, Gelbach & Miller, "Bootstrap-based improvements for inference with clustered
errors", 2008.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ctxlab.errors import StatisticsError

Clusters = Sequence[Hashable] | NDArray[np.generic]


@dataclass(frozen=True, slots=True)
class Interval:
    """An estimate with its interval; `low` and `high` are None below two clusters.

    Examples
    --------
    >>> str(Interval(0.5, 0.4, 0.6, 0.95, 10))
    '0.500 [0.400, 0.600]'
    """

    estimate: float
    low: float | None
    high: float | None
    level: float
    clusters: int

    def excludes(self, value: float) -> bool:
        """Say whether there is an interval and `value` lies outside it.

        Examples
        --------
        >>> Interval(0.5, 0.4, 0.6, 0.95, 10).excludes(0.0)
        True
        """
        if self.low is None or self.high is None:
            return False
        return not self.low <= value <= self.high

    def __str__(self) -> str:
        if self.low is None or self.high is None:
            return f"{self.estimate:.3f} (no interval: {self.clusters} conversation)"
        return f"{self.estimate:.3f} [{self.low:.3f}, {self.high:.3f}]"


def cluster_bootstrap(
    values: ArrayLike,
    clusters: Clusters,
    *,
    level: float = 0.95,
    resamples: int = 2000,
    seed: int = 0,
) -> Interval:
    """Return the mean of `values` with a percentile interval over resampled clusters.

    Parameters
    ----------
    values : array_like, shape (n,)
        One value a probe.
    clusters : sequence, length n
        The conversation of every probe.
    level : float
        Coverage aimed at, between 0 and 1.
    resamples, seed : int
        Number of resamples, and the seed that makes them the same every time.

    Raises
    ------
    StatisticsError
        When the lengths differ, there is no value, or one is not a number.

    Examples
    --------
    >>> interval = cluster_bootstrap([1, 0, 1, 1], ["a", "a", "b", "b"])
    >>> interval.estimate, interval.low, interval.high
    (0.75, 0.5, 1.0)
    """
    data = checked(values)
    sums, counts = by_cluster(data, clusters)
    estimate, n = float(data.mean()), len(sums)
    if n < 2:
        return Interval(estimate, None, None, level, n)
    means = resampled_means(sums, counts, resamples, seed)
    tail = 100 * (1 - level) / 2
    low, high = np.percentile(means, [tail, 100 - tail])
    return Interval(estimate, float(low), float(high), level, n)


def paired_bootstrap(
    a: ArrayLike,
    b: ArrayLike,
    clusters: Clusters,
    *,
    level: float = 0.95,
    resamples: int = 2000,
    seed: int = 0,
) -> Interval:
    """Return the mean of a − b, paired by probe, with an interval over resampled clusters.

    Raises
    ------
    StatisticsError
        When the lengths differ, there is no value, or one is not a number.

    Examples
    --------
    >>> paired_bootstrap([1, 1, 1], [0, 1, 1], ["a", "b", "c"]).low
    0.0
    """
    difference = paired_difference(a, b)
    return cluster_bootstrap(difference, clusters, level=level, resamples=resamples, seed=seed)


def resampled_means(
    sums: NDArray[np.float64], counts: NDArray[np.float64], resamples: int, seed: int
) -> NDArray[np.float64]:
    """Return the mean over probes of every resample of whole clusters.

    Parameters
    ----------
    sums, counts : ndarray, shape (clusters,)
        Sum of the values, and number of probes, of every cluster.

    Examples
    --------
    >>> resampled_means(np.array([2.0, 2.0]), np.array([4.0, 4.0]), 3, 0).tolist()
    [0.5, 0.5, 0.5]
    """
    n = len(sums)
    drawn = np.random.default_rng(seed).multinomial(n, np.full(n, 1 / n), size=resamples)
    return np.asarray((drawn @ sums) / (drawn @ counts))


def by_cluster(
    values: NDArray[np.float64], clusters: Clusters
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the sum of values and the number of probes of every cluster.

    Raises
    ------
    StatisticsError
        When there are not as many clusters as values.

    Examples
    --------
    >>> [part.tolist() for part in by_cluster(np.array([1.0, 2.0, 3.0]), ["a", "b", "a"])]
    [[4.0, 2.0], [2.0, 1.0]]
    """
    if len(clusters) != len(values):
        raise StatisticsError(
            f"{len(values)} values and {len(clusters)} clusters; give one cluster a value"
        )
    numbers: dict[Hashable, int] = {}
    codes = np.array([numbers.setdefault(c, len(numbers)) for c in clusters], np.int64)
    n = len(numbers)
    sums = np.bincount(codes, values, n).astype(np.float64)
    return sums, np.bincount(codes, minlength=n).astype(np.float64)


def paired_difference(a: ArrayLike, b: ArrayLike) -> NDArray[np.float64]:
    """Return a − b, checked.

    Raises
    ------
    StatisticsError
        When the lengths differ, there is no value, or one is not a number.

    Examples
    --------
    >>> paired_difference([1, 2], [1, 1]).tolist()
    [0.0, 1.0]
    """
    left, right = checked(a), checked(b)
    if left.shape != right.shape:
        raise StatisticsError(
            f"{left.size} and {right.size} values are not paired; compare the same probes"
        )
    return left - right


def checked(values: ArrayLike) -> NDArray[np.float64]:
    """Return `values` as an array of shape (n,).

    Raises
    ------
    StatisticsError
        When there is no value, or one is not a number.

    Examples
    --------
    >>> checked([1, 0]).tolist()
    [1.0, 0.0]
    """
    data = np.asarray(values, np.float64)
    if data.ndim != 1 or data.size == 0:
        raise StatisticsError(f"values of shape {data.shape}; give at least one, in one row")
    if not np.isfinite(data).all():
        where = int(np.flatnonzero(~np.isfinite(data))[0])
        raise StatisticsError(f"value {where} is {data[where]}; leave out what was not measured")
    return data
