"""Filling a budget with groups: what each adds, which fit, and why the others did not."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
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
        self.refused: dict[int, tuple[int, int]] = {}
        """Groups that did not fit: what each would have added, and what was left then."""
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
            self.refused[group] = cost, self.left
            return False
        self.left -= cost
        self.kept.add(group)
        self._paid.update(self._context[i].source for i in self._context.groups[group])
        return True


def pack(context: Context, task: Task, order: Iterable[int]) -> Packer:
    """Fill a budget with the pinned groups and as many others, tried in `order`, as fit.

    Raises
    ------
    PinnedOverBudgetError
        When the pinned groups alone exceed the budget.

    Examples
    --------
    >>> from ctxlab.core.tools import Tools
    >>> context = Context((Segment.of("a", "xx"), Segment.of("b", "yyyy"), Segment.of("c", "z")))
    >>> packer = pack(context, Task(budget=3, tools=Tools(count=len)), [1, 0, 2])
    >>> sorted(packer.kept), packer.refused
    ([0, 2], {1: (4, 3)})
    """
    packer = Packer(context, task)
    for group in order:
        packer.take(group)
    return packer


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

    Parameters
    ----------
    context : Context
        What was ranked.
    order : sequence of int
        Positions of groups, in the order in which they were tried.
    scores : sequence of float
        One for each group.
    kept : set of int
        Groups that stayed.
    refused : mapping of int to (int, int)
        Groups that did not fit: the tokens that each would have added, and those left then.

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
    refused: Mapping[int, tuple[int, int]] = field(default_factory=dict)

    @cached_property
    def _rank(self) -> dict[int, int]:
        return {group: rank for rank, group in enumerate(self.order, 1)}

    @cached_property
    def _lowest(self) -> float | None:
        """The lowest score that was kept for its score."""
        return min((self.scores[g] for g in self.kept - self.context.pinned_groups), default=None)

    def standing(self, segment: Segment) -> Note | None:
        """Return the score and rank of a segment that stayed; None where it is not ranked.

        Examples
        --------
        >>> context = Context((Segment.of("a", "x"),))
        >>> Ranking(context, [0], [1.0], {0}).standing(context[0]).rank
        1
        """
        group = self.context.group_of(segment)
        return Note("", self.scores[group], self._rank[group]) if group in self._rank else None

    def why(self, segment: Segment) -> Note:
        """Return the rank and the score of a segment that went, and what kept it out.

        Whatever scored as high as the lowest kept went because it did not fit.

        Examples
        --------
        >>> context = Context((Segment.of("a", "x"), Segment.of("b", "y")))
        >>> ranking = Ranking(context, [1, 0], [0.5, 2.0], {0}, {1: (40, 12)})
        >>> ranking.why(context[1]).reason
        'rank 1 of 2 with score 2 did not fit: it takes 40 tokens, and 12 were left'
        """
        group = self.context.group_of(segment)
        rank, score = self._rank[group], self.scores[group]
        place = f"rank {rank} of {len(self.order)} with score {score:.4g}"
        beaten = self._lowest is not None and score < self._lowest
        if group in self.refused and not beaten:
            cost, left = self.refused[group]
            return Note(
                f"{place} did not fit: it takes {cost:,} tokens, and {left:,} were left",
                score,
                rank,
            )
        lowest = "nothing ranked fits" if self._lowest is None else None
        return Note(f"{place}; {lowest or f'the lowest kept has {self._lowest:.4g}'}", score, rank)
