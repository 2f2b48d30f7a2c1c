"""Ranking by the passage that a question is about: words, surroundings, speaker, substance."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from pydantic import Field, SerializeAsAny

from ctxlab.core.context import Context, Remembered
from ctxlab.core.strategy import Select, Traits
from ctxlab.core.task import Task
from ctxlab.strategies.lexical import Scores, okapi, smoothed, standardized
from ctxlab.strategies.substance import Substance, group_marks
from ctxlab.text.languages import LanguageName
from ctxlab.text.words import words


class PassageBM25(Select):
    """Keeps the messages of substance in the passages that the question's words are in: a default.

    BM25 is smeared over the turns beside a hit, since what answers a question often stands
    beside what resembles it, and over a wide window for the passage that is about it (Callan,
    "Passage-level evidence in document retrieval", SIGIR 1994). The prior says which messages
    of a passage are worth their tokens; messages of a speaker whom the question names count
    more; and beside an assistant who has no name, what is longer than usual counts less. Where
    no word of the question stands, the prior alone ranks. It needs no model.

    The weights are round numbers, chosen over thirteen sets of conversations of which each was
    left out in turn (``python tests/benchmarks/transfer.py``).

    Examples
    --------
    >>> from ctxlab.core.segments import Segment
    >>> texts = ("When does the fish stall open?", "At six, on weekdays.", "Coffee?", "No, thanks.")
    >>> context = Context(tuple(Segment.of(text, text, name=text[0]) for text in texts))
    >>> PassageBM25().compress(context, Task(budget=30, query="When do they sell fish?")).text
    'When does the fish stall open?At six, on weekdays.'
    """

    TRAITS = Traits(
        family="ranking",
        source="Robertson & Zaragoza 2009; Callan 1994",
        query_aware=True,
        cost="n log n",
    )

    k1: float = Field(1.5, ge=0, description="BM25: how soon repeats of a term stop counting")
    b: float = Field(0.75, ge=0, le=1, description="BM25: how far long messages are held back")
    smoothing: float = Field(
        0.3, ge=0, description="standard deviation, in turns, of a Gaussian over the scores"
    )
    passage: float = Field(6.0, ge=0, description="standard deviation of a wider one, in turns")
    passage_weight: float = Field(1.0, ge=0, description="of the wider one, where the other has 1")
    prior: SerializeAsAny[Select] = Field(
        default_factory=Substance, description="scores every segment whatever is asked"
    )
    prior_weight: float = Field(1.0, ge=0, description="of the prior, in standard deviations")
    speaker: float = Field(0.5, description="weight of being said by whom the question names")
    brevity: float = Field(
        1.0, ge=0, description="weight of ln(mean tokens / tokens), beside an assistant"
    )
    language: LanguageName = Field(
        "auto", description="of the words: an ISO 639-1 code, or auto to recognise it"
    )

    @property
    def traits(self) -> Traits:
        """Its own; a prior may depend on the seed, or need an encoder."""
        prior = self.prior.traits
        return replace(self.TRAITS, seeded=prior.seeded, gold=prior.gold, needs=prior.needs)

    def score(self, context: Context, task: Task) -> Sequence[float]:
        """Return the score of each segment in its surroundings."""
        if not len(context):
            return []
        matched = okapi(context, task.query, self.k1, self.b, self.language)
        total = standardized(smoothed(matched, self.smoothing))
        total = total + self.passage_weight * standardized(smoothed(matched, self.passage))
        prior = np.asarray(self.prior.score(context, task), np.float64)
        total += self.prior_weight * standardized(prior)
        total += self.speaker * _said_by_the_named(context, task.query)
        marks = group_marks(context)
        if marks.assisted and self.brevity:
            costs = task.costs(context)
            tokens = np.asarray(costs.texts, np.float64) + np.asarray(costs.overheads)
            tokens = np.maximum(np.bincount(marks.group, tokens), 1)
            mean = tokens[marks.free].mean() if marks.free.any() else 1.0
            total -= self.brevity * np.log(tokens / max(mean, 1.0))[marks.group]
        return [float(x) for x in total]


@dataclass(frozen=True)
class _SpeakersOf(Remembered[dict[str, frozenset[str]]]):
    """The words of the names of those who speak in a context."""


def _said_by_the_named(context: Context, query: str) -> Scores:
    """Return 1 for the segments of speakers whom the query names, where it names some, not all."""
    speakers = context.memo(
        _SpeakersOf(),
        lambda: {s.name: frozenset(words(s.name)) for s in context if s.name},
    )
    asked = frozenset(words(query))
    named = {name for name, said in speakers.items() if said & asked}
    if not named or len(named) == len(speakers):
        return np.zeros(len(context))
    return np.array([float(segment.name in named) for segment in context])
