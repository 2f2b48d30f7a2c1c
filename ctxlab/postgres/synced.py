"""What the lab knows of production's rows: a digest of each as it was read, and of ours then."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

import polars as pl

from ctxlab.postgres.columns import ProductionTable
from ctxlab.postgres.production_reader import KEY
from ctxlab.store.column import JSON
from ctxlab.store.connection import Database
from ctxlab.store.table import Table
from ctxlab.store.tables import PRODUCTION, PRODUCTION_ROWS

_STEPS = (
    "workshop_step_id IN (SELECT id FROM workshop_steps WHERE list_contains($ids, workshop_id))"
)
_OF_PROTOCOL = (
    "protocol IN (SELECT protocol FROM workshops WHERE list_contains($ids, id))"
)  # fmt: skip
ROWS = {
    "workshops": "list_contains($ids, id)",
    "sessions": "list_contains($ids, workshop_id)",
    "step_definitions": _OF_PROTOCOL,
    "workshop_steps": "list_contains($ids, workshop_id)",
    "chat_messages": "list_contains($ids, workshop_id)",
    "step_summaries": _STEPS,
    "step_artifacts": _STEPS,
    "step_artifact_versions": _STEPS,
    "artifact_schemas": _OF_PROTOCOL,
}
"""The rows of some workshops, by table, parents before children."""
SHARED = ("step_definitions", "artifact_schemas")
"""Tables of no one workshop: what they hold is written once, and never compared with a past."""


@dataclass(frozen=True, slots=True)
class Past:
    """What was known of a row when it was last read or written.

    Examples
    --------
    >>> Past("7", "a1", "b2").key
    '7'
    """

    key: str
    ours: str
    theirs: str


def compared(source: ProductionTable) -> tuple[str, ...]:
    """Return the columns of both that make the content of a row: no ids, no counts.

    Examples
    --------
    >>> names = {"workshop_step_id": "w", "summary": "s", "token_count": "n"}
    >>> compared(ProductionTable("step_summaries", names, {}))
    ('summary',)
    """
    table = PRODUCTION[source.table]
    identity = {"id", *table.key, *(name for parent in table.parents for name in parent.columns)}
    return tuple(
        column.name
        for column in table.columns
        if source.has(column.name) and column.name not in identity and not column.counted
    )


def plain(table: Table, name: str, value: Any) -> Any:  # noqa: ANN401 - a row's value
    r"""Return a value in the one form that equal values have.

    Examples
    --------
    >>> plain(PRODUCTION["workshops"], "metadata", '{"b": 1.0, "a": 2}')
    '{"a": "\\u00002", "b": "\\u00001"}'
    """
    if value is None:
        return None
    if table.column(name).kind == JSON:
        return json.dumps(canonical(value), sort_keys=True)
    if isinstance(value, datetime):
        return value.isoformat()
    return value


def canonical(text: str) -> Any:  # noqa: ANN401 - JSON
    r"""Return JSON with its numbers as marked texts of one form, all digits kept.

    Examples
    --------
    >>> canonical('[1.50, 10, "10"]')
    ['\x001.5', '\x0010', '10']
    """
    return json.loads(text, parse_float=_number, parse_int=_number)


def _number(text: str) -> str:
    number = Decimal(text)
    # PostgreSQL keeps numbers of any length; an exponent is a way to write one.
    return "\x00" + format(number.normalize() if number else Decimal(0), "f")


def digest(table: Table, names: Sequence[str], row: Mapping[str, Any]) -> str:
    """Return a digest of a row's content.

    Examples
    --------
    >>> summaries = PRODUCTION["step_summaries"]
    >>> len(digest(summaries, ["summary"], {"summary": "We chose bread."}))
    24
    """
    values = [plain(table, name, row[name]) for name in names]
    return hashlib.blake2b(
        json.dumps(values).encode("utf-8", "surrogatepass"), digest_size=12
    ).hexdigest()


def row_key(table: Table, row: Mapping[str, Any]) -> str:
    """Return what tells a row of the lab, as a text.

    Examples
    --------
    >>> row_key(PRODUCTION["workshops"], {"id": "wks_1"})
    '["wks_1"]'
    """
    return json.dumps([row[name] for name in table.key])


class Synced:
    """The rows of one database that the lab has seen.

    Parameters
    ----------
    db : Database
        The store's database.
    place : str
        The database, as people name it, without a password.
    sources : mapping
        Its tables by our names.

    Examples
    --------
    >>> Synced(Database(), "postgresql://localhost/app", {}).past("workshops")
    {}
    """

    def __init__(
        self, db: Database, place: str, sources: Mapping[str, ProductionTable | None]
    ) -> None:
        self._db = db
        self._names = {name: compared(s) for name, s in sources.items() if s is not None}
        scheme, _, rest = place.partition("://")
        # Whoever reads: it is the same database.
        self.place = f"{scheme}://{rest.rpartition('@')[2]}"
        self._theirs: dict[str, dict[str, tuple[str, str]]] = {}

    def past(self, table: str) -> dict[str, Past]:
        """Return what is known of the rows of a table, by their keys in the lab.

        Examples
        --------
        >>> Synced(Database(), "postgresql://localhost/app", {}).past("sessions")
        {}
        """
        rows = self._db.rows(
            "SELECT row_key, their_key, ours, theirs FROM production_rows "
            "WHERE place = ? AND table_name = ?",
            [self.place, table],
        )
        return {key: Past(*rest) for key, *rest in rows}

    def read(self, table: str, frame: pl.DataFrame) -> None:
        """Note rows as they were read, with their keys.

        Examples
        --------
        >>> sources = {"sessions": ProductionTable("sessions", {"id": "id"}, {"id": "text"})}
        >>> synced = Synced(Database(), "postgresql://localhost/app", sources)
        >>> row = {"id": "s", "label": None, "position": 0, "created_at": None, "their_key": "s"}
        >>> synced.read("sessions", pl.DataFrame([row]))
        """
        if table in SHARED:
            return
        declared, names = PRODUCTION[table], self._names[table]
        kept = self._theirs.setdefault(table, {})
        for row in frame.iter_rows(named=True):
            kept[row_key(declared, row)] = (row[KEY], digest(declared, names, row))

    def keep(self, workshops: Iterable[str]) -> None:
        """Store what was noted, beside digests of the lab's rows as they are now.

        Examples
        --------
        >>> Synced(Database(), "postgresql://localhost/app", {}).keep([])
        """
        ids = list(workshops)
        for table, theirs in self._theirs.items():
            declared, names = PRODUCTION[table], self._names[table]
            rows = []
            for row in lab_rows(self._db, table, ids):
                key = row_key(declared, row)
                if key in theirs:
                    their_key, their_digest = theirs[key]
                    past = Past(their_key, digest(declared, names, row), their_digest)
                    rows.append(self._row(table, key, row["_workshop"], past))
            self._put(table, rows)
        self._theirs = {}

    def write(self, table: str, found: Mapping[str, tuple[str, Past]]) -> None:
        """Store what is known of rows now, by their keys in the lab, each with its workshop.

        Examples
        --------
        >>> Synced(Database(), "postgresql://localhost/app", {}).write("sessions", {})
        """
        self._put(table, [self._row(table, k, workshop, p) for k, (workshop, p) in found.items()])

    def _row(self, table: str, key: str, workshop: str, past: Past) -> dict[str, str]:
        return {
            "place": self.place,
            "table_name": table,
            "row_key": key,
            "workshop_id": workshop,
            "their_key": past.key,
            "ours": past.ours,
            "theirs": past.theirs,
        }

    def _put(self, table: str, rows: list[dict[str, str]]) -> None:
        if not rows:
            return
        frame = PRODUCTION_ROWS.frame(rows)
        with self._db.write() as connection:
            connection.execute(
                "DELETE FROM production_rows WHERE place = ? AND table_name = ? "
                "AND list_contains(?, row_key)",
                [self.place, table, frame["row_key"].to_list()],
            )
            self._db.insert(PRODUCTION_ROWS.name, frame)


def lab_rows(db: Database, table: str, ids: Sequence[str]) -> Iterable[dict[str, Any]]:
    """Yield the lab's rows of some workshops, each with its workshop as ``_workshop``.

    Examples
    --------
    >>> list(lab_rows(Database(), "workshops", ["wks_none"]))
    []
    """
    workshop = {
        "workshops": "id",
        "step_definitions": "protocol",
        "artifact_schemas": "protocol",
    }.get(table, "workshop_id")
    if "workshop_step_id" in PRODUCTION[table].names:
        workshop = (
            f"(SELECT t.workshop_id FROM workshop_steps t WHERE t.id = {table}.workshop_step_id)"  # noqa: S608
        )
    order = ", ".join(PRODUCTION[table].key)
    frame = db.frame(
        f"SELECT *, {workshop} AS _workshop FROM {table} WHERE {ROWS[table]} ORDER BY {order}",  # noqa: S608
        {"ids": list(ids)},
    )
    return frame.iter_rows(named=True)
