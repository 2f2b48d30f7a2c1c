"""Ranking for relevance and novelty together."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from heapq import heapify, heappop, heappush

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from ctxlab.core.context import Context, Remembered
from ctxlab.core.indexing import term_index
from ctxlab.core.packing import NO_MATCH, group_scores, is_silent
from ctxlab.core.strategy import Select, Traits
from ctxlab.core.task import Task
from ctxlab.text.languages import LanguageName

Similarities = Callable[[int], tuple[NDArray[np.integer], NDArray[np.float64]]]


@dataclass(frozen=True)
class _Scores(Remembered[list[float]]):
    """The scores of a selection for a question."""

    strategy: MMR
    query: str


class MMR(Select):
    """Keeps what is relevant and not yet said: maximal marginal relevance.

    Among more than a thousand segments, words that stand in more than a thousand of them make no
    two alike. Takes, again and again, the segment with the highest
    λ·sim(segment, query) − (1 − λ)·max sim(segment, taken), by tf·idf cosine
    (Carbonell & Goldstein, SIGIR 1998). Without a query, relevance is the similarity to the
    whole conversation.

    Examples
    --------
    >>> from ctxlab.core.segments import Segment
    >>> texts = ("fish at six", "fish at six o'clock", "bread and fish until noon", "hm")
    >>> context = Context(tuple(Segment.of(text, text) for text in texts))
    >>> scores = MMR().score(context, Task(budget=1, query="fish"))
    >>> scores[2] > scores[1]
    True
    """

    TRAITS = Traits(
        family="ranking",
        source="Carbonell & Goldstein 1998",
        query_aware=True,
        cost="n log n",
    )

    relevance: float = Field(
        0.7, ge=0, le=1, description="λ: 1 looks at the query alone, 0 at novelty alone"
    )
    language: LanguageName = Field(
        "auto", description="of the words: an ISO 639-1 code, or auto to recognise it"
    )

    def score(self, context: Context, task: Task) -> Sequence[float]:
        """Return n − rank: the segment taken first scores highest."""
        return context.memo(_Scores(self, task.query), lambda: self._scores(context, task.query))

    def unmatched(self, context: Context, task: Task, scores: Sequence[float]) -> str:
        """Say so where no word of the question stands anywhere: novelty alone says nothing."""
        if not task.query or not self.relevance:
            return ""
        alike = term_index(context, self.language).cosines(task.query)
        return NO_MATCH if is_silent(context, group_scores(context, alike.tolist())) else ""

    def _scores(self, context: Context, query: str) -> list[float]:
        index = term_index(context, self.language)
        relevant = self.relevance * index.cosines(query)
        ranks = greedy_ranks(relevant, index.nearby, 1 - self.relevance)
        return [float(index.n - rank) for rank in ranks]


def greedy_ranks(gain: NDArray[np.float64], row: Similarities, penalty: float) -> NDArray[np.int64]:
    """Return the turn in which each item is taken when the best marginal value goes first.

    An item's value is its gain minus `penalty` times its greatest similarity to what is taken.
    Values only fall, so that a heap of values that may be out of date finds the best one
    (Minoux, "Accelerated greedy algorithms", 1978).

    Parameters
    ----------
    gain : ndarray, shape (n,)
        Value of an item on its own.
    row : callable
        Items that resemble item i, and how much.
    penalty : float
        Weight of the greatest similarity to what is taken.

    Examples
    --------
    >>> same = lambda i: (np.array([0, 1]), np.array([1.0, 1.0])) if i < 2 else (np.array([2]),) * 2
    >>> greedy_ranks(np.array([3.0, 2.9, 2.5]), same, 1.0).tolist()
    [0, 2, 1]
    """
    nearest = np.zeros(len(gain))
    ranks = np.zeros(len(gain), np.int64)
    heap = [(-value, i) for i, value in enumerate(gain.tolist())]
    heapify(heap)
    turn = 0
    while heap:
        value, i = heappop(heap)
        now = penalty * nearest[i] - gain[i]
        if now > value + 1e-12:
            heappush(heap, (now, i))
            continue
        ranks[i], turn = turn, turn + 1
        items, similarity = row(i)
        nearest[items] = np.maximum(nearest[items], similarity)
    return ranks
