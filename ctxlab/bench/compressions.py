"""What a trial is, whoever runs it: contexts compressed or rebuilt, and metrics asked of them.

A key of a trial holds the digest of this module and of all that it imports.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from math import isfinite
from typing import Any

from ctxlab.bench.stored_contexts import from_pieces, to_pieces
from ctxlab.core.budgets import Budget
from ctxlab.core.cases import Case, Probe
from ctxlab.core.context import Context
from ctxlab.core.laws import broken_laws
from ctxlab.core.ledger import Fate, Traces, cause_of, fates
from ctxlab.core.metric import Metric
from ctxlab.core.run import KnownRun, Run
from ctxlab.core.strategy import Strategy
from ctxlab.core.task import Task
from ctxlab.core.tools import Tools
from ctxlab.errors import BrokenPromiseError, StatisticsError

RANKING = "ranking"
"""What a metric needs that reads scores and ranks: only a run that was just made has them."""
NO_PROBE = Probe("", "", "")
"""Stands for the questions of a case that has none."""


@dataclass(frozen=True)
class Cut:
    """One budget of a cell: the trial's key, and the metrics that are to be measured.

    `stored` is the ledger of a trial that was run before, from which its contexts are rebuilt.

    Examples
    --------
    >>> Cut(Budget(tokens=9), "9f").stored is None
    True
    """

    budget: Budget
    key: str
    metrics: tuple[tuple[str, Metric], ...] = ()
    stored: str | None = None


def values_of(
    metric: Metric, probes: Sequence[Probe], run_of: Callable[[Probe], Run]
) -> list[float | None]:
    """Return the metric at every probe; one of the run alone is measured once for each run.

    Examples
    --------
    >>> from ctxlab.metrics.availability import AllEvidence
    >>> values_of(AllEvidence(), [NO_PROBE], lambda probe: None)
    [None]
    """
    if metric.traits.per == "probe":
        return [None if p is NO_PROBE else _number(metric.measure(run_of(p), p)) for p in probes]
    known: dict[int, float | None] = {}
    found = []
    for probe in probes:
        run = run_of(probe)
        if id(run) not in known:
            known[id(run)] = _number(metric.measure(run, None))
        found.append(known[id(run)])
    return found


def _number(value: float | None) -> float | None:
    if value is None or isfinite(value):
        return value
    raise StatisticsError(f"it gave {value}; give a finite number, or None where it does not apply")


class Compressions:
    """The compressions of a case at one budget: one for all probes asked at a place, or one each.

    Examples
    --------
    >>> from ctxlab.strategies.windows import KeepLast
    >>> from ctxlab.testing import sample_case
    >>> cut = Cut(Budget(tokens=115), "9f")
    >>> runs = Compressions(KeepLast(), sample_case(), cut, 0, Tools.of())
    >>> first, second = (runs.of(probe) for probe in sample_case().probes[:2])
    >>> first is second, first.tokens_after
    (True, 98)
    """

    def __init__(self, strategy: Strategy, case: Case, cut: Cut, seed: int, tools: Tools) -> None:
        self._strategy, self.case, self._budget = strategy, case, cut.budget
        self._seed, self._tools, self._traits = seed, tools, strategy.traits
        self._runs: dict[tuple[str | None, str | None], Run] = {}
        self._stored = _stored_runs(cut)

    def of(self, probe: Probe) -> Run:
        """Return the run that `probe` is asked of, made the first time.

        Examples
        --------
        >>> from ctxlab.strategies.windows import KeepLast
        >>> cut = Cut(Budget(tokens=9), "9f")
        >>> from ctxlab.core.segments import Message
        >>> case = Case("c", "d", (Message("m1", "user", "Hi"),))
        >>> Compressions(KeepLast(), case, cut, 0, Tools.of()).of(Probe("p", "?", "")).after.text
        'Hi'
        """
        asked = probe.id if self._traits.query_aware else None
        if (asked, probe.at) not in self._runs:
            self._runs[asked, probe.at] = self._run(asked, probe)
        return self._runs[asked, probe.at]

    def _run(self, asked: str | None, probe: Probe) -> Run:
        context = self.case.context(probe.at)
        task = self._task(probe, context)
        if self._stored is None:
            done = Run.of(self._strategy, context, task, self.case)
            self._check(done)
            return done
        stored = self._stored[asked, probe.at]
        after = from_pieces(context, stored["pieces"])
        return KnownRun(self._strategy, context, task, after, stored["seconds"], self.case)

    def _check(self, run: Run) -> None:
        """Trust nobody: a result that breaks a law is not measured."""
        honours = self._traits.honours_budget
        broken = broken_laws(run.before, run.after, run.task, honours_budget=honours)
        for law, _ in broken:
            raise BrokenPromiseError(f"{law}; ctxlab.check_laws shows on what")

    def _task(self, probe: Probe, context: Context) -> Task:
        ruler = Task(budget=1, tools=self._tools)
        return Task(
            budget=max(1, self._budget.resolve(ruler.size(context), ruler.pinned(context))),
            tools=self._tools,
            query=probe.question if self._traits.query_aware else "",
            seed=self._seed,
            evidence=frozenset(f"message:{e}" for e in probe.evidence if self._traits.gold),
        )

    def ledger(self) -> str:
        """Return the compact ledger: a letter a segment, and why each lost evidence went.

        The document is ``{"spans": [source], "runs": [{"probe", "at", "fates", "lost",
        "pieces", "seconds"}]}``; `fates` follows the order of `spans`, `lost` maps a source to
        stage, reason, score and rank, and `pieces` is what `to_pieces` makes of the result.

        Examples
        --------
        >>> from ctxlab.strategies.windows import KeepLast
        >>> cut = Cut(Budget(tokens=9), "9f")
        >>> Compressions(KeepLast(), Case("c", "d", ()), cut, 0, Tools.of()).ledger()
        '{"spans":[],"runs":[]}'
        """
        spans = [segment.source for segment in self.case.context()]
        runs = [
            {
                "probe": probe,
                "at": at,
                "fates": fates(run.before, run.after),
                "lost": self._lost(probe, at, run),
                "pieces": to_pieces(run.before, run.after),
                "seconds": run.seconds,
            }
            for (probe, at), run in self._runs.items()
        ]
        return json.dumps({"spans": spans, "runs": runs}, separators=(",", ":"))

    def _lost(self, asked: str | None, at: str | None, run: Run) -> dict[str, object]:
        """Return why each message of evidence went, of the probes that were asked of `run`."""
        traces, lost = Traces.of(run.after), dict[str, object]()
        for probe in self.case.probes:
            if probe.at != at or asked not in (None, probe.id):
                continue
            for message in probe.evidence:
                for segment in run.before.from_source(f"message:{message}"):
                    if segment.source not in lost and traces.fate(segment) is not Fate.KEPT:
                        stage, note = cause_of(segment, run.before, run.stages)
                        lost[segment.source] = (stage, note.reason, note.score, note.rank)
        return lost


def _stored_runs(cut: Cut) -> Mapping[tuple[str | None, str | None], Mapping[str, Any]] | None:
    """Return the runs of a stored trial, where its contexts can be had and that is enough."""
    if cut.stored is None or any(RANKING in metric.traits.needs for _, metric in cut.metrics):
        return None
    runs = json.loads(cut.stored).get("runs", [])
    if not runs or any(run.get("pieces") is None for run in runs):
        return None
    return {(run["probe"], run["at"]): run for run in runs}
