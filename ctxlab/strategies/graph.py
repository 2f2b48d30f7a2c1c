"""Ranking by the graph of similarities: the segments that many others resemble."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from ctxlab.core.context import Context, Remembered
from ctxlab.core.indexing import term_index
from ctxlab.core.strategy import Select, Traits
from ctxlab.core.task import Task
from ctxlab.text.languages import LanguageName

Vector = NDArray[np.float64]


@dataclass(frozen=True)
class _CentralityBy(Remembered[list[float]]):
    """The centrality of the segments of a context."""

    strategy: str
    threshold: float
    damping: float
    language: str


class LexRank(Select):
    """Keeps the segments most central in the graph of tf·idf cosine similarities.

    Continuous LexRank: PageRank over the similarities themselves, or over those above a
    threshold (Erkan & Radev, "LexRank", JAIR 2004).

    Examples
    --------
    >>> from ctxlab.core.segments import Segment
    >>> texts = ("fish and bread", "fish today", "bread tomorrow")
    >>> context = Context(tuple(Segment.of(text, text) for text in texts))
    >>> scores = LexRank().score(context, Task(budget=1))
    >>> scores[0] > scores[1]
    True
    """

    TRAITS = Traits(
        family="ranking",
        source="Erkan & Radev 2004, arXiv:1109.2128",
        cost="pairs that share a term",
    )

    threshold: float = Field(0.0, ge=0, lt=1, description="similarities below it count as none")
    damping: float = Field(0.85, gt=0, lt=1, description="share that follows the graph's links")
    language: LanguageName = Field(
        "auto", description="of the words: an ISO 639-1 code, or auto to recognise it"
    )

    def score(self, context: Context, task: Task) -> Sequence[float]:
        """Return the centrality of every segment; they add up to 1."""
        key = _CentralityBy("LexRank", self.threshold, self.damping, self.language)
        return context.memo(key, lambda: self._centrality(context))

    def _centrality(self, context: Context) -> list[float]:
        index = term_index(context, self.language)
        if self.threshold:
            similar = index.similarities.copy()
            similar.data[similar.data < self.threshold] = 0.0
            return pagerank(lambda v: similar @ v, len(context), self.damping)
        # All similarities are one product of sparse factors, which need not be multiplied out.
        rows, columns = index.tfidf, index.tfidf.T.tocsr()
        return pagerank(lambda v: rows @ (columns @ v), len(context), self.damping)


class TextRank(Select):
    """Keeps the segments that share most words with others that do.

    PageRank over the graph of overlaps, |words in common| / (ln |a| + ln |b|) between segments
    of |a| and |b| distinct terms (Mihalcea & Tarau, "TextRank", EMNLP 2004).

    Examples
    --------
    >>> from ctxlab.core.segments import Segment
    >>> texts = ("fish and bread", "fish today", "bread tomorrow")
    >>> context = Context(tuple(Segment.of(text, text) for text in texts))
    >>> scores = TextRank().score(context, Task(budget=1))
    >>> scores[0] > scores[1]
    True
    """

    TRAITS = Traits(family="ranking", source="Mihalcea & Tarau 2004", cost="words")

    damping: float = Field(0.85, gt=0, lt=1, description="share that follows the graph's links")
    language: LanguageName = Field(
        "auto", description="of the words: an ISO 639-1 code, or auto to recognise it"
    )

    def score(self, context: Context, task: Task) -> Sequence[float]:
        """Return the rank of every segment; they add up to 1."""
        key = _CentralityBy("TextRank", 0.0, self.damping, self.language)
        return context.memo(key, lambda: self._ranks(context))

    def _ranks(self, context: Context) -> list[float]:
        index = term_index(context, self.language)
        if not index.n:
            return []
        held, terms = index.held, index.held.T.tocsr()
        # A text of one term has the logarithm 0: two of them would weigh infinitely.
        sizes, kind = np.unique(np.maximum(index.distinct, 2), return_inverse=True)
        parts = _reciprocal_sums(np.log(sizes))[kind]
        itself = index.distinct / (2 * np.log(sizes))[kind]

        def links(v: Vector) -> Vector:
            # Overlaps are a product of sparse factors, which need not be multiplied out.
            shared = held @ (terms @ (parts * v[:, None]))
            return np.asarray(np.maximum((parts * shared).sum(axis=1) - itself * v, 0.0))

        return pagerank(links, index.n, self.damping)


def _reciprocal_sums(values: Vector) -> Vector:
    """Return rows whose products are 1 / (a + b) for every two of `values`, shape (k, few).

    The matrix of these is positive definite, and its eigenvalues fall so fast that about ten
    of them give every entry to twelve digits (Beckermann & Townsend, "On the singular values of
    matrices with displacement structure", SIAM J. Matrix Anal. Appl., 2017).
    """
    weights, vectors = np.linalg.eigh(1.0 / np.add.outer(values, values))
    kept = weights > 1e-13 * weights[-1]
    return np.asarray(vectors[:, kept] * np.sqrt(weights[kept]))


def pagerank(
    links: Callable[[Vector], Vector],
    n: int,
    damping: float,
    *,
    tolerance: float = 1e-8,
    rounds: int = 200,
) -> list[float]:
    """Return the stationary shares of a walk over a symmetric weighted graph of n nodes.

    Source: Brin & Page, "The anatomy of a large-scale hypertextual web search engine", 1998.
    A node without links jumps anywhere.

    Parameters
    ----------
    links : callable
        Multiplies the symmetric matrix of weights, none negative, by a vector of shape (n,).
    n : int
        Number of nodes.
    damping : float
        Share of steps that follow a link.
    tolerance, rounds : float, int
        Stop when a round moves less than `tolerance`, or after so many rounds.

    Examples
    --------
    >>> weights = np.array([[0.0, 1.0], [1.0, 0.0]])
    >>> pagerank(lambda v: weights @ v, 2, 0.85)
    [0.5, 0.5]
    """
    if n == 0:
        return []
    totals = links(np.ones(n))
    linked = totals > 0
    inverse = np.divide(1.0, totals, where=linked, out=np.zeros(n))
    ranks = np.full(n, 1.0 / n)
    for _ in range(rounds):
        jump = (1 - damping) / n + damping * ranks[~linked].sum() / n
        moved = damping * links(ranks * inverse) + jump
        settled = np.abs(moved - ranks).sum() < tolerance
        ranks = moved
        if settled:
            break
    return [float(x) for x in ranks]
