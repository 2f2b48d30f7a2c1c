"""Experiments: a grid of strategies, budgets, cases and seeds, resumable, over any executor."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence, Sized
from concurrent.futures import FIRST_COMPLETED, BrokenExecutor, Executor, Future, wait
from contextlib import AbstractContextManager
from dataclasses import replace
from typing import TYPE_CHECKING, Protocol

from ctxlab.bench.shared_inputs import Preparation
from ctxlab.bench.trials import Cell, failed, run_cell
from ctxlab.core.budgets import Budget
from ctxlab.core.cases import Case
from ctxlab.core.progress import progress as shown_progress
from ctxlab.core.specs import parse
from ctxlab.core.strategy import Strategy
from ctxlab.core.tokens import DEFAULT_ENCODING, resolve_encoding
from ctxlab.core.tools import Encoder
from ctxlab.errors import CtxlabError
from ctxlab.store.runs import Trial

if TYPE_CHECKING:
    from ctxlab.bench.results import Results
    from ctxlab.store import Store

# Enough to keep every core busy, few enough that only these cells are in memory twice.
_IN_FLIGHT = 4 * (os.cpu_count() or 1)
_DIED = "the worker process died (killed, or out of memory); run it alone or on a smaller case"


class Progress(Protocol):
    """What shows how far a run is: a context manager that gives an `advance`.

    Examples
    --------
    >>> from contextlib import nullcontext
    >>> progress: Progress = lambda total, label: nullcontext(lambda n=1: None)
    """

    def __call__(self, total: int, label: str, /) -> AbstractContextManager[Callable[[int], None]]:
        """Begin to show `total` things under `label`."""


class Grid:
    """Every combination of strategies, budgets, cases and seeds: one trial each.

    Parameters
    ----------
    strategies : iterable of Strategy or str
        As values, or as written: ``"BM25(neighbours=2) >> KeepLast()"``.
    budgets : iterable of Budget, int or str
        ``8000``, ``"8k"`` or ``"10%"``: tokens, or a share of what is not pinned.
    cases : iterable of Case
        The conversations, with the probes to ask.
    seeds : iterable of int
        Only strategies whose result depends on the seed run with more than the first.
    encoding : str
        The encoding, or model, whose tokens are counted.
    encoder : Encoder or str, optional
        For strategies that need one: a named encoder, or as `load_encoder` reads it, such as
        ``"onnx:models/minilm"``. Its vectors are kept in the store; a trial's seconds are
        without the time that encoding took.

    Raises
    ------
    CtxlabError
        When there is no strategy, budget, case or seed, or the encoder has no name.

    Examples
    --------
    >>> from ctxlab.core.segments import Message
    >>> from ctxlab.core.cases import Probe
    >>> case = Case("c", "d", (Message("m1", "user", "Hi"),), (Probe("p", "?", "Hi", ("m1",)),))
    >>> Grid(["KeepLast()", "RandomDrop()"], ["50%"], [case], seeds=(0, 1)).size
    3
    """

    def __init__(
        self,
        strategies: Iterable[Strategy | str],
        budgets: Iterable[Budget | int | str],
        cases: Iterable[Case],
        *,
        seeds: Iterable[int] = (0,),
        encoding: str = DEFAULT_ENCODING,
        encoder: Encoder | str | None = None,
        name: str = "experiment",
    ) -> None:
        self.strategies = tuple(dict.fromkeys(map(parse, strategies)))
        self.budgets = tuple(dict.fromkeys(map(Budget.parse, budgets)))
        self.cases, self.seeds = tuple(cases), tuple(seeds)
        self.encoding, self.name = resolve_encoding(encoding), name
        for what, values in self._parts().items():
            if not values:
                raise CtxlabError(f"the grid has no {what}; give at least one")
        self.encoder, encodes = _named(encoder)
        self._cells = [
            Cell(
                strategy,
                case,
                self.budgets,
                seed,
                self.encoding,
                encoder=encodes if _needs_encoder(strategy) else "",
            )
            for case in self.cases
            for strategy in self.strategies
            for seed in (self.seeds if strategy.traits.seeded else self.seeds[:1])
        ]

    def _parts(self) -> dict[str, Sized]:
        return {
            "strategies": self.strategies,
            "budgets": self.budgets,
            "cases": self.cases,
            "seeds": self.seeds,
        }

    @property
    def size(self) -> int:
        """Number of trials.

        Examples
        --------
        >>> Grid(["KeepLast()"], ["5%", "10%"], [Case("c", "d", ())]).size
        2
        """
        return sum(len(cell.budgets) for cell in self._cells)

    def __repr__(self) -> str:
        sizes = ", ".join(f"{len(values)} {what}" for what, values in self._parts().items())
        return f"Grid({sizes})"

    def run(
        self,
        store: Store | None = None,
        *,
        executor: Executor | None = None,
        progress: Progress = shown_progress,
    ) -> Results:
        """Run the trials that the store does not hold yet, and return all results.

        A failed trial is a row with its error, and the grid goes on. Only this process writes
        to the store. When it is interrupted, what is done is kept, and the next run goes on.

        Parameters
        ----------
        store : Store, optional
            Where trials are kept; one in memory when not given.
        executor : Executor, optional
            Any executor of `concurrent.futures`; by default loky on all cores. One that is
            given is not shut down, and a worker that dies in it fails what was in flight.
        progress : Progress
            Shows trials done, the rate and the time left, where there is a place to show them.

        Examples
        --------
        >>> from concurrent.futures import ThreadPoolExecutor
        >>> from ctxlab.core.segments import Message
        >>> from ctxlab.core.cases import Probe
        >>> case = Case("c", "d", (Message("m", "user", "Hi"),), (Probe("p", "?", "Hi", ("m",)),))
        >>> grid = Grid(["KeepLast()"], ["50%"], [case])
        >>> with ThreadPoolExecutor(1) as threads:
        ...     results = grid.run(executor=threads)
        >>> len(results.rows())
        1
        """
        from ctxlab.bench.results import Results
        from ctxlab.store import Store

        store = store or Store(":memory:")
        hashes = [key for cell in self._cells for key in cell.hashes()]
        experiment = store.add_experiment(self.name, self._spec(), hashes)
        known = store.known_trials(hashes)
        todo = _missing(self._cells, known)
        with progress(len(hashes), "trials") as advance:
            advance(len(hashes) - sum(len(cell.budgets) for cell in todo))
            prepare = Preparation(store, self.encoding, self.encoder)
            for trials in _compute(todo, prepare, executor):
                store.add_trials(trials)
                advance(len(trials))
        return Results.of(store, experiment, self.cases)

    def _spec(self) -> dict[str, object]:
        return {
            "strategies": [strategy.spec() for strategy in self.strategies],
            "budgets": [str(budget) for budget in self.budgets],
            "cases": [[case.dataset, case.id] for case in self.cases],
            "seeds": list(self.seeds),
            "encoding": self.encoding,
            **({"encoder": _named(self.encoder)[1]} if self.encoder else {}),
        }


def _named(encoder: Encoder | str | None) -> tuple[Encoder | None, str]:
    if encoder is None:
        return None, ""
    from ctxlab.models import encoder_name, load_encoder

    found = load_encoder(encoder)
    return found, encoder_name(found)


def _needs_encoder(strategy: Strategy) -> bool:
    return "encoder" in strategy.traits.needs.split(", ")


def _missing(cells: Sequence[Cell], known: set[str]) -> list[Cell]:
    """Return the cells with only those budgets whose trials are not stored."""
    left = []
    for cell in cells:
        new = [b for b, key in zip(cell.budgets, cell.hashes(), strict=True) if key not in known]
        if new:
            left.append(replace(cell, budgets=tuple(new)))
    return left


def _compute(
    cells: Iterable[Cell], prepare: Callable[[Cell], Cell], executor: Executor | None
) -> Iterator[list[Trial]]:
    """Yield the trials of each cell as it is done; those whose worker died come last."""
    from loky import ProcessPoolExecutor, get_reusable_executor

    queue, suspects = deque(cells), list[Cell]()
    while queue:
        yield from _drain(queue, prepare, executor or get_reusable_executor(), suspects)
        if executor is not None:
            suspects += queue
            break
    for cell in suspects:
        if executor is not None:
            yield _all_failed(cell, _DIED)
            continue
        # A dead worker takes along whatever was in flight: run each of those again by itself,
        # so that only the one that kills its worker fails.
        with ProcessPoolExecutor(1) as alone:
            yield _result(alone.submit(run_cell, prepare(cell), cell.hashes()), cell)


def _drain(
    queue: deque[Cell],
    prepare: Callable[[Cell], Cell],
    executor: Executor,
    suspects: list[Cell],
) -> Iterator[list[Trial]]:
    """Run cells of `queue` until it is empty or the executor breaks; then name the suspects."""
    flight: dict[Future[list[Trial]], Cell] = {}
    try:
        while queue or flight:
            while queue and len(flight) < _IN_FLIGHT:
                cell = queue[0]
                flight[executor.submit(run_cell, prepare(cell), cell.hashes())] = cell
                queue.popleft()
            for future in wait(flight, return_when=FIRST_COMPLETED).done:
                if isinstance(future.exception(), BrokenExecutor):
                    raise BrokenExecutor
                yield _result(future, flight.pop(future))
    except BrokenExecutor:
        suspects += flight.values() or [queue.popleft()]
    finally:
        for future in flight:
            future.cancel()


def _result(future: Future[list[Trial]], cell: Cell) -> list[Trial]:
    try:
        return future.result()
    except BrokenExecutor:
        return _all_failed(cell, _DIED)
    except Exception as error:  # noqa: BLE001 - what a worker cannot even begin is a row too
        return _all_failed(cell, f"{type(error).__name__}: {error}")


def _all_failed(cell: Cell, error: str) -> list[Trial]:
    keys = cell.hashes()
    return [failed(cell, b, key, error) for b, key in zip(cell.budgets, keys, strict=True)]
