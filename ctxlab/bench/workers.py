"""Cells over worker processes: in batches, each failure caught, dead workers survived."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, BrokenExecutor, Executor, Future, wait

from ctxlab.bench.trials import Cell, run_cells
from ctxlab.store.runs import Trial

# Enough to keep every core busy, few enough that only these cells are in memory twice.
_IN_FLIGHT = 4 * (os.cpu_count() or 1)
_BATCH_CELLS = 32
_BATCH_MESSAGES = 500
"""A batch ends with the cell that passes one of these: small cases travel together."""
_DIED = "the worker process died (killed, or out of memory); run it alone or on a smaller case"


def compute(
    cells: Iterable[Cell], prepare: Callable[[Cell], Cell], executor: Executor | None
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

    Examples
    --------
    >>> list(compute([], lambda cell: cell, None))
    []
    """
    from loky import ProcessPoolExecutor, get_reusable_executor

    queue = deque(batches(cells))
    suspects = list[Cell]()
    while queue:
        yield from _drain(queue, prepare, executor or get_reusable_executor(), suspects)
        if executor is not None:
            suspects += (cell for batch in queue for cell in batch)
            break
    for cell in suspects:
        if executor is not None:
            yield cell.failed(_DIED)
            continue
        # A dead worker takes along whatever was in flight: run each of those again by itself,
        # so that only the one that kills its worker fails.
        with ProcessPoolExecutor(1) as alone:
            yield _result(alone.submit(run_cells, [prepare(cell)]), [cell])


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


def _drain(
    queue: deque[list[Cell]],
    prepare: Callable[[Cell], Cell],
    executor: Executor,
    suspects: list[Cell],
) -> Iterator[list[Trial]]:
    """Run batches of `queue` until it is empty or the executor breaks; then name the suspects."""
    flight: dict[Future[list[Trial]], list[Cell]] = {}
    try:
        while queue or flight:
            while queue and len(flight) < _IN_FLIGHT:
                batch = queue[0]
                flight[executor.submit(run_cells, [prepare(cell) for cell in batch])] = batch
                queue.popleft()
            for future in wait(flight, return_when=FIRST_COMPLETED).done:
                if isinstance(future.exception(), BrokenExecutor):
                    raise BrokenExecutor
                yield _result(future, flight.pop(future))
    except BrokenExecutor:
        suspects += (cell for batch in flight.values() or [queue.popleft()] for cell in batch)
    finally:
        for future in flight:
            future.cancel()


def _result(future: Future[list[Trial]], batch: Sequence[Cell]) -> list[Trial]:
    try:
        return future.result()
    except BrokenExecutor:
        return [trial for cell in batch for trial in cell.failed(_DIED)]
    except Exception as error:  # noqa: BLE001 - what a worker cannot even begin is a row too
        text = f"{type(error).__name__}: {error}"
        return [trial for cell in batch for trial in cell.failed(text)]
