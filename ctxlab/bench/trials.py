"""Trials: one strategy, budget, case and seed, compressed and measured in a worker process."""

from __future__ import annotations

import hashlib
import inspect
import json
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from functools import lru_cache
from importlib.metadata import version

from ctxlab.core.budgets import Budget
from ctxlab.core.cases import Case, Probe
from ctxlab.core.context import Context
from ctxlab.core.ledger import Fate, Traces, entry_of, fates
from ctxlab.core.segments import Message
from ctxlab.core.strategy import Outcome, Strategy, run
from ctxlab.core.task import Task
from ctxlab.core.tokens import shared_counter
from ctxlab.core.tools import Encoder, Tools
from ctxlab.metrics import availability
from ctxlab.store.runs import Measure, Trial


@dataclass(frozen=True)
class Cell:
    """Work for one process: one strategy on one case with one seed, at some budgets.

    `counts` are tokens of texts that are counted already, `encode` an encoder that knows the
    vectors of the texts, and `encoder` its name, where the strategy needs one.

    Examples
    --------
    >>> from ctxlab.strategies import KeepLast
    >>> Cell(KeepLast(), Case("c", "d", ()), (Budget(tokens=9),), 0, "o200k_base").seed
    0
    """

    strategy: Strategy
    case: Case
    budgets: tuple[Budget, ...]
    seed: int
    encoding: str
    counts: tuple[tuple[str, int], ...] = ()
    encoder: str = ""
    encode: Encoder | None = None

    def hashes(self) -> list[str]:
        """Return the key of every trial, in the order of the budgets.

        Examples
        --------
        >>> from ctxlab.strategies import KeepLast
        >>> case = Case("c", "d", ())
        >>> one = Cell(KeepLast(), case, (Budget(tokens=9),), 0, "o200k_base").hashes()
        >>> one == Cell(KeepLast(), case, (Budget(tokens=8),), 0, "o200k_base").hashes()
        False
        """
        common = {
            "strategy": self.strategy.spec(),
            "code": code_digest(self.strategy),
            "case": case_digest(self.case),
            "encoding": self.encoding,
            "seed": self.seed,
            "version": version("ctxlab"),
        }
        if self.encoder:
            common["encoder"] = self.encoder
        keys = [json.dumps({**common, "budget": str(b)}, sort_keys=True) for b in self.budgets]
        return [hashlib.sha256(key.encode()).hexdigest() for key in keys]


def case_digest(case: Case) -> str:
    """Return a digest of everything in a case that a trial can see.

    Examples
    --------
    >>> case_digest(Case("c", "d", ())) == case_digest(Case("c", "d", ()))
    True
    """
    content = {
        "id": (case.dataset, case.id),
        "messages": [asdict(message) for message in case.messages],
        "probes": [asdict(probe) for probe in case.probes],
    }
    return hashlib.sha256(json.dumps(content).encode()).hexdigest()


def code_digest(strategy: Strategy) -> str:
    """Return a digest of the source of strategies from outside ctxlab; empty for our own.

    A class that is edited in a notebook keeps its name: its trials must run again.

    Examples
    --------
    >>> from ctxlab.strategies import KeepLast
    >>> code_digest(KeepLast())
    ''
    """
    foreign = [type(part) for part in _parts(strategy) if not _ours(type(part))]
    sources = [_source(cls) for cls in dict.fromkeys(foreign)]
    return hashlib.sha256("\0".join(sources).encode()).hexdigest() if sources else ""


def _parts(value: object) -> Iterator[Strategy]:
    if isinstance(value, Strategy):
        yield value
        for name in type(value).model_fields:
            yield from _parts(getattr(value, name))
    elif isinstance(value, tuple | list):
        for item in value:
            yield from _parts(item)


def _ours(cls: type) -> bool:
    return cls.__module__.split(".")[0] == "ctxlab"


def _source(cls: type) -> str:
    try:
        return inspect.getsource(cls)
    except (OSError, TypeError):
        code = [f.__code__.co_code.hex() for f in vars(cls).values() if inspect.isfunction(f)]
        return f"{cls.__module__}.{cls.__qualname__}:{code}"


def run_cell(cell: Cell, keys: Sequence[str]) -> list[Trial]:
    """Run the trials of a cell; one that fails becomes a trial with its error.

    Parameters
    ----------
    cell : Cell
        The work.
    keys : sequence of str
        `Cell.hashes` as the parent process sees them: a worker cannot read the source of a
        class that was written in a notebook.

    Examples
    --------
    >>> from ctxlab.core.segments import Message
    >>> from ctxlab.strategies import KeepLast
    >>> case = Case("c", "d", (Message("m1", "user", "Hi"),), (Probe("p", "?", "Hi", ("m1",)),))
    >>> cell = Cell(KeepLast(), case, (Budget(tokens=50),), 0, "o200k_base")
    >>> [trial] = run_cell(cell, cell.hashes())
    >>> trial.measures[0].all_evidence
    1.0
    """
    _warm_up(cell.strategy)
    counter = shared_counter(cell.encoding)
    counter.prime(cell.counts)
    tools = Tools.of(counter).encoding_with(cell.encode)
    case = _known_case(case_digest(cell.case), cell.case)
    trials = []
    for budget, key in zip(cell.budgets, keys, strict=True):
        measures: tuple[Measure, ...] = ()
        ledger, error = "{}", None
        try:
            bench = _Bench(cell.strategy, case, budget, cell.seed, tools)
            measures = tuple(bench.measures())
            ledger = bench.ledger()
        except Exception as failure:  # noqa: BLE001 - a failed trial is a row; the grid goes on
            error = f"{type(failure).__name__}: {failure}"
        trials.append(failed(cell, budget, key, error, measures, ledger))
    return trials


@lru_cache(maxsize=256)
def _warm_up(strategy: Strategy) -> None:
    """Load what a strategy imports and its tokenizer needs, so that latencies are its own."""
    if strategy.traits.needs:
        return
    texts = ("a first message", "a second one", "and a third", "a first message")
    messages = (Message(f"m{i}", "user", text) for i, text in enumerate(texts))
    with suppress(Exception):
        strategy.compress(Context.of(messages), Task(budget=20, query="a message"))


def failed(
    cell: Cell,
    budget: Budget,
    key: str,
    error: str | None,
    measures: tuple[Measure, ...] = (),
    ledger: str = "{}",
) -> Trial:
    """Return the trial of a cell at one budget, with the error that ended it, if any.

    Examples
    --------
    >>> from ctxlab.strategies import KeepLast
    >>> cell = Cell(KeepLast(), Case("c", "d", ()), (Budget(tokens=9),), 0, "o200k_base")
    >>> failed(cell, cell.budgets[0], "9f", "the worker died").error
    'the worker died'
    """
    return Trial(
        trial_hash=key,
        strategy=str(cell.strategy),
        spec=cell.strategy.spec(),
        budget=str(budget),
        dataset=cell.case.dataset,
        case_id=cell.case.id,
        seed=cell.seed,
        encoding=cell.encoding,
        version=version("ctxlab"),
        query_aware=cell.strategy.traits.query_aware,
        measures=measures,
        ledger=ledger,
        error=error,
    )


@lru_cache(maxsize=4)
def _cases(digest: str) -> dict[str, Case]:
    return {}


def _known_case(digest: str, case: Case) -> Case:
    # The same case comes with every strategy; the indices memoised on its contexts stay useful.
    return _cases(digest).setdefault(digest, case)


@dataclass(frozen=True)
class _Run:
    """One compression: for one probe, or for all probes asked at the same place."""

    probe: str | None
    at: str | None
    context: Context
    task: Task
    outcomes: tuple[Outcome, ...]
    lost: dict[str, tuple[str, str, float | None, int | None]]

    @property
    def result(self) -> Context:
        return self.outcomes[-1].context

    def document(self) -> dict[str, object]:
        letters = fates(self.context, self.result)
        return {"probe": self.probe, "at": self.at, "fates": letters, "lost": self.lost}


class _Bench:
    """Compresses a case at one budget, asks its probes, and keeps the runs for the ledger."""

    def __init__(
        self, strategy: Strategy, case: Case, budget: Budget, seed: int, tools: Tools
    ) -> None:
        self._strategy, self._case, self._budget = strategy, case, budget
        self._seed, self._tools = seed, tools
        self._traits = strategy.traits
        self._runs: dict[tuple[str | None, str | None], _Run] = {}

    def measures(self) -> Iterator[Measure]:
        """Yield the measures of every probe; a case without any is compressed once."""
        probes: Sequence[Probe] = self._case.probes or (Probe("", "", ""),)
        for probe in probes:
            done = self._run(probe)
            found = availability(probe, done.context, done.result, done.task)
            self._note_lost(probe, done)
            yield Measure(
                probe.id,
                probe.category,
                found.all_evidence,
                found.evidence_tokens,
                found.answer,
                done.task.size(done.context),
                done.task.size(done.result),
                done.task.budget,
                sum(outcome.seconds for outcome in done.outcomes),
            )

    def ledger(self) -> str:
        """Return the compact ledger: a letter a segment, and why each lost evidence went.

        The document is ``{"spans": [source], "runs": [{"probe", "at", "fates", "lost"}]}``;
        `fates` follows the order of `spans`, `lost` maps a source to stage, reason, score, rank.
        """
        spans = [segment.source for segment in self._case.context()]
        runs = [run.document() for run in self._runs.values()]
        return json.dumps({"spans": spans, "runs": runs}, separators=(",", ":"))

    def _run(self, probe: Probe) -> _Run:
        asked = probe.id if self._traits.query_aware else None
        if (asked, probe.at) not in self._runs:
            context = self._case.context(probe.at)
            task = self._task(probe, context)
            outcomes = tuple(run(self._strategy, context, task))
            self._runs[asked, probe.at] = _Run(asked, probe.at, context, task, outcomes, {})
        return self._runs[asked, probe.at]

    def _task(self, probe: Probe, context: Context) -> Task:
        ruler = Task(budget=1, tools=self._tools)
        return Task(
            budget=max(1, self._budget.resolve(ruler.size(context), ruler.pinned(context))),
            tools=self._tools,
            query=probe.question if self._traits.query_aware else "",
            seed=self._seed,
            evidence=frozenset(f"message:{e}" for e in probe.evidence if self._traits.gold),
        )

    def _note_lost(self, probe: Probe, done: _Run) -> None:
        traces = Traces.of(done.result)
        for message in probe.evidence:
            for segment in done.context.from_source(f"message:{message}"):
                if segment.source not in done.lost and traces.fate(segment) is not Fate.KEPT:
                    entry = entry_of(segment, done.context, done.outcomes, done.task)
                    done.lost[segment.source] = (
                        entry.stage,
                        entry.reason,
                        entry.score,
                        entry.rank,
                    )
