"""What an inspector shows: a conversation under several strategies, at a ladder of budgets."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ctxlab.bench.stored_contexts import from_pieces
from ctxlab.core.budgets import Budget
from ctxlab.core.cases import Case, Probe
from ctxlab.core.context import Context
from ctxlab.core.ledger import billed, carried, ledger
from ctxlab.core.specs import parse
from ctxlab.core.strategy import Strategy, run
from ctxlab.core.task import Task
from ctxlab.core.tools import Tools
from ctxlab.core.views import view
from ctxlab.errors import MissingExtraError

LADDER = ("2%", "3%", "4%", "5%", "7%", "10%", "13%", "16%", "20%", "25%", "32%", "40%", "50%",
          "63%", "80%", "100%")  # fmt: skip
"""The budgets that an inspector's slider has where none are chosen: about a quarter more each."""
MOST_RUNS = 2_000
"""Compressions above which only the first probes are asked."""


@dataclass(frozen=True)
class Frame:
    """One strategy at one budget for one question.

    Parameters
    ----------
    fates : str
        A letter for every segment: kept, trimmed, rewritten, dropped.
    before, after : Context
        What went in, and what came out.
    tokens : sequence of int
        Billed tokens of what stands for each segment.
    size : int
        Tokens of the whole, as the chat is billed.
    reasons : mapping of int to str
        Why segments went, by position, as far as it is known.
    ranks : mapping of int to (int, float)
        Rank and score of segments, by position, where there was a ranking.

    Examples
    --------
    >>> Frame("", Context(), Context(), (), 0).reasons
    {}
    """

    fates: str
    before: Context
    after: Context
    tokens: Sequence[int]
    size: int
    reasons: Mapping[int, str] = field(default_factory=dict)
    ranks: Mapping[int, tuple[int, float]] = field(default_factory=dict)


@dataclass(frozen=True)
class Inspection:
    """A conversation under several strategies, to look at: shows itself as an inspector.

    Parameters
    ----------
    case : Case
        The conversation, with its probes.
    context : Context
        The same as a context.
    tokens : sequence of int
        Billed tokens of each segment.
    strategies : mapping of str to bool
        What is shown side by side, and whether it sees the question.
    budgets : sequence of str
        The ladder, in order.
    frames : mapping of (str, str, str or None) to Frame
        By strategy, budget, and the id of the probe that was asked.
    probes : sequence of Probe
        Those that can be looked at.

    Examples
    --------
    >>> from ctxlab.testing import sample_case
    >>> inspect(sample_case(), ["KeepLast()", "BM25()"], ["30%", "60%"])
    Inspection('market': 2 strategies at 2 budgets, 3 probes)
    """

    case: Case
    context: Context
    tokens: Sequence[int]
    strategies: Mapping[str, bool]
    budgets: Sequence[str]
    frames: Mapping[tuple[str, str, str | None], Frame]
    probes: Sequence[Probe]

    def __repr__(self) -> str:
        sizes = f"{len(self.strategies)} strategies at {len(self.budgets)} budgets"
        return f"Inspection({self.case.id!r}: {sizes}, {len(self.probes)} probes)"

    def widget(self) -> Any:  # noqa: ANN401 - an anywidget
        """Return the live inspector; its traits `budget`, `probe` and `selected` are in step.

        Examples
        --------
        >>> from ctxlab.testing import sample_case
        >>> inspect(sample_case(), ["KeepLast()"], ["30%", "60%"]).widget().budget
        '60%'
        """
        return view("live_inspector", self)

    def _repr_mimebundle_(self, **options: Any) -> Any:  # noqa: ANN401 - what Jupyter passes
        try:
            return self.widget()._repr_mimebundle_(**options)
        except MissingExtraError as missing:
            html = view("inspection_html", self, self.budgets[len(self.budgets) // 2])
            return {"text/html": html, "text/plain": f"{self!r}\n{missing}"}


def inspect(
    case: Case,
    strategies: Iterable[Strategy | type[Strategy] | str],
    budgets: Iterable[Budget | float | str] = LADDER,
    *,
    query: str = "",
    tools: Tools | None = None,
    seed: int = 0,
) -> Inspection:
    """Compress a conversation with several strategies at several budgets, to look at it.

    A strategy that sees the question is run for each probe; where that would be more than
    `MOST_RUNS` compressions, for as many of the first probes as that allows.

    Parameters
    ----------
    case : Case
        The conversation, with or without probes.
    strategies : iterable of Strategy or str
        As values, or as written.
    budgets : iterable of Budget, int or str
        The ladder that the slider has.
    query : str
        What is asked where there are no probes.
    tools : Tools, optional
        How to count, encode and ask.
    seed : int
        Seeds whatever is random.

    Examples
    --------
    >>> from ctxlab.testing import sample_case
    >>> found = inspect(sample_case(), ["KeepLast()"], ["40%"])
    >>> found.frames["KeepLast()", "40%", None].fates
    'ddddddddkkkk'
    """
    return inspect_context(case, None, strategies, budgets, query=query, tools=tools, seed=seed)


def inspect_context(
    case: Case,
    context: Context | None,
    strategies: Iterable[Strategy | type[Strategy] | str],
    budgets: Iterable[Budget | float | str],
    *,
    query: str = "",
    tools: Tools | None = None,
    seed: int = 0,
) -> Inspection:
    """Do the same on a context that was made of the case, or of messages without one.

    With a `query` that is asked, whatever the probes are.

    Examples
    --------
    >>> from ctxlab.testing import sample_case
    >>> case = sample_case()
    >>> inspect_context(case, case.context().pinned, ["KeepLast()"], ["50%"]).context
    Context(0 segments, 0 characters)
    """
    chosen = [parse(given, allow_import=True) for given in strategies]
    steps = list(dict.fromkeys(map(Budget.parse, budgets)))
    used, whole = tools or Tools.of(), case.context() if context is None else context
    aware = {str(strategy): strategy.traits.query_aware for strategy in chosen}
    probes = list(case.probes)[: max(1, MOST_RUNS // max(1, sum(aware.values()) * len(steps)))]
    frames: dict[tuple[str, str, str | None], Frame] = {}
    for strategy in chosen:
        sees = strategy.traits.query_aware and bool(probes) and not query
        asked = [probe for probe in probes if sees or (probe.at is not None and context is None)]
        for probe in [*([] if sees else [None]), *asked]:
            before = case.context(probe.at) if probe and context is None else whole
            ruler = Task(budget=1, tools=used)
            size, pinned = ruler.size(before), ruler.pinned(before)
            gold = probe.evidence if probe and strategy.traits.gold else ()
            for budget in steps:
                task = Task(
                    budget=max(1, budget.resolve(size, pinned)),
                    tools=used,
                    query=probe.question if probe and sees else query,
                    seed=seed,
                    evidence=frozenset(f"message:{e}" for e in gold),
                )
                key = str(strategy), str(budget), probe.id if probe else None
                frames[key] = _frame(strategy, before, task)
    return Inspection(
        case,
        whole,
        billed(whole, Task(budget=1, tools=used)),
        {name: sees and bool(probes) and not query for name, sees in aware.items()},
        list(map(str, steps)),
        frames,
        probes,
    )


def _frame(strategy: Strategy, context: Context, task: Task) -> Frame:
    outcomes = list(run(strategy, context, task))
    entries = ledger(context, outcomes, task)
    after = outcomes[-1].context if outcomes else context
    return Frame(
        "".join(entry.fate.letter for entry in entries),
        context,
        after,
        [entry.tokens_after for entry in entries],
        task.size(after),
        {at: entry.reason for at, entry in enumerate(entries) if entry.reason},
        {
            at: (entry.rank, entry.score)
            for at, entry in enumerate(entries)
            if entry.rank is not None and entry.score is not None
        },
    )


def stored_frames(
    case: Case, strategy: str, budget: str, document: str, tools: Tools
) -> dict[tuple[str, str, str | None], Frame]:
    """Return the frames of a trial that the store holds, from its compact ledger.

    Examples
    --------
    >>> from ctxlab.testing import sample_case
    >>> stored_frames(sample_case(), "KeepLast()", "40%", '{"runs": []}', Tools.of())
    {}
    """
    task = Task(budget=1, tools=tools)
    found: dict[tuple[str, str, str | None], Frame] = {}
    for each in json.loads(document)["runs"]:
        if each.get("pieces") is None:
            continue
        context = case.context(each["at"])
        places = {segment.source: at for at, segment in enumerate(context)}
        after = from_pieces(context, each["pieces"])
        lost = {places[source]: why for source, why in each["lost"].items() if source in places}
        frame = Frame(
            each["fates"],
            context,
            after,
            carried(context, after, task),
            task.size(after),
            {at: reason for at, (_, reason, *_) in lost.items()},
            {at: (rank, score) for at, (_, _, score, rank) in lost.items() if rank is not None},
        )
        alike = [p.id for p in case.probes if p.at == each["at"]]
        whose = [each["probe"]] if each["probe"] or each["at"] is None else alike
        found.update(((strategy, budget, probe), frame) for probe in whose)
    return found
