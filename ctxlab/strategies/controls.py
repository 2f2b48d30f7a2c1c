"""Controls: what every table needs beside the strategies it compares."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random

from ctxlab.core.context import Context
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
        """Draw a number a segment from the task's seed."""
        random = Random(task.seed)
        return [random.random() for _ in context]


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
