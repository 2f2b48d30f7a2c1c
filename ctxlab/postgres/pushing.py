"""Writing the lab's workshops to a database: staged, checked, then merged, all or nothing."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl
from psycopg import Connection, sql

from ctxlab.core.progress import Advance, ShowsProgress
from ctxlab.errors import ConflictError, NotFoundError, StaleVersionError
from ctxlab.postgres import Counts
from ctxlab.postgres.columns import COLUMNS, ProductionTable, find_table
from ctxlab.postgres.server import address, connected
from ctxlab.postgres.staging import (
    comparable,
    refuse_nul,
    same_key,
    staged,
    temporary,
    theirs,
    value,
)
from ctxlab.store.connection import Database
from ctxlab.store.tables import PRODUCTION
from ctxlab.workshop.production_ddl import statements

_STEPS = (
    "workshop_step_id IN (SELECT id FROM workshop_steps WHERE list_contains($ids, workshop_id))"
)
_ROWS = {
    "workshops": "list_contains($ids, id)",
    "sessions": "list_contains($ids, workshop_id)",
    "step_definitions": "protocol IN "
    "(SELECT protocol FROM workshops WHERE list_contains($ids, id))",
    "workshop_steps": "list_contains($ids, workshop_id)",
    "chat_messages": "list_contains($ids, workshop_id)",
    "step_summaries": _STEPS,
    "step_artifacts": _STEPS,
    "step_artifact_versions": _STEPS,
    "artifact_schemas": "step_id IN "
    "(SELECT step_id FROM workshop_steps WHERE list_contains($ids, workshop_id))",
}
"""The rows of some workshops, by table, parents before children."""
_APPENDED = {"step_artifact_versions": "artifact", "artifact_schemas": "json_schema"}


def push_all(
    db: Database, dsn: str, workshops: Sequence[str] | None, progress: ShowsProgress
) -> Counts:
    """Write workshops to a database in one transaction.

    Raises
    ------
    StaleVersionError, ConflictError, DataError, NotFoundError, StoreError
        As `ctxlab.postgres.push_workshops` says.

    Examples
    --------
    >>> push_all.__annotations__["return"]
    'Counts'
    """
    with connected(dsn, read_only=False) as connection:
        ids = _chosen(db, workshops)
        writer = _Writer(connection, address(dsn))
        total = {
            table: int(db.rows(f"SELECT count(*) FROM {table} WHERE {rows}", {"ids": ids})[0][0])  # noqa: S608
            for table, rows in _ROWS.items()
        }
        with progress(sum(total.values()), "rows") as advance:
            for table, rows in _ROWS.items():
                frame = db.frame(f"SELECT * FROM {table} WHERE {rows}", {"ids": ids})  # noqa: S608
                writer.stage(table, frame, advance)
        writer.check()
        return writer.merge()


def _chosen(db: Database, workshops: Sequence[str] | None) -> list[str]:
    known = [row[0] for row in db.rows("SELECT id FROM workshops ORDER BY id")]
    if workshops is None:
        return known
    for workshop in sorted(set(workshops) - set(known)):
        raise NotFoundError(f"no workshop {workshop!r} in {db.path}; name one that it holds")
    return list(dict.fromkeys(workshops))


def _identity(table: str, source: ProductionTable) -> tuple[str, ...]:
    """Return what identifies a row; the ``id`` of a foreign message does so alone."""
    if table == "chat_messages" and source.columns["message_id"] == "id":
        return ("message_id",)
    return PRODUCTION[table].key


class _Writer:
    """The tables of one database, and beside each a temporary one with the rows to come."""

    def __init__(self, connection: Connection, place: str) -> None:
        self._connection, self._place = connection, place
        self._make_absent()
        found = {table: find_table(connection, table) for table in _ROWS}
        self._sources = {table: source for table, source in found.items() if source}
        self._absent = [table for table, source in found.items() if not source]
        self._columns = {
            table: [name for name in COLUMNS[table] if source.has(name)]
            for table, source in self._sources.items()
        }
        for table, source in self._sources.items():
            source.require(*PRODUCTION[table].key)
            if table == "step_artifacts":
                source.require("artifact", "version")

    def _make_absent(self) -> None:
        """Make the tables that are not there, unless ids of another type forbid their keys."""
        there = {table: find_table(self._connection, table) for table in _ROWS}
        others = [s.type_of("id") for s in there.values() if s and s.has("id")]
        absent = [table for table, source in there.items() if source is None]
        if absent and set(others) <= {"text"}:
            for statement in statements(absent):
                self._connection.execute(statement.encode())

    def stage(self, table: str, frame: pl.DataFrame, advance: Advance) -> None:
        """Send rows to the temporary table; those of an absent table find no place."""
        source = self._sources.get(table)
        if source is None and table != "step_artifact_versions":
            advance(frame.height)
            return
        names = self._columns.get(table, ["workshop_step_id", "version", "artifact"])
        frame = frame.select(names)
        refuse_nul(table, frame, PRODUCTION[table].key)
        self._connection.execute(temporary(table, source, names))
        copy = sql.SQL("COPY {} FROM STDIN").format(staged(table))
        with self._connection.cursor() as cursor, cursor.copy(copy) as sink:
            for part in frame.iter_slices(5_000):
                for row in part.iter_rows():
                    sink.write_row(row)
                advance(part.height)

    def check(self) -> None:
        """Refuse to overwrite what the lab has not seen; others' writes wait until we are done."""
        for table in self._sources:
            self._connection.execute(
                sql.SQL("LOCK TABLE {} IN SHARE ROW EXCLUSIVE MODE").format(sql.Identifier(table))
            )
        if "step_artifacts" in self._sources:
            self._check_artifacts()
        if "step_summaries" in self._sources:
            self._check_summaries()
        for table, content in _APPENDED.items():
            if table in self._sources:
                self._check_appended(table, content)

    def _check_artifacts(self) -> None:
        source = self._sources["step_artifacts"]
        # What stands in the database must be a version that the lab has been at.
        query = sql.SQL(
            "SELECT t.{step}::text, n.version, t.{version} FROM step_artifacts t "
            "JOIN {staged} n ON n.workshop_step_id = t.{step} LEFT JOIN {versions} v "
            "ON v.workshop_step_id::text = t.{step}::text AND v.version = t.{version} "
            "WHERE t.{version} > n.version "
            "OR CASE WHEN t.{version} = n.version THEN n.artifact::jsonb "
            "ELSE v.artifact::jsonb END IS DISTINCT FROM t.{artifact}::jsonb ORDER BY 1 LIMIT 1"
        ).format(
            step=theirs(source, "workshop_step_id"),
            version=theirs(source, "version"),
            artifact=theirs(source, "artifact"),
            staged=staged("step_artifacts"),
            versions=staged("step_artifact_versions"),
        )
        self._refuse_stale("artifact", query)

    def _check_summaries(self) -> None:
        source = self._sources["step_summaries"]
        if not source.has("revision"):
            return
        query = sql.SQL(
            "SELECT t.{step}::text, n.revision, t.{revision} FROM step_summaries t "
            "JOIN {staged} n ON n.workshop_step_id = t.{step} WHERE t.{revision} > n.revision "
            "OR (t.{revision} = n.revision AND t.{summary} <> n.summary) ORDER BY 1 LIMIT 1"
        ).format(
            step=theirs(source, "workshop_step_id"),
            revision=theirs(source, "revision"),
            summary=theirs(source, "summary"),
            staged=staged("step_summaries"),
        )
        self._refuse_stale("summary", query)

    def _refuse_stale(self, what: str, query: sql.Composed) -> None:
        row = self._connection.execute(query).fetchone()
        if row:
            step, ours, theirs = row
            # At the same or an earlier version the contents differ: the ways parted before it.
            expected = ours if theirs > ours else theirs - 1
            raise StaleVersionError(
                f"{what} of workshop step {step!r} in {self._place}", expected, theirs
            )

    def _check_appended(self, table: str, content: str) -> None:
        source, keys = self._sources[table], PRODUCTION[table].key
        row = self._connection.execute(
            sql.SQL(
                "SELECT {} FROM {} t JOIN {} n ON {} WHERE t.{}::jsonb <> n.{}::jsonb "
                "ORDER BY 1, 2 LIMIT 1"
            ).format(
                sql.SQL(", ").join(sql.Identifier("n", key) for key in keys),
                sql.Identifier(table),
                staged(table),
                same_key(source, keys),
                theirs(source, content),
                sql.Identifier(content),
            )
        ).fetchone()
        if row:
            raise ConflictError(
                f"{table} {', '.join(map(str, row))} is in {self._place} with another {content}; "
                "what is written once is not replaced: save the change as a new version"
            )

    def merge(self) -> Counts:
        """Move the staged rows into the tables; count those that were new or changed."""
        rows = {
            table: self._update(table, source) + self._insert(table, source)
            for table, source in self._sources.items()
        }
        missing = [
            f"{table}.{name}"
            for table, source in self._sources.items()
            for name in COLUMNS[table]
            if not source.has(name)
        ]
        return Counts(rows, (*self._absent, *missing))

    def _update(self, table: str, source: ProductionTable) -> int:
        fixed = {*PRODUCTION[table].key, "id", "created_at"}
        names = [name for name in self._columns[table] if name not in fixed]
        # What is written once stays; so do messages in the words of the application whose they are.
        foreign = table == "chat_messages" and not source.has("running_total")
        if table in _APPENDED or foreign or not names:
            return 0
        # A row that is the same already is not written again.
        statement = sql.SQL(
            "UPDATE {} t SET {} FROM {} n WHERE {} AND ({}) IS DISTINCT FROM ({})"
        ).format(
            sql.Identifier(table),
            sql.SQL(", ").join(
                sql.SQL("{} = {}").format(theirs(source, name), value(source, name))
                for name in names
            ),
            staged(table),
            same_key(source, _identity(table, source)),
            sql.SQL(", ").join(comparable(source, name, "t") for name in names),
            sql.SQL(", ").join(comparable(source, name, "n") for name in names),
        )
        return self._connection.execute(statement).rowcount

    def _insert(self, table: str, source: ProductionTable) -> int:
        names = self._columns[table]
        statement = sql.SQL(
            "INSERT INTO {0} ({1}) SELECT {2} FROM {3} n "
            "WHERE NOT EXISTS (SELECT 1 FROM {0} t WHERE {4})"
        ).format(
            sql.Identifier(table),
            sql.SQL(", ").join(theirs(source, name) for name in names),
            sql.SQL(", ").join(value(source, name) for name in names),
            staged(table),
            same_key(source, _identity(table, source)),
        )
        return self._connection.execute(statement).rowcount
