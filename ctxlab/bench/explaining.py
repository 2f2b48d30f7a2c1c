"""One run, explained: the conversation before and after, with what became of every span."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from ctxlab.bench.inspecting import LADDER, Inspection, inspect_context
from ctxlab.core.budgets import Budget
from ctxlab.core.cases import Case
from ctxlab.core.context import Context
from ctxlab.core.ledger import Fate, LedgerEntry, ledger
from ctxlab.core.segments import Message
from ctxlab.core.specs import parse
from ctxlab.core.strategy import Outcome, Strategy, run
from ctxlab.core.task import Task
from ctxlab.core.tools import Encoder, Tools
from ctxlab.core.views import view
from ctxlab.models import load_encoder

if TYPE_CHECKING:
    import polars as pl


@dataclass(frozen=True)
class Changes:
    """What a strategy changed: an explanation with what stayed as it was folded away.

    Examples
    --------
    >>> from ctxlab.testing import sample_case
    >>> explain("KeepLast()", sample_case().context(), "50%").changes()
    Changes(7 of 12 segments)
    """

    of: Explanation

    def __repr__(self) -> str:
        changed = sum(entry.fate is not Fate.KEPT for entry in self.of.entries)
        return f"Changes({changed:,} of {len(self.of.entries):,} segments)"

    def _repr_html_(self) -> str:
        of = self.of
        return str(view("ledger_html", of.before, of.context, of.entries, changed=True))


@dataclass(frozen=True)
class Explanation:
    """A run with its ledger. A notebook shows what went struck through, with the reason.

    Examples
    --------
    >>> from ctxlab.testing import sample_case
    >>> explain("KeepLast()", sample_case().context(), "50%")
    Explanation(KeepLast(): 5 kept, 7 dropped; 229 tokens before, 98 after)
    """

    strategy: Strategy
    before: Context
    task: Task
    outcomes: tuple[Outcome, ...]
    entries: tuple[LedgerEntry, ...]
    case: Case | None = None

    @property
    def context(self) -> Context:
        """What is left.

        Examples
        --------
        >>> from ctxlab.testing import sample_case
        >>> len(explain("KeepLast()", sample_case().context(), "50%").context)
        5
        """
        return self.outcomes[-1].context if self.outcomes else self.before

    def changes(self) -> Changes:
        """Return the same, showing only what changed.

        Examples
        --------
        >>> from ctxlab.testing import sample_case
        >>> explain("KeepLast()", sample_case().context(), "90%").changes()
        Changes(1 of 12 segments)
        """
        return Changes(self)

    def inspect(self, *others: Strategy | str) -> Inspection:
        """Return the same run to look into, at a ladder of budgets, beside other strategies.

        Examples
        --------
        >>> from ctxlab.testing import sample_case
        >>> explain("KeepLast()", sample_case(), "50%").inspect("HeadTail()")
        Inspection('market': 2 strategies at 17 budgets, 3 probes)
        """
        task, case = self.task, self.case or Case("conversation", "yours", ())
        ruler = task.within(1)
        size, pinned = ruler.size(self.before), ruler.pinned(self.before)
        steps = [Budget.parse(step) for step in (task.budget, *LADDER)]
        steps.sort(key=lambda step: step.resolve(size, pinned))
        return inspect_context(
            case,
            self.before,
            [self.strategy, *others],
            steps,
            query=task.query,
            tools=task.tools,
            seed=task.seed,
        )

    def frame(self) -> pl.DataFrame:
        """Return the ledger as a frame: one row a span of the input.

        Examples
        --------
        >>> from ctxlab.testing import sample_case
        >>> explain("KeepLast()", sample_case().context(), "50%").frame()["fate"][0]
        'dropped'
        """
        import polars as pl

        rows = [{**asdict(entry), "fate": entry.fate.value} for entry in self.entries]
        return pl.DataFrame(rows, infer_schema_length=None)

    def __repr__(self) -> str:
        counts = ((sum(e.fate is fate for e in self.entries), fate) for fate in Fate)
        listed = ", ".join(f"{count} {fate.value}" for count, fate in counts if count)
        sizes = self.task.size(self.before), self.task.size(self.context)
        tokens = f"{sizes[0]:,} tokens before, {sizes[1]:,} after"
        return f"Explanation({self.strategy}: {listed}; {tokens})"

    def _repr_html_(self) -> str:
        return str(view("ledger_html", self.before, self.context, self.entries))


def explain(
    strategy: Strategy | type[Strategy] | str,
    context: Context | Case | Iterable[Message | Mapping[str, Any]],
    budget: Budget | float | str,
    *,
    query: str = "",
    tools: Tools | None = None,
    seed: int = 0,
    evidence: Sequence[str] = (),
    encoder: Encoder | str | None = None,
) -> Explanation:
    """Compress a context and say what became of every span, at which stage, and why.

    Parameters
    ----------
    strategy : Strategy or str
        As a value, or as written.
    context : Context, Case, or iterable of Message or mapping
        What goes in.
    budget : Budget, int or str
        Tokens, or a share of what is not pinned.
    query : str
        What the context will be asked.
    tools : Tools, optional
        How to count, encode and ask.
    seed : int
        Seeds whatever is random.
    evidence : sequence of str
        Ids of messages; only a ceiling such as `Oracle` sees them.
    encoder : Encoder or str, optional
        Turns texts into vectors, in place of that of the tools: any callable, or as
        `ctxlab.models.load_encoder` reads it.

    Examples
    --------
    >>> from ctxlab.testing import sample_case
    >>> explanation = explain("BM25()", sample_case().context(), "40%", query="Who has the key?")
    >>> "Who has the key?" in explanation.context.text
    True
    """
    chosen = parse(strategy, allow_import=True)
    case = context if isinstance(context, Case) else None
    context = _context(context)
    used = (tools or Tools.of()).encoding_with(None if encoder is None else load_encoder(encoder))
    ruler = Task(budget=1, tools=used)
    tokens = Budget.parse(budget).resolve(ruler.size(context), ruler.pinned(context))
    gold = frozenset(f"message:{e}" for e in evidence) if chosen.traits.gold else frozenset()
    task = Task(budget=max(1, tokens), tools=used, query=query, seed=seed, evidence=gold)
    outcomes = tuple(run(chosen, context, task))
    entries = tuple(ledger(context, outcomes, task))
    return Explanation(chosen, context, task, outcomes, entries, case)


def _context(given: Context | Case | Iterable[Message | Mapping[str, Any]]) -> Context:
    if isinstance(given, Case):
        return given.context()
    return given if isinstance(given, Context) else Context.of(given)
