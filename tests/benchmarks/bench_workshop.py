"""A step assembled out of a store of 1,000 workshops, without loading the tokenizer.

Run ``uv run python tests/benchmarks/bench_workshop.py``; goal: under 10 ms warm.
"""

from __future__ import annotations

import statistics
import tempfile
import time
from dataclasses import replace
from pathlib import Path

from ctxlab.core.tokens import TokenCounter
from ctxlab.datasets import bundled_dir, load_workshop
from ctxlab.store import Store
from ctxlab.workshop.assembly import assemble
from ctxlab.workshop.workshops import Workshops


def main() -> None:
    file = load_workshop(bundled_dir() / "workshops/market-surplus.json")
    short = replace(
        file,
        probes=(),
        steps=tuple(replace(step, messages=step.messages[:30]) for step in file.steps),
    )
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "lab.duckdb"
        with Store(path) as store, store.db.write():
            ids = [Workshops(store).add(replace(short, id=f"w{i}")).id for i in range(1000)]
        with Store(path, counter=TokenCounter()) as store:
            assemble(store, ids[0], "validate")
            taken = []
            for workshop in ids[1:60]:
                start = time.perf_counter()
                assemble(store, workshop, "validate")
                taken.append(time.perf_counter() - start)
            loaded = store.counter._count_new is not None
    print(f"assemble out of 1,000 workshops: {1e3 * statistics.median(taken):.2f} ms  < 10 ms")
    print(f"tokenizer loaded: {'yes' if loaded else 'no'}")


if __name__ == "__main__":
    main()
