"""Claims within a margin: not worse by more than it, or equal up to it."""

from __future__ import annotations

from dataclasses import dataclass

from numpy.typing import ArrayLike

from ctxlab.stats.intervals import Interval, paired_bootstrap
from ctxlab.stats.samples import Clusters, checked_level, checked_margin


@dataclass(frozen=True, slots=True)
class MarginResult:
    """Whether a claim within a margin holds, and the interval of a − b that it rests on.

    Parameters
    ----------
    holds : bool
        Never with fewer than two clusters, which give no interval.
    difference : Interval
        Of a − b, two-sided at 2 · level − 1, so that each side is a bound at `level`.
    margin : float
        The difference that can be borne.
    level : float
        Of each one-sided bound.

    Examples
    --------
    >>> non_inferiority([1, 1], [1, 1], 0.02, "ab").difference.level
    0.9
    """

    holds: bool
    difference: Interval
    margin: float
    level: float


def non_inferiority(
    a: ArrayLike,
    b: ArrayLike,
    margin: float,
    clusters: Clusters,
    level: float = 0.95,
    *,
    resamples: int = 2000,
    seed: int = 0,
) -> MarginResult:
    """Say whether a is not worse than b by more than `margin`, one-sided at `level`.

    Holds when the lower bound of the paired bootstrap of a − b lies above −margin. With a handful
    of conversations that bound is optimistic (see `ctxlab.stats.intervals`).

    Parameters
    ----------
    a, b : array_like, shape (n,)
        Values of the same probes.
    margin : float
        Above 0, in the unit of the values: 0.02 is two points of a share.
    clusters : sequence, length n
        The conversation of every probe.
    level : float
        Above 0.5 and below 1.
    resamples, seed : int
        Of the bootstrap.

    Raises
    ------
    StatisticsError
        When the margin or the level cannot be, or the values are not paired.

    Examples
    --------
    >>> non_inferiority([1, 1, 1], [1, 1, 1], 0.02, "abc").holds
    True
    """
    interval, limit = _bounds(a, b, clusters, level, resamples, seed), checked_margin(margin)
    holds = interval.low is not None and interval.low > -limit
    return MarginResult(holds, interval, limit, level)


def equivalence(
    a: ArrayLike,
    b: ArrayLike,
    margin: float,
    clusters: Clusters,
    level: float = 0.95,
    *,
    resamples: int = 2000,
    seed: int = 0,
) -> MarginResult:
    """Say whether a and b differ by less than `margin` either way: two one-sided tests (TOST).

    Parameters are those of `non_inferiority`. Source: Schuirmann, "A comparison of the two
    one-sided tests procedure and the power approach", 1987.

    Raises
    ------
    StatisticsError
        When the margin or the level cannot be, or the values are not paired.

    Examples
    --------
    >>> equivalence([1, 1, 0], [1, 1, 1], 0.02, "abc").holds
    False
    """
    interval, limit = _bounds(a, b, clusters, level, resamples, seed), checked_margin(margin)
    low, high = interval.low, interval.high
    holds = low is not None and high is not None and -limit < low and high < limit
    return MarginResult(holds, interval, limit, level)


def _bounds(
    a: ArrayLike, b: ArrayLike, clusters: Clusters, level: float, resamples: int, seed: int
) -> Interval:
    two_sided = round(2 * checked_level(level, above=0.5) - 1, 12)
    return paired_bootstrap(a, b, clusters, level=two_sided, resamples=resamples, seed=seed)
