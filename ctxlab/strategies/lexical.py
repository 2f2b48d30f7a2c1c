"""Ranking by words: what the question names, or what is rare."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from ctxlab.model import Context
from ctxlab.strategy import Select, Traits
from ctxlab.task import Task
from ctxlab.terms import TermIndex, terms


class IDFDensity(Select):
    """Keeps the groups with the rarest words for their length, whatever will be asked.

    The score is the sum of ln(n/df) over a segment's distinct terms, divided by its tokens
    (inverse document frequency: Spärck Jones 1972).

    Examples
    --------
    >>> from ctxlab.model import Segment
    >>> texts = ("yes yes", "yes, stall 17 pays 40 euros")
    >>> context = Context(tuple(Segment.of(text, text) for text in texts))
    >>> [round(score, 2) for score in IDFDensity().score(context, Task(budget=1))]
    [0.0, 0.27]
    """

    TRAITS = Traits(family="ranking", source="Spärck Jones 1972", cost="n log n")

    def score(self, context: Context, task: Task) -> Sequence[float]:
        """Return rare words a token."""
        costs = task.costs(context)
        tokens = np.asarray(costs.texts) + np.asarray(costs.overheads)
        rarity: NDArray[np.float64] = context.memo("idf mass", lambda: _idf_mass(context))
        return [float(x) for x in rarity / np.maximum(tokens, 1)]


class BM25(Select):
    """Keeps the groups that match the question's words best.

    Okapi BM25 with idf = ln(1 + (N − df + 0.5) / (df + 0.5)) over the segments of one
    conversation (Robertson & Zaragoza, "The Probabilistic Relevance Framework", 2009).

    Examples
    --------
    >>> from ctxlab.model import Segment
    >>> texts = ("The fish stall opens at six.", "Coffee?", "Bread is sold until noon.")
    >>> context = Context(tuple(Segment.of(text, text) for text in texts))
    >>> BM25().compress(context, Task(budget=16, query="When does the fish stall open?")).text
    'The fish stall opens at six.'
    """

    TRAITS = Traits(
        family="ranking",
        source="Robertson & Zaragoza 2009",
        query_aware=True,
        cost="n log n",
    )

    k1: float = Field(1.5, ge=0, description="how soon repeats of a term stop counting")
    b: float = Field(0.75, ge=0, le=1, description="how far long messages are held back")
    neighbours: int = Field(0, ge=0, description="groups on either side kept right after a hit")
    smoothing: float = Field(
        0.0, ge=0, description="standard deviation, in turns, of a Gaussian over the scores"
    )

    def score(self, context: Context, task: Task) -> Sequence[float]:
        """Return the BM25 score of every segment for the task's query."""
        index = TermIndex.of(context)
        scores = np.zeros(index.n)
        average = index.lengths.mean() if index.n else 0.0
        norms = self.k1 * (1 - self.b + self.b * index.lengths / (average or 1.0))
        for term in terms(task.query):
            documents, counts = index.postings(term)
            idf = np.log1p((index.n - documents.size + 0.5) / (documents.size + 0.5))
            scores[documents] += idf * counts * (self.k1 + 1) / (counts + norms[documents])
        return [float(x) for x in smoothed(scores, self.smoothing)]

    def order(self, scores: Sequence[float]) -> Iterable[int]:
        """Follow each hit with its neighbours, the nearest first."""
        return with_neighbours(super().order(scores), len(scores), self.neighbours)


def smoothed(scores: NDArray[np.float64], sigma: float) -> NDArray[np.float64]:
    """Return `scores` smeared over the turns beside them by a Gaussian.

    Parameters
    ----------
    scores : ndarray, shape (n,)
        One score a turn.
    sigma : float
        Standard deviation in turns; 0 leaves the scores alone.

    Examples
    --------
    >>> smoothed(np.array([0.0, 1.0, 0.0]), 1.0).round(2).tolist()
    [0.24, 0.4, 0.24]
    """
    if not sigma or not scores.size:
        return scores
    from scipy.ndimage import gaussian_filter1d

    return np.asarray(gaussian_filter1d(scores, sigma, mode="constant"))


def with_neighbours(order: Iterable[int], n: int, reach: int) -> list[int]:
    """Return `order` with up to `reach` positions on either side right after each hit.

    Examples
    --------
    >>> with_neighbours([2, 0], 4, 1)
    [2, 1, 3, 0]
    """
    if not reach:
        return list(order)
    beside = [offset for k in range(1, reach + 1) for offset in (-k, k)]
    found: dict[int, None] = {}
    for hit in order:
        found[hit] = None
        for offset in beside:
            if 0 <= hit + offset < n:
                found.setdefault(hit + offset)
    return list(found)


def _idf_mass(context: Context) -> NDArray[np.float64]:
    index = TermIndex.of(context)
    mass = np.zeros(index.n)
    rarity = np.log(index.n / index.document_frequency)
    np.add.at(mass, index.documents, np.repeat(rarity, index.document_frequency))
    return mass
