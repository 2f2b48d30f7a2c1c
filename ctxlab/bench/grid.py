"""Experiments: a grid of strategies, budgets, cases and seeds, resumable, over any executor."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable, Mapping, Sized
from concurrent.futures import Executor
from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Any

from ctxlab.bench.case_documents import to_document
from ctxlab.bench.compressions import Cut
from ctxlab.bench.keys import code_digests
from ctxlab.bench.limits import Limits
from ctxlab.bench.manifest import manifest
from ctxlab.bench.shared_inputs import SharedInputs
from ctxlab.bench.trials import Cell
from ctxlab.bench.workers import compute
from ctxlab.core.budgets import Budget
from ctxlab.core.cases import Case
from ctxlab.core.metric import Metric, as_metric
from ctxlab.core.progress import ShowsProgress
from ctxlab.core.progress import progress as shown_progress
from ctxlab.core.result_keys import metric_key, trial_key
from ctxlab.core.specs import parse, parse_metric
from ctxlab.core.strategy import Strategy
from ctxlab.core.tokens import DEFAULT_ENCODING, resolve_encoding
from ctxlab.core.tools import Encoder
from ctxlab.datasets import is_dataset, load, read
from ctxlab.errors import CtxlabError, FailedTrialsWarning, SpecError
from ctxlab.models import encoder_name, load_encoder

if TYPE_CHECKING:
    from ctxlab.bench.results import Results
    from ctxlab.store import Store

_ONE = {
    "strategies": "strategy", "budgets": "budget", "cases": "case", "seeds": "seed",
    "metrics": "metric",
}  # fmt: skip
DEFAULT_METRICS = ("AllEvidence()", "EvidenceTokens()", "AnswerKept()")
"""What is measured when nothing is chosen."""
DEFAULT_SEEDS = (0, 1, 2, 3, 4)
"""What is random is drawn so often when nothing is chosen: one draw alone may be a lucky one."""


class Grid:
    """Every combination of strategies, budgets, cases and seeds: one trial each.

    Parameters
    ----------
    strategies : Strategy or str, or iterable of them
        As values, or as written: ``"BM25(neighbours=2) >> KeepLast()"``.
    budgets : Budget, int or str, or iterable of them
        ``8000``, ``"8k"`` or ``"10%"``: tokens, or a share of what is not pinned.
    cases : Case or str, or iterable of them
        The conversations, with the probes to ask; a text is the name of a dataset, or a file.
    metrics : iterable of Metric, str or callable, optional
        What is measured; by default what is available of the evidence and the answer. A plain
        function ``f(run, probe)`` or ``f(run)`` is a metric, too.
    seeds : iterable of int
        Only strategies whose result depends on the seed run with more than the first; five when
        not given. Their mean is shown, and how far it varies from seed to seed.
    encoding : str
        The encoding, or model, whose tokens are counted.
    encoder : Encoder or str, optional
        For strategies that need one: a named encoder, or as `load_encoder` reads it, such as
        ``"onnx:models/minilm"``. Its vectors are kept in the store; a trial's seconds are
        without the time that encoding took.
    name : str
        What the store lists the experiment as.
    inputs : mapping, optional
        Where the conversations were read from, so that a report alone can be run again.

    Raises
    ------
    CtxlabError
        When there is no strategy, budget, case, metric or seed, or the encoder has no name.

    Examples
    --------
    >>> from ctxlab.testing import sample_case
    >>> Grid(["KeepLast()", "RandomDrop()"], ["50%"], [sample_case()], seeds=(0, 1)).size
    3
    """

    def __init__(
        self,
        strategies: Iterable[Strategy | type[Strategy] | str] | Strategy | type[Strategy] | str,
        budgets: Iterable[Budget | float | str] | Budget | float | str,
        cases: Iterable[Case | str] | Case | str,
        *,
        metrics: Iterable[Metric | str | Callable[..., float | None]]
        | Metric
        | str
        | Callable[..., float | None] = DEFAULT_METRICS,
        seeds: Iterable[int] | int = DEFAULT_SEEDS,
        encoding: str = DEFAULT_ENCODING,
        encoder: Encoder | str | None = None,
        name: str = "experiment",
        inputs: Mapping[str, Any] | None = None,
    ) -> None:
        chosen = [parse(given, allow_import=True) for given in _listed(strategies)]
        self.strategies = tuple(dict.fromkeys(chosen))
        self.budgets = tuple(dict.fromkeys(map(Budget.parse, _listed(budgets))))
        self.cases = tuple(case for given in _listed(cases) for case in _cases(given))
        self.seeds = (seeds,) if isinstance(seeds, int) else tuple(seeds)
        self.metrics = _told_apart(dict.fromkeys(map(_metric, _listed(metrics))))
        self.encoding, self.name = resolve_encoding(encoding), name
        self._inputs = dict(inputs or {})
        for what, values in self._parts().items():
            if not values:
                raise CtxlabError(f"the grid has no {what}; give at least one")
        self._encoder = None if encoder is None else load_encoder(encoder)
        self._encodes = encoder_name(self._encoder) if self._encoder else ""
        self._codes = code_digests(self.strategies)
        codes = code_digests(self.metrics)
        self._metric_keys = {metric_key(metric, codes[metric]): metric for metric in self.metrics}
        self._cells = [cell for case in self.cases for cell in self._cells_of(case)]

    def _parts(self) -> dict[str, Sized]:
        return {
            "strategies": self.strategies,
            "budgets": self.budgets,
            "cases": self.cases,
            "seeds": self.seeds,
            "metrics": self.metrics,
        }

    def _cells_of(self, case: Case) -> Iterable[Cell]:
        budgets = list(map(str, self.budgets))
        for strategy in self.strategies:
            encoder = self._encodes if "encoder" in strategy.traits.needs.split(", ") else ""
            for seed in self.seeds if strategy.traits.seeded else self.seeds[:1]:
                keys = (
                    trial_key(
                        spec=strategy.spec(),
                        code=self._codes[strategy],
                        case=case,
                        budget=budget,
                        seed=seed,
                        encoding=self.encoding,
                        encoder=encoder,
                    )
                    for budget in budgets
                )
                cuts = tuple(map(Cut, self.budgets, keys))
                yield Cell(strategy, case, cuts, seed, self.encoding, encoder=encoder)

    @property
    def size(self) -> int:
        """Number of trials.

        Examples
        --------
        >>> Grid(["KeepLast()"], ["5%", "10%"], [Case("c", "d", ())]).size
        2
        """
        return sum(len(cell.cuts) for cell in self._cells)

    def __repr__(self) -> str:
        counts = ((len(values), what) for what, values in self._parts().items())
        sizes = ", ".join(f"{n} {what if n != 1 else _ONE[what]}" for n, what in counts)
        return f"Grid({sizes})"

    def run(
        self,
        store: Store | None = None,
        *,
        executor: Executor | None = None,
        progress: ShowsProgress = shown_progress,
        limits: Limits = Limits(),  # noqa: B008 - frozen
    ) -> Results:
        """Run what the store does not hold yet, and return all results.

        A trial that is stored is not compressed again: a metric that is new to it is measured
        on the context that was kept. A failed trial is a row with its error, and the grid goes
        on. Only this process writes to the store. When it is interrupted, what is done is kept,
        and the next run goes on.

        Parameters
        ----------
        store : Store, optional
            Where trials are kept; one in memory when not given.
        executor : Executor, optional
            Any executor of `concurrent.futures`; by default loky on all cores. One that is
            given is not shut down, and a worker that dies in it fails what was in flight.
        progress : ShowsProgress
            Shows trials done, the rate and the time left, where there is a place to show them.
        limits : Limits
            Time and memory of one trial; one that exceeds them, exits or breaks a law is a row
            with its error.

        Raises
        ------
        KeyboardInterrupt
            When it is interrupted; its text says how many trials are kept.

        Examples
        --------
        >>> from concurrent.futures import ThreadPoolExecutor
        >>> from ctxlab.testing import sample_case
        >>> grid = Grid(["KeepLast()"], ["50%"], [sample_case()])
        >>> with ThreadPoolExecutor(1) as threads:
        ...     results = grid.run(executor=threads)
        >>> len(results.rows())
        1
        """
        from ctxlab.bench.results import Results
        from ctxlab.store import Store

        store = store or Store(":memory:")
        experiment = self._announce(store)
        todo = self._missing(store)
        with progress(self.size, "trials") as advance:
            advance(self.size - sum(len(cell.cuts) for cell in todo))
            prepare = SharedInputs(store, self.encoding, self._encoder)
            with store.runs.buffered() as keep:
                done = self.size - sum(len(cell.cuts) for cell in todo)
                try:
                    for trials in compute(todo, prepare, executor, limits):
                        keep(trials)
                        advance(len(trials))
                        done += len(trials)
                except KeyboardInterrupt:
                    raise KeyboardInterrupt(
                        f"stopped: {done:,} of {self.size:,} trials are kept in {store.path}; "
                        "run the same again to go on"
                    ) from None
        results = Results.of(store, experiment, self.cases)
        if failures := results.failures():
            strategy, case, error = failures[0]
            warnings.warn(
                f"{len(failures)} failed, such as {strategy} on {case}: {error}; "
                "results.failures() lists them",
                FailedTrialsWarning,
                stacklevel=2,
            )
        return results

    def _announce(self, store: Store) -> str:
        """Store what was asked for, with everything that showing it later needs; return its id."""
        keys = list(self._metric_keys)
        digests = [case.digest for case in self.cases]
        trials = [cut.key for cell in self._cells for cut in cell.cuts]
        store.runs.add_metrics(map(_metric_row, keys, self.metrics))
        store.runs.add_cases(
            {
                "case_digest": case.digest,
                "dataset": case.dataset,
                "case_id": case.id,
                "document": to_document(case),
            }
            for case in self.cases
        )
        conditions = manifest(
            trials,
            digests,
            keys,
            encoding=self.encoding,
            encoder=self._encodes,
            seeds=list(self.seeds),
            spec=self._spec(),
            inputs=self._inputs,
        )
        return store.runs.add_experiment(self.name, self._spec(), conditions, trials, digests, keys)

    def _missing(self, store: Store) -> list[Cell]:
        """Return the cells with only those budgets, and metrics, that are not stored."""
        known = store.runs.known([cut.key for cell in self._cells for cut in cell.cuts])
        wanted = self._metric_keys
        left = []
        for cell in self._cells:
            cuts = []
            for cut in cell.cuts:
                measured = known.get(cut.key)
                metrics = tuple((k, m) for k, m in wanted.items() if k not in (measured or ()))
                if measured is None:
                    cuts.append(replace(cut, metrics=metrics))
                elif metrics:
                    stored = store.runs.ledger(cut.key)
                    cuts.append(replace(cut, metrics=metrics, stored=stored))
            if cuts:
                left.append(replace(cell, cuts=tuple(cuts)))
        return left

    def _spec(self) -> dict[str, Any]:
        return {
            "strategies": [strategy.spec() for strategy in self.strategies],
            "budgets": [str(budget) for budget in self.budgets],
            "cases": [[case.dataset, case.id] for case in self.cases],
            "metrics": [metric.spec() for metric in self.metrics],
            "seeds": list(self.seeds),
            "encoding": self.encoding,
            **({"encoder": self._encodes} if self._encodes else {}),
        }


def _listed(given: Any) -> Iterable[Any]:  # noqa: ANN401 - one of several kinds, or many
    """Return many as they are, and one in a list."""
    one = isinstance(given, str | Budget | Case | Strategy | Metric | type | int | float)
    return [given] if one or (callable(given) and not isinstance(given, Iterable)) else given


def _cases(given: Case | str) -> Iterable[Case]:
    if isinstance(given, Case):
        return (given,)
    if not isinstance(given, str):
        raise CtxlabError(
            f"a {type(given).__name__} is no conversation; pass a Case, a dataset's name or a file"
        )
    return load(given) if is_dataset(given) else read(given)


def _told_apart(metrics: Iterable[Metric]) -> tuple[Metric, ...]:
    """Return metrics, refusing two of one name: their columns would be one."""
    names: dict[str, Metric] = {}
    for metric in metrics:
        if metric.name in names:
            raise SpecError(
                f"two metrics are called {metric.name!r} ({names[metric.name]} and {metric}); "
                "rename one, for columns go by these names"
            )
        names[metric.name] = metric
    return tuple(names.values())


def _metric(metric: Metric | str | Callable[..., float | None]) -> Metric:
    return parse_metric(metric, allow_import=True) if isinstance(metric, str) else as_metric(metric)


def _metric_row(key: str, metric: Metric) -> dict[str, str]:
    from ctxlab.store.json_text import json_text

    return {
        "metric_key": key,
        "name": metric.name,
        "spec": json_text(metric.spec(), f"the spec of {metric}"),
        "traits": json_text(asdict(metric.traits), f"the traits of {metric}"),
    }
