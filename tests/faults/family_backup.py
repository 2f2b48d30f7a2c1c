"""Kill -9 during backups and restores: a file that has its name is whole."""

from __future__ import annotations

import random
from pathlib import Path

from family_save import case
from harness import Log, Tally, Zygote

from ctxlab.store import Store
from ctxlab.store.backup import restore

NAME = "kill -9, backup and restore"
TRIES = (1, 3, 40)


def back_up(log: Log, path: str, target: str) -> None:
    with Store(path) as store:
        for number in range(100_000):
            store.add_cases([case(number)])
            log.ack("case", number)
            store.backup(target, overwrite=True)
            log.ack("saved", number)


def put_back(log: Log, path: str, saved: list[str]) -> None:
    for number in range(100_000):
        restore(saved[number % len(saved)], path, overwrite=True)
        log.ack("restored", number)


def numbers(path: Path) -> list[int]:
    with Store(path) as store:
        return sorted(int(found.id) for found in store.cases())


def play(folder: Path, draw: random.Random, zygote: Zygote, tally: Tally) -> None:
    path, target = folder / "lab.duckdb", folder / "saved.duckdb"
    run = zygote.start(back_up, path, target)
    run.kill_after(draw.randint(1, 24), draw.random() * 0.1)
    tally.hear(run)
    tally.check(run.acks("case"), numbers(path), path)
    if run.acks("saved"):
        # The newest backup that was acknowledged, or the one that came after it.
        found = numbers(target)
        last = max(run.acks("saved"))
        tally.check(run.acks("saved"), found, target)
        tally.must(found in ([*range(last + 1)], [*range(last + 2)]), f"{target}: {found}")
    other = folder / "other.duckdb"
    with Store(other) as store:
        store.add_cases([case(number) for number in range(1000, 1010)])
    with Store(path) as store:
        store.backup(folder / "first.duckdb")
    states = [numbers(folder / "first.duckdb"), numbers(other)]
    run = zygote.start(put_back, path, [str(other), str(folder / "first.duckdb")])
    run.kill_after(draw.randint(0, 10), draw.random() * 0.1)
    tally.hear(run)
    tally.must(numbers(path) in states, f"{path}: {numbers(path)}")
    with Store(path) as store:
        store.backup(target, overwrite=True)
    restore(other, path, overwrite=True)
    left = [file.name for file in folder.iterdir() if "making" in file.name]
    tally.must(not left, f"{folder}: {left}")
