"""Ranking by what usually matters: a linear model over marks that a reader looks for."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from ctxlab.core.context import Context, Remembered
from ctxlab.core.indexing import term_index
from ctxlab.core.strategy import Traits
from ctxlab.core.task import Task
from ctxlab.strategies.lexical import Smoothed, idf_mass, okapi, standardized
from ctxlab.text.languages import LanguageName
from ctxlab.text.term_index import TermIndex

Features = NDArray[np.float64]

MARKS = (
    "rarity",
    "length",
    "numbers",
    "names",
    "times",
    "errors",
    "decisions",
    "self_reference",
    "address",
    "pleasantries",
    "question",
    "reply",
    "recency",
)
"""The marks, in the order of the columns of `marks`; each is a weight of `Salience`."""

_NUMBER = re.compile(r"\w*\d\w*")
# A capital letter that does not merely begin a sentence.
_NAME = re.compile(r"(?<=[\w,;:] )(?!I['’])[A-Z][\w’'-]+")
_TIME = re.compile(
    r"\b(?:yesterday|today|tomorrow|tonight|last|next|ago|days?|weeks?|months?|years?|weekend|"
    r"(?:mon|tues|wednes|thurs|fri|satur|sun)day|january|february|march|april|may|june|july|"
    r"august|september|october|november|december|morning|afternoon|evening|since|until|"
    r"recently|just)\b",
    re.IGNORECASE,
)
_ERROR = re.compile(
    r"\b(?:errors?|fail(?:ed|s|ure)?|exception|traceback|fatal|panic|denied|refused|timed out|"
    r"invalid|not found|broken|wrong|mistake)\b",
    re.IGNORECASE,
)
_DECISION = re.compile(
    r"\b(?:decid(?:e|ed|ing)|decision|agreed?|chosen?|choose|settled|approved|confirmed|"
    r"going to|plan(?:s|ned|ning)?|must|should|need(?:s|ed)?|will|deadline|instead)\b",
    re.IGNORECASE,
)
_SELF = re.compile(r"\b(?:i|i'm|i've|i'd|i'll|me|my|mine|we|we're|we've|us|our)\b", re.IGNORECASE)
_ADDRESS = re.compile(r"\b(?:you|your|yours|you're|you've|how|what|that's)\b", re.IGNORECASE)
_PLEASANT = re.compile(
    r"\b(?:thanks?|glad|great|awesome|cool|wow|nice|amazing|sounds|congrats|luck|love|yeah|okay|"
    r"hey|hi|hello|bye|sure|welcome)\b",
    re.IGNORECASE,
)


class Salience(Smoothed):
    """Keeps what carries facts: rare words, numbers, names, times, errors, decisions, answers.

    The log-odds that a message is evidence are a weighted sum of thirteen marks; the score is
    that probability for the message's length in tokens to the power of `density`. The default
    weights are a logistic regression on the development data
    (``python tests/benchmarks/train_salience.py`` trains them again and cross-validates them
    over conversations). With `relevance`, the BM25 score for the query, in standard deviations,
    is one more term. The marks follow the sentence features of Edmundson, "New methods in
    automatic extracting", 1969.

    Examples
    --------
    >>> from ctxlab.core.segments import Segment
    >>> texts = ("Thanks, sounds great!", "On May 3 Ilse sold 40 crates.", "How are you?")
    >>> context = Context(tuple(Segment.of(text, text) for text in texts))
    >>> Salience().compress(context, Task(budget=20)).text
    'On May 3 Ilse sold 40 crates.'
    """

    TRAITS = Traits(family="ranking", source="Edmundson 1969; weights learned", cost="n log n")

    relevance: float = Field(0.0, description="weight of BM25 for the query; 0 asks no query")
    rarity: float = Field(6.72, description="weight of the mean rarity of its terms, 0 to 1")
    length: float = Field(0.65, description="weight of the logarithm of its tokens")
    numbers: float = Field(-0.61, description="weight of ln(1 + words with a digit)")
    names: float = Field(0.27, description="weight of ln(1 + capitalised words within sentences)")
    times: float = Field(0.92, description="weight of ln(1 + words of time)")
    errors: float = Field(0.73, description="weight of ln(1 + words of failure)")
    decisions: float = Field(-0.43, description="weight of ln(1 + words of deciding and planning)")
    self_reference: float = Field(3.01, description="weight of the share of I, my, we")
    address: float = Field(-7.76, description="weight of the share of you, your, how, what")
    pleasantries: float = Field(-1.77, description="weight of the share of thanks, great, hello")
    question: float = Field(-0.29, description="weight of ending in a question mark")
    reply: float = Field(0.82, description="weight of following a question of somebody else")
    recency: float = Field(-0.22, description="weight of the place, 0 oldest to 1 newest")
    bias: float = Field(-7.83, description="log-odds of a message without any mark")
    density: float = Field(0.3, ge=0, description="power of the tokens that the score is per")
    language: LanguageName = Field(
        "auto", description="of the words: an ISO 639-1 code, or auto to recognise it"
    )

    @property
    def traits(self) -> Traits:
        """Query-aware only where relevance has a weight."""
        return Traits(
            family=self.TRAITS.family,
            source=self.TRAITS.source,
            query_aware=self.relevance != 0,
            cost=self.TRAITS.cost,
        )

    def match(self, context: Context, task: Task) -> Features:
        """Return the probability of being evidence, per token to the power of `density`."""
        costs = task.costs(context)
        tokens = np.maximum(np.asarray(costs.texts) + np.asarray(costs.overheads), 1)
        weights = np.array([getattr(self, mark) for mark in MARKS])
        odds = marks(context, tokens, self.language) @ weights + self.bias
        if self.relevance and task.query:
            odds = odds + self.relevance * standardized(
                okapi(context, task.query, language=self.language)
            )
        return np.asarray(tokens**-self.density / (1 + np.exp(-odds)))


@dataclass(frozen=True)
class _FixedMarksOf(Remembered[Features]):
    """The marks of the segments of a context that no budget changes."""

    language: str


def marks(context: Context, tokens: NDArray[np.int64], language: str = "auto") -> Features:
    """Return the marks of every segment, shape (n, len(MARKS)).

    Parameters
    ----------
    context : Context
        Whose segments are looked at.
    tokens : ndarray, shape (n,)
        What each segment costs.
    language : str
        Of the words whose rarity is a mark.

    Examples
    --------
    >>> from ctxlab.core.segments import Segment
    >>> context = Context((Segment.of("a", "Who pays?"), Segment.of("b", "Ilse pays 40.")))
    >>> marks(context, np.array([4, 6]))[:, MARKS.index("question")].tolist()
    [1.0, 0.0]
    """
    index = term_index(context, language)
    fixed = context.memo(_FixedMarksOf(index.language), lambda: _fixed_marks(context, index))
    return np.column_stack((fixed[:, :1], np.log(tokens), fixed[:, 1:]))


def _fixed_marks(context: Context, index: TermIndex) -> Features:
    """Return all marks but the length, which depends on how tokens are counted."""
    n = len(context)
    rarity = (
        idf_mass(context, index.language)
        / np.maximum(index.distinct, 1)
        / max(np.log(max(n, 2)), 1.0)
    )
    rows = np.array(list(_rows(context))).reshape(n, len(MARKS) - 3)
    recency = np.arange(n) / max(n - 1, 1)
    return np.column_stack((rarity, rows, recency))


def _rows(context: Context) -> Iterator[Sequence[float]]:
    asked: tuple[str | None, str] | None = None
    for segment in context:
        text = segment.text
        words = max(1, text.count(" ") + 1)
        speaker = (segment.name, segment.role)
        question = text.rstrip().endswith("?")
        yield (
            *(np.log1p(len(p.findall(text))) for p in (_NUMBER, _NAME, _TIME, _ERROR, _DECISION)),
            *(len(p.findall(text)) / words for p in (_SELF, _ADDRESS, _PLEASANT)),
            float(question),
            float(asked is not None and asked != speaker),
        )
        asked = speaker if question else None
