"""Ranking by substance: what says most for its tokens, by the kind of conversation."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from ctxlab.core.context import Context, Remembered
from ctxlab.core.strategy import Select, Traits
from ctxlab.core.task import Task
from ctxlab.strategies.lexical import idf_mass
from ctxlab.text.languages import LanguageName

Floats = NDArray[np.float64]

_ASKS = re.compile(r"[?？؟]\s*$")
_PLEASANT = re.compile(
    r"\b(?:thanks?|glad|great|awesome|cool|wow|nice|amazing|sounds|congrats|luck|love|yeah|okay|"
    r"hey|hi|hello|bye|sure|welcome)\b",
    re.IGNORECASE,
)


class Substance(Select):
    """Keeps the groups that say most for their tokens, whatever will be asked: a default.

    A group scores `density` times the logarithm of its idf mass per token. People among
    themselves say more in longer messages, by `length` times the logarithm of the tokens; an
    assistant (one without a name) writes at length, so there density counts `assisted` and
    length nothing. `brevity` times the logarithm of the mean tokens of all groups over the mean
    of those of one kind (tool calls with their results; each role) prefers the kinds that are
    short. Results of tools, questions, replies to questions and pleasantries have a weight
    each, and in runs with tools the later counts more.

    The weights are round numbers, chosen over thirteen sets of conversations of which each was
    left out in turn (``python tests/benchmarks/transfer.py``). The marks follow Edmundson, "New
    methods in automatic extracting", 1969; idf Spärck Jones 1972.

    Examples
    --------
    >>> from ctxlab.core.segments import Segment
    >>> texts = ("Hi, how are you?", "On May 3 Ilse sold 40 crates.", "Oh, nice, sounds great!")
    >>> context = Context(tuple(Segment.of(text, text, name=text[0]) for text in texts))
    >>> Substance().compress(context, Task(budget=20)).text
    'On May 3 Ilse sold 40 crates.'
    """

    TRAITS = Traits(
        family="ranking", source="Edmundson 1969; Spärck Jones 1972; weights chosen", cost="n log n"
    )

    density: float = Field(1.5, description="weight of ln(idf mass / tokens), among people")
    assisted: float = Field(0.5, description="the same, where an assistant takes part")
    length: float = Field(0.25, description="weight of ln(tokens), among people")
    brevity: float = Field(1.5, description="weight of ln(mean tokens / mean tokens of its kind)")
    tool: float = Field(3.0, description="weight of holding a tool's result")
    question: float = Field(-1.0, description="weight of ending in a question mark")
    reply: float = Field(0.5, description="weight of following a question of somebody else")
    recency: float = Field(1.5, description="weight of the place, 0 to 1, in runs with tools")
    pleasantries: float = Field(-1.0, description="weight of the share of thanks, great, hello")
    language: LanguageName = Field(
        "auto", description="of the words: an ISO 639-1 code, or auto to recognise it"
    )

    def score(self, context: Context, task: Task) -> Sequence[float]:
        """Return the score of each segment's group."""
        if not len(context):
            return []
        marks = group_marks(context)
        costs = task.costs(context)
        per_segment = np.asarray(costs.texts, np.float64) + np.asarray(costs.overheads)
        tokens = np.maximum(_by_group(per_segment, marks.group), 1)
        total = self.brevity * _brevity(tokens, marks)
        total += self.tool * marks.tool + self.question * marks.question + self.reply * marks.reply
        total += self.pleasantries * marks.pleasantries
        if marks.tool.any():
            total += self.recency * np.linspace(0, 1, len(tokens))
        mass = np.log1p(_by_group(idf_mass(context, self.language), marks.group))
        total += (self.assisted if marks.assisted else self.density) * (mass - np.log(tokens))
        if not marks.assisted:
            total += self.length * np.log(tokens)
        return [float(x) for x in total[marks.group]]


_SHORT = 4_000
"""Characters below which what a text shows is remembered."""


@dataclass(frozen=True)
class GroupMarks:
    """What is seen of the groups of a context, one value per group, whatever the budget.

    Parameters
    ----------
    group : ndarray of int, shape (n,)
        The group of each segment.
    kind : ndarray of int, shape (groups,)
        Groups with results of tools are of one kind, others of that of their first role.
    free : ndarray of bool, shape (groups,)
        Whether it may go.
    tool, question, reply, pleasantries : ndarray, shape (groups,)
        Holds a tool's result; its first segment asks; follows somebody else's question; share
        of pleasant words.
    assisted : bool
        Whether an assistant without a name takes part.

    Examples
    --------
    >>> from ctxlab.core.segments import Segment
    >>> group_marks(Context((Segment.of("a", "Hi", role="assistant"),))).assisted
    True
    """

    group: NDArray[np.int64]
    kind: NDArray[np.int64]
    free: NDArray[np.bool_]
    tool: Floats
    question: Floats
    reply: Floats
    pleasantries: Floats
    assisted: bool


@dataclass(frozen=True)
class _GroupMarksOf(Remembered[GroupMarks]):
    """The marks of the groups of a context."""


def group_marks(context: Context) -> GroupMarks:
    """Return what is seen of the groups of a context; remembered on it.

    Examples
    --------
    >>> from ctxlab.core.segments import Segment
    >>> asked = Context((Segment.of("a", "Who pays?", name="A"), Segment.of("b", "I do", name="B")))
    >>> group_marks(asked).reply.tolist()
    [0.0, 1.0]
    """
    return context.memo(_GroupMarksOf(), lambda: _group_marks(context))


def _group_marks(context: Context) -> GroupMarks:
    groups = context.groups
    group = np.zeros(len(context), np.int64)
    for number, members in enumerate(groups):
        group[list(members)] = number
    first = np.array([members[0] for members in groups], np.int64)
    speakers = [segment.name or segment.role for segment in context]
    asks = np.array([bool(_ASKS.search(segment.text)) for segment in context])
    answers = np.zeros(len(context))
    for at in range(1, len(context)):
        answers[at] = asks[at - 1] and speakers[at] != speakers[at - 1]
    pleasant = np.array([_pleasant_share(segment.text) for segment in context])
    tool = _by_group(np.array([float(s.role == "tool") for s in context]), group) > 0
    kinds: dict[str, int] = {}
    names = ["tool" if tool[g] else str(context[int(at)].role) for g, at in enumerate(first)]
    free = np.ones(len(groups), bool)
    free[list(context.pinned_groups)] = False
    return GroupMarks(
        group=group,
        kind=np.array([kinds.setdefault(name, len(kinds)) for name in names], np.int64),
        free=free,
        tool=tool.astype(np.float64),
        question=asks[first].astype(np.float64),
        reply=answers[first],
        pleasantries=pleasant[first],
        assisted=any(s.role == "assistant" and not s.name for s in context),
    )


def _pleasant_share(text: str) -> float:
    return _short_share(text) if len(text) < _SHORT else _share(text)


@lru_cache(4096)
def _short_share(text: str) -> float:
    # A chat that grows asks for the same texts at every turn.
    return _share(text)


def _share(text: str) -> float:
    return len(_PLEASANT.findall(text)) / (text.count(" ") + 1)


def _by_group(values: Floats, group: NDArray[np.int64]) -> Floats:
    return np.bincount(group, values).astype(np.float64)


def _brevity(tokens: Floats, marks: GroupMarks) -> Floats:
    """Return ln(mean tokens of the groups that may go / mean of those of its kind)."""
    if not marks.free.any():
        return np.zeros_like(tokens)
    mean = tokens[marks.free].mean()
    counts = np.bincount(marks.kind, marks.free)
    sums = np.bincount(marks.kind, tokens * marks.free)
    means = np.where(counts > 0, sums / np.maximum(counts, 1), mean)
    return np.asarray(np.log(mean / np.maximum(means, 1))[marks.kind])
