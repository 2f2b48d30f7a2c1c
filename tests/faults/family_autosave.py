"""Kill -9 while edits are saved by and by: what `flush` acknowledged is there."""

from __future__ import annotations

import random
from pathlib import Path

from harness import Log, Tally, Zygote

from ctxlab.store import Store
from ctxlab.workshop.autosave import AutoSaver
from ctxlab.workshop.workshops import Workshops

NAME = "kill -9, auto-save"
TRIES = (1, 3, 30)
STEPS = ("persona", "challenge", "concept")


def edit(log: Log, path: str, workshop: str, every: int) -> None:
    with Store(path) as store:
        saver = AutoSaver(store, delay=0.001, max_wait=0.01)
        for number in range(1, 100_000):
            for step in STEPS:
                saver.edit(workshop, step, {"n": number}, validate=False)
            if number % every == 0:
                saver.flush()
                for step in STEPS:
                    log.ack(step, number)


def play(folder: Path, draw: random.Random, zygote: Zygote, tally: Tally) -> None:
    path = folder / "lab.duckdb"
    with Store(path) as store:
        workshop = Workshops(store).create("Retro").id
    run = zygote.start(edit, path, workshop, draw.randint(1, 4))
    run.kill_after(draw.randint(1, 150), draw.random() * 0.02)
    tally.hear(run)
    with Store(path) as store:
        handle = Workshops(store).open(workshop)
        for step in STEPS:
            acknowledged = run.acks(step)
            history = handle.history(step)
            kept = [record.artifact["n"] for record in history]
            last = max(kept, default=0)
            # Several edits may have become one save: the newest state holds the older ones.
            tally.check(acknowledged, range(1, last + 1), f"{path} {step}")
            tally.must(kept == sorted(kept), f"{path}: an older edit over a newer one")
            versions = [record.version for record in history]
            tally.must(versions == list(range(1, len(versions) + 1)), f"{path}: {versions}")
