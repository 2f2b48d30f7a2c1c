"""Trials: one strategy, budget, case and seed, compressed and measured in a worker process."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from functools import lru_cache

from ctxlab.bench.compressions import NO_PROBE, Compressions, Cut, values_of
from ctxlab.bench.limits import Limits, OvertimeError, limited, settle
from ctxlab.core.cases import Case, Probe
from ctxlab.core.context import Context
from ctxlab.core.result_keys import versions
from ctxlab.core.run import Run
from ctxlab.core.segments import Message
from ctxlab.core.strategy import Strategy
from ctxlab.core.task import Task
from ctxlab.core.tokens import shared_counter
from ctxlab.core.tools import Encoder, Tools
from ctxlab.store.runs import Asked, Trial


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
        >>> from ctxlab.core.budgets import Budget
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
    >>> from ctxlab.core.budgets import Budget
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
    >>> from ctxlab.core.budgets import Budget
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
    probes = runs.case.probes or (NO_PROBE,)
    asked = tuple(_asked(probe, runs.of(probe)) for probe in probes)
    values: list[tuple[str, int, float | None]] = []
    failures: list[tuple[str, str]] = []
    for key, metric in cut.metrics:
        try:
            found = values_of(metric, probes, runs.of)
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
