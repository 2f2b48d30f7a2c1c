"""Assembly: what one step of one workshop would be sent, tier by tier, and for how many tokens."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from ctxlab.core.budgets import TierBudget, TierUse
from ctxlab.core.context import Context
from ctxlab.core.segments import ContextTier, Segment
from ctxlab.core.steps import StepContext
from ctxlab.core.strategy import Strategy
from ctxlab.core.task import Task
from ctxlab.core.tokens import Billable
from ctxlab.core.tools import Tools
from ctxlab.core.views import view
from ctxlab.errors import UnknownNameError
from ctxlab.store.reading import MESSAGES
from ctxlab.strategies.tiers import Tiers
from ctxlab.workshop.arc import ArcPhase
from ctxlab.workshop.artifacts import ARTIFACTS
from ctxlab.workshop.filling import Frame, filled, fit
from ctxlab.workshop.prompts import NOTHING_BEFORE, build_prompt
from ctxlab.workshop.summaries import SUMMARIES
from ctxlab.workshop.workshops import Workshops

if TYPE_CHECKING:
    from ctxlab.store import Store
    from ctxlab.workshop.handle import Workshop

_PRIOR = (
    "WHERE workshop_steps.workshop_id = $id AND list_contains($steps, workshop_steps.step_id) "
    "ORDER BY workshop_steps.position"
)
DEFAULT_BUDGET = TierBudget(15_000)
"""The budget of a step when none is given."""


@dataclass(frozen=True)
class StepReport:
    """The tokens of one step: by tier, in all, and what the whole history would have cost.

    Examples
    --------
    >>> StepReport("persona", (TierUse("prompt", 900, 1000),), 4000).saving
    0.775
    """

    step: str
    tiers: tuple[TierUse, ...]
    full_history: int

    @property
    def prompt(self) -> TierUse:
        """All tiers together.

        Examples
        --------
        >>> StepReport("persona", (TierUse("prompt", 900, 1000),), 4000).prompt.used
        900
        """
        return self.tiers[-1]

    @property
    def saving(self) -> float:
        """Share of the full history's tokens that are not sent.

        Examples
        --------
        >>> StepReport("challenge", (TierUse("prompt", 0, 1000),), 0).saving
        0.0
        """
        return 1 - self.prompt.used / self.full_history if self.full_history else 0.0

    def _repr_html_(self) -> str:
        head = f"Step {self.step!r}"
        return str(view("tiers_html", self.tiers, head, self.full_history))


@dataclass(frozen=True)
class Assembled(StepContext):
    """A step's context as it was assembled: before and after compression, with its budget.

    Examples
    --------
    >>> from ctxlab import Store, Workshops
    >>> store = Store(":memory:")
    >>> workshop = Workshops(store).create("Market hall")
    >>> assemble(store, workshop.id, "persona").tier(ContextTier.LONG_TERM).text[:38]
    'No earlier results are available of th'
    """

    before: Context
    budget: TierBudget
    task: Task
    full_history: int
    frame: Frame

    def __str__(self) -> str:
        uses = ", ".join(f"{use.tier} {use.used:,} of {use.limit:,}" for use in self.report().tiers)
        return (
            f"Step {self.step!r} of {self.workshop}: {len(self.context)} segments; tokens: {uses}"
        )

    __repr__ = __str__

    def _repr_html_(self) -> str:
        return self.report()._repr_html_() + str(view("context_html", self.context))

    def tiers(self) -> Any:  # noqa: ANN401 - a chart
        """Return a chart: what each tier uses of what it may.

        Examples
        --------
        >>> from ctxlab import Store, Workshops
        >>> store = Store(":memory:")
        >>> step = assemble(store, Workshops(store).create("Market hall").id, "challenge")
        >>> step.tiers().frame["tier"].to_list()
        ['short-term', 'long-term', 'persistent', 'earlier messages', 'instructions', 'prompt']
        """
        return view("step_tiers", self.report().tiers, self.step, self.full_history)

    def report(self) -> StepReport:
        """Return used, limit and over of every tier, and what the full history would have cost.

        Examples
        --------
        >>> from ctxlab import Store, Workshops
        >>> store = Store(":memory:")
        >>> workshop = Workshops(store).create("Market hall")
        >>> report = assemble(store, workshop.id, "challenge").report()
        >>> [(use.tier, use.used) for use in report.tiers[:4]]
        [('short-term', 0), ('long-term', 0), ('persistent', 0), ('earlier messages', 0)]
        >>> [use.tier for use in report.tiers[4:]]
        ['instructions', 'prompt']
        """
        return self._report(self)

    def _report(self, step: StepContext) -> StepReport:
        used = {tier: self.task.size(step.tier(tier)) for tier in ContextTier}
        sent = self.frame.sent(step, self.task)
        own = step.context.keep(s for s in step.context if s not in set(step.earlier()))
        filled = sent - self.frame.sent(StepContext(self.workshop, self.step, own), self.task)
        around = max(0, sent - filled - sum(used.values()))
        *tiers, _ = self.budget.report(used)
        limit = self.budget.prompt
        parts = (
            TierUse("earlier messages", filled, max(filled, limit - sent + filled)),
            TierUse("instructions", around, limit),
            TierUse("prompt", sent, limit),
        )
        return StepReport(self.step, (*tiers, *parts), self.full_history)

    def prompt(self, phase: ArcPhase | None = None) -> str:
        """Return the system prompt that is sent beside the step's own messages.

        Without a phase it is that of the phase which was reckoned with.

        Examples
        --------
        >>> from ctxlab import Store, Workshops
        >>> store = Store(":memory:")
        >>> step = assemble(store, Workshops(store).create("Market hall").id, "challenge")
        >>> step.prompt(ArcPhase.ORIENT).splitlines()[0]
        '# Step 1 of 10: Challenge'
        """
        now = phase or self.frame.phase or ArcPhase.ORIENT
        return build_prompt(self, now, self.frame.protocol)

    def wanted(self) -> StepReport:
        """Return the same before compression: what each tier would use if nothing limited it.

        Examples
        --------
        >>> from ctxlab import Store, Workshops
        >>> store = Store(":memory:")
        >>> step = assemble(store, Workshops(store).create("Market hall").id, "challenge")
        >>> step.wanted().prompt.over
        0
        """
        whole = StepContext(self.workshop, self.step, self.before)
        return self._report(whole)


def assemble(
    store: Store,
    workshop: str,
    step: str,
    budget: TierBudget = DEFAULT_BUDGET,
    strategy: Tiers | None = None,
    *,
    fill: Strategy | None = None,
    query: str | None = None,
    phase: ArcPhase | None = None,
    tools: Sequence[Mapping[str, Any]] = (),
) -> Assembled:
    """Put together what a step would be sent, and compress it to its budget.

    The budget is that of the whole prompt: instructions, headings, tool definitions, results of
    earlier steps and messages, with the reserve for the reply taken off.

    The artifacts (persistent) and summaries (long-term) are those of the steps that this one
    depends on, in the protocol's order; the messages (short-term) are those of the step. What
    changes least stands first, so that the common prefix of successive prompts stays cached.
    Where a step depends on earlier ones and nothing is there, a sentence says so: models invent
    a context otherwise. Stored counts are used; a tokenizer is loaded for new text only.

    Parameters
    ----------
    store : Store
        Where the workshop lives.
    workshop, step : str
        Its id, and the step's.
    budget : TierBudget
        Tokens in all and by tier.
    strategy : Tiers, optional
        How each tier is compressed.
    fill : Strategy, optional
        How messages of all earlier steps are chosen for what the tiers leave of the budget, such
        as `Salience()`. Without one it is left unused.
    query : str, optional
        What the step asks, for a fill that looks for it; by default its newest user message.
    phase : ArcPhase, optional
        The phase that the prompt is for; without one the longest prompt is reckoned with.
    tools : sequence of mapping
        Definitions of tools that are sent along.

    Raises
    ------
    NotFoundError, UnknownNameError
        When there is no such workshop or step.
    BudgetError
        When the instructions alone are above the budget.

    Examples
    --------
    >>> from ctxlab.datasets import bundled_dir, load_workshop
    >>> from ctxlab import Store, Workshops
    >>> store = Store(":memory:")
    >>> file = load_workshop(bundled_dir() / "workshops/market-surplus.json")
    >>> report = assemble(store, Workshops(store).add(file).id, "validate").report()
    >>> report.prompt.used < 15_000 < 25_000 < report.full_history
    True
    """
    handle = Workshops(store).open(workshop)
    if step not in handle.steps:
        raise UnknownNameError("step", step, handle.steps)
    overheads: dict[str, int] = {}
    segments = [*_prior(store, handle, step), *_messages(store, handle, step, overheads)]
    counter = store.counter

    def overhead(message: Billable) -> int:
        known = overheads.get(message.source) if isinstance(message, Segment) else None
        return counter.overhead(message) if known is None else known

    means = Tools(
        count=counter.count,
        count_many=counter.count_many,
        overhead=overhead,
        reply=counter.chat.reply,
    )
    task = Task(budget=budget.prompt, tools=means)
    before, frame = Context(tuple(segments)), Frame(handle.protocol, phase, tools)
    frame = frame.longest(step, task)
    whole = StepContext(workshop, step, before)
    after, room = fit(whole, task, budget, strategy or Tiers(), frame)
    if fill is not None:
        asked = [s.text for s in whole.tier(ContextTier.SHORT_TERM) if s.role == "user"]
        about = replace(task, query=query if query is not None else "".join(asked[-1:]))
        earlier = Context(tuple(_earlier(store, handle, step, overheads)))
        after = filled(
            StepContext(workshop, step, after), earlier, about, budget.prompt, fill, frame
        )
    history = _full_history(store, workshop, step)
    return Assembled(workshop, step, after, before, budget, task.within(room), history, frame)


def step_table(
    store: Store,
    workshop: str,
    budget: TierBudget = DEFAULT_BUDGET,
    strategy: Tiers | None = None,
    fill: Strategy | None = None,
) -> list[dict[str, Any]]:
    """Return a row for every step and part: tokens sent, limit, and the full history's cost.

    Examples
    --------
    >>> from ctxlab import Store, Workshops
    >>> store = Store(":memory:")
    >>> rows = step_table(store, Workshops(store).create("Market hall").id)
    >>> len(rows), rows[0]["step"], rows[0]["tier"]
    (60, 'challenge', 'short-term')
    """
    rows = []
    for step in Workshops(store).open(workshop).steps:
        assembled = assemble(store, workshop, step, budget, strategy, fill=fill)
        wanted = {use.tier: use.used for use in assembled.wanted().tiers}
        report = assembled.report()
        rows += [
            {
                "step": step,
                "tier": use.tier,
                "tokens": use.used,
                "limit": use.limit,
                "over": use.over,
                "wanted": wanted[use.tier],
                "full_history": report.full_history,
            }
            for use in report.tiers
        ]
    return rows


def step_chart(
    store: Store,
    workshop: str,
    budget: TierBudget = DEFAULT_BUDGET,
    strategy: Tiers | None = None,
) -> Any:  # noqa: ANN401 - a chart
    """Return a chart: the tokens of every step by tier, beside what the full history would cost.

    Examples
    --------
    >>> from ctxlab import Store, Workshops
    >>> store = Store(":memory:")
    >>> step_chart(store, Workshops(store).create("Market hall").id).frame.height
    60
    """
    return view("tier_bars", step_table(store, workshop, budget, strategy))


def _prior(store: Store, handle: Workshop, step: str) -> Iterator[Segment]:
    """Yield the artifacts, then the summaries, of the steps that `step` depends on."""
    needed = handle.protocol.dependencies(step)
    chosen = {"id": handle.id, "steps": list(needed)}
    artifacts = ARTIFACTS.fetch(store.db, _PRIOR, chosen, also=["encoding"])
    summaries = SUMMARIES.fetch(store.db, _PRIOR, chosen)
    yield from _results(store, "artifact", artifacts, ContextTier.PERSISTENT)
    yield from _results(store, "summary", summaries, ContextTier.LONG_TERM)
    if needed and not artifacts["id"] and not summaries["id"]:
        yield _segment(f"sentinel:{step}", NOTHING_BEFORE, step, ContextTier.LONG_TERM, pinned=True)


def _results(
    store: Store, kind: str, found: Mapping[str, Sequence[Any]], tier: ContextTier
) -> Iterator[Segment]:
    for at, text in enumerate(found["text"]):
        if found["encoding"][at] == store.counter.encoding:
            store.counter.prime([(text, found["token_count"][at])])
        yield _segment(f"{kind}:{found['id'][at]}", text, found["step"][at], tier)


def _segment(
    source: str, text: str, step: str, tier: ContextTier, *, pinned: bool = False
) -> Segment:
    return Segment.of(source, text, step=step, tier=tier, role="system", pinned=pinned)


def _messages(
    store: Store, handle: Workshop, step: str, overheads: dict[str, int]
) -> Iterator[Segment]:
    where = "WHERE chat_messages.workshop_id = ? AND chat_messages.step_id = ? "
    yield from _said(store, where, [handle.id, step], overheads)


def _earlier(
    store: Store, handle: Workshop, step: str, overheads: dict[str, int]
) -> Iterator[Segment]:
    """Yield the messages of the steps before one, each with its step."""
    for before in handle.steps[: handle.steps.index(step)]:
        for segment in _messages(store, handle, before, overheads):
            group = segment.group and f"{before}/{segment.group}"
            yield replace(segment, step=before, group=group)


def _said(
    store: Store, where: str, parameters: list[str], overheads: dict[str, int]
) -> Iterator[Segment]:
    found = MESSAGES.fetch(
        store.db,
        f"{where}ORDER BY chat_messages.position",
        parameters,
        also=["token_count", "overhead", "encoding"],
    )
    known = [at for at, name in enumerate(found["encoding"]) if name == store.counter.encoding]
    store.counter.prime((found["content"][at], found["token_count"][at]) for at in known)
    overheads.update((f"message:{found['id'][at]}", found["overhead"][at]) for at in known)
    yield from Context.of(MESSAGES.values(found))


def _full_history(store: Store, workshop: str, step: str) -> int:
    """Return the tokens of all messages up to and with a step: what sending everything costs."""
    rows = store.db.rows(
        "SELECT coalesce(sum(m.token_count + m.overhead), 0) FROM chat_messages m "
        "JOIN workshop_steps t ON t.workshop_id = m.workshop_id AND t.step_id = m.step_id "
        "WHERE m.workshop_id = $workshop AND t.position <= (SELECT position FROM workshop_steps "
        "WHERE workshop_id = $workshop AND step_id = $step)",
        {"workshop": workshop, "step": step},
    )
    tokens = int(rows[0][0])
    return tokens + store.counter.chat.reply if tokens else 0
