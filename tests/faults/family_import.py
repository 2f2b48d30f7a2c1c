"""Kill -9 during bulk imports: a batch is there whole, or not at all."""

from __future__ import annotations

import random
from collections import Counter
from pathlib import Path

from harness import Log, Tally, Zygote

from ctxlab.core.cases import Case
from ctxlab.core.segments import Message
from ctxlab.store import Store

NAME = "kill -9, import"
TRIES = (1, 3, 25)
SIZE = 150


def batch(number: int) -> list[Case]:
    return [
        Case(f"{number}-{i}", str(number), (Message("m", "user", f"{i} " * 90),))
        for i in range(SIZE)
    ]


def import_(log: Log, path: str) -> None:
    with Store(path) as store:
        for number in range(100_000):
            store.add_cases(batch(number))
            log.ack("batch", number)


def play(folder: Path, draw: random.Random, zygote: Zygote, tally: Tally) -> None:
    path = folder / "lab.duckdb"
    run = zygote.start(import_, path)
    run.kill_after(draw.randint(1, 12), draw.random() * 0.05)
    tally.hear(run)
    with Store(path) as store:
        found = Counter(int(case.id.split("-")[0]) for case in store.cases())
        counts = store.counts()
    wanted = [f"{number}-{i}" for number in run.acks("batch") for i in range(SIZE)]
    tally.check(wanted, (f"{n}-{i}" for n, size in found.items() for i in range(size)), path)
    tally.must(set(found.values()) <= {SIZE}, f"{path}: half a batch: {found}")
    sizes = {counts.get(name, 0) for name in ("cases", "workshops", "chat_messages", "sessions")}
    tally.must(len(sizes) == 1, f"{path}: tables that do not fit: {counts}")
