"""Checked samples: values, paired differences, and sums over whole conversations.

Sums of decimals carry rounding noise. What is smaller than a 10⁻¹² share of the figures it was
made of is taken for 0, so that noise is never mistaken for a difference.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ctxlab.errors import StatisticsError

Clusters = Sequence[Hashable] | NDArray[np.generic]
"""The conversation of every value: any hashable ids, as many as there are values."""

Bounds = tuple[float, float] | None
"""The least and the most that values can be; None where nothing bounds them."""

_NOISE = 1e-12


def checked(values: ArrayLike) -> NDArray[np.float64]:
    """Return `values` as an array of shape (n,).

    Raises
    ------
    StatisticsError
        When there is no value, or one is not a finite number.

    Examples
    --------
    >>> checked([1, 0]).tolist()
    [1.0, 0.0]
    """
    try:
        data = np.asarray(values, np.float64)
    except (TypeError, ValueError) as error:
        raise StatisticsError(f"values are not one row of numbers ({error}); give 0 to 1") from None
    if data.ndim != 1 or data.size == 0:
        raise StatisticsError(f"values of shape {data.shape}; give at least one, in one row")
    if not np.isfinite(data).all():
        where = int(np.flatnonzero(~np.isfinite(data))[0])
        raise StatisticsError(f"value {where} is {data[where]}; leave out what was not measured")
    return data


def within(values: NDArray[np.float64], bounds: Bounds) -> NDArray[np.float64]:
    """Return `values`, checked to lie within the bounds, where there are any.

    Raises
    ------
    StatisticsError
        When a value lies outside, or the bounds are not two finite numbers in their order.

    Examples
    --------
    >>> within(np.array([120.0, 80.0]), None).tolist()
    [120.0, 80.0]
    """
    if bounds is None:
        return values
    least, greatest = bounds
    if not -np.inf < least < greatest < np.inf:
        raise StatisticsError(
            f"bounds {least} to {greatest} hold no values; give (0.0, 1.0) for shares, or None"
        )
    outside = np.flatnonzero((values < least) | (values > greatest))
    if outside.size:
        where = int(outside[0])
        raise StatisticsError(
            f"value {where} is {values[where]:g}, outside {least:g} to {greatest:g}; give "
            "bounds=None (or a unit) for a measure that is no share"
        )
    return values


def paired_difference(a: ArrayLike, b: ArrayLike) -> NDArray[np.float64]:
    """Return a − b, checked.

    Raises
    ------
    StatisticsError
        When the lengths differ, there is no value, or one is not a finite number.

    Examples
    --------
    >>> paired_difference([1, 0.1 + 0.2], [1, 0.3]).tolist()
    [0.0, 0.0]
    """
    left, right = checked(a), checked(b)
    if left.shape != right.shape:
        raise StatisticsError(
            f"{left.size} and {right.size} values are not paired; compare the same probes"
        )
    return without_noise(left - right, np.maximum(np.abs(left), np.abs(right)))


def by_cluster(
    values: NDArray[np.float64], clusters: Clusters
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the sum of values and the number of probes of every cluster.

    Raises
    ------
    StatisticsError
        When there are not as many clusters as values, or a cluster is None or not a number.

    Examples
    --------
    >>> [part.tolist() for part in by_cluster(np.array([1.0, 2.0, 3.0]), ["a", "b", "a"])]
    [[4.0, 2.0], [2.0, 1.0]]
    """
    if len(clusters) != len(values):
        raise StatisticsError(
            f"{len(values)} values and {len(clusters)} clusters; give one cluster a value"
        )
    codes, n = _codes(clusters)
    # Summed in the order of the values, so that the order of rows is not seen in the last digit.
    order = np.lexsort((values, codes))
    codes, values = codes[order], values[order]
    sums = np.bincount(codes, values, n).astype(np.float64)
    scale = np.bincount(codes, np.abs(values), n).astype(np.float64)
    return without_noise(sums, scale), np.bincount(codes, minlength=n).astype(np.float64)


def _codes(clusters: Clusters) -> tuple[NDArray[np.int64], int]:
    if isinstance(clusters, np.ndarray) and clusters.dtype.kind in "iu":
        known, codes = np.unique(clusters, return_inverse=True)
        return codes.astype(np.int64), len(known)
    numbers: dict[Hashable, int] = {}
    codes = np.array([numbers.setdefault(c, len(numbers)) for c in clusters], np.int64)
    # A NaN differs from itself, so that each would silently become a cluster of its own.
    if missing := [c for c in numbers if c is None or c != c]:
        raise StatisticsError(f"a cluster is {missing[0]}; name the conversation of every value")
    return codes, len(numbers)


def without_noise(
    values: NDArray[np.float64], scale: NDArray[np.float64] | float
) -> NDArray[np.float64]:
    """Return `values` with 0 in place of those that are rounding noise at that scale.

    Examples
    --------
    >>> without_noise(np.array([0.5, 5.6e-17]), 1.0).tolist()
    [0.5, 0.0]
    """
    return np.where(np.abs(values) <= _NOISE * scale, 0.0, values)


def checked_level(level: float, above: float = 0.0) -> float:
    """Return `level`, checked to lie strictly between `above` and 1.

    Raises
    ------
    StatisticsError
        When it does not.

    Examples
    --------
    >>> checked_level(0.95)
    0.95
    """
    if not above < level < 1:
        raise StatisticsError(f"level {level} is not between {above:g} and 1; 0.95 is usual")
    return level


def checked_margin(margin: float) -> float:
    """Return `margin`, checked to be finite and above 0.

    Raises
    ------
    StatisticsError
        When it is not.

    Examples
    --------
    >>> checked_margin(0.02)
    0.02
    """
    if not 0 < margin < float("inf"):
        raise StatisticsError(f"a margin of {margin} is not above 0; give the loss you can bear")
    return margin


def checked_p(p_value: float) -> float:
    """Return `p_value`, checked to lie between 0 and 1.

    Raises
    ------
    StatisticsError
        When it does not.

    Examples
    --------
    >>> checked_p(0.05)
    0.05
    """
    if not 0 <= p_value <= 1:
        raise StatisticsError(
            f"a p-value of {p_value} is not between 0 and 1; give None for a test not made"
        )
    return p_value
