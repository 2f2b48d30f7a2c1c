"""Production's tables as they were at one moment, read in our terms, a row at fault told apart."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

import polars as pl
from psycopg import Connection, sql

from ctxlab.errors import DataError
from ctxlab.postgres import selects
from ctxlab.postgres.columns import COLUMNS, ProductionTable, find_table
from ctxlab.store.tables import PRODUCTION

BATCH = 20_000
"""Rows that are read at once."""
KEY = "their_key"
"""The column beside ours that tells the row of theirs."""
SCHEMAS = {
    name: table.schema(column.name for column in table.columns if not column.counted)
    for name, table in PRODUCTION.items()
}
"""What is read of each table; token counts are made anew."""


@dataclass(frozen=True, slots=True)
class Choice:
    """Which workshops are read.

    Parameters
    ----------
    workshops : sequence of str, optional
        Their ids; all when not given.
    since : str, optional
        Only those changed, or made, at that time or later, such as ``2026-11-01``.
    deleted : bool
        Also what production has marked as deleted.

    Examples
    --------
    >>> Choice(since="2026-11-01").whole
    False
    """

    workshops: Sequence[str] | None = None
    since: str | None = None
    deleted: bool = False

    @property
    def whole(self) -> bool:
        """Whether every workshop is meant, so that a row of none is a fault.

        Examples
        --------
        >>> Choice().whole
        True
        """
        return self.workshops is None and self.since is None


@dataclass
class Production:
    """The workshops of one database, seen in one transaction.

    Parameters
    ----------
    connection : Connection
        Open, in a transaction.
    place : str
        The address for people.
    choice : Choice
        Which workshops.

    Examples
    --------
    >>> Production.__dataclass_fields__["place"].type
    'str'
    """

    connection: Connection
    place: str
    choice: Choice = field(default_factory=Choice)

    def __post_init__(self) -> None:
        self.sources = {name: find_table(self.connection, name) for name in COLUMNS}
        self.skipped: list[str] = []
        for table in ("workshops", "sessions", "workshop_steps", "chat_messages"):
            self._need(table)
        definitions = self.sources["step_definitions"]
        self.definitions = None
        if definitions and not definitions.has("protocol"):
            # Their own list of steps, not ours.
            self.definitions, self.sources["step_definitions"] = definitions, None
        self.ids = self._chosen()

    def _need(self, table: str) -> ProductionTable:
        source = self.sources[table]
        if source is None:
            raise DataError(
                f"{self.place} has no table {table!r} on its search path; expected "
                "workshops, sessions, workshop_steps and chat_messages"
            )
        source.require(*(["id"] if table != "chat_messages" else []))
        return source

    def _chosen(self) -> list[str]:
        source = self._need("workshops")
        conditions = [self._alive(source)]
        if self.choice.workshops is not None:
            ids = sql.Literal(list(self.choice.workshops))
            conditions.append(sql.SQL("t.{}::text = ANY({})").format(_id(source), ids))
        if self.choice.since is not None:
            changed = source.unplaced("updated_at") or source.columns.get("created_at")
            if changed is None:
                source.require("created_at")
            time = sql.Literal(self.choice.since)
            conditions.append(
                sql.SQL("t.{} >= {}::timestamptz").format(sql.Identifier(str(changed)), time)
            )
        query = sql.SQL("SELECT t.{}::text FROM workshops t WHERE {} ORDER BY 1").format(
            _id(source), sql.SQL(" AND ").join(conditions)
        )
        return [str(row[0]) for row in self.connection.execute(query).fetchall()]

    def _alive(self, source: ProductionTable) -> selects.Query:
        """Return the condition that a row is not marked as deleted."""
        mark = source.unplaced("deleted_at")
        if mark is None or self.choice.deleted:
            return selects.EVERY
        return sql.SQL("t.{} IS NULL").format(sql.Identifier(mark))

    def _where(self, table: str, source: ProductionTable) -> selects.Query:
        ids, alive = sql.Literal(self.ids), self._alive(source)
        if table == "workshops":
            mine: selects.Query = sql.SQL("t.{}::text = ANY({})").format(_id(source), ids)
        elif table in ("sessions", "workshop_steps"):
            mine = sql.SQL("{}::text = ANY({})").format(source.column("workshop_id"), ids)
        elif table == "chat_messages":
            sessions = self._need("sessions")
            of = sql.Identifier("s", sessions.columns["workshop_id"])
            # A message of no session is of no workshop: a fault, where all are read.
            lost = sql.SQL(" OR {} IS NULL").format(of) if self.choice.whole else sql.SQL("")
            mine = sql.SQL("({}::text = ANY({}){})").format(of, ids, lost)
        elif source.has("workshop_step_id"):
            steps = self._need("workshop_steps")
            mine = sql.SQL(
                "EXISTS (SELECT 1 FROM workshop_steps w WHERE w.{}::text = {}::text "
                "AND w.{}::text = ANY({}))"
            ).format(
                _id(steps),
                source.column("workshop_step_id"),
                sql.Identifier(steps.columns["workshop_id"]),
                ids,
            )
        else:
            mine = selects.EVERY
        return sql.SQL("{} AND {}").format(alive, mine)

    def query(self, table: str, protocol: str = "design-thinking") -> sql.Composed | None:
        """Return what reads a table in our terms; None when the database has no such table.

        Examples
        --------
        >>> Production.query.__annotations__["return"]
        'sql.Composed | None'
        """
        source = self.sources[table]
        if source is None:
            return None
        where = self._where(table, source)
        made: dict[str, Callable[[], sql.Composed]] = {
            "workshops": lambda: selects.workshops(source, where, protocol),
            "sessions": lambda: selects.sessions(source, where),
            "workshop_steps": lambda: selects.workshop_steps(source, step_order(), where),
            "chat_messages": lambda: self._messages(source, where),
            "step_summaries": lambda: selects.step_summaries(source, where),
            "step_artifacts": lambda: selects.step_artifacts(source, where),
        }
        return made[table]() if table in made else selects.as_stored(source, where)

    def _messages(self, source: ProductionTable, where: selects.Query) -> sql.Composed:
        steps, sessions = self._need("workshop_steps"), self._need("sessions")
        ordered = self._positions_are_whole(source, sessions)
        return selects.chat_messages(source, steps, sessions, where, ordered=ordered)

    def _positions_are_whole(self, source: ProductionTable, sessions: ProductionTable) -> bool:
        """Say whether positions order a whole workshop, and not each session anew."""
        if not source.has("position"):
            return False
        twice = self.connection.execute(
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

    def batches(self, table: str, protocol: str = "design-thinking") -> Iterator[pl.DataFrame]:
        """Yield the rows of a table in our columns, and the key of each of theirs.

        Examples
        --------
        >>> Production.batches.__annotations__["return"]
        'Iterator[pl.DataFrame]'
        """
        query = self.query(table, protocol)
        if query is None:
            return
        schema = {**SCHEMAS[table], KEY: pl.String()}
        with self.connection.cursor(f"ctxlab_{table}") as cursor:
            cursor.execute(query)
            while rows := cursor.fetchmany(BATCH):
                yield pl.DataFrame(rows, schema=schema, orient="row")

    def whole(self, table: str, protocol: str = "design-thinking") -> pl.DataFrame:
        """Return all rows of a table; none when the database has no such table.

        Examples
        --------
        >>> Production.whole.__annotations__["return"]
        'pl.DataFrame'
        """
        schema = {**SCHEMAS[table], KEY: pl.String()}
        return pl.concat([pl.DataFrame(schema=schema), *self.batches(table, protocol)])

    def ignored(self) -> tuple[str, ...]:
        """Return the columns that find no place: other tables than these have no metadata.

        Examples
        --------
        >>> Production.ignored.__annotations__["return"]
        'tuple[str, ...]'
        """
        return tuple(
            f"{table}.{name}"
            for table, source in self.sources.items()
            if source and table not in ("workshops", "chat_messages")
            for name in source.extras
        )


def _id(source: ProductionTable) -> sql.Identifier:
    return sql.Identifier(source.columns["id"])


def step_order() -> list[str]:
    """Return the steps in the order that is taken where a database has none.

    Examples
    --------
    >>> step_order()[0]
    'challenge'
    """
    from ctxlab.workshop import DESIGN_THINKING

    return [step.id for step in DESIGN_THINKING.steps]
