"""What the budget leaves is used: messages of earlier steps, and a prompt that fits as a whole."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from ctxlab.core.budgets import TierBudget
from ctxlab.core.context import Context
from ctxlab.core.segments import ContextTier
from ctxlab.core.steps import StepContext
from ctxlab.core.strategy import Strategy
from ctxlab.core.task import Task
from ctxlab.errors import BudgetError
from ctxlab.store.json_text import json_text
from ctxlab.strategies.tiers import Tiers
from ctxlab.workshop.arc import ArcPhase
from ctxlab.workshop.prompts import build_prompt
from ctxlab.workshop.protocol import Protocol

_LINE = 3
"""Tokens of a speaker's name, a colon and an empty line."""
_ROUNDS = 12
"""How often a budget is lowered until the prompt around the texts fits, too."""


@dataclass(frozen=True)
class Frame:
    """What is sent around the texts of the tiers: instructions, headings, tool definitions.

    Parameters
    ----------
    protocol : Protocol
        Which steps there are.
    phase : ArcPhase, optional
        The phase of the step; the first without one.
    tools : sequence of mapping
        Definitions of tools, as the provider takes them.

    Examples
    --------
    >>> from ctxlab.core.tools import Tools
    >>> from ctxlab.workshop.steps import DESIGN_THINKING
    >>> task = Task(budget=1, tools=Tools(count=len))
    >>> Frame(DESIGN_THINKING).longest("challenge", task).phase.value
    'validate'
    """

    protocol: Protocol
    phase: ArcPhase | None = None
    tools: Sequence[Mapping[str, Any]] = ()

    def longest(self, step: str, task: Task) -> Frame:
        """Return the same with the phase whose prompt is the longest, where none is given.

        Examples
        --------
        >>> from ctxlab.core.tools import Tools
        >>> from ctxlab.workshop.steps import DESIGN_THINKING
        >>> frame = Frame(DESIGN_THINKING, ArcPhase.GATHER)
        >>> frame.longest("challenge", Task(budget=1, tools=Tools(count=len))) == frame
        True
        """
        if self.phase:
            return self
        empty = StepContext("", step, Context())
        frames = [replace(self, phase=phase) for phase in ArcPhase]
        return max(frames, key=lambda frame: frame.sent(empty, task))

    def sent(self, step: StepContext, task: Task) -> int:
        """Return the tokens of everything that is sent for a step, its messages included.

        Examples
        --------
        >>> from ctxlab.core.tools import Tools
        >>> from ctxlab.workshop.steps import DESIGN_THINKING
        >>> empty = StepContext("w", "challenge", Context())
        >>> Frame(DESIGN_THINKING).sent(empty, Task(budget=1, tools=Tools(count=len))) > 1000
        True
        """
        prompt = build_prompt(step, self.phase or ArcPhase.ORIENT, self.protocol)
        return task.tools.count(prompt) + self._around(step, task)

    def _around(self, step: StepContext, task: Task) -> int:
        said = Context(step.tier(ContextTier.SHORT_TERM).segments)
        tokens = task.size(said) if said.segments else task.tools.reply
        # The prompt is a system message, and is framed as one.
        tokens += task.tools.overhead(_SYSTEM)
        return tokens + sum(task.tools.count(json_text(tool, "tool")) for tool in self.tools)


_SYSTEM = Context.of([{"role": "system", "content": ""}]).segments[0]


def fit(
    step: StepContext, task: Task, budget: TierBudget, strategy: Tiers, frame: Frame
) -> tuple[Context, int]:
    """Return the tiers compressed so that all that is sent fits, and the tokens left for them.

    Raises
    ------
    BudgetError
        When the instructions alone are above it.

    Examples
    --------
    >>> from ctxlab.core.tools import Tools
    >>> from ctxlab.workshop.steps import DESIGN_THINKING
    >>> empty = StepContext("w", "challenge", Context())
    >>> task = Task(budget=40, tools=Tools(count=len))
    >>> fit(empty, task, TierBudget(40), Tiers(), Frame(DESIGN_THINKING))
    Traceback (most recent call last):
    ctxlab.errors.BudgetError: the instructions of step 'challenge' take ... tokens and the ...
    """
    bare = frame.sent(StepContext(step.workshop, step.step, Context()), task)
    limit = budget.prompt
    if bare > limit:
        raise BudgetError(
            f"the instructions of step {step.step!r} take {bare} tokens and the prompt has "
            f"{limit}; raise the budget above {bare}"
        )

    def compressed(room: int) -> Context:
        if room < 1:
            return Context(tuple(s for s in step.context if s.pinned))
        return strategy.split(step.context, task, replace(budget, total=room + budget.reply))

    return _lowered(step, task, limit, limit - bare, frame, compressed)


def filled(
    step: StepContext, earlier: Context, task: Task, limit: int, strategy: Strategy, frame: Frame
) -> Context:
    """Return a step's context with as much of earlier messages as the budget leaves room for.

    They stand in their own order after what is there, as `StepContext.earlier`.

    Examples
    --------
    >>> from ctxlab.core.segments import Segment
    >>> from ctxlab.core.tools import Tools
    >>> from ctxlab.strategies import KeepLast
    >>> from ctxlab.workshop.steps import DESIGN_THINKING
    >>> old = Segment.of("message:m1", "We waste bread.", step="challenge")
    >>> step, frame = StepContext("w", "persona", Context()), Frame(DESIGN_THINKING)
    >>> task = Task(budget=9000, tools=Tools(count=len))
    >>> filled(step, Context((old,)), task, 9000, KeepLast(), frame).text
    'We waste bread.'
    """
    room = limit - frame.sent(step, task)
    if room < 1 or not earlier.segments:
        return step.context

    # A line of the prompt costs its speaker and its break, not a message's frame.
    lines = replace(task.tools, overhead=lambda _: _LINE, reply=0)
    about = replace(task, tools=lines)

    def compressed(tokens: int) -> Context:
        if tokens < 1:
            return step.context
        # What is pinned where it was said is not pinned here.
        free = Context(tuple(replace(segment, pinned=False) for segment in earlier))
        kept = strategy.compress(free, about.within(tokens))
        return with_earlier(step.context, kept)

    return _lowered(step, task, limit, room, frame, compressed)[0]


def with_earlier(context: Context, earlier: Context) -> Context:
    """Put messages of earlier steps after the results of the steps, before the step's own.

    Examples
    --------
    >>> with_earlier(Context(), Context()).segments
    ()
    """
    own = [s for s in context if s.tier == ContextTier.SHORT_TERM]
    results = [s for s in context if s.tier != ContextTier.SHORT_TERM]
    return replace(context, segments=(*results, *earlier.segments, *own))


def _lowered(
    step: StepContext,
    task: Task,
    limit: int,
    room: int,
    frame: Frame,
    compressed: Callable[[int], Context],
) -> tuple[Context, int]:
    """Lower the room for the texts until headings and all are within the limit."""
    for _ in range(_ROUNDS):
        context = compressed(room)
        over = frame.sent(StepContext(step.workshop, step.step, context), task) - limit
        if over <= 0 or room < 1:
            break
        room -= over
    return context, max(1, room)
