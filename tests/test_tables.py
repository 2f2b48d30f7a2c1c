"""Tables are declared once: the catalogues agree, rows go by name, a new column is one line."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from dataclasses import fields
from pathlib import Path

import duckdb
import numpy as np
import psycopg
import pytest

import ctxlab
from ctxlab.core.cases import Case, Probe
from ctxlab.core.segments import Message, ToolCall
from ctxlab.core.steps import ArtifactRecord
from ctxlab.errors import StoreError
from ctxlab.export import export
from ctxlab.models.cached_encoder import CachedEncoder
from ctxlab.store import Store
from ctxlab.store.column import INTEGER, TEXT, Column
from ctxlab.store.connection import Database
from ctxlab.store.migrate import tables as migrated
from ctxlab.store.reading import MESSAGES
from ctxlab.store.records import Records
from ctxlab.store.table import Table
from ctxlab.store.table_changes import migration, write_migration
from ctxlab.store.tables import PROBES, PRODUCTION, TABLES
from ctxlab.workshop.artifacts import ARTIFACTS
from ctxlab.workshop.life_cycle import StepStatus
from ctxlab.workshop.summaries import SUMMARIES, SummaryEvent, SummaryRecord
from ctxlab.workshop.workshops import Workshops

EVERY = pytest.mark.parametrize("table", TABLES.values(), ids=TABLES)
SHARED = pytest.mark.parametrize("table", PRODUCTION.values(), ids=PRODUCTION)
"""Tables of runs, which `ctxlab.store.runs` still writes by itself."""


def catalogue(connection: duckdb.DuckDBPyConnection, table: Table) -> list[list[tuple]]:
    """Return what DuckDB says of a table: its columns in order, and its constraints."""
    columns = connection.execute(
        "SELECT column_name, data_type, is_nullable, column_default FROM duckdb_columns() "
        "WHERE table_name = ? ORDER BY column_index",
        [table.name],
    ).fetchall()
    constraints = connection.execute(
        "SELECT constraint_type, constraint_text, constraint_column_names "
        "FROM duckdb_constraints() WHERE table_name = ? ORDER BY ALL",
        [table.name],
    ).fetchall()
    return [columns, constraints]


@EVERY
def test_the_migrations_make_what_is_declared(table, tmp_path):
    """Names, order, types, nullability, defaults, checks and keys, in a fresh file."""
    with Database(tmp_path / "lab.duckdb") as db, db.reading() as store:
        made = catalogue(store, table)
    kinds = [(c.name, c.kind.duckdb, c.optional, c.default) for c in table.columns]
    assert made[0] == kinds
    with duckdb.connect() as bare:
        bare.execute(table.create())
        assert catalogue(bare, table) == made


def test_every_table_is_declared():
    """Whatever the migrations make, but for the tables of runs; parents stand before children."""
    assert {name for name in migrated() if name not in TABLES} == set()
    assert set(TABLES) <= set(migrated())
    order = list(TABLES)
    for table in TABLES.values():
        assert all(order.index(p.table) < order.index(table.name) for p in table.parents)
        assert all(set(p.key) <= set(TABLES[p.table].names) for p in table.parents)


@pytest.fixture(scope="module")
def production(postgres, tmp_path_factory):
    """Return a connection to a PostgreSQL database with the exported tables."""
    (script,) = export(None, "postgres", tmp_path_factory.mktemp("ddl"))
    with psycopg.connect(postgres, autocommit=True) as connection:
        connection.execute("DROP SCHEMA IF EXISTS declared CASCADE; CREATE SCHEMA declared")
        connection.execute("SET search_path TO declared")
        connection.execute(script.read_text())
        yield connection
        connection.execute("DROP SCHEMA declared CASCADE")


@SHARED
def test_postgres_has_the_declared_columns(table, production):
    """Names, order, types, nullability and defaults, in PostgreSQL's own catalogue."""
    rows = production.execute(
        "SELECT attname, format_type(atttypid, NULL), NOT attnotnull, pg_get_expr(adbin, adrelid) "
        "FROM pg_attribute LEFT JOIN pg_attrdef ON adrelid = attrelid AND adnum = attnum "
        "WHERE attrelid = %s::regclass AND attnum > 0 ORDER BY attnum",
        [table.name],
    ).fetchall()
    found = [(*row, default and default.split("::")[0]) for *row, default in rows]
    wanted = [(c.name, c.kind.postgres, c.optional, c.default) for c in table.columns]
    assert found == wanted


@SHARED
def test_postgres_has_the_declared_constraints(table, production):
    """Keys, owners whose deletion cascades, and a named check for each that is declared."""
    rows = production.execute(
        "SELECT contype::text, conname, pg_get_constraintdef(oid) FROM pg_constraint "
        "WHERE conrelid = %s::regclass AND contype IN ('p', 'u', 'f', 'c')",
        [table.name],
    ).fetchall()
    texts = {kind: [t for k, _, t in rows if k == kind] for kind in "pufc"}
    first, *others = table.keys
    assert texts["p"] == [f"PRIMARY KEY ({', '.join(first)})"]
    assert {f"UNIQUE ({', '.join(key)})" for key in others} <= set(texts["u"])
    assert sorted(texts["f"]) == sorted(
        f"FOREIGN KEY ({', '.join(p.columns)}) REFERENCES {p.table}({', '.join(p.key)}) "
        "ON DELETE CASCADE"
        for p in table.parents
    )
    checks = {name: text for kind, name, text in rows if kind == "c"}
    checked = {f"{table.name}_{c.name}_check": c.check for c in table.columns if c.check}
    assert set(checks) == set(checked)
    for name, check in checked.items():
        assert tuple(re.findall(r"'(\w+)'::text", checks[name])) == (
            check.words or tuple(re.findall(r"'(\w+)'", check.postgres))
        )


@pytest.mark.parametrize(
    ("made", "records"),
    [
        (Message, MESSAGES),
        (Probe, Records(Probe, PROBES)),
        (ArtifactRecord, ARTIFACTS),
        (SummaryRecord, SUMMARIES),
        (SummaryEvent, Records(SummaryEvent, TABLES["step_summary_history"])),
        (StepStatus, Records(StepStatus, TABLES["workshop_steps"])),
    ],
)
def test_every_field_is_a_column(made, records):
    """A field that were none would be lost on its way through the store."""
    with Database() as db:
        assert list(records.fetch(db, "")) == [field.name for field in fields(made)]


def test_text_of_people_that_utf8_cannot_hold_comes_back():
    """In every field of a message, a case and a probe that people or models write."""
    odd = "a\ud800b"
    message = Message(odd, "tool", odd, odd, odd, odd, (ToolCall(odd, odd, odd),), tool_call_id=odd)
    later = Message(f"{odd}2", "user", odd)
    probe = Probe(odd, odd, odd, (odd,), odd, "any", later.id)
    case = Case(odd, "mine", (message, later), (probe,))
    with Store(":memory:") as store:
        store.add_cases([case, Case("plain", "mine", (Message("m", "user", "\x00json:"),))])
        assert list(store.cases(ids=[odd])) == [case]
        assert store.add_cases([case], on_conflict="skip") == 0


def test_a_workshop_keeps_its_title_and_summaries_whatever_they_hold():
    """A lone surrogate, which JSON can carry, is no reason to refuse one."""
    with Store(":memory:") as store:
        workshop = Workshops(store).create("a\ud800b")
        assert Workshops(store).open(workshop.id).title == "a\ud800b"
        assert list(Workshops(store).titles().values()) == ["a\ud800b"]
        workshop.save_summary("persona", "a\ud800b")
        workshop.regenerate_summary("persona", "new")
        workshop.fail_summary("persona", "\ud800")
        events = [(event.text, event.error) for event in workshop.summary_history("persona")]
        assert sorted(events, key=str) == [("a\ud800b", None), (None, "\ud800")]


def test_a_session_with_an_odd_label_is_found_again():
    """Later messages of the same session join it."""
    with Store(":memory:") as store:
        workshop = Workshops(store).create("W")
        for key in ("m1", "m2"):
            workshop.say("persona", [Message(key, "user", "Hi", session="\ud800")])
        labels = store.query("SELECT count(*) AS n FROM sessions WHERE label IS NOT NULL")
        assert labels["n"].to_list() == [1]


def test_a_new_column_needs_a_value_for_the_rows_that_are_there():
    """Neither null nor a default: the message says which of the two to declare."""
    wider = Table("cases", (*TABLES["cases"].columns, Column("pages", INTEGER)))
    with Database() as db, db.reading() as connection:
        with pytest.raises(StoreError, match=r"cases\.pages .* optional=True, or with a default"):
            migration(connection, [wider])
        for how in ({"optional": True}, {"default": "0"}):
            column = Column("pages", INTEGER, **how)
            remedied = Table("cases", (*TABLES["cases"].columns, column))
            assert '"pages" INTEGER' in migration(connection, [remedied])


def test_a_new_table_is_created_and_nothing_else():
    """Its migration is its declaration."""
    table = Table("notes", (Column("id", TEXT),), ("id",))
    with Database() as db, db.reading() as connection:
        assert migration(connection, [*TABLES.values(), table]) == table.create()


def test_no_migration_is_wanting(tmp_path):
    """What is declared is what the shipped migrations make."""
    assert write_migration(tmp_path) is None


FIELD = (
    "core/segments.py",
    "    tool_call_id: str | None = None\n    pinned: bool = False\n",
    "    mood: str | None = None\n",
)
COLUMN = (
    "store/tables.py",
    '        Column("created_at", TEXT, ("timestamp", "sent_at"), optional=True, form=ESCAPED),\n',
    '        Column("mood", TEXT, ("tone",), optional=True, form=ESCAPED),\n',
)
OLD = """
import sys
from ctxlab.store import Store
from ctxlab.testing import sample_case
with Store(sys.argv[1]) as store:
    store.add_cases([sample_case()])
"""
NEW = """
import os, sys
from ctxlab.core.cases import Case
from ctxlab.core.segments import Message
from ctxlab.export import export
from ctxlab.postgres import import_workshops, push_workshops
from ctxlab.store import Store
from ctxlab.testing import sample_case
from ctxlab.workshop.workshops import Workshops

file, database, folder = sys.argv[1:]
said = (Message("m1", "user", "Hi", mood="glad"), Message("m2", "user", "Ho", mood="\\ud800"))
store = Store(file)
assert list(store.cases()) == [sample_case()]
store.add_cases([Case("new", "mine", said)])
assert next(store.cases("mine")).messages == said
frame = store.query("SELECT mood FROM chat_messages WHERE mood LIKE 'g%'")
assert frame["mood"].to_list() == ["glad"]
workshop = Workshops(store).create("W")
workshop.say("persona", said[:1])
assert workshop.messages("persona") == list(said[:1])
assert store.backup(folder + "/copy.duckdb") == sum(store.counts().values())

push_workshops(store, database, [workshop.id], create_tables=True)
with Store(":memory:") as other:
    assert import_workshops(other, database).ignored == ()
    assert Workshops(other).open(workshop.id).messages() == list(said[:1])
for target in ("postgres", "duckdb"):
    (script,) = export(store, target, folder)
    assert "mood" in script.read_text()
with store.db.write() as connection:
    connection.execute("DELETE FROM workshops")
assert not {"sessions", "chat_messages", "cases"} & set(store.counts())
store.db.rows("SELECT 1")
os.kill(os.getpid(), 9)
"""
AFTER = """
import sys
from ctxlab.store import Store
with Store(sys.argv[1]) as store:
    assert "workshops" not in store.counts()
    assert "mood" in store.query("SELECT * FROM chat_messages").columns
"""


def run(tree: Path, *command: object) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": str(tree)}
    arguments = [sys.executable, *map(str, command)]
    return subprocess.run(
        arguments, env=environment, cwd=tree, capture_output=True, text=True, check=False
    )


def test_a_new_column_on_messages_is_one_line(tmp_path, database):
    """A field of Message, its line among the columns, and the migration that is written from it.

    In a copy of the package: a store of before is opened, messages with the new field go in and
    come back, reach frames, a backup, PostgreSQL and the exports; deleting still cascades, and
    the file is sound after a kill -9.
    """
    old = Path(ctxlab.__file__).parent
    shutil.copytree(old, tmp_path / "ctxlab", ignore=shutil.ignore_patterns("__pycache__"))
    file = tmp_path / "lab.duckdb"
    assert run(old.parent, "-c", OLD, file).returncode == 0
    for name, after, line in (FIELD, COLUMN):
        path = tmp_path / "ctxlab" / name
        source = path.read_text(encoding="utf-8")
        assert source.count(after) == 1
        path.write_text(source.replace(after, after + line), encoding="utf-8")
    written = run(tmp_path, "-m", "ctxlab.store.table_changes")
    assert written.stdout.strip().endswith("_chat_messages.sql"), written.stderr
    done = run(tmp_path, "-c", NEW, file, database, tmp_path)
    assert done.returncode == -9, done.stderr
    after = run(tmp_path, "-c", AFTER, file)
    assert after.returncode == 0, after.stderr
    again = run(tmp_path, "-m", "ctxlab.store.table_changes")
    assert again.stdout.startswith("nothing to write")


class Kept:
    """Vectors in a dictionary: all that a cached encoder needs of a store."""

    path = "nowhere"

    def __init__(self) -> None:
        self.vectors, self.rows = self, {}

    def read(self, model, keys):
        return {key: self.rows[model, key] for key in keys if (model, key) in self.rows}

    def add(self, model, keys, matrix):
        self.rows |= {(model, key): row for key, row in zip(keys, matrix, strict=True)}

    def width(self, model):
        return next((len(row) for (name, _), row in self.rows.items() if name == model), None)


def test_a_cached_encoder_needs_only_what_keeps_vectors():
    """Anything with `vectors` and `path` will do."""
    asked = []

    class Lengths:
        name = "lengths"

        def __call__(self, texts):
            asked.extend(texts)
            return np.array([[float(len(text))] for text in texts])

    kept = Kept()
    for _ in range(2):
        assert CachedEncoder(Lengths(), kept)(["a", "bcd"]).tolist() == [[1.0], [3.0]]
    assert asked == ["a", "bcd"]
