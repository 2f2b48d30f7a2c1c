"""Reading production's workshops into the store, in bulk and in one transaction."""

from __future__ import annotations

import json

import polars as pl
from psycopg import sql

from ctxlab.core.progress import ShowsProgress
from ctxlab.core.tokens import TokenCounter
from ctxlab.errors import ConflictError
from ctxlab.postgres import Counts
from ctxlab.postgres.bad_rows import RowCheck
from ctxlab.postgres.production_reader import KEY, SCHEMAS, Choice, Production
from ctxlab.postgres.rows import Messages, compacted, with_artifact_tokens, with_summary_tokens
from ctxlab.postgres.server import address, connected
from ctxlab.postgres.synced import Synced
from ctxlab.store.connection import Database
from ctxlab.store.tables import PRODUCTION
from ctxlab.workshop.protocol import Protocol
from ctxlab.workshop.steps import DESIGN_THINKING
from ctxlab.workshop.stored_protocols import define


def import_all(
    db: Database,
    dsn: str,
    progress: ShowsProgress,
    counter: TokenCounter,
    choice: Choice,
    *,
    skip_bad: bool = False,
) -> Counts:
    """Read workshops of a database into the store, all or nothing.

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
        production = Production(connection, address(dsn), choice)
        return _Import(db, production, RowCheck(skip_bad), counter).run(progress)


class _Import:
    """One database's rows on their way into the store."""

    def __init__(
        self, db: Database, production: Production, check: RowCheck, counter: TokenCounter
    ) -> None:
        self._db, self._production, self._check = db, production, check
        self._counter = counter
        self._rows: dict[str, int] = {}
        self._synced = Synced(db, production.place, production.sources)

    def run(self, progress: ShowsProgress) -> Counts:
        _refuse_known(self._db, self._production.ids)
        protocol = self._protocol()
        workshops = self._take("workshops", protocol.name)
        for table in ("sessions", "workshop_steps"):
            self._take(table)
        self._put_registered("step_definitions", ["definition"])
        names = workshops["protocol"].to_list()
        self._put_registered("artifact_schemas", ["json_schema"])
        if protocol.name in names and not self._db.rows(
            "SELECT 1 FROM step_definitions WHERE protocol = ? LIMIT 1", [protocol.name]
        ):
            define(self._db, protocol)
        self._put_messages(progress)
        self._put_results()
        self._synced.keep(workshops["id"].to_list())
        skipped = tuple(map(str, self._check.skipped))
        return Counts(self._rows, self._production.ignored(), skipped=skipped)

    def _take(self, table: str, protocol: str = DESIGN_THINKING.name) -> pl.DataFrame:
        frame = self._check.good(table, self._production.whole(table, protocol))
        self._synced.read(table, frame)
        self._put(table, frame.drop(KEY))
        return frame

    def _protocol(self) -> Protocol:
        """Return what a workshop follows that names no protocol: our own, or the database's."""
        source = self._production.definitions
        theirs = source.unplaced("id") if source else None
        if source is None or theirs is None or not source.has("name"):
            return DESIGN_THINKING
        order = source.unplaced("order") or (source.has("position") and source.columns["position"])
        rows = self._production.connection.execute(
            sql.SQL("SELECT {}::text, {}, {} FROM step_definitions t ORDER BY {}, 1").format(
                sql.Identifier(theirs),
                source.column("name"),
                source.column("description") if source.has("description") else sql.SQL("NULL"),
                sql.Identifier(str(order)) if order else sql.SQL("1"),
            )
        ).fetchall()
        known = {step.id for step in DESIGN_THINKING.steps}
        if {row[0] for row in rows} <= known:
            return DESIGN_THINKING
        steps = [
            {"id": step, "order": place, "name": name, "description": text or name,
             "goal": text or name}
            for place, (step, name, text) in enumerate(rows, 1)
        ]  # fmt: skip
        return Protocol.model_validate({"name": "production", "steps": steps})

    def _put_messages(self, progress: ShowsProgress) -> None:
        total = self._production.connection.execute("SELECT count(*) FROM chat_messages").fetchone()
        messages = Messages(self._counter)
        with progress(int(total[0]) if total else 0, "messages") as advance:
            for batch in self._production.batches("chat_messages"):
                good = self._check.good("chat_messages", batch)
                self._synced.read("chat_messages", good)
                if good.height:
                    self._put("chat_messages", messages.counted(good.drop(KEY)))
                advance(batch.height)

    def _put_results(self) -> None:
        if self._production.sources["step_summaries"]:
            frame = self._checked("step_summaries").drop(KEY)
            self._put("step_summaries", with_summary_tokens(frame, self._counter))
        if not self._production.sources["step_artifacts"]:
            return
        frame = with_artifact_tokens(
            self._db, self._checked("step_artifacts").drop(KEY), self._counter
        )
        self._put("step_artifacts", frame)
        versions = frame.select(list(SCHEMAS["step_artifact_versions"]))
        if self._production.sources["step_artifact_versions"]:
            older = compacted(self._checked("step_artifact_versions").drop(KEY))
            keys = ["workshop_step_id", "version"]
            versions = pl.concat([older, versions.join(older, on=keys, how="anti")])
        self._put("step_artifact_versions", versions)

    def _checked(self, table: str) -> pl.DataFrame:
        frame = self._check.good(table, self._production.whole(table))
        self._synced.read(table, frame)
        return frame

    def _put_registered(self, table: str, content: list[str]) -> None:
        """Add what is not registered yet; the same key with another content is a conflict."""
        if self._production.sources[table] is None:
            return
        frame = self._checked(table).drop(KEY)
        keys = list(PRODUCTION[table].key)
        ours = self._db.frame(f"SELECT {', '.join([*keys, *content])} FROM {table}")  # noqa: S608
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
        self._put(table, frame.join(ours, on=keys, how="anti"))

    def _put(self, table: str, frame: pl.DataFrame) -> None:
        if frame.height:
            self._db.insert(table, frame)
        self._rows[table] = self._rows.get(table, 0) + frame.height


def _refuse_known(db: Database, ids: list[str]) -> None:
    known = db.rows("SELECT id FROM workshops WHERE list_contains($ids, id) LIMIT 1", {"ids": ids})
    if known:
        raise ConflictError(
            f"workshop {known[0][0]!r} is in {db.path} already; delete it first, "
            "or import into another store"
        )
