"""Strategies around strategies: more pins, a budget that holds, the cheapest that suffices."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain, pairwise
from typing import Protocol

from pydantic import Field, SerializeAsAny, field_validator, model_validator

from ctxlab.core.context import Context, Remembered
from ctxlab.core.ledger import cause_of
from ctxlab.core.segments import Note, Role, Segment
from ctxlab.core.strategy import Outcome, Pipeline, Strategy, Traits, run
from ctxlab.core.task import Task
from ctxlab.errors import UnknownNameError
from ctxlab.strategies.tool_traffic import MaskObservations
from ctxlab.strategies.windows import KeepLast


class Escalate(Strategy):
    """Tries strategies in order, the cheapest first, and stops as soon as the context fits.

    Each step works on what the one before it left, or, with `cumulative` off, on the whole
    context again. When nothing fits, the last result stands; let the last step be one that
    holds the budget. (A token budget with early stop, as agent frameworks compose it.)

    Examples
    --------
    >>> from ctxlab.core.segments import Message
    >>> messages = [Message("m1", "tool", "a long log " * 9), Message("m2", "user", "Thanks.")]
    >>> Escalate().compress(Context.of(messages), Task(budget=99)).text[:10]
    'a long log'
    >>> Escalate().compress(Context.of(messages), Task(budget=12)).text
    'Thanks.'
    """

    TRAITS = Traits(family="composition", source="Microsoft Agent Framework 2025, early stop")

    steps: tuple[SerializeAsAny[Strategy], ...] = Field(
        (MaskObservations(keep=3), KeepLast()), min_length=1, description="the cheapest first"
    )
    cumulative: bool = Field(True, description="each step works on what the one before it left")

    @property
    def traits(self) -> Traits:
        """What its steps are together; the last one answers for the budget."""
        return replace(Pipeline(steps=self.steps).traits, source=self.TRAITS.source)

    def compress(self, context: Context, task: Task) -> Context:
        """Return the first result that fits, or the last one."""
        if task.fits(context):
            return context
        outcomes: list[Outcome] = []
        for step in self.steps:
            if outcomes and self.cumulative:
                outcomes += run(step, outcomes[-1].context, task)
            else:
                outcomes = list(run(step, context, task))
            if outcomes[-1].fits:
                break
        return explained(context, outcomes)


class Budgeted(Strategy):
    """Holds any strategy to the budget: what is still too large goes to one that fits it.

    Examples
    --------
    >>> from ctxlab.strategies import Identity
    >>> context = Context((Segment.of("a", "old"), Segment.of("b", "new")))
    >>> Budgeted(strategy=Identity()).compress(context, Task(budget=8)).text
    'new'
    """

    TRAITS = Traits(family="composition", source="a hard limit behind a soft one")

    strategy: SerializeAsAny[Strategy] = Field(
        default_factory=MaskObservations, description="what compresses first"
    )
    then: SerializeAsAny[Strategy] = Field(
        default_factory=KeepLast, description="what sees to the budget, when that is needed"
    )
    share: float = Field(
        1.0,
        gt=0,
        le=1000,
        description="of the budget, that the first is given; more than 1 spares work",
    )

    @property
    def traits(self) -> Traits:
        """What both are together; the second answers for the budget."""
        both = Pipeline(steps=(self.strategy, self.then)).traits
        honours = self.then.traits.honours_budget
        return replace(both, source=self.TRAITS.source, honours_budget=honours)

    def compress(self, context: Context, task: Task) -> Context:
        """Compress, then trim if the result is still too large."""
        # A share may not reach for pins that the whole budget holds.
        aim = max(int(self.share * task.budget), min(task.pinned(context), task.budget), 1)
        within = task.within(aim)
        outcomes = list(run(self.strategy, context, within))
        if not task.fits(outcomes[-1].context):
            outcomes += run(self.then, outcomes[-1].context, task)
        return explained(context, outcomes)


@dataclass(frozen=True)
class _PinnedBy(Remembered[Context]):
    """A context with more pinned."""

    roles: tuple[Role, ...] | frozenset[Role]
    first: int
    last: int
    matching: str
    sources: tuple[str, ...] | frozenset[str]


class Pin(Strategy):
    """Pins more, for the strategy within: what is pinned stays as it is, or an error says so.

    Examples
    --------
    >>> from ctxlab.core.segments import Message
    >>> task = "Fix the billing job."
    >>> messages = [Message("m1", "user", task), *(Message(f"x{i}", "user", "…") for i in range(9))]
    >>> Pin(first=1).compress(Context.of(messages), Task(budget=20)).text
    'Fix the billing job.…'
    """

    TRAITS = Traits(family="composition", source="pins, as MemGPT's core memory 2023")

    strategy: SerializeAsAny[Strategy] = Field(
        default_factory=KeepLast, description="what compresses the rest"
    )
    roles: tuple[Role, ...] = Field((), description="roles whose messages are all pinned")
    first: int = Field(0, ge=0, description="oldest messages of the user that are pinned")
    last: int = Field(0, ge=0, description="newest messages that are pinned")
    matching: str = Field("", description="regular expression; texts in which it is found")
    sources: tuple[str, ...] = Field((), description="sources such as message:m12")

    @field_validator("matching")
    @classmethod
    def _is_an_expression(cls, pattern: str) -> str:
        try:
            re.compile(pattern)
        except re.error as error:
            raise ValueError(f"{pattern!r} is no regular expression: {error}") from error
        return pattern

    @property
    def traits(self) -> Traits:
        """Those of the strategy within."""
        return replace(self.strategy.traits, family=self.TRAITS.family, source=self.TRAITS.source)

    def compress(self, context: Context, task: Task) -> Context:
        """Compress with more pinned, and give back segments as they were."""
        key = _PinnedBy(self.roles, self.first, self.last, self.matching, self.sources)
        marked = context.memo(key, lambda: self._marked(context))
        # By value: a strategy may give back a copy of what is pinned.
        original = {new: old for new, old in zip(marked, context, strict=True) if new is not old}
        result = self.strategy.compress(marked, task)
        return context.keep((original.get(s, s) if s.pinned else s for s in result), result.why)

    def _marked(self, context: Context) -> Context:
        chosen = set(self._chosen(context))
        return Context(
            tuple(
                replace(s, pinned=True) if i in chosen and not s.pinned else s
                for i, s in enumerate(context)
            )
        )

    def _chosen(self, context: Context) -> Iterator[int]:
        bounds = pairwise((*context.turn_starts, len(context)))
        messages = [range(start, end) for start, end in bounds]
        users = [message for message in messages if context[message[0]].role == "user"]
        yield from chain(*users[: self.first], *messages[max(0, len(messages) - self.last) :])
        for i, segment in enumerate(context):
            found = self.matching and re.search(self.matching, segment.text)
            if found or segment.role in self.roles or segment.source in self.sources:
                yield i


class _Step(Protocol):
    @property
    def id(self) -> str: ...


class Ordered(Protocol):
    """What has steps that depend on earlier ones, as a protocol of workshops has.

    Examples
    --------
    >>> from ctxlab.workshop import DESIGN_THINKING
    >>> protocol: Ordered = DESIGN_THINKING
    """

    @property
    def steps(self) -> Sequence[_Step]:
        """The steps, in order."""

    def dependencies(self, step: str, /) -> Sequence[str]:
        """Return the ids of the steps that `step` needs."""


class DependencyMap(Strategy):
    """Loads only the steps that the current one needs: what belongs to others goes.

    Segments without a step, or of a step that the map does not name, stay.

    Examples
    --------
    >>> steps = ("research", "names", "persona")
    >>> context = Context(tuple(Segment.of(step, step, step=step) for step in steps))
    >>> needs = {"research": (), "names": (), "persona": ("research",)}
    >>> DependencyMap(needs=needs).compress(context, Task(budget=1)).text
    'researchpersona'
    """

    TRAITS = Traits(
        family="structure", source="dependency map of a protocol's steps", honours_budget=False
    )

    needs: tuple[tuple[str, tuple[str, ...]], ...] = Field(
        (), description="every step with the earlier steps that it needs"
    )
    current: str = Field("", description="the current step; the newest segment's when not given")

    @field_validator("needs", mode="before")
    @classmethod
    def _as_pairs(cls, needs: object) -> object:
        return tuple(needs.items()) if isinstance(needs, Mapping) else needs

    @model_validator(mode="after")
    def _names_a_step(self) -> DependencyMap:
        if self.current and self._steps and self.current not in self._steps:
            raise UnknownNameError("step", self.current, self._steps)
        return self

    @property
    def _steps(self) -> set[str]:
        return {named for step, needed in self.needs for named in (step, *needed)}

    @classmethod
    def of(cls, protocol: Ordered, current: str = "") -> DependencyMap:
        """Return the map of a protocol.

        Raises
        ------
        UnknownNameError
            When the protocol has no step `current`; the message offers the nearest.

        Examples
        --------
        >>> from ctxlab.workshop import DESIGN_THINKING
        >>> dict(DependencyMap.of(DESIGN_THINKING).needs)["challenge"]
        ()
        """
        steps = [step.id for step in protocol.steps]
        needs = tuple((step, tuple(protocol.dependencies(step))) for step in steps)
        return cls(needs=needs, current=current)

    def compress(self, context: Context, task: Task) -> Context:
        """Drop the groups of steps that the current one does not need."""
        steps = self._steps
        newest = (s.step for s in reversed(context.segments) if s.step in steps)
        current = self.current or next(newest, None)
        if current is None:
            return context
        others = steps - {current, *dict(self.needs).get(current, ())}
        kept = [
            group
            for group, members in enumerate(context.groups)
            if group in context.pinned_groups or any(context[i].step not in others for i in members)
        ]
        return context.keep_groups(
            kept, lambda segment: Note(f"step {current} does not need {segment.step}")
        )


def explained(context: Context, outcomes: Sequence[Outcome]) -> Context:
    """Return the last outcome as made of `context` at once: each loss with its stage and reason.

    Examples
    --------
    >>> context = Context((Segment.of("a", "old"), Segment.of("b", "new")))
    >>> task = Task(budget=8)
    >>> once = explained(context, list(run(KeepLast(), context, task)))
    >>> once.why(context[0]).reason
    'KeepLast(): older than the newest messages that fit'
    """
    last = outcomes[-1].context

    def why(segment: Segment) -> Note:
        stage, note = cause_of(segment, context, outcomes)
        return Note(f"{stage}: {note.reason}", note.score, note.rank)

    return context.keep(last.segments, why, last.standing)
