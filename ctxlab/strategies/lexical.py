"""Ranking by words: what the question names, or what is rare."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from ctxlab.core.context import Context, Remembered
from ctxlab.core.indexing import language_of, term_index
from ctxlab.core.packing import NO_MATCH, is_silent
from ctxlab.core.segments import spoken
from ctxlab.core.strategy import Select, Traits
from ctxlab.core.task import Task
from ctxlab.text.languages import LanguageName
from ctxlab.text.term_index import TermIndex
from ctxlab.text.words import terms, words

Scores = NDArray[np.float64]


@dataclass(frozen=True)
class _BitsOf(Remembered[Scores]):
    """The mean surprisal of the words of each segment of a context."""

    language: str


@dataclass(frozen=True)
class _IdfMassOf(Remembered[Scores]):
    """The idf of the distinct words of each segment of a context."""

    language: str


class IDFDensity(Select):
    """Keeps the groups with the rarest words for their length, whatever will be asked.

    The score is the sum of ln(n/df) over a segment's distinct terms, divided by its tokens
    (inverse document frequency: Spärck Jones 1972).

    Examples
    --------
    >>> from ctxlab.core.segments import Segment
    >>> texts = ("yes yes", "yes, stall 17 pays 40 euros")
    >>> context = Context(tuple(Segment.of(text, text) for text in texts))
    >>> [round(score, 2) for score in IDFDensity().score(context, Task(budget=1))]
    [0.0, 0.27]
    """

    TRAITS = Traits(family="ranking", source="Spärck Jones 1972", cost="n log n")

    language: LanguageName = Field(
        "auto", description="of the words: an ISO 639-1 code, or auto to recognise it"
    )

    def score(self, context: Context, task: Task) -> Sequence[float]:
        """Return rare words a token."""
        costs = task.costs(context)
        tokens = np.asarray(costs.texts) + np.asarray(costs.overheads)
        return [float(x) for x in idf_mass(context, self.language) / np.maximum(tokens, 1)]


class Smoothed(Select):
    """Ranks by how well each segment matches, with its surroundings: the base of those rankings.

    Subclasses only match. What was said right before and after a hit often belongs to it:
    `smoothing` lets its score shine on the turns beside it, `neighbours` keeps them with it.

    Examples
    --------
    >>> from ctxlab.core.segments import Segment
    >>> class Shouted(Smoothed):
    ...     '''Keeps what is shouted.'''
    ...     def match(self, context, task):
    ...         return np.array([float(segment.text.isupper()) for segment in context])
    >>> context = Context(tuple(Segment.of(text, text) for text in ("no", "maybe", "YES", "no")))
    >>> Shouted(neighbours=1).compress(context, Task(budget=14)).text
    'maybeYES'
    """

    neighbours: int = Field(0, ge=0, description="groups on either side kept right after a hit")
    smoothing: float = Field(
        0.0, ge=0, description="standard deviation, in turns, of a Gaussian over the scores"
    )

    @abstractmethod
    def match(self, context: Context, task: Task) -> Scores:
        """Return how well each segment matches on its own, shape (n,)."""

    def score(self, context: Context, task: Task) -> Sequence[float]:
        """Return the matches, smeared over the turns beside them."""
        return [float(x) for x in smoothed(self.match(context, task), self.smoothing)]

    def order(self, scores: Sequence[float]) -> Iterable[int]:
        """Follow each hit with its neighbours, the nearest first."""
        return with_neighbours(super().order(scores), len(scores), self.neighbours)


class BM25(Smoothed):
    """Keeps the groups that match the question's words best.

    Okapi BM25 with idf = ln(1 + (N − df + 0.5) / (df + 0.5)) over the segments of one
    conversation (Robertson & Zaragoza, "The Probabilistic Relevance Framework", 2009).

    Examples
    --------
    >>> from ctxlab.core.segments import Segment
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
    language: LanguageName = Field(
        "auto", description="of the words: an ISO 639-1 code, or auto to recognise it"
    )

    def match(self, context: Context, task: Task) -> Scores:
        """Return the BM25 score of every segment for the task's query."""
        return okapi(context, task.query, self.k1, self.b, self.language)

    def unmatched(self, context: Context, task: Task, scores: Sequence[float]) -> str:
        """Say so where no word of the question stands anywhere, or none was asked."""
        if not is_silent(context, scores):
            return ""
        return NO_MATCH if task.query else "there is no question to match"


class TFIDF(Smoothed):
    """Keeps the groups closest to the question by the cosine of tf·idf vectors.

    Without a question, those closest to the whole conversation (Salton & Buckley,
    "Term-weighting approaches in automatic text retrieval", 1988).

    Examples
    --------
    >>> from ctxlab.core.segments import Segment
    >>> texts = ("The fish stall opens at six.", "Coffee?", "Bread is sold until noon.")
    >>> context = Context(tuple(Segment.of(text, text) for text in texts))
    >>> TFIDF().score(context, Task(budget=1, query="bread until noon"))[0]
    0.0
    """

    TRAITS = Traits(
        family="ranking", source="Salton & Buckley 1988", query_aware=True, cost="n log n"
    )

    language: LanguageName = Field(
        "auto", description="of the words: an ISO 639-1 code, or auto to recognise it"
    )

    def match(self, context: Context, task: Task) -> Scores:
        """Return the cosine of every segment with the query, or with the conversation."""
        return term_index(context, self.language).cosines(task.query)

    def unmatched(self, context: Context, task: Task, scores: Sequence[float]) -> str:
        """Say so where no word of the question stands anywhere."""
        return NO_MATCH if task.query and is_silent(context, scores) else ""


class Surprisal(Smoothed):
    """Keeps the groups whose words are least expected, whatever will be asked.

    The score is the mean self-information −log2 p(word), in bits a word, with p the word's
    share of the conversation: a unigram model, which needs no weights (Shannon 1948; the
    unigram case of Li et al., "Compressing Context to Enhance Inference Efficiency", 2023).

    Examples
    --------
    >>> from ctxlab.core.segments import Segment
    >>> context = Context((Segment.of("a", "yes yes"), Segment.of("b", "stall yes")))
    >>> [round(bits, 2) for bits in Surprisal().score(context, Task(budget=1))]
    [0.42, 1.21]
    """

    TRAITS = Traits(family="ranking", source="Shannon 1948; Li et al. 2023", cost="n")

    language: LanguageName = Field(
        "auto", description="of the words: an ISO 639-1 code, or auto to recognise it"
    )

    def match(self, context: Context, task: Task) -> Scores:
        """Return the bits a word of every segment."""
        code = language_of(context, self.language)
        return context.memo(_BitsOf(code), lambda: _bits_a_word(context, code))


def okapi(
    context: Context, query: str, k1: float = 1.5, b: float = 0.75, language: str = "auto"
) -> Scores:
    """Return the BM25 score of every segment of `context` for `query`, shape (n,).

    Examples
    --------
    >>> from ctxlab.core.segments import Segment
    >>> context = Context((Segment.of("a", "two stalls"), Segment.of("b", "no")))
    >>> okapi(context, "stall").round(2).tolist()
    [0.48, 0.0]
    """
    index = term_index(context, language)
    scores = np.zeros(index.n)
    average = index.lengths.mean() if index.n else 0.0
    norms = k1 * (1 - b + b * index.lengths / (average or 1.0))
    for term in terms(query, index.language):
        documents, counts = index.postings(term)
        idf = np.log1p((index.n - documents.size + 0.5) / (documents.size + 0.5))
        scores[documents] += idf * counts * (k1 + 1) / (counts + norms[documents])
    return scores


def standardized(scores: Scores) -> Scores:
    """Return `scores` in standard deviations from their mean; all 0 where they are equal.

    Examples
    --------
    >>> standardized(np.array([1.0, 3.0])).tolist()
    [-1.0, 1.0]
    """
    spread = float(scores.std()) if scores.size else 0.0
    return (scores - scores.mean()) / spread if spread else np.zeros_like(scores)


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


def idf_mass(context: Context, language: str = "auto") -> Scores:
    """Return Σ ln(n/df) over the distinct terms of every segment, shape (n,).

    A bigram of a script without spaces counts half, for each character stands in two: otherwise
    the plain talk of a Chinese message would outweigh its numbers and names.

    Examples
    --------
    >>> from ctxlab.core.segments import Segment
    >>> idf_mass(Context((Segment.of("a", "yes"), Segment.of("b", "yes, bread")))).round(2).tolist()
    [0.0, 0.69]
    """
    index = term_index(context, language)
    return context.memo(_IdfMassOf(index.language), lambda: _idf_mass(index))


def _idf_mass(index: TermIndex) -> Scores:
    rarity = np.log(index.n / index.document_frequency) * index.halves
    weights = np.repeat(rarity, index.document_frequency)
    return np.bincount(index.documents, weights, minlength=index.n).astype(np.float64)


def _bits_a_word(context: Context, language: str) -> Scores:
    ids: dict[str, int] = {}
    texts = [words(spoken(segment), language) for segment in context]
    lengths = np.array([len(found) for found in texts], np.int64)
    flat = np.array([ids.setdefault(w, len(ids)) for found in texts for w in found], np.int64)
    if not flat.size:
        return np.zeros(len(texts))
    bits = -np.log2(np.bincount(flat) / flat.size)[flat]
    sums = np.bincount(np.repeat(np.arange(len(texts)), lengths), bits, minlength=len(texts))
    return sums / np.maximum(lengths, 1)
