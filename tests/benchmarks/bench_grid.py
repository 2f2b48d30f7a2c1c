"""The grid of all core strategies on LoCoMo dev: 4 budgets, 622 questions, time and memory.

Run ``CTXLAB_DATA_DIR=… uv run python tests/benchmarks/bench_grid.py``; goal: under 3 minutes on
2 cores, under 1 GB.
"""

from __future__ import annotations

import resource
import time

from ctxlab.datasets import load
from ctxlab.experiments import Grid
from ctxlab.store import Store
from ctxlab.strategies import CORE


def main() -> None:
    cases = load("locomo")
    with Store(":memory:") as store:
        grid = Grid(CORE, ["5%", "10%", "25%", "50%"], cases)
        start = time.perf_counter()
        rows = grid.run(store).rows()
        first = time.perf_counter() - start
        start = time.perf_counter()
        grid.run(store)
        again = time.perf_counter() - start
    parent = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3
    worker = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1e3
    print(f"{len(rows)} cells in {first:.1f} s; again, from the store, {again:.2f} s")
    print(f"largest process: parent {parent:.0f} MB, worker {worker:.0f} MB")


if __name__ == "__main__":
    main()
