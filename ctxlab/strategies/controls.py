"""Controls: what every table needs beside the strategies it compares."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from random import Random
from zlib import crc32

from ctxlab.core.context import Context, Remembered
from ctxlab.core.strategy import Select, Strategy, Traits
from ctxlab.core.task import Task


class Identity(Strategy):
    """Keeps everything: what the full context costs and holds.

    Examples
    --------
    >>> Identity().compress(Context(), Task(budget=1)).segments
    ()
    """

    TRAITS = Traits(
        family="control", source="no compression", honours_budget=False, lossless=True, cost="1"
    )

    def compress(self, context: Context, task: Task) -> Context:
        """Return `context` itself."""
        return context


class RandomDrop(Select):
    """Keeps groups drawn at random: the floor that a strategy has to rise above.

    Examples
    --------
    >>> RandomDrop().score(Context(), Task(budget=1))
    []
    """

    TRAITS = Traits(
        family="control", source="uniform draw without replacement", seeded=True, cost="n log n"
    )

    def score(self, context: Context, task: Task) -> Sequence[float]:
        """Draw a number for each segment, from the task's seed and the conversation.

        With the seed alone every conversation would lose the same places, and one unlucky draw
        would stand for all of them.
        """
        random = Random(f"{task.seed}:{_fingerprint(context)}")
        return [random.random() for _ in context]


@dataclass(frozen=True)
class _FingerprintOf(Remembered[int]):
    """What tells a conversation from others."""


def _fingerprint(context: Context) -> int:
    def fold() -> int:
        found = 0
        for segment in context:
            found = crc32(segment.text.encode("utf-8", "surrogatepass"), found)
        return found

    return context.memo(_FingerprintOf(), fold)


class UserMessages(Select):
    """Keeps what users wrote, the newest first, then the rest: shows what the role alone tells.

    Examples
    --------
    >>> from ctxlab.core.segments import Segment
    >>> said = (Segment.of("a", "Oak or ash?"), Segment.of("b", "Oak.", role="assistant"))
    >>> UserMessages().compress(Context(said), Task(budget=14)).text
    'Oak or ash?'
    """

    TRAITS = Traits(family="control", source="roles", cost="n log n")

    def score(self, context: Context, task: Task) -> Sequence[float]:
        """Return the place of each segment, between 0 and 1, and 1 more for a user's."""
        return [
            (segment.role == "user") + (place + 1) / (len(context) + 1)
            for place, segment in enumerate(context)
        ]


class LongestFirst(Select):
    """Keeps the longest groups: shows how far a measure that counts tokens is fooled.

    Examples
    --------
    >>> from ctxlab.core.segments import Segment
    >>> LongestFirst().score(Context((Segment.of("a", "Hello world"),)), Task(budget=1))
    [2]
    """

    TRAITS = Traits(family="control", source="descending length", cost="n log n")

    def score(self, context: Context, task: Task) -> Sequence[float]:
        """Return the tokens of each segment."""
        return list(task.costs(context).texts)


class ShortestFirst(Select):
    """Keeps the shortest groups: shows how far a measure that counts messages is fooled.

    Examples
    --------
    >>> from ctxlab.core.segments import Segment
    >>> ShortestFirst().score(Context((Segment.of("a", "Hello world"),)), Task(budget=1))
    [-2]
    """

    TRAITS = Traits(family="control", source="ascending length", cost="n log n")

    def score(self, context: Context, task: Task) -> Sequence[float]:
        """Return minus the tokens of each segment."""
        return [-tokens for tokens in task.costs(context).texts]


class Oracle(Select):
    """Keeps the gold evidence first, then the newest: the ceiling of what a selection can reach.

    The evidence reaches it through ``task.evidence``, which the bench sets for it alone.
    Shorter evidence goes first, so that as many pieces as possible fit.

    Examples
    --------
    >>> from ctxlab.core.segments import Segment
    >>> context = Context((Segment.of("a", "x"), Segment.of("b", "y")))
    >>> task = Task(budget=8, evidence=frozenset({"a"}))
    >>> Oracle().compress(context, task).text
    'x'
    """

    TRAITS = Traits(
        family="control", source="gold evidence", query_aware=True, gold=True, cost="n log n"
    )

    def score(self, context: Context, task: Task) -> Sequence[float]:
        """Return more than 1 for evidence, the shorter the more, and recency below 1 for others."""
        costs = task.costs(context).texts
        return [
            1 + 1 / (1 + tokens) if segment.source in task.evidence else position / len(context)
            for position, (segment, tokens) in enumerate(zip(context, costs, strict=True))
        ]
