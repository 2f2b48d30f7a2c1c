"""Two processes and one file: writers that take turns, while others back up and restore."""

from __future__ import annotations

import random
import time
from pathlib import Path

from family_save import case
from harness import SHORT, Log, Tally, Zygote

from ctxlab.errors import StoreLockedError
from ctxlab.store import Store
from ctxlab.store.attaching import identity
from ctxlab.store.backup import restore

NAME = "two processes"
TRIES = (1, 3, 25)
MOST = 3 if SHORT else 12


def write(log: Log, path: str, who: str, turns: int) -> None:
    done = 0
    while done < turns:
        try:
            with Store(path) as store:
                held = identity(Path(path))
                for i in range(4):
                    store.add_cases([case(f"{who}-{done}-{i}")])
                    log.ack("case", f"{who}-{done}-{i}")
                log.ack("own", [held == identity(Path(path)), time.monotonic()])
                done += 1
        except StoreLockedError as error:
            log.error(error)
        time.sleep(0.003)


def swap(log: Log, path: str, saved: str, turns: int) -> None:
    done = 0
    while done < turns:
        try:
            restore(saved, path, overwrite=True)
            log.ack("swapped", time.monotonic())
            done += 1
        except StoreLockedError as error:
            log.error(error)
        time.sleep(0.003)


def copy(log: Log, path: str, target: str, turns: int) -> None:
    """Back up a store of its own onto the file of the others."""
    with Store(path) as store:
        done = 0
        while done < turns:
            try:
                store.backup(target, overwrite=True)
                log.ack("swapped", time.monotonic())
                done += 1
            except StoreLockedError as error:
                log.error(error)
            time.sleep(0.003)


def play(folder: Path, draw: random.Random, zygote: Zygote, tally: Tally) -> None:
    path, saved = folder / "lab.duckdb", folder / "saved.duckdb"
    with Store(path) as store:
        store.backup(saved)
    # Writers alone: everything is there.
    writers = [zygote.start(write, path, who, draw.randint(2, MOST)) for who in "ab"]
    for run in writers:
        tally.hear(run.wait())
    with Store(path) as store:
        kept = {found.id for found in store.cases()}
    for run in writers:
        tally.check(run.acks("case"), kept, path)
    # With somebody who replaces the file: what was written since is there, and nobody's file
    # was taken away while he had it open.
    writer = zygote.start(write, path, "c", draw.randint(MOST // 2, MOST))
    work = draw.choice([swap, copy])
    source = saved if work is swap else folder / "mine.duckdb"
    arguments = (path, saved) if work is swap else (source, path)
    other = zygote.start(work, *arguments, draw.randint(1, MOST // 2))
    for run in (writer, other):
        tally.hear(run.wait())
    last = max(other.acks("swapped"), default=0.0)
    since = []
    for place, (own, when) in enumerate(writer.acks("own")):
        tally.must(own, f"{path}: replaced while it was open")
        if when > last:
            since += [f"c-{place}-{i}" for i in range(4)]
    with Store(path) as store:
        tally.check(since, (found.id for found in store.cases()), path)
