"""Means over questions in conversations: their variance and degrees of freedom by CR2.

Questions on one conversation are not independent. CR2, bias-reduced linearisation, estimates the
variance of a mean from whole clusters and takes out the bias that few or unequal ones bring;
Satterthwaite's degrees of freedom say how well that variance is known. Both under an exchangeable
working correlation. Sources: Bell & McCaffrey, "Bias reduction in standard errors for linear
regression with multi-stage samples", 2002; Pustejovsky & Tipton, "Small-sample methods for
cluster-robust variance estimation and hypothesis testing in fixed effects models", 2018.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ctxlab.errors import StatisticsError
from ctxlab.stats.samples import Clusters, by_cluster, checked

Weights = Literal["question", "conversation"]
"""What counts once: every question, or every conversation."""

WORKING = 0.05
"""The working correlation within a cluster: what the bias is taken out under."""


@dataclass(frozen=True, eq=False)
class Clustered:
    """The mean of clustered values, with what its uncertainty is made of.

    Parameters
    ----------
    sums, counts : ndarray, shape (clusters,)
        Sum of the values, and number of values, of every cluster.
    spread : float
        The largest distance of a value from the mean.

    Examples
    --------
    >>> sample = Clustered.of([1, 0, 1, 1], ["a", "a", "b", "b"])
    >>> sample.mean, sample.clusters
    (0.75, 2)
    """

    sums: NDArray[np.float64]
    counts: NDArray[np.float64]
    spread: float

    @classmethod
    def of(cls, values: ArrayLike, clusters: Clusters, weights: Weights = "question") -> Clustered:
        """Return the sample of values, in an order that does not depend on that of the rows.

        Raises
        ------
        StatisticsError
            When the lengths differ, there is no value, one is not a finite number, or the
            weights are neither.

        Examples
        --------
        >>> Clustered.of([1, 0, 1], ["a", "a", "b"], "conversation").mean
        0.75
        """
        data = checked(values)
        sums, counts = by_cluster(data, clusters)
        if weights == "conversation":
            sums, counts = sums / counts, np.ones_like(counts)
            data = sums
        elif weights != "question":
            raise StatisticsError(f"weights {weights!r} are neither 'question' nor 'conversation'")
        order = np.lexsort((sums, counts))
        mean = sums.sum() / counts.sum()
        return cls(sums[order], counts[order], float(np.abs(data - mean).max()))

    @property
    def clusters(self) -> int:
        """Number of clusters."""
        return len(self.sums)

    @cached_property
    def total(self) -> float:
        """Number of values."""
        return float(self.counts.sum())

    @cached_property
    def mean(self) -> float:
        """Mean over the values."""
        return float(self.sums.sum() / self.total)

    def effective(self, correlation: float = WORKING) -> float:
        """Return how many independent values weigh as much, at a correlation within clusters."""
        design = self.counts * (1 + (self.counts - 1) * correlation)
        return float(self.total**2 / design.sum())

    @cached_property
    def _adjusted(self) -> NDArray[np.float64]:
        """What each cluster's residual is multiplied by, squared: φ / Var(r) under the model."""
        n, total = self.counts, self.total
        own = n * (1 + (n - 1) * WORKING)
        factor: NDArray[np.float64] = own / (
            own * (1 - 2 * n / total) + n * n * own.sum() / total**2
        )
        return factor

    @cached_property
    def _scores(self) -> NDArray[np.float64]:
        """What each cluster adds to the error of the mean."""
        residuals = self.sums - self.counts * self.mean
        residuals[np.abs(residuals) < 1e-12 * (np.abs(self.sums) + self.counts)] = 0.0
        return np.sqrt(self._adjusted) * residuals / self.total

    @cached_property
    def variance(self) -> float:
        """Variance of the mean, CR2; needs two clusters."""
        return float((self._scores**2).sum())

    @cached_property
    def third_moment(self) -> float:
        """Third moment of the mean: what makes its distribution skewed."""
        return float((self._scores**3).sum())

    @cached_property
    def df(self) -> float:
        """Satterthwaite's degrees of freedom of the variance.

        The variance is a quadratic form of the residuals; its degrees are twice the squared
        expectation over the variance, 2 (tr G)² / 2 tr(G²), under the working model.
        """
        n, total, factor = self.counts, self.total, self._adjusted
        own = n * (1 + (n - 1) * WORKING)
        u, w, d = np.sqrt(factor) * n, np.sqrt(factor) * own, factor * own
        share = own.sum() / total**2
        uu, uw, ww = (u * u).sum(), (u * w).sum(), (w * w).sum()
        trace = d.sum() - 2 * uw / total + share * uu
        squares = (
            (d * d).sum()
            + 2 * (uw**2 + uu * ww) / total**2
            + share**2 * uu**2
            - 4 * (d * u * w).sum() / total
            + 2 * share * (d * u * u).sum()
            - 4 * share * uw * uu / total
        )
        return float(max(trace**2 / squares, 1.0))
