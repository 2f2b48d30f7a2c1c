"""Trials: one strategy, budget, case and seed, compressed and measured in a worker process."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from functools import lru_cache
from typing import Any

from ctxlab.bench.limits import Limits, OvertimeError, limited, settle
from ctxlab.bench.stored_contexts import from_pieces, to_pieces
from ctxlab.core.budgets import Budget
from ctxlab.core.cases import Case, Probe
from ctxlab.core.context import Context
from ctxlab.core.laws import broken_laws
from ctxlab.core.ledger import Fate, Traces, cause_of, fates
from ctxlab.core.metric import Metric
from ctxlab.core.result_keys import versions
from ctxlab.core.run import Run
from ctxlab.core.segments import Message
from ctxlab.core.strategy import Outcome, Strategy
from ctxlab.core.task import Task
from ctxlab.core.tokens import shared_counter
from ctxlab.core.tools import Encoder, Tools
from ctxlab.errors import BrokenPromiseError
from ctxlab.store.runs import Asked, Trial

RANKING = "ranking"
"""What a metric needs that reads scores and ranks: only a run that was just made has them."""
_NO_PROBE = Probe("", "", "")


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


@dataclass(frozen=True)
class Cell:
    """Work for one process: one strategy on one case with one seed, at some budgets.

    `counts` are tokens of texts that are counted already, `encode` an encoder that knows the
    vectors of the texts, and `encoder` its name, where the strategy needs one.

    Examples
    --------
    >>> from ctxlab.strategies.windows import KeepLast
    >>> Cell(KeepLast(), Case("c", "d", ()), (), 0, "o200k_base").seed
    0
    """

    strategy: Strategy
    case: Case
    cuts: tuple[Cut, ...]
    seed: int
    encoding: str
    counts: tuple[tuple[str, int], ...] = ()
    encoder: str = ""
    encode: Encoder | None = None

    def failed(self, error: str) -> list[Trial]:
        """Return its trials, each failed with `error`.

        Examples
        --------
        >>> from ctxlab.strategies.windows import KeepLast
        >>> cell = Cell(KeepLast(), Case("c", "d", ()), (Cut(Budget(tokens=9), "9f"),), 0, "o")
        >>> cell.failed("the worker died")[0].error
        'the worker died'
        """
        return [trial_of(self, cut, error=error) for cut in self.cuts]


def trial_of(cell: Cell, cut: Cut, **measured: object) -> Trial:
    """Return the trial of a cell at one budget, with what was measured, or why it failed.

    Examples
    --------
    >>> from ctxlab.strategies.windows import KeepLast
    >>> cell = Cell(KeepLast(), Case("c", "d", ()), (), 0, "o200k_base")
    >>> trial_of(cell, Cut(Budget(tokens=9), "9f")).cluster
    'c'
    """
    return Trial(
        trial_hash=cut.key,
        strategy=str(cell.strategy),
        spec=cell.strategy.spec(),
        traits=asdict(cell.strategy.traits),
        budget=str(cut.budget),
        dataset=cell.case.dataset,
        case_id=cell.case.id,
        cluster=cell.case.cluster or cell.case.id,
        seed=cell.seed,
        encoding=cell.encoding,
        version=versions()["ctxlab"],
        **measured,  # type: ignore[arg-type]
    )


def run_cells(cells: Sequence[Cell], limits: Limits = Limits()) -> list[Trial]:  # noqa: B008
    """Run the trials of cells; one that fails becomes a trial with its error.

    Examples
    --------
    >>> from ctxlab.metrics.availability import AllEvidence
    >>> from ctxlab.strategies.windows import KeepLast
    >>> from ctxlab.testing import sample_case
    >>> cut = Cut(Budget(tokens=115), "9f", (("all", AllEvidence()),))
    >>> [trial] = run_cells([Cell(KeepLast(), sample_case(), (cut,), 0, "o200k_base")])
    >>> [value for _, _, value in trial.values]
    [0.0, 0.0, 0.0]
    """
    settle()
    return [_run(cell, cut, limits) for cell in cells for cut in cell.cuts]


def _run(cell: Cell, cut: Cut, limits: Limits) -> Trial:
    counter = shared_counter(cell.encoding)
    counter.prime(cell.counts)
    tools = Tools.of(counter).encoding_with(cell.encode)
    case = _known_case(cell.case)
    try:
        with limited(limits):
            _warm_up(cell.strategy)
            return _measured(cell, cut, Compressions(cell.strategy, case, cut, cell.seed, tools))
    except OvertimeError:
        problem = f"took longer than {limits.seconds:g} s; raise --trial-timeout, or use less"
        return trial_of(cell, cut, error=f"time limit: {problem}")
    except MemoryError:
        return trial_of(cell, cut, error=f"memory limit: {_MEMORY}")
    except BaseException as failure:  # noqa: BLE001 - whatever it does, it is one row; the grid goes on
        return trial_of(cell, cut, error=f"{type(failure).__name__}: {failure}")


_MEMORY = "it asked for more memory than a trial may have; raise --trial-memory, or use less"


def _measured(cell: Cell, cut: Cut, runs: Compressions) -> Trial:
    probes = runs.case.probes or (_NO_PROBE,)
    asked = tuple(_asked(probe, runs.of(probe)) for probe in probes)
    values: list[tuple[str, int, float | None]] = []
    failures: list[tuple[str, str]] = []
    for key, metric in cut.metrics:
        try:
            found = _values(metric, probes, runs.of)
        except Exception as failure:  # noqa: BLE001 - one metric that fails costs no other
            failures.append((key, f"{type(failure).__name__}: {failure}"))
        else:
            values += ((key, position, value) for position, value in enumerate(found))
    # A trial that is stored already gets further values and nothing else.
    known = cut.stored is not None
    return trial_of(
        cell,
        cut,
        outcomes=() if known else asked,
        values=tuple(values),
        failures=tuple(failures),
        ledger="" if known else runs.ledger(),
    )


def _asked(probe: Probe, run: Run) -> Asked:
    return Asked(
        probe.id,
        probe.category,
        run.tokens_before,
        run.tokens_after,
        run.task.budget,
        run.seconds,
    )


def _values(
    metric: Metric, probes: Sequence[Probe], run_of: Callable[[Probe], Run]
) -> list[float | None]:
    """Return the metric at every probe; one of the run alone is measured once for each run."""
    if metric.traits.per == "probe":
        return [None if p is _NO_PROBE else metric.measure(run_of(p), p) for p in probes]
    known: dict[int, float | None] = {}
    found = []
    for probe in probes:
        run = run_of(probe)
        if id(run) not in known:
            known[id(run)] = metric.measure(run, None)
        found.append(known[id(run)])
    return found


@lru_cache(maxsize=256)
def _warm_up(strategy: Strategy) -> None:
    """Load what a strategy imports and its tokenizer needs, so that latencies are its own."""
    if strategy.traits.needs:
        return
    texts = ("a first message", "a second one", "and a third", "a first message")
    messages = (Message(f"m{i}", "user", text) for i, text in enumerate(texts))
    with suppress(Exception):
        strategy.compress(Context.of(messages), Task(budget=20, query="a message"))


_recent: dict[str, Case] = {}
_KEPT_CASES = 4


def _known_case(case: Case) -> Case:
    """Return the same case where it was seen lately: what is memoised on its contexts stays."""
    digest = case.digest
    known = _recent[digest] = _recent.pop(digest, case)
    if len(_recent) > _KEPT_CASES:
        del _recent[next(iter(_recent))]
    return known


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
        sizes = task.size(context), task.size(after)
        stage = Outcome(self._strategy, *sizes, task.fits(after), stored["seconds"], after)
        return Run(self._strategy, context, task, (stage,), self.case)

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
