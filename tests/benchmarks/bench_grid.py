"""The grid of all core strategies on LoCoMo dev: 4 budgets, 622 questions, time and memory.

Run ``CTXLAB_DATA_DIR=… uv run python tests/benchmarks/bench_grid.py``; goal: under 3 minutes on
2 cores, under 1 GB.
"""

from __future__ import annotations

import re
import time
from pathlib import Path

import psutil

from ctxlab.bench.grid import Grid
from ctxlab.datasets import load
from ctxlab.store import Store
from ctxlab.strategies import CORE


def peak(pid: int) -> float:
    """Return the most memory that a process has had, in MB, as Linux kept it."""
    status = Path(f"/proc/{pid}/status").read_text()
    return int(re.findall(r"VmHWM:\s+(\d+) kB", status)[0]) / 1e3


def main() -> None:
    cases = load("locomo:dev")
    with Store(":memory:") as store:
        grid = Grid(CORE, ["5%", "10%", "25%", "50%"], cases)
        start = time.perf_counter()
        rows = grid.run(store).rows()
        first = time.perf_counter() - start
        start = time.perf_counter()
        grid.run(store)
        again = time.perf_counter() - start
    process = psutil.Process()
    workers = [peak(child.pid) for child in process.children(recursive=True)]
    print(f"{len(rows)} cells in {first:.1f} s; again, from the store, {again:.2f} s")
    each = ", ".join(f"{megabytes:.0f}" for megabytes in workers)
    print(f"at their peak: parent {peak(process.pid):.0f} MB, workers {each} MB (loky keeps them)")


if __name__ == "__main__":
    main()
