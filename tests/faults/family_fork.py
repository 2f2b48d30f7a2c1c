"""Children that are forked while a store is open: they cost their parent nothing."""

from __future__ import annotations

import atexit
import gc
import multiprocessing
import os
import random
import signal
import sys
import threading
import time
from pathlib import Path
from typing import NoReturn

from family_save import case
from harness import SHORT, Log, Tally, Zygote

from ctxlab.store import Store
from ctxlab.workshop.autosave import AutoSaver
from ctxlab.workshop.workshops import Workshops

NAME = "fork"
TRIES = (1, 4, 40)
KINDS = ("exit", "closing", "within", "pool", "thread", "auto-saver")


def ended(log: Log, child: int) -> None:
    end = time.monotonic() + 20
    while time.monotonic() < end:
        if os.waitpid(child, os.WNOHANG)[0]:
            return
        time.sleep(0.002)
    os.kill(child, signal.SIGKILL)
    log.ack("error", "HANGS: a forked child")


def parent(log: Log, path: str, kind: str, first: int) -> None:
    store = Store(path)
    numbers = iter(range(first, first + 100_000))

    def add(count: int) -> None:
        for _ in range(count):
            number = next(numbers)
            store.add_cases([case(number)])
            log.ack("case", number)

    add(20)
    if kind == "pool":
        with multiprocessing.get_context("fork").Pool(2) as pool:
            for told in pool.map(_job, [(store.path, n) for n in range(4)]):
                log.ack("error", told)
    elif kind == "within":
        with store.db.write():
            ended(log, _forked(store, closing=False))
    elif kind == "thread":
        thread = threading.Thread(target=add, args=(60,))
        thread.start()
        for _ in range(5):
            ended(log, _forked(store, closing=False))
        thread.join()
    elif kind == "auto-saver":
        saver = AutoSaver(store, delay=0.01)
        workshop = Workshops(store).create("Retro").id
        saver.edit(workshop, "persona", {"n": 1}, validate=False)
        ended(log, _forked(store, closing=False))
        saver.flush()
        log.ack("edit", workshop)
    else:
        ended(log, _forked(store, closing=kind == "closing"))
    add(40)
    os.kill(os.getpid(), signal.SIGKILL)


def _forked(store: Store, *, closing: bool) -> int:
    process = os.fork()
    if process == 0:
        _end_as_python_ends(store, closing=closing)
    return process


def _end_as_python_ends(store: Store, *, closing: bool) -> NoReturn:
    """Run the exit handlers and tear the modules down, as at the end of a script."""
    leave, collect = os._exit, gc.collect
    if closing:
        store.close()
    del store
    atexit._run_exitfuncs()
    collect()
    for module in [m for n, m in sys.modules.items() if n.startswith(("family_", "ctxlab"))]:
        module.__dict__.clear()
    collect()
    leave(0)


def _job(work: tuple[str, int]) -> str:
    path, number = work
    try:
        with Store(path) as store:
            store.add_cases([case(-number)])
    except Exception as error:  # noqa: BLE001 - told to the parent
        return f"{type(error).__name__}: {error}"
    return "no error: a child wrote to its parent's file"


def play(folder: Path, draw: random.Random, zygote: Zygote, tally: Tally) -> None:
    path = folder / "lab.duckdb"
    cases: list[int] = []
    for _ in range(1 if SHORT else 2):
        kind = draw.choice(KINDS)
        run = zygote.start(parent, path, kind, 1000 * (len(cases) + 1)).wait()
        tally.hear(run)
        cases += run.acks("case")
        with Store(path) as store:
            kept = [int(found.id) for found in store.cases()]
            tally.check(run.acks("case"), kept, f"{path} {kind}")
            tally.must(len(kept) == len(set(kept)), f"{path}: a unique index is broken")
            for workshop in run.acks("edit"):
                record = Workshops(store).open(workshop).artifact("persona")
                tally.must(record and record.artifact == {"n": 1}, f"{path}: the edit")
    tally.must(set(cases) <= set(kept), f"{path}: older cases")
