"""Ranking by meaning: vectors of texts, alone or together with their words."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from pydantic import Field, SerializeAsAny

from ctxlab.core.context import Context, Remembered
from ctxlab.core.segments import spoken
from ctxlab.core.strategy import Select, Traits
from ctxlab.core.task import Task
from ctxlab.models.matrices import Matrix, as_matrix, unit_rows
from ctxlab.strategies.lexical import IDFDensity, Scores, Smoothed, okapi, smoothed, standardized
from ctxlab.text.languages import LanguageName


class EmbeddingTopK(Smoothed):
    """Keeps the groups whose vectors are nearest to the question's.

    The extractive compressor of RECOMP (Xu, Shi & Choi, 2023): the cosine of the question and
    each segment. Without a question, nearness to the centre of the conversation.

    Examples
    --------
    >>> from ctxlab.core.segments import Segment
    >>> from ctxlab.core.tools import Tools
    >>> def letters(texts): return [[text.count(c) + 0.1 for c in "fish"] for text in texts]
    >>> context = Context((Segment.of("a", "fish"), Segment.of("b", "coffee, coffee")))
    >>> task = Task(budget=5, tools=Tools(count=len, encode=letters), query="which fish?")
    >>> EmbeddingTopK().compress(context, task).text
    'fish'
    """

    TRAITS = Traits(
        family="ranking",
        source="Xu et al. 2023, arXiv:2310.04408",
        query_aware=True,
        needs="encoder",
        cost="n encodings",
    )

    def match(self, context: Context, task: Task) -> Scores:
        """Return the cosine of every segment and the task's query."""
        return nearness(context, task)


class Fusion(Smoothed):
    """Keeps what both words and meaning find: BM25 and embeddings in one ranking.

    ``zsum`` adds standard scores, ``rrf`` reciprocal ranks 1 / (k + rank) (Cormack, Clarke &
    Büttcher, SIGIR 2009). First, both scores are smeared over the turns around by two
    Gaussians: a narrow one, since what answers a question often stands beside what resembles
    it, and a wide one for the passage that is about it (Callan, "Passage-level evidence in
    document retrieval", SIGIR 1994). The prior adds the scores that a strategy gives each
    segment whatever is asked, so that of two neighbours the one that says something wins. The
    defaults were chosen by leave-one-conversation-out, in ``tests/benchmarks/tune_fusion.py``.

    Examples
    --------
    >>> from ctxlab.core.segments import Segment
    >>> from ctxlab.core.tools import Tools
    >>> def letters(texts): return [[text.count(c) + 0.1 for c in "fish"] for text in texts]
    >>> texts = "The fish stall opens at six.", "Coffee?", "A shift has six hours."
    >>> context = Context(tuple(Segment.of(text, text) for text in texts))
    >>> task = Task(budget=30, tools=Tools(count=len, encode=letters), query="When is there fish?")
    >>> Fusion(smoothing=0, passage_weight=0).compress(context, task).text
    'The fish stall opens at six.'
    """

    TRAITS = Traits(
        family="ranking",
        source="Cormack et al. 2009; Robertson & Zaragoza 2009; Xu et al. 2023",
        query_aware=True,
        needs="encoder",
        cost="n log n, and n encodings",
    )

    method: Literal["zsum", "rrf"] = Field("zsum", description="how the two are added")
    weight: float = Field(
        0.5, ge=0, le=1, description="share of meaning; that of words is the rest"
    )
    smoothing: float = Field(
        0.3, ge=0, description="standard deviation, in turns, of a Gaussian over both scores"
    )
    passage: float = Field(6.0, ge=0, description="standard deviation of a wider one, in turns")
    passage_weight: float = Field(1.5, ge=0, description="of the wider one, where the other has 1")
    prior: SerializeAsAny[Select] | None = Field(
        default_factory=IDFDensity, description="scores every segment whatever is asked"
    )
    prior_weight: float = Field(0.3, ge=0, description="of the prior, where the two weigh 1")
    k: int = Field(60, ge=0, description="rrf: how little the first ranks stand out")
    k1: float = Field(1.2, ge=0, description="BM25: how soon repeats of a term stop counting")
    b: float = Field(0.5, ge=0, le=1, description="BM25: how far long messages are held back")
    language: LanguageName = Field(
        "auto", description="of the words: an ISO 639-1 code, or auto to recognise it"
    )

    @property
    def traits(self) -> Traits:
        """Its own; a prior may depend on the seed, or need more than an encoder."""
        own, prior = self.TRAITS, self.prior.traits if self.prior else Traits(family="", source="")
        needs = dict.fromkeys(filter(None, (own.needs, *prior.needs.split(", "))))
        return replace(own, seeded=prior.seeded, gold=prior.gold, needs=", ".join(needs))

    def match(self, context: Context, task: Task) -> Scores:
        """Return the fused score of every segment on its own."""
        return self._fused(context, task, lambda scores: scores)

    def score(self, context: Context, task: Task) -> Sequence[float]:
        """Return the fused score of every segment in its surroundings."""
        return [float(x) for x in self._fused(context, task, self._smeared)]

    def _fused(self, context: Context, task: Task, smear: Callable[[Scores], Scores]) -> Scores:
        words = self._scaled(smear(okapi(context, task.query, self.k1, self.b, self.language)))
        meaning = self._scaled(smear(nearness(context, task)))
        total = (1 - self.weight) * words + self.weight * meaning
        if self.prior is not None and self.prior_weight:
            prior = np.asarray(self.prior.score(context, task), np.float64)
            total += self.prior_weight * self._scaled(prior)
        return total

    def _smeared(self, scores: Scores) -> Scores:
        beside = smoothed(scores, self.smoothing)
        if not self.passage_weight:
            return beside
        around = standardized(smoothed(scores, self.passage))
        return standardized(beside) + self.passage_weight * around

    def _scaled(self, scores: Scores) -> Scores:
        return standardized(scores) if self.method == "zsum" else 1 / (self.k + ranks(scores))


@dataclass(frozen=True)
class _VectorsBy(Remembered[Matrix]):
    """The vectors of the segments of a context, by an encoder."""

    encoder: object


def segment_vectors(context: Context, task: Task) -> Matrix:
    """Return a vector of unit length for every segment, names included; encoded once a context.

    Raises
    ------
    MissingToolError
        When the task carries no encoder.
    EncoderError
        When what it gives is no matrix with a row per text.

    Examples
    --------
    >>> segment_vectors(Context(), Task(budget=1)).shape
    (0, 0)
    """
    encode = task.tools.encode

    def build() -> Matrix:
        texts = [spoken(segment) for segment in context]
        return unit_rows(as_matrix(encode(texts), len(texts)))

    if not context:
        return np.zeros((0, 0), np.float32)
    return context.memo(_VectorsBy(getattr(encode, "name", encode)), build)


def nearness(context: Context, task: Task) -> Scores:
    """Return the cosine of every segment with the query, or with the centre where there is none.

    Examples
    --------
    >>> nearness(Context(), Task(budget=1)).tolist()
    []
    """
    rows = segment_vectors(context, task)
    if not len(rows):
        return np.zeros(0)
    if task.query:
        query = as_matrix(task.tools.encode([task.query]), 1, rows.shape[1])
    else:
        query = rows.mean(axis=0, keepdims=True)
    return np.asarray(rows @ unit_rows(query)[0], np.float64)


def ranks(scores: Scores) -> Scores:
    """Return ranks from 1, the highest score first; equal scores share the best of their ranks.

    Examples
    --------
    >>> ranks(np.array([0.5, 2.0, 0.5])).tolist()
    [2.0, 1.0, 2.0]
    """
    return 1 + np.searchsorted(np.sort(-scores), -scores).astype(np.float64)
