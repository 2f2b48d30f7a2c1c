"""Kill -9 at any moment of saves: conversations one by one, artifacts with their versions."""

from __future__ import annotations

import random
from pathlib import Path

from harness import SHORT, Log, Tally, Zygote

from ctxlab.core.cases import Case
from ctxlab.core.segments import Message
from ctxlab.store import Store
from ctxlab.workshop.workshops import Workshops

NAME = "kill -9, save"
TRIES = (1, 3, 30)
ROUNDS = 1 if SHORT else 3
"""Times that one file is killed and opened again."""


def case(number: object) -> Case:
    return Case(str(number), "d", (Message("m", "user", f"{number} " * 40),))


def save(log: Log, path: str, first: int, workshop: str) -> None:
    with Store(path) as store:
        handle = Workshops(store).open(workshop)
        record = handle.artifact("persona")
        version = record.version if record else 0
        for number in range(first, first + 100_000):
            store.add_cases([case(number)])
            log.ack("case", number)
            for _ in range(3):
                new = {"n": number, "text": "x" * (number % 997)}
                version = handle.save_artifact(
                    "persona", new, expected_version=version, validate=False
                ).version
                log.ack("version", version)


def play(folder: Path, draw: random.Random, zygote: Zygote, tally: Tally) -> None:
    path = folder / "lab.duckdb"
    with Store(path) as store:
        workshop = Workshops(store).create("Retro").id
    cases: list[int] = []
    versions: list[int] = []
    for _ in range(ROUNDS):
        run = zygote.start(save, path, max(cases, default=0) + 2, workshop)
        run.kill_after(draw.randint(1, 40 if SHORT else 120), draw.random() * 0.01)
        tally.hear(run)
        cases += run.acks("case")
        versions += run.acks("version")
        with Store(path) as store:
            tally.check(run.acks("case"), (int(c.id) for c in store.cases()), path)
            history = Workshops(store).open(workshop).history("persona")
            kept = [record.version for record in history]
            tally.check(run.acks("version"), kept, path)
            tally.must(kept == list(range(1, len(kept) + 1)), f"{path}: versions {kept[-5:]}")
            tally.must(set(cases) <= {int(c.id) for c in store.cases()}, f"{path}: older cases")
            tally.must(len(kept) <= len(versions) + 1 + ROUNDS, f"{path}: what was never asked")
