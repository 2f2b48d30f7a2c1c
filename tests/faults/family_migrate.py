"""Kill -9 and a full disk during migrations that add, drop, rename and retype columns."""

from __future__ import annotations

import random
import resource
import signal
from pathlib import Path

from family_save import case
from harness import Log, Tally, Zygote

from ctxlab.store import Store, migrate
from ctxlab.store.migrate import Migration

NAME = "kill -9 and full disk, migrate"
TRIES = (1, 6, 60)
OLD = migrate.migrations()
ROWS = (
    "INSERT INTO notes (n, t, j) SELECT i, md5(i::VARCHAR), json_object('a', i) "
    "FROM range({0}, {0} + 3000) r(i)"
)
STEPS = [
    "CREATE TABLE notes (n INTEGER, t VARCHAR, j JSON CHECK (json_type(j) = 'OBJECT'))",
    "ALTER TABLE notes ADD COLUMN extra VARCHAR DEFAULT 'e'; " + ROWS.format(0),
    "ALTER TABLE notes RENAME COLUMN t TO text; ALTER TABLE notes RENAME COLUMN text TO t",
    "ALTER TABLE notes ALTER n TYPE BIGINT; " + ROWS.format(3000),
    "ALTER TABLE notes DROP COLUMN extra",
    "ALTER TABLE notes ADD COLUMN k JSON; UPDATE notes SET k = j",
    "ALTER TABLE notes ALTER t TYPE JSON USING to_json(t); " + ROWS.format(6000).replace(
        "md5(i::VARCHAR)", "to_json(md5(i::VARCHAR))"
    ),
    "ALTER TABLE notes ALTER n SET NOT NULL; ALTER TABLE notes ALTER n SET DEFAULT 0",
    "COMMENT ON COLUMN notes.n IS 'a number'; ALTER TABLE notes DROP COLUMN k",
    "ALTER TABLE notes ADD PRIMARY KEY (n); ALTER TABLE workshops ADD COLUMN colour VARCHAR",
]  # fmt: skip


def know(steps: int) -> None:
    """Let ctxlab ship so many further migrations."""
    first = len(OLD) + 1
    new = tuple(Migration(first + i, f"new{i}", sql) for i, sql in enumerate(STEPS[:steps]))
    migrate.migrations = lambda: OLD + new


def update(log: Log, path: str, room: int | None) -> None:
    """Migrate step by step, as one version after the other would, and save in between."""
    if room is not None:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        limit = Path(path).stat().st_size + room
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
    with log.errors():
        for steps in range(len(STEPS) + 1):
            know(steps)
            with Store(path) as store:
                log.ack("step", steps)
                for number in range(3):
                    if not any(store.cases(ids=[f"{steps}-{number}"])):
                        store.add_cases([case(f"{steps}-{number}")])
                    log.ack("case", f"{steps}-{number}")


def finish(log: Log, path: str, steps: int) -> None:
    know(len(STEPS))
    with Store(path) as store:
        for found in store.cases():
            log.ack("kept", found.id)
        log.ack("notes", store.db.rows("SELECT count(*), count(DISTINCT n), count(t) FROM notes"))
        log.ack("done", store.db.rows("SELECT count(*) FROM schema_migrations")[0][0])


def play(folder: Path, draw: random.Random, zygote: Zygote, tally: Tally) -> None:
    path = folder / "lab.duckdb"
    Store(path).close()
    full = draw.random() < 0.4
    run = zygote.start(update, path, draw.randint(0, 900_000) if full else None)
    if full:
        run.wait()
    else:
        run.kill_after(draw.randint(0, 4 * len(STEPS)), draw.random() * 0.02)
    tally.hear(run)
    end = zygote.start(finish, path, max(run.acks("step"), default=0)).wait()
    tally.hear(end)
    tally.check(run.acks("case"), end.acks("kept"), path)
    tally.must(end.acks("done") == [len(OLD) + len(STEPS)], f"{path}: {end.errors()}")
    tally.must(end.acks("notes") == [[[9000, 9000, 9000]]], f"{path}: {end.acks('notes')}")
