"""Tiers: a strategy for each, and a budget that is shared."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from pydantic import Field, SerializeAsAny

from ctxlab.core.budgets import TierBudget, TierShare
from ctxlab.core.context import Context
from ctxlab.core.segments import ContextTier, Note, Segment
from ctxlab.core.strategy import Strategy, Traits
from ctxlab.core.task import Task
from ctxlab.errors import BudgetError, PinnedOverBudgetError
from ctxlab.strategies.json_fields import PruneFields
from ctxlab.strategies.windows import KeepLast


class Tiers(Strategy):
    """Runs a strategy in each tier, on its share of the budget and what others leave unused.

    Examples
    --------
    >>> from ctxlab.core.tools import Tools
    >>> new = Segment.of("m1", "hello")
    >>> old = Segment.of("s1", "x" * 50, tier=ContextTier.LONG_TERM)
    >>> task = Task(budget=20, tools=Tools(count=len))
    >>> Tiers().compress(Context((old, new)), task).text
    'hello'
    """

    TRAITS = Traits(family="composition", source="weighted max-min fairness over tiers")

    short_term: SerializeAsAny[Strategy] = Field(
        default_factory=KeepLast, description="for the messages of the current step"
    )
    long_term: SerializeAsAny[Strategy] = Field(
        default_factory=KeepLast, description="for the summaries of earlier steps"
    )
    persistent: SerializeAsAny[Strategy] = Field(
        default_factory=PruneFields, description="for the artifacts"
    )
    short_term_share: float = Field(0.5, ge=0, le=1, description="share of the short-term tier")
    long_term_share: float = Field(0.2, ge=0, le=1, description="share of the long-term tier")
    persistent_share: float = Field(0.3, ge=0, le=1, description="share of the persistent tier")

    @property
    def traits(self) -> Traits:
        """What the tiers' strategies are together."""
        parts = [strategy.traits for _, strategy in self._strategies()]
        return Traits(
            family="composition",
            source=self.TRAITS.source,
            query_aware=any(part.query_aware for part in parts),
            needs=", ".join(dict.fromkeys(part.needs for part in parts if part.needs)),
            honours_budget=all(part.honours_budget for part in parts),
            seeded=any(part.seeded for part in parts),
            gold=any(part.gold for part in parts),
        )

    def compress(self, context: Context, task: Task) -> Context:
        """Compress every tier to its limit."""
        if task.fits(context):
            return context
        pinned = task.pinned(context)
        if pinned > task.budget:
            raise PinnedOverBudgetError(pinned, task.budget)
        shares = (self.short_term_share, self.long_term_share, self.persistent_share)
        tiers = dict(zip(ContextTier, shares if any(shares) else (1.0, 1.0, 1.0), strict=True))
        held = {tier: _needed(part, task) for tier, part in _parts(context)}
        floors = {tier: TierShare(share, floor=held.get(tier, 0)) for tier, share in tiers.items()}
        try:
            budget = _shared(task.budget, floors)
        except BudgetError:
            # The tiers' pins fit together, but not with a reply's priming for each: share evenly.
            budget = _shared(task.budget, {tier: TierShare(share) for tier, share in tiers.items()})
        return self.split(context, task, budget)

    def split(self, context: Context, task: Task, budget: TierBudget) -> Context:
        """Compress every tier to its limit in a budget given by tier.

        Examples
        --------
        >>> Tiers().split(Context(), Task(budget=9), TierBudget(9)).segments
        ()
        """
        parts = dict(_parts(context))
        limits = budget.limits({tier: task.size(part) for tier, part in parts.items()})
        results: dict[ContextTier, Context] = {}
        for tier, strategy in self._strategies():
            if tier in parts:
                within = task.within(max(1, limits[tier]))
                results[tier] = strategy.compress(parts[tier], within)
        return _joined(context, results)

    def _strategies(self) -> Iterator[tuple[ContextTier, Strategy]]:
        strategies = (self.short_term, self.long_term, self.persistent)
        yield from zip(ContextTier, strategies, strict=True)


def _parts(context: Context) -> Iterator[tuple[ContextTier, Context]]:
    for tier in ContextTier:
        segments = tuple(segment for segment in context if segment.tier == tier)
        if segments:
            yield tier, Context(segments)


def _shared(total: int, shares: Mapping[ContextTier, TierShare]) -> TierBudget:
    return TierBudget(
        total,
        short_term=shares[ContextTier.SHORT_TERM],
        long_term=shares[ContextTier.LONG_TERM],
        persistent=shares[ContextTier.PERSISTENT],
    )


def _needed(part: Context, task: Task) -> int:
    return task.pinned(part) if part.pinned_groups else 0


def _joined(context: Context, results: dict[ContextTier, Context]) -> Context:
    """Put the tiers back together in the order in which their sources stood."""
    place = {segment.source: index for index, segment in reversed(list(enumerate(context)))}
    kept = [segment for result in results.values() for segment in result]
    kept.sort(key=lambda segment: place[segment.source])

    def why(segment: Segment) -> Note | None:
        result = results.get(segment.tier)
        note = result.why(segment) if result and result.why else None
        reason = note.reason if note else "left out"
        what = f"{segment.tier.value} tier budget spent: {reason}"
        return Note(what, note.score if note else None, note.rank if note else None)

    def standing(segment: Segment) -> Note | None:
        result = results.get(segment.tier)
        return result.standing(segment) if result and result.standing else None

    return context.keep(kept, why, standing)
