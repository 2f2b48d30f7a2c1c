"""Reading production's workshops into the store, in bulk and in one transaction."""

from __future__ import annotations

import json
from collections.abc import Iterator

import polars as pl
from psycopg import Connection, sql

from ctxlab.core.progress import ShowsProgress
from ctxlab.core.tokens import TokenCounter
from ctxlab.errors import ConflictError, DataError
from ctxlab.postgres import Counts, selects
from ctxlab.postgres.columns import COLUMNS, ProductionTable, find_table
from ctxlab.postgres.rows import Messages, compacted, with_artifact_tokens, with_summary_tokens
from ctxlab.postgres.server import address, connected
from ctxlab.store.connection import Database
from ctxlab.store.tables import PRODUCTION

_BATCH = 20_000
_SCHEMAS = {
    name: table.schema(column.name for column in table.columns if not column.counted)
    for name, table in PRODUCTION.items()
}
"""What is read of each table; token counts are made anew."""


def import_all(db: Database, dsn: str, progress: ShowsProgress, counter: TokenCounter) -> Counts:
    """Read every workshop of a database into the store, all or nothing.

    Raises
    ------
    ConflictError, DataError, StoreError
        As `ctxlab.postgres.import_workshops` says.

    Examples
    --------
    >>> import_all.__annotations__["return"]
    'Counts'
    """
    with connected(dsn, read_only=True) as connection, db.write():
        reader = _Reader(connection, address(dsn))
        return reader.into(db, progress, counter)


class _Reader:
    """One database, seen at one moment."""

    def __init__(self, connection: Connection, place: str) -> None:
        self._connection = connection
        self._sources = {name: find_table(connection, name) for name in COLUMNS}
        self._place = place
        self._rows: dict[str, int] = {}

    def into(self, db: Database, progress: ShowsProgress, counter: TokenCounter) -> Counts:
        workshops, sessions = self._need("workshops"), self._need("sessions")
        steps, messages = self._need("workshop_steps"), self._need("chat_messages")
        found = self._whole("workshops", selects.workshops(workshops))
        _refuse_known(db, found["id"].to_list())
        self._put(db, "workshops", found)
        self._put(db, "sessions", self._whole("sessions", selects.sessions(sessions)))
        order = _step_order()
        query = selects.workshop_steps(steps, order)
        self._put(db, "workshop_steps", self._whole("workshop_steps", query))
        self._put_registered(db, "step_definitions", ["protocol", "step_id"], ["definition"])
        keys = ["step_id", "schema_version"]
        self._put_registered(db, "artifact_schemas", keys, ["json_schema"])
        _define(db, found["protocol"].to_list())
        self._put_messages(db, messages, steps, sessions, progress, counter)
        self._put_results(db, counter)
        return Counts(self._rows, self._ignored())

    def _need(self, table: str) -> ProductionTable:
        source = self._sources[table]
        if source is None:
            raise DataError(
                f"{self._place} has no table {table!r} on its search path; expected "
                "workshops, sessions, workshop_steps and chat_messages"
            )
        source.require(*(["id"] if table != "chat_messages" else []))
        return source

    def _put_messages(
        self,
        db: Database,
        source: ProductionTable,
        steps: ProductionTable,
        sessions: ProductionTable,
        progress: ShowsProgress,
        counter: TokenCounter,
    ) -> None:
        ordered = self._positions_are_whole(source, sessions)
        query = selects.chat_messages(source, steps, sessions, ordered=ordered)
        total = self._connection.execute("SELECT count(*) FROM chat_messages").fetchone()
        messages = Messages(counter)
        with progress(int(total[0]) if total else 0, "messages") as advance:
            for batch in self._batches("chat_messages", query):
                self._put(db, "chat_messages", messages.counted(batch))
                advance(batch.height)

    def _positions_are_whole(self, source: ProductionTable, sessions: ProductionTable) -> bool:
        """Say whether positions order a whole workshop, and not each session anew."""
        if not source.has("position"):
            return False
        twice = self._connection.execute(
            sql.SQL(
                "SELECT EXISTS (SELECT 1 FROM chat_messages t LEFT JOIN sessions s "
                "ON s.{}::text = {}::text GROUP BY s.{}, {} HAVING count(*) > 1 OR {} IS NULL)"
            ).format(
                sql.Identifier(sessions.columns["id"]),
                source.column("session_id"),
                sql.Identifier(sessions.columns["workshop_id"]),
                source.column("position"),
                source.column("position"),
            )
        ).fetchone()
        return twice == (False,)

    def _put_results(self, db: Database, counter: TokenCounter) -> None:
        if summaries := self._sources["step_summaries"]:
            frame = self._whole("step_summaries", selects.step_summaries(summaries))
            self._put(db, "step_summaries", with_summary_tokens(frame, counter))
        if artifacts := self._sources["step_artifacts"]:
            frame = self._whole("step_artifacts", selects.step_artifacts(artifacts))
            frame = with_artifact_tokens(db, frame, counter)
            self._put(db, "step_artifacts", frame)
            versions = frame.select(list(_SCHEMAS["step_artifact_versions"]))
            if history := self._sources["step_artifact_versions"]:
                query = selects.as_stored(history, list(_SCHEMAS["step_artifact_versions"]))
                older = compacted(self._whole("step_artifact_versions", query))
                keys = ["workshop_step_id", "version"]
                versions = pl.concat([older, versions.join(older, on=keys, how="anti")])
            self._put(db, "step_artifact_versions", versions)

    def _put_registered(
        self, db: Database, table: str, keys: list[str], content: list[str]
    ) -> None:
        """Add what is not registered yet; the same key with another content is a conflict."""
        source = self._sources[table]
        if source is None:
            return
        frame = self._whole(table, selects.as_stored(source, list(_SCHEMAS[table])))
        ours = db.frame(f"SELECT {', '.join([*keys, *content])} FROM {table}")  # noqa: S608
        ours = ours.with_columns(pl.col("^.*_version$").cast(pl.Int32))
        both = frame.join(ours, on=keys, how="inner", suffix="_ours")
        for name in content:
            for row in both.iter_rows(named=True):
                if json.loads(row[name]) != json.loads(row[f"{name}_ours"]):
                    which = ", ".join(str(row[key]) for key in keys)
                    raise ConflictError(
                        f"{table} {which} is in the store with another {name}; "
                        "import into another store, or register the change as a new version"
                    )
        self._put(db, table, frame.join(ours, on=keys, how="anti"))

    def _whole(self, table: str, query: sql.Composed) -> pl.DataFrame:
        return pl.concat([pl.DataFrame(schema=_SCHEMAS[table]), *self._batches(table, query)])

    def _batches(self, table: str, query: sql.Composed) -> Iterator[pl.DataFrame]:
        with self._connection.cursor(f"ctxlab_{table}") as cursor:
            cursor.execute(query)
            while rows := cursor.fetchmany(_BATCH):
                frame = pl.DataFrame(rows, schema=_SCHEMAS[table], orient="row")
                _check(table, frame)
                yield frame

    def _put(self, db: Database, table: str, frame: pl.DataFrame) -> None:
        if frame.height:
            db.insert(table, frame)
        self._rows[table] = self._rows.get(table, 0) + frame.height

    def _ignored(self) -> tuple[str, ...]:
        return tuple(
            f"{table}.{name}"
            for table, source in self._sources.items()
            # The others have metadata that keeps them.
            if source and table not in ("workshops", "chat_messages")
            for name in source.extras
        )


def _check(table: str, frame: pl.DataFrame) -> None:
    for column in PRODUCTION[table].columns:
        words = column.check.words if column.check else ()
        strange = frame.filter(~pl.col(column.name).is_in(words)) if words else frame.clear()
        if strange.height:
            raise DataError(
                f"is {strange[column.name][0]!r}; expected one of: {', '.join(words)}",
                field=f"{table}.{column.name}",
            )
    if table == "chat_messages":
        lost = frame.filter(pl.col("workshop_id").is_null())
        if lost.height:
            message, session = lost["message_id"][0], lost["session_id"][0]
            raise DataError(
                f"is {session!r} in message {message!r}, which is no session; mend or remove it",
                field="chat_messages.session_id",
            )


def _refuse_known(db: Database, ids: list[str]) -> None:
    known = db.rows("SELECT id FROM workshops WHERE list_contains($ids, id) LIMIT 1", {"ids": ids})
    if known:
        raise ConflictError(
            f"workshop {known[0][0]!r} is in {db.path} already; delete it first, "
            "or import into another store"
        )


def _define(db: Database, protocols: list[str]) -> None:
    """Store the design-thinking protocol where workshops follow it and the database has none."""
    from ctxlab.workshop import DESIGN_THINKING
    from ctxlab.workshop.stored_protocols import define

    name = DESIGN_THINKING.name
    known = db.rows("SELECT 1 FROM step_definitions WHERE protocol = ? LIMIT 1", [name])
    if name in protocols and not known:
        define(db, DESIGN_THINKING)


def _step_order() -> list[str]:
    from ctxlab.workshop import DESIGN_THINKING

    return [step.id for step in DESIGN_THINKING.steps]
