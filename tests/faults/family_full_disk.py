"""A disk that is full: said in words, nothing acknowledged is lost, and with room it goes on."""

from __future__ import annotations

import random
import resource
import signal
from pathlib import Path

from family_save import case
from harness import SHORT, Log, Tally, Zygote

from ctxlab.core.cases import Case
from ctxlab.core.segments import Message
from ctxlab.errors import StoreError
from ctxlab.store import Store
from ctxlab.workshop.autosave import AutoSaver
from ctxlab.workshop.workshops import Workshops

NAME = "full disk"
TRIES = (1, 4, 50)


def fill(log: Log, path: str, workshop: str, room: int, seed: int) -> None:
    """Save, import, edit and back up under a file-size limit, then with room again."""
    draw = random.Random(seed)
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    size = Path(path).stat().st_size
    unlimited = resource.RLIM_INFINITY
    resource.setrlimit(resource.RLIMIT_FSIZE, (size + room, unlimited))
    store = Store(path)
    saver = AutoSaver(store, delay=60)
    failed = 0
    for number in range(24 if SHORT else 120):
        if failed == 4:
            resource.setrlimit(resource.RLIMIT_FSIZE, (unlimited, unlimited))
        if failed >= 4 and number > 20:
            break
        try:
            work(log, store, saver, workshop, number, draw)
        except StoreError as error:
            log.error(error)
            failed += 1
            if failed == 2:
                # Opened again, it goes on as after a restart.
                with log.errors():
                    store.close()
                store = Store(path)
                saver = AutoSaver(store, delay=60)
    resource.setrlimit(resource.RLIMIT_FSIZE, (unlimited, unlimited))
    store.close()
    with Store(path) as store:
        store.add_cases([case("last")])
        log.ack("case", "last")


def work(
    log: Log, store: Store, saver: AutoSaver, workshop: str, number: int, draw: random.Random
) -> None:
    kind = draw.choice(["save"] * 4 + ["import", "edit"] * 2 + ["backup"])
    text = draw.randbytes(draw.choice([10, 1000, 30_000])).hex()
    if kind == "save":
        store.add_cases([Case(str(number), "d", (Message("m", "user", text),))])
        log.ack("case", str(number))
    elif kind == "import":
        ids = [f"{number}-{i}" for i in range(60)]
        store.add_cases(Case(i, "d", (Message("m", "user", text[:4000]),)) for i in ids)
        for i in ids:
            log.ack("case", i)
    elif kind == "edit":
        saver.edit(workshop, "persona", {"n": number, "text": text}, validate=False)
        saver.flush()
        log.ack("edit", number)
    else:
        store.backup(f"{store.path}.copy", overwrite=True)
        log.ack("saved", number)


def play(folder: Path, draw: random.Random, zygote: Zygote, tally: Tally) -> None:
    path = folder / "lab.duckdb"
    with Store(path) as store:
        workshop = Workshops(store).create("Retro").id
        store.add_cases([case("first")])
    seed = draw.randrange(2**32)
    run = zygote.start(fill, path, workshop, draw.randint(0, 3_000_000), seed).wait()
    tally.hear(run)
    with Store(path) as store:
        tally.check(["first", *run.acks("case")], (c.id for c in store.cases()), path)
        history = Workshops(store).open(workshop).history("persona")
        tally.check(run.acks("edit"), (r.artifact["n"] for r in history), path)
    if run.acks("saved"):
        with Store(f"{path}.copy") as copy:
            tally.must(any(copy.cases(ids=["first"])), f"{path}: the backup")
    left = [file.name for file in folder.iterdir() if "making" in file.name]
    tally.must(not left, f"{folder}: {left}")
