"""Replicates: how much of a score's spread comes from the seed, not from the conversations."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from ctxlab.errors import StatisticsError


@dataclass(frozen=True, slots=True)
class Spread:
    """Standard deviations of a mean score: over seeds, and over conversations.

    Parameters
    ----------
    seeds : float
        Of the mean from seed to seed: what another draw would change.
    conversations : float
        Of the conversations' means.

    Examples
    --------
    >>> Spread(0.01, 0.2).seeds
    0.01
    """

    seeds: float
    conversations: float


def spread(scores: ArrayLike) -> Spread:
    """Split the spread of a seeded strategy's scores.

    Parameters
    ----------
    scores : array_like, shape (seeds, conversations)
        The mean score of every conversation under every seed.

    Raises
    ------
    StatisticsError
        When there are fewer than two seeds or conversations.

    Examples
    --------
    >>> found = spread([[0.2, 0.4], [0.3, 0.5]])
    >>> round(found.seeds, 3), round(found.conversations, 3)
    (0.071, 0.141)
    """
    data = np.asarray(scores, np.float64)
    if data.ndim != 2 or min(data.shape) < 2:
        raise StatisticsError(
            f"scores of shape {data.shape}; give at least two seeds and two conversations"
        )
    means = data.mean(axis=1).std(ddof=1), data.mean(axis=0).std(ddof=1)
    return Spread(float(means[0]), float(means[1]))
