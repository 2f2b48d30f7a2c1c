"""Bytes that rot: an error that names the way out, and a way out that works."""

from __future__ import annotations

import random
from pathlib import Path

from family_save import case
from harness import Log, Tally, Zygote

from ctxlab.errors import StoreError
from ctxlab.store import Store
from ctxlab.store.backup import restore

NAME = "corrupt bytes"
TRIES = (1, 10, 150)


def prepare(log: Log, path: str, saved: str) -> None:
    """Leave a store with a log, as after a crash, and a backup of what is in it."""
    store = Store(path)
    store.add_cases([case(number) for number in range(200)])
    store.backup(saved)
    store.close()
    store = Store(path)
    store.add_cases([case(number) for number in range(200, 230)])
    log.ack("ready", 0)
    for number in range(200):
        log.ack("case", number)


def read(log: Log, path: str) -> None:
    """Open what was damaged and read all of it, or be told."""
    with log.errors():
        with Store(path) as store:
            cases = list(store.cases())
            store.counts()
        log.ack("read", len(cases))


def mend(log: Log, path: str, saved: str) -> None:
    done = restore(saved, path, overwrite=True)
    log.ack("aside", str(done.aside))
    with Store(path) as store:
        for found in store.cases():
            log.ack("kept", int(found.id))
    try:
        restore(saved, path)
    except StoreError as error:
        log.error(error)


def damage(file: Path, draw: random.Random) -> None:
    content = bytearray(file.read_bytes())
    kind = draw.choice(["flip", "zero", "cut", "garbage", "empty", "swap"])
    place = draw.randrange(max(1, len(content)))
    length = draw.choice([1, 16, 512, 4096, 50_000])
    if kind == "flip":
        for _ in range(length):
            content[draw.randrange(len(content))] ^= 1 << draw.randrange(8)
    elif kind == "zero":
        content[place : place + length] = b"\0" * len(content[place : place + length])
    elif kind == "cut":
        del content[place:]
    elif kind == "garbage":
        content[place : place + length] = draw.randbytes(len(content[place : place + length]))
    elif kind == "empty":
        content.clear()
    else:
        content = content[place:] + content[:place]
    file.write_bytes(content)


def play(folder: Path, draw: random.Random, zygote: Zygote, tally: Tally) -> None:
    path, saved = folder / "lab.duckdb", folder / "saved.duckdb"
    made = zygote.start(prepare, path, saved).wait()
    log = Path(f"{path}.wal")
    damage(draw.choice([file for file in (path, path, log) if file.exists()]), draw)
    before = path.read_bytes()
    tally.hear(zygote.start(read, path).wait())
    run = zygote.start(mend, path, saved).wait()
    tally.hear(run)
    tally.check(made.acks("case"), run.acks("kept"), path)
    if run.acks("aside") not in ([], ["None"]):
        aside = Path(run.acks("aside")[0])
        tally.must(len(aside.read_bytes()) >= len(before), f"{path}: what was broken is gone")
