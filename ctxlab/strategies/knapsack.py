"""The knapsack: the most value for the tokens, within floors and ceilings of the tiers."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, SerializeAsAny

from ctxlab.errors import BudgetError
from ctxlab.model import Context, ContextTier, Note, Segment
from ctxlab.packing import Room, group_scores
from ctxlab.strategies.lexical import BM25
from ctxlab.strategy import Select, Strategy, Traits
from ctxlab.task import Task

Values = NDArray[np.float64]

MAX_CELLS = 200_000_000
"""Groups times tokens that the exact method tabulates at most: a byte each."""


class Knapsack(Strategy):
    """Keeps the groups with the greatest total value, by the scores of another strategy.

    `Select` takes the highest scores first, however long; here a score is a value and what
    counts is the sum. ``greedy`` takes the highest value a token first, or the single best
    group and then those, whichever holds more: at least half of the best possible sum (Dantzig
    1957). ``exact`` finds the best by dynamic programming over tokens (Bellman 1957).

    A floor reserves a share of the budget for a tier, as far as the tier can use it; a ceiling
    is the most that it may take. Negative scores have no value. The exact method reckons the
    overhead of every group as if it stood alone, and fills what that spares by value a token.

    Examples
    --------
    >>> from ctxlab.model import Segment
    >>> from ctxlab.task import Tools
    >>> texts = ("fish and more fish, said at length", "fish", "the fish")
    >>> context = Context(tuple(Segment.of(text, text) for text in texts))
    >>> task = Task(budget=40, tools=Tools(count=len), query="fish")
    >>> Knapsack().compress(context, task).text
    'fishthe fish'
    """

    TRAITS = Traits(family="structure", source="Dantzig 1957; Bellman 1957", cost="n log n")

    value: SerializeAsAny[Select] = Field(
        default_factory=BM25, description="the ranking whose scores are the values"
    )
    method: Literal["greedy", "exact"] = Field("greedy", description="how the best set is found")
    short_term_floor: float = Field(0.0, ge=0, le=1, description="share kept for the short term")
    short_term_ceiling: float = Field(1.0, ge=0, le=1, description="most for the short term")
    long_term_floor: float = Field(0.0, ge=0, le=1, description="share kept for the long term")
    long_term_ceiling: float = Field(1.0, ge=0, le=1, description="most for the long term")
    persistent_floor: float = Field(0.0, ge=0, le=1, description="share kept for artifacts")
    persistent_ceiling: float = Field(1.0, ge=0, le=1, description="most for artifacts")

    @property
    def traits(self) -> Traits:
        """Those of the values, with its own family and source."""
        inner = self.value.traits
        cost = "n times the budget" if self.method == "exact" else self.TRAITS.cost
        source = f"{self.TRAITS.source}; {inner.source}"
        return replace(inner, family="structure", source=source, cost=cost, honours_budget=True)

    def compress(self, context: Context, task: Task) -> Context:
        """Keep the set of the greatest value that fits."""
        if task.fits(context):
            return context
        scores = group_scores(context, self.value.score(context, task))
        items = _Items(context, task, np.maximum(np.asarray(scores, np.float64), 0.0))
        limits = self._limits(items, task)
        if self.method == "exact":
            kept = _filled(items, limits, [*_best(items, limits), *items.by_density])
        else:
            best = int(np.argmax(np.where(items.costs <= items.room, items.values, -1.0)))
            kept = max(
                _filled(items, limits, items.by_density),
                _filled(items, limits, [best, *items.by_density]),
                key=items.worth,
            )
        return context.keep_groups(kept, _Reasons(items, kept).why)

    def _limits(self, items: _Items, task: Task) -> _Limits:
        """Return what every tier may take, and what is reserved for it, beside the pins."""
        ceilings = self.short_term_ceiling, self.long_term_ceiling, self.persistent_ceiling
        floors = self.short_term_floor, self.long_term_floor, self.persistent_floor
        if sum(floors) > 1:
            raise BudgetError(
                f"the floors of the tiers add up to {sum(floors):g} of the budget; lower them to 1"
            )
        left = [
            max(0, int(share * task.budget) - used)
            for share, used in zip(ceilings, items.pinned, strict=True)
        ]
        reserved = [
            min(max(0, int(share * task.budget) - used), wanted)
            for share, used, wanted in zip(floors, items.pinned, items.wanted, strict=True)
        ]
        return _Limits(items.room, tuple(left), tuple(reserved))


@dataclass(frozen=True)
class _Limits:
    """Tokens: in all, at most by tier, and reserved by tier."""

    total: int
    ceilings: tuple[int, ...]
    reserved: tuple[int, ...]

    def allow(self, spent: Sequence[int]) -> bool:
        """Say whether tiers may have spent so much: nobody's ceiling, and nobody else's floor."""
        return all(used <= most for used, most in zip(spent, self.ceilings, strict=True)) and all(
            sum(spent) - used <= self.total - kept
            for used, kept in zip(spent, self.reserved, strict=True)
        )


@dataclass(frozen=True)
class _Items:
    """The groups of a context as items: values, costs as if each stood alone, tiers."""

    context: Context
    task: Task
    values: Values

    @cached_property
    def costs(self) -> NDArray[np.int64]:
        costs, totals = self.task.costs(self.context), []
        for members in self.context.groups:
            first = {self.context[i].source: i for i in reversed(members)}
            texts = sum(costs.texts[i] for i in members)
            totals.append(texts + sum(costs.overheads[i] for i in first.values()))
        return np.asarray(totals, np.int64)

    @cached_property
    def tiers(self) -> NDArray[np.int64]:
        order = list(ContextTier)
        firsts = (self.context[members[0]].tier for members in self.context.groups)
        return np.asarray([order.index(tier) for tier in firsts], np.int64)

    @cached_property
    def free(self) -> NDArray[np.bool_]:
        pinned = self.context.pinned_groups
        return np.asarray([g not in pinned for g in range(len(self.values))], np.bool_)

    def _by_tier(self, chosen: NDArray[np.bool_]) -> list[int]:
        sums = np.bincount(self.tiers[chosen], self.costs[chosen], minlength=len(ContextTier))
        return [int(tokens) for tokens in sums]

    @cached_property
    def pinned(self) -> list[int]:
        return self._by_tier(~self.free)

    @cached_property
    def wanted(self) -> list[int]:
        return self._by_tier(self.free)

    @cached_property
    def room(self) -> int:
        return Room(self.context, self.task).left

    @cached_property
    def density(self) -> Values:
        return self.values / np.maximum(self.costs, 1)

    @cached_property
    def by_density(self) -> list[int]:
        return [int(g) for g in np.argsort(-self.density, kind="stable")]

    def worth(self, groups: Iterable[int]) -> float:
        return float(self.values[list(groups)].sum())


def _filled(items: _Items, limits: _Limits, order: Iterable[int]) -> set[int]:
    """Return the groups taken in `order` while they fit the room and the tiers."""
    room = Room(items.context, items.task)
    spent = [0] * len(ContextTier)
    for group in order:
        if group in room.kept:
            continue
        then = list(spent)
        then[items.tiers[group]] += room.cost(group)
        if limits.allow(then) and room.take(group):
            spent = then
    return room.kept


def _best(items: _Items, limits: _Limits) -> list[int]:
    """Return the free groups of the greatest total value within the limits.

    Every way to part the room between the tiers is looked at, the tier with the most choices
    last: what is left for it follows from the others.
    """
    tables = []
    for tier, ceiling in enumerate(limits.ceilings):
        groups = np.flatnonzero(items.free & (items.tiers == tier) & (items.values > 0))
        # No more than its groups cost can be spent on a tier.
        most = min(ceiling, limits.total, int(items.costs[groups].sum()))
        tables.append((_Table(groups, items.values[groups], items.costs[groups], most), tier))
    (one, first), (two, second), (three, third) = sorted(tables, key=lambda t: len(t[0].best))
    kept = limits.reserved
    spent, greatest = (0, 0, 0), -1.0
    b = np.arange(len(two.best))
    for a in range(len(one.best)):
        c = np.minimum(limits.total - a - b, limits.total - kept[first] - b)
        c = np.minimum(c, min(limits.total - kept[second] - a, len(three.best) - 1))
        worth = np.where(
            (c >= 0) & (a + b <= limits.total - kept[third]),
            one.best[a] + two.best + three.best[np.maximum(c, 0)],
            -1.0,
        )
        best = int(np.argmax(worth))
        if worth[best] > greatest:
            spent, greatest = (a, best, int(c[best])), float(worth[best])
    return [
        group
        for table, tokens in zip((one, two, three), spent, strict=True)
        for group in table.chosen(tokens)
    ]


class _Table:
    """The greatest value of some items at every cost up to a limit, and which items make it."""

    def __init__(
        self, groups: NDArray[np.int64], values: Values, costs: NDArray[np.int64], limit: int
    ) -> None:
        if len(groups) * (limit + 1) > MAX_CELLS:
            raise BudgetError(
                f"{len(groups):,} groups at {limit:,} tokens are more than the {MAX_CELLS:,} "
                "cells of the exact knapsack; take method='greedy' or a smaller budget"
            )
        self._groups, self._costs = groups, costs
        self.best = np.zeros(limit + 1)
        self._taken = np.zeros((len(groups), limit + 1), np.bool_)
        for item, (value, cost) in enumerate(zip(values, costs, strict=True)):
            if cost > limit:
                continue
            with_it = self.best[: limit + 1 - cost] + value
            better = with_it > self.best[cost:]
            self._taken[item, cost:] = better
            self.best[cost:] = np.where(better, with_it, self.best[cost:])

    def chosen(self, spent: int) -> Iterator[int]:
        """Yield the groups of the best set that costs at most `spent`."""
        for item in reversed(range(len(self._groups))):
            if self._taken[item, spent]:
                spent -= int(self._costs[item])
                yield int(self._groups[item])


class _Reasons:
    """Says of a group that was left out what it is worth, and what the least kept is."""

    def __init__(self, items: _Items, kept: set[int]) -> None:
        self._items = items
        free = [g for g in kept if items.free[g]]
        least = f"the lowest kept has {min(items.density[free]):.3g}" if free else "nothing fits"
        self._least = least

    def why(self, segment: Segment) -> Note:
        group = self._items.context.group_of(segment)
        value, cost = self._items.values[group], self._items.costs[group]
        density = self._items.density[group]
        return Note(
            f"value {value:.3g} for {cost} tokens, {density:.3g} a token; {self._least}",
            float(value),
        )
