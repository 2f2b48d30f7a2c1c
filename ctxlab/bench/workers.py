"""Cells over worker processes: in batches, each failure caught, dead workers survived."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, BrokenExecutor, Executor, Future, wait
from functools import partial

from ctxlab.bench.limits import Limits
from ctxlab.bench.trials import Cell, run_cells
from ctxlab.store.runs import Trial

# Enough to keep every core busy, few enough that only these cells are in memory twice.
_IN_FLIGHT = 4 * (os.cpu_count() or 1)
_Work = Callable[[Sequence[Cell]], list[Trial]]
_GRACE = 15.0
"""Seconds beyond its limits after which a batch is taken to hang."""
_BATCH_CELLS = 32
_BATCH_MESSAGES = 500
"""A batch ends with the cell that passes one of these: small cases travel together."""
_DIED = "the worker process died (killed, or out of memory); run it alone or on a smaller case"


def compute(
    cells: Iterable[Cell],
    prepare: Callable[[Cell], Cell],
    executor: Executor | None,
    limits: Limits = Limits(),  # noqa: B008 - frozen
) -> Iterator[list[Trial]]:
    """Yield the trials of cells as they are done; those whose worker died come last.

    Parameters
    ----------
    cells : iterable of Cell
        The work.
    prepare : callable
        Adds to a cell what the parent process works out for it.
    executor : Executor, optional
        Loky on all cores when not given.
    limits : Limits
        Of one trial.

    Examples
    --------
    >>> list(compute([], lambda cell: cell, None))
    []
    """
    from loky import get_reusable_executor

    queue = deque(batches(cells))
    suspects = list[Cell]()
    work = partial(run_cells, limits=limits)
    while queue:
        pool = executor or get_reusable_executor()
        yield from _Flight(pool, work, prepare, limits, own=executor is None).run(queue, suspects)
        if executor is not None:
            suspects += (cell for batch in queue for cell in batch)
            break
    if executor is not None:
        yield from (cell.failed(_DIED) for cell in suspects)
    else:
        # A dead worker takes along whatever was in flight: run each of those again by itself,
        # so that only the one that kills its worker fails.
        yield from _alone(suspects, work, prepare, limits)


def _alone(
    cells: Sequence[Cell], work: _Work, prepare: Callable[[Cell], Cell], limits: Limits
) -> Iterator[list[Trial]]:
    """Run one cell after the other, in a worker that is made anew only where one broke it."""
    from loky import ProcessPoolExecutor

    pool = None
    try:
        for cell in cells:
            pool = pool or ProcessPoolExecutor(1)
            future = pool.submit(work, [prepare(cell)])
            yield _result(future, [cell], _patience([cell], limits))
            if not future.done() or future.exception() is not None:
                pool.shutdown(wait=True, kill_workers=True)
                pool = None
    finally:
        if pool is not None:
            pool.shutdown(wait=True, kill_workers=True)


def _patience(batch: Sequence[Cell], limits: Limits) -> float | None:
    """Return the seconds after which a batch hangs where no signal reaches it."""
    if limits.seconds is None:
        return None
    return _GRACE + limits.seconds * sum(len(cell.cuts) for cell in batch)


def batches(cells: Iterable[Cell]) -> Iterator[list[Cell]]:
    """Yield cells in batches that are worth a message to a worker.

    Examples
    --------
    >>> list(batches([]))
    []
    """
    batch: list[Cell] = []
    messages = 0
    for cell in cells:
        batch.append(cell)
        messages += len(cell.case.messages)
        if len(batch) >= _BATCH_CELLS or messages >= _BATCH_MESSAGES:
            yield batch
            batch, messages = [], 0
    if batch:
        yield batch


class _Flight:
    """Batches on their way through an executor, until it breaks or hangs."""

    def __init__(
        self,
        executor: Executor,
        work: _Work,
        prepare: Callable[[Cell], Cell],
        limits: Limits,
        *,
        own: bool,
    ) -> None:
        self._executor, self._work, self._prepare = executor, work, prepare
        self._limits, self._own = limits, own
        self._flight: dict[Future[list[Trial]], list[Cell]] = {}

    def run(self, queue: deque[list[Cell]], suspects: list[Cell]) -> Iterator[list[Trial]]:
        """Run batches of `queue` until it is empty or the executor breaks; name the suspects."""
        whole = False
        try:
            while queue or self._flight:
                self._fill(queue)
                done = wait(self._flight, self._patience(), FIRST_COMPLETED).done
                if not done or any(isinstance(f.exception(), BrokenExecutor) for f in done):
                    break
                for future in done:
                    yield _result(future, self._flight.pop(future))
            whole = not self._flight
        except BrokenExecutor:
            pass
        finally:
            if not whole:
                self._give_up(queue, suspects)

    def _fill(self, queue: deque[list[Cell]]) -> None:
        while queue and len(self._flight) < _IN_FLIGHT:
            cells = [self._prepare(cell) for cell in queue[0]]
            self._flight[self._executor.submit(self._work, cells)] = queue[0]
            queue.popleft()

    def _patience(self) -> float | None:
        """Return how long nothing may be heard of what is in flight."""
        waits = [_patience(batch, self._limits) for batch in self._flight.values()]
        known = [seconds for seconds in waits if seconds is not None]
        return max(known) if len(known) == len(waits) else None

    def _give_up(self, queue: deque[list[Cell]], suspects: list[Cell]) -> None:
        lost = [*self._flight.values()] or ([queue.popleft()] if queue else [])
        suspects += (cell for batch in lost for cell in batch)
        if not self._own:
            for future in self._flight:
                future.cancel()
        else:
            self._executor.shutdown(wait=True, kill_workers=True)  # type: ignore[call-arg]


def _result(
    future: Future[list[Trial]], batch: Sequence[Cell], patience: float | None = None
) -> list[Trial]:
    try:
        return future.result(patience)
    except BrokenExecutor:
        text = _DIED
    except TimeoutError:
        text = "time limit: it hung where no signal reaches it, and its worker was killed"
    except Exception as error:  # noqa: BLE001 - what a worker cannot even begin is a row too
        text = f"{type(error).__name__}: {error}"
    return [trial for cell in batch for trial in cell.failed(text)]
