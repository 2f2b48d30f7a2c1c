"""Assembly: what one step of one workshop would be sent, tier by tier, and for how many tokens."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ctxlab.core.budgets import TierBudget, TierUse
from ctxlab.core.context import Context
from ctxlab.core.segments import ContextTier, Segment
from ctxlab.core.steps import StepContext
from ctxlab.core.task import Task
from ctxlab.core.tokens import Billable
from ctxlab.core.tools import Tools
from ctxlab.core.views import view
from ctxlab.errors import UnknownNameError
from ctxlab.store.reading import MESSAGES
from ctxlab.strategies.tiers import Tiers
from ctxlab.workshop.artifacts import ARTIFACTS
from ctxlab.workshop.prompts import NOTHING_BEFORE
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
        ['short-term', 'long-term', 'persistent', 'prompt']
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
        >>> [(use.tier, use.used) for use in report.tiers]
        [('short-term', 0), ('long-term', 0), ('persistent', 0), ('prompt', 0)]
        """
        used = {tier: self.task.size(self.tier(tier)) for tier in ContextTier}
        return StepReport(self.step, tuple(self.budget.report(used)), self.full_history)

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
        used = {tier: self.task.size(whole.tier(tier)) for tier in ContextTier}
        return StepReport(self.step, tuple(self.budget.report(used)), self.full_history)


def assemble(
    store: Store,
    workshop: str,
    step: str,
    budget: TierBudget = DEFAULT_BUDGET,
    strategy: Tiers | None = None,
) -> Assembled:
    """Put together what a step would be sent, and compress it to its budget.

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

    Raises
    ------
    NotFoundError, UnknownNameError
        When there is no such workshop or step.

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

    tools = Tools(
        count=counter.count,
        count_many=counter.count_many,
        overhead=overhead,
        reply=counter.chat.reply,
    )
    task = Task(budget=budget.prompt, tools=tools)
    before = Context(tuple(segments))
    after = (strategy or Tiers()).split(before, task, budget)
    history = _full_history(store, workshop, step)
    return Assembled(workshop, step, after, before, budget, task, history)


def step_table(
    store: Store,
    workshop: str,
    budget: TierBudget = DEFAULT_BUDGET,
    strategy: Tiers | None = None,
) -> list[dict[str, Any]]:
    """Return a row for every step and tier: tokens sent, limit, and the full history's cost.

    Examples
    --------
    >>> from ctxlab import Store, Workshops
    >>> store = Store(":memory:")
    >>> rows = step_table(store, Workshops(store).create("Market hall").id)
    >>> len(rows), rows[0]["step"], rows[0]["tier"]
    (40, 'challenge', 'short-term')
    """
    rows = []
    for step in Workshops(store).open(workshop).steps:
        assembled = assemble(store, workshop, step, budget, strategy)
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
    40
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
    found = MESSAGES.fetch(
        store.db,
        "WHERE chat_messages.workshop_id = ? AND chat_messages.step_id = ? "
        "ORDER BY chat_messages.position",
        [handle.id, step],
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
