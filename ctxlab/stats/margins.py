"""Claims within a margin: not worse by more than it, or equal up to it."""

from __future__ import annotations

from dataclasses import dataclass

from numpy.typing import ArrayLike

from ctxlab.stats.intervals import paired_bootstrap
from ctxlab.stats.samples import Clusters, checked_level, checked_margin


@dataclass(frozen=True, slots=True)
class Bound:
    """A one-sided statement on a difference: whether it holds, and the bound it rests on.

    Parameters
    ----------
    holds : bool
        Never with fewer than two clusters, which give no bound.
    bound : float or None
        Lower bound of a − b.
    margin : float
        The loss that can be borne.

    Examples
    --------
    >>> Bound(holds=True, bound=-0.01, margin=0.02).holds
    True
    """

    holds: bool
    bound: float | None
    margin: float


def non_inferiority(
    a: ArrayLike,
    b: ArrayLike,
    clusters: Clusters,
    *,
    margin: float,
    level: float = 0.95,
    resamples: int = 2000,
    seed: int = 0,
) -> Bound:
    """Say whether a is not worse than b by more than `margin`, one-sided at `level`.

    Holds when the lower bound of the paired bootstrap of a − b lies above −margin. With a handful
    of conversations that bound is optimistic (see `ctxlab.stats.intervals`).

    Parameters
    ----------
    a, b : array_like, shape (n,)
        Values of the same probes.
    clusters : sequence, length n
        The conversation of every probe.
    margin : float
        Above 0, in the unit of the values: 0.02 is two points of a share.
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
    >>> non_inferiority([1, 1, 1], [1, 1, 1], "abc", margin=0.02).holds
    True
    """
    limit = checked_margin(margin)
    # Each side of a two-sided interval at 2 · level − 1 is a one-sided bound at `level`.
    two_sided = round(2 * checked_level(level, above=0.5) - 1, 12)
    low = paired_bootstrap(a, b, clusters, level=two_sided, resamples=resamples, seed=seed).low
    return Bound(low is not None and low > -limit, low, limit)


def equivalent(
    a: ArrayLike,
    b: ArrayLike,
    clusters: Clusters,
    *,
    margin: float,
    level: float = 0.95,
    resamples: int = 2000,
    seed: int = 0,
) -> bool:
    """Say whether a and b differ by less than `margin` either way: two one-sided tests (TOST).

    Parameters are those of `non_inferiority`. Source: Schuirmann, "A comparison of the two
    one-sided tests procedure and the power approach", 1987.

    Raises
    ------
    StatisticsError
        When the margin or the level cannot be, or the values are not paired.

    Examples
    --------
    >>> equivalent([1, 1, 1], [1, 1, 1], "abc", margin=0.02)
    True
    """
    return all(
        non_inferiority(
            x, y, clusters, margin=margin, level=level, resamples=resamples, seed=seed
        ).holds
        for x, y in ((a, b), (b, a))
    )
