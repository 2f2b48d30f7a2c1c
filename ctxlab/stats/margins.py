"""Claims within a margin: not worse by more than it, or equal up to it."""

from __future__ import annotations

from dataclasses import dataclass

from numpy.typing import ArrayLike

from ctxlab.stats.clustered import Weights
from ctxlab.stats.paired import PairedSample
from ctxlab.stats.samples import Bounds, Clusters, checked_level, checked_margin


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
    weights: Weights = "question",
    bounds: Bounds = (0.0, 1.0),
) -> Bound:
    """Say whether a is not worse than b by more than `margin`, one-sided at `level`.

    Holds when the lower bound of a − b, as `ctxlab.stats.paired` has it, lies above −margin.

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
    weights, bounds
        As for `ctxlab.stats.cluster_interval`.

    Raises
    ------
    StatisticsError
        When the margin or the level cannot be, or the values are not paired.

    Examples
    --------
    >>> non_inferiority([1] * 60, [1] * 60, range(60), margin=0.05).holds
    True
    """
    limit = checked_margin(margin)
    sample = PairedSample(a, b, clusters, weights, bounds)
    low = sample.lower_bound(checked_level(level, above=0.5))
    return Bound(low is not None and low > -limit, low, limit)


def equivalent(
    a: ArrayLike,
    b: ArrayLike,
    clusters: Clusters,
    *,
    margin: float,
    level: float = 0.95,
    weights: Weights = "question",
    bounds: Bounds = (0.0, 1.0),
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
    >>> equivalent([1] * 60, [1] * 60, range(60), margin=0.05)
    True
    """
    asked = {"margin": margin, "level": level, "weights": weights, "bounds": bounds}
    return all(
        non_inferiority(x, y, clusters, **asked).holds  # type: ignore[arg-type]
        for x, y in ((a, b), (b, a))
    )
