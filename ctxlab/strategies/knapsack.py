"""The knapsack: the most value for the tokens, within floors and ceilings of the tiers."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from operator import le
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, SerializeAsAny, model_validator

from ctxlab.core.context import Context
from ctxlab.core.packing import Packer, group_scores
from ctxlab.core.segments import ContextTier, Note, Segment
from ctxlab.core.strategy import Select, Strategy, Traits
from ctxlab.core.task import Task
from ctxlab.errors import BudgetError
from ctxlab.strategies.lexical import BM25

Values = NDArray[np.float64]

MAX_CELLS = 200_000_000
"""Groups times tokens that the exact method tabulates at most: a byte each."""

MAX_SPLITS = 2_000_000_000
"""Ways to part the room between tiers that the exact method looks at: some seconds."""


class Knapsack(Strategy):
    """Keeps the groups with the greatest total value, by the scores of another strategy.

    `Select` takes the highest scores first, however long; here a score is a value and what
    counts is the sum. ``greedy`` takes the highest value a token first, or the single best
    group and then those, whichever holds more: at least half of the best possible sum (Dantzig
    1957). ``exact`` finds the best by dynamic programming over tokens (Bellman 1957).

    A floor reserves a share of the budget for a tier; what it cannot use goes to the others, and
    where pins leave too little, all floors shrink alike. A ceiling is the most a tier may take,
    pins included. Negative scores have no value. The sums are as good as said where no message
    is cut: ``exact`` charges every group its overhead, then fills what shared ones spare.

    Examples
    --------
    >>> from ctxlab.core.segments import Segment
    >>> from ctxlab.core.tools import Tools
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

    @model_validator(mode="after")
    def _has_possible_limits(self) -> Knapsack:
        floors, ceilings = self._shares
        if round(floors.sum(), 9) > 1:
            raise BudgetError(
                f"the floors of the tiers add up to {floors.sum():g} of the budget; lower them to 1"
            )
        for tier, floor, ceiling in zip(ContextTier, floors, ceilings, strict=True):
            if floor > ceiling:
                raise BudgetError(f"the {tier} floor {floor:g} is above its ceiling {ceiling:g}")
        return self

    @property
    def _shares(self) -> Values:
        floors = self.short_term_floor, self.long_term_floor, self.persistent_floor
        ceilings = self.short_term_ceiling, self.long_term_ceiling, self.persistent_ceiling
        return np.asarray([floors, ceilings])

    @property
    def traits(self) -> Traits:
        """Those of the values, with its own family and source."""
        inner, own = self.value.traits, self.TRAITS
        cost = "n times the budget" if self.method == "exact" else own.cost
        source = f"{own.source}; {inner.source}"
        return replace(inner, family="structure", source=source, cost=cost, honours_budget=True)

    def compress(self, context: Context, task: Task) -> Context:
        """Keep the set of the greatest value that fits."""
        if task.fits(context):
            return context
        scores = group_scores(context, self.value.score(context, task))
        items = _Items(context, task, np.maximum(np.asarray(scores, np.float64), 0.0))
        limits = self._limits(items, task)
        if silence := self.value.unmatched(context, task, scores):
            note = Note(f"{silence}; the newest are kept", 0.0)
            newest_first = range(len(scores) - 1, -1, -1)
            return context.keep_groups(_filled(items, limits, newest_first), lambda _: note)
        best = np.where(items.free & (items.costs <= limits.alone[items.tiers]), items.values, -1.0)
        orders = [items.by_density, [int(np.argmax(best)), *items.by_density]]
        if self.method == "exact":
            orders.insert(0, [*_best(items, limits), *items.by_density])
        kept = max((_filled(items, limits, order) for order in orders), key=items.worth)
        return context.keep_groups(kept, _Reasons(items, limits, kept).why)

    def _limits(self, items: _Items, task: Task) -> _Limits:
        """Return what every tier may take, and what is reserved for it, beside the pins."""
        limits = (self._shares * task.budget).astype(np.int64)
        floors, ceilings = np.maximum(limits - items.by_tier(~items.free), 0)
        reserved = np.minimum(floors, items.by_tier(items.free))
        if reserved.sum() > items.room:
            reserved = reserved * items.room // reserved.sum()
        return _Limits(items.room, tuple(ceilings.tolist()), tuple(reserved.tolist()))


@dataclass(frozen=True)
class _Limits:
    """Tokens: in all, at most by tier, and reserved by tier."""

    total: int
    ceilings: tuple[int, ...]
    reserved: tuple[int, ...]

    @property
    def alone(self) -> NDArray[np.int64]:
        """The most of every tier, while the others have what is reserved for them."""
        most: NDArray[np.int64] = self.total - sum(self.reserved) + np.asarray(self.reserved)
        return np.minimum(self.ceilings, most)

    def allow(self, spent: Sequence[int]) -> bool:
        """Say whether tiers may have spent so much: nobody's ceiling, and nobody else's floor."""
        held = sum(map(max, spent, self.reserved))
        return held <= self.total and all(map(le, spent, self.ceilings))


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

    def by_tier(self, chosen: NDArray[np.bool_]) -> NDArray[np.int64]:
        return np.bincount(self.tiers[chosen], self.costs[chosen], len(ContextTier)).astype(
            np.int64
        )

    @cached_property
    def room(self) -> int:
        # A budget below what primes a reply leaves less than nothing.
        return max(0, Packer(self.context, self.task).left)

    @cached_property
    def density(self) -> Values:
        return self.values / np.maximum(self.costs, 1)

    @cached_property
    def by_density(self) -> list[int]:
        return [int(g) for g in np.argsort(-self.density, kind="stable")]

    def worth(self, groups: Iterable[int]) -> float:
        return float(self.values[list(groups)].sum())


def _filled(items: _Items, limits: _Limits, order: Sequence[int]) -> set[int]:
    """Return the groups taken in `order` while they fit the room and the tiers."""
    packer = Packer(items.context, items.task)
    spent = [0] * len(ContextTier)
    # What is reserved and cannot be used is given to the others in the end.
    rounds = [limits, replace(limits, reserved=(0, 0, 0))] if any(limits.reserved) else [limits]
    for bounds in rounds:
        for group in order:
            if group in packer.kept:
                continue
            then = list(spent)
            then[items.tiers[group]] += packer.cost(group)
            if bounds.allow(then) and packer.take(group):
                spent = then
    return packer.kept


def _best(items: _Items, limits: _Limits) -> list[int]:
    """Return the free groups of the greatest total value within the limits.

    Every way to part the room between the tiers is looked at, the tier with the most choices
    last: what is left for it follows from the others. Tiers without limits count as one.
    """
    loose = (np.asarray(limits.ceilings) >= limits.total) & (np.asarray(limits.reserved) == 0)
    tiers = np.where(loose[items.tiers], np.argmax(loose), items.tiers)
    tables = []
    for tier, (ceiling, kept) in enumerate(zip(limits.ceilings, limits.reserved, strict=True)):
        groups = np.flatnonzero(items.free & (tiers == tier) & (items.values > 0))
        # No more than its groups cost can be spent on a tier.
        most = min(ceiling, limits.total, int(items.costs[groups].sum()))
        tables.append((_Table(groups, items.values[groups], items.costs[groups], most), kept))
    (one, one_kept), (two, two_kept), (three, three_kept) = sorted(
        tables, key=lambda table: len(table[0].steps)
    )
    if len(one.steps) * len(two.steps) > MAX_SPLITS:
        raise BudgetError(
            f"{len(one.steps):,} times {len(two.steps):,} ways to part the budget between the "
            f"tiers are more than {MAX_SPLITS:,}; take method='greedy' or a smaller budget"
        )
    spent, greatest = (0, 0, 0), -1.0
    b = two.steps
    for a in map(int, one.steps):
        left = limits.total - max(a, one_kept) - np.maximum(b, two_kept)
        c = np.clip(left, 0, len(three.best) - 1)
        worth = np.where(left >= three_kept, one.best[a] + two.best[b] + three.best[c], -1.0)
        i = int(np.argmax(worth))
        if worth[i] > greatest:
            spent, greatest = (a, int(b[i]), int(c[i])), float(worth[i])
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
        # More tokens are worth spending only where they buy more.
        self.steps = np.concatenate(([0], np.flatnonzero(np.diff(self.best) > 0) + 1))

    def chosen(self, spent: int) -> Iterator[int]:
        """Yield the groups of the best set that costs at most `spent`."""
        for item in reversed(range(len(self._groups))):
            if self._taken[item, spent]:
                spent -= int(self._costs[item])
                yield int(self._groups[item])


class _Reasons:
    """Says of a group that was left out what it is worth, and what the least kept is."""

    def __init__(self, items: _Items, limits: _Limits, kept: set[int]) -> None:
        self._items, self._ceilings = items, limits.ceilings
        free = [g for g in kept if items.free[g]]
        least = min(items.density[free], default=None)
        self._least = "nothing fits" if least is None else f"the lowest kept has {least:.3g}"
        self._spent = np.bincount(items.tiers[free], items.costs[free], len(ContextTier))

    def why(self, segment: Segment) -> Note:
        group = self._items.context.group_of(segment)
        value, cost = self._items.values[group], self._items.costs[group]
        density, tier = self._items.density[group], self._items.tiers[group]
        full = self._spent[tier] + cost > self._ceilings[tier] < self._items.room
        limit = f"; the {list(ContextTier)[tier]} ceiling is reached" if full else ""
        return Note(
            f"value {value:.3g} for {cost} tokens, {density:.3g} a token; {self._least}{limit}",
            float(value),
        )
