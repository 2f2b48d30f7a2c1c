"""Controls: what every table needs beside the strategies it compares."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import blake2b
from random import Random

from ctxlab.core.context import Context, Remembered
from ctxlab.core.packing import Packer
from ctxlab.core.segments import Note, Segment
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

    The draw depends on the task's seed and on the conversation, so that over many conversations
    one seed is many draws, not one.

    Examples
    --------
    >>> RandomDrop().score(Context(), Task(budget=1))
    []
    """

    TRAITS = Traits(
        family="control", source="uniform draw without replacement", seeded=True, cost="n log n"
    )

    def score(self, context: Context, task: Task) -> Sequence[float]:
        """Draw a number for each segment."""
        random = Random(f"{task.seed} {context.memo(_DigestOf(), lambda: _digest(context))}")
        return [random.random() for _ in context]


@dataclass(frozen=True)
class _DigestOf(Remembered[str]):
    """A digest of the texts of a context: what tells one conversation from another."""


def _digest(context: Context) -> str:
    digest = blake2b(digest_size=8)
    for segment in context:
        digest.update(segment.text.encode("utf-8", "surrogatepass") + b"\0")
    return digest.hexdigest()


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


class LongestFirst(Select):
    """Keeps the longest groups that fit: shows how far a measure that counts tokens is fooled.

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


class UserMessages(Strategy):
    """Keeps the user's messages alone, the newest that fit: shows what the others are needed for.

    Examples
    --------
    >>> from ctxlab.core.segments import Segment
    >>> said = Segment.of("a", "Hi", role="user"), Segment.of("b", "Hello", role="assistant")
    >>> UserMessages().compress(Context(said), Task(budget=8)).text
    'Hi'
    """

    TRAITS = Traits(family="control", source="messages of one role", cost="n")

    def compress(self, context: Context, task: Task) -> Context:
        """Keep pinned groups and, from the newest back, the user's groups that fit."""
        if task.fits(context):
            return context
        packer = Packer(context, task)
        for number in range(len(context.groups) - 1, -1, -1):
            if context[context.groups[number][0]].role == "user":
                packer.take(number)
        return context.keep_groups(packer.kept, _not_the_users)


def _not_the_users(segment: Segment) -> Note:
    if segment.role == "user":
        return Note("older than the newest messages of the user that fit")
    return Note("not a message of the user")


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
