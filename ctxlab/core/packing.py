"""Filling a budget with groups: what each adds, which fit, and why the others did not."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

from ctxlab.core.context import Context
from ctxlab.core.segments import Note, Segment
from ctxlab.core.task import Task
from ctxlab.errors import PinnedOverBudgetError


class Packer:
    """A budget being filled with groups of a context, the pinned ones first.

    A message whose segments lie in several groups pays its overhead with the first of them.

    Parameters
    ----------
    context, task
        What is packed, into which budget, and how it is counted.

    Raises
    ------
    PinnedOverBudgetError
        When the pinned groups alone exceed the budget.

    Examples
    --------
    >>> from ctxlab.core.tools import Tools
    >>> context = Context((Segment.of("a", "xx"), Segment.of("b", "yyyy")))
    >>> packer = Packer(context, Task(budget=3, tools=Tools(count=len)))
    >>> packer.take(1), packer.take(0), packer.left
    (False, True, 1)
    """

    def __init__(self, context: Context, task: Task) -> None:
        pinned = task.pinned(context)
        if pinned > task.budget and context.pinned_groups:
            raise PinnedOverBudgetError(pinned, task.budget)
        self._context, self._costs = context, task.costs(context)
        self._paid: set[str] = set()
        self.kept: set[int] = set(context.pinned_groups)
        self.left = task.budget - pinned
        for group in self.kept:
            self._paid.update(context[i].source for i in context.groups[group])

    def cost(self, group: int) -> int:
        """Return the tokens that `group` would add now.

        Examples
        --------
        >>> Packer(Context((Segment.of("a", "Hi"),)), Task(budget=99)).cost(0)
        5
        """
        texts, overheads = self._costs.texts, self._costs.overheads
        members = self._context.groups[group]
        total, new = 0, set[str]()
        for i in members:
            total += texts[i]
            source = self._context[i].source
            if source not in self._paid and source not in new:
                new.add(source)
                total += overheads[i]
        return total

    def take(self, group: int) -> bool:
        """Take `group` in if it fits, and say whether it did.

        Examples
        --------
        >>> Packer(Context((Segment.of("a", "Hi"),)), Task(budget=99)).take(0)
        True
        """
        if group in self.kept:
            return True
        cost = self.cost(group)
        if cost > self.left:
            return False
        self.left -= cost
        self.kept.add(group)
        self._paid.update(self._context[i].source for i in self._context.groups[group])
        return True


def pack(context: Context, task: Task, order: Iterable[int]) -> set[int]:
    """Return the pinned groups and as many others, tried in `order`, as fit the budget.

    Raises
    ------
    PinnedOverBudgetError
        When the pinned groups alone exceed the budget.

    Examples
    --------
    >>> from ctxlab.core.tools import Tools
    >>> context = Context((Segment.of("a", "xx"), Segment.of("b", "yyyy"), Segment.of("c", "z")))
    >>> sorted(pack(context, Task(budget=3, tools=Tools(count=len)), [1, 0, 2]))
    [0, 2]
    """
    packer = Packer(context, task)
    for group in order:
        packer.take(group)
    return packer.kept


NO_MATCH = "no message shares a word with the question"
"""Why a ranking by a question's words has no order to give."""


def newest(context: Context, task: Task) -> set[int]:
    """Return the pinned groups and the newest others, up to the first that does not fit.

    Raises
    ------
    PinnedOverBudgetError
        When the pinned groups alone exceed the budget.

    Examples
    --------
    >>> from ctxlab.core.tools import Tools
    >>> context = Context((Segment.of("a", "x"), Segment.of("b", "yyyy"), Segment.of("c", "z")))
    >>> newest(context, Task(budget=3, tools=Tools(count=len)))
    {2}
    """
    packer = Packer(context, task)
    for group in reversed(range(len(context.groups))):
        if not packer.take(group):
            break
    return packer.kept


def is_silent(context: Context, scores: Sequence[float]) -> bool:
    """Say whether no group that may be dropped has a score: a pinned question matches itself.

    Examples
    --------
    >>> context = Context((Segment.of("a", "x"), Segment.of("b", "fish?", pinned=True)))
    >>> is_silent(context, [0.0, 2.5]), is_silent(context, [0.1, 2.5])
    (True, False)
    """
    pinned = context.pinned_groups
    return not any(score for group, score in enumerate(scores) if group not in pinned)


def group_scores(context: Context, scores: Sequence[float]) -> list[float]:
    """Return one score a group: that of its best segment.

    Examples
    --------
    >>> tools = (Segment.of("a", "x", group="g"), Segment.of("b", "y", group="g"))
    >>> group_scores(Context(tools), [1.0, 3.0])
    [3.0]
    """
    return [
        float(scores[members[0]] if len(members) == 1 else max(scores[i] for i in members))
        for members in context.groups
    ]


@dataclass(frozen=True)
class Ranking:
    """A ranking of the groups of a context and how far down it the budget reached.

    Examples
    --------
    >>> context = Context((Segment.of("a", "x"), Segment.of("b", "y")))
    >>> Ranking(context, [1, 0], [0.5, 2.0], {1}).why(context[0]).reason
    'rank 2 of 2 with score 0.5; the lowest kept has 2'
    """

    context: Context
    order: Sequence[int]
    scores: Sequence[float]
    kept: set[int]

    @cached_property
    def _rank(self) -> dict[int, int]:
        return {group: rank for rank, group in enumerate(self.order, 1)}

    @cached_property
    def _cutoff(self) -> str:
        ranked = [self.scores[g] for g in self.kept - self.context.pinned_groups]
        return f"the lowest kept has {min(ranked):.4g}" if ranked else "nothing ranked fits"

    def why(self, segment: Segment) -> Note:
        """Return the rank, the score and the cut-off of a segment that was left out.

        Examples
        --------
        >>> context = Context((Segment.of("a", "x"),))
        >>> Ranking(context, [0], [1.0], set()).why(context[0]).rank
        1
        """
        group = self.context.group_of(segment)
        rank, score = self._rank[group], self.scores[group]
        return Note(
            f"rank {rank} of {len(self.order)} with score {score:.4g}; {self._cutoff}", score, rank
        )
