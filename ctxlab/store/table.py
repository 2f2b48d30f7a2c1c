"""What the declaration of a table says, and the SQL and the frames that follow from it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl

from ctxlab.store.column import Column
from ctxlab.store.forms import ESCAPED
from ctxlab.store.storable import MARK, storable


@dataclass(frozen=True, slots=True)
class Parent:
    """The table whose rows own those of this one: they are deleted with their owner.

    Examples
    --------
    >>> Parent("workshops", ("workshop_id",)).key
    ('id',)
    """

    table: str
    columns: tuple[str, ...]
    key: tuple[str, ...] = ("id",)


@dataclass(frozen=True, eq=False)
class Table:
    """One table of the store.

    Parameters
    ----------
    name : str
        Its name, here and in production.
    columns : sequence of Column
        In their order.
    primary, unique : sequences of names
        The primary key, and the other keys. In PostgreSQL the first key is always primary.
    identity : sequence of str
        What tells that two rows are the same one, where that is not the first key.
    checks : sequence of str
        Conditions on more than one column, as SQL.
    parents : sequence of Parent
        Whose rows own these. DuckDB has triggers for it (see the migrations), PostgreSQL keys.
    indexes : sequences of names
        What PostgreSQL indexes besides; one JSON column by what it contains.
    production : bool
        Whether production has the table, too.

    Examples
    --------
    >>> from ctxlab.store.column import INTEGER, TEXT
    >>> words = Table("words", (Column("word", TEXT), Column("length", INTEGER)), ("word",))
    >>> words.select("length")
    'words."length"'
    """

    name: str
    columns: tuple[Column, ...]
    primary: tuple[str, ...] = ()
    unique: tuple[tuple[str, ...], ...] = ()
    identity: tuple[str, ...] = ()
    checks: tuple[str, ...] = ()
    parents: tuple[Parent, ...] = ()
    indexes: tuple[tuple[str, ...], ...] = ()
    production: bool = False

    @property
    def names(self) -> tuple[str, ...]:
        """The names of its columns.

        Examples
        --------
        >>> from ctxlab.store.tables import CASES
        >>> CASES.names
        ('id', 'dataset', 'case_id', 'workshop_id')
        """
        return tuple(column.name for column in self.columns)

    @property
    def keys(self) -> tuple[tuple[str, ...], ...]:
        """All keys, the primary one first.

        Examples
        --------
        >>> from ctxlab.store.tables import WORKSHOP_STEPS
        >>> WORKSHOP_STEPS.keys
        (('id',), ('workshop_id', 'step_id'))
        """
        return ((self.primary,) if self.primary else ()) + self.unique

    @property
    def key(self) -> tuple[str, ...]:
        """What tells that two rows are the same one.

        Examples
        --------
        >>> from ctxlab.store.tables import STEP_SUMMARIES
        >>> STEP_SUMMARIES.key
        ('workshop_step_id',)
        """
        return self.identity or next(iter(self.keys), ())

    def column(self, name: str) -> Column:
        """Return a column by name.

        Examples
        --------
        >>> from ctxlab.store.tables import CHAT_MESSAGES
        >>> CHAT_MESSAGES.column("role").elsewhere
        ('sender',)
        """
        return next(column for column in self.columns if column.name == name)

    def schema(self, names: Iterable[str] | None = None) -> dict[str, pl.DataType]:
        """Return the polars type of some columns, or of all.

        Examples
        --------
        >>> from ctxlab.store.tables import CHAT_MESSAGES
        >>> CHAT_MESSAGES.schema(["pinned", "running_total"])
        {'pinned': Boolean, 'running_total': Int64}
        """
        kinds = {column.name: column.kind.polars for column in self.columns}
        return kinds if names is None else {name: kinds[name] for name in names}

    def select(self, *names: str) -> str:
        """Return a SELECT list of some columns, or of all.

        Examples
        --------
        >>> from ctxlab.store.tables import CASES
        >>> CASES.select("dataset", "case_id")
        'cases."dataset", cases."case_id"'
        """
        return ", ".join(f'{self.name}."{self.column(n).name}"' for n in names or self.names)

    def insert(self, names: Iterable[str]) -> str:
        """Return the statement that inserts one row, its values bound by name.

        Examples
        --------
        >>> from ctxlab.store.tables import STEP_SUMMARY_HISTORY
        >>> STEP_SUMMARY_HISTORY.insert(["workshop_step_id", "error"]).split(" VALUES ")[1]
        '($workshop_step_id, $error)'
        """
        given = [self.column(name).name for name in names]
        values = ", ".join(f"${name}" for name in given)
        return f"INSERT INTO {self.name} ({_quoted(given)}) VALUES ({values})"  # noqa: S608

    def update(self, names: Iterable[str]) -> str:
        """Return the beginning of a statement that changes columns, their values bound by name.

        Examples
        --------
        >>> from ctxlab.store.tables import WORKSHOP_STEPS
        >>> WORKSHOP_STEPS.update(["status"])
        'UPDATE workshop_steps SET "status" = $status'
        """
        changes = ", ".join(f'"{self.column(name).name}" = ${name}' for name in names)
        return f"UPDATE {self.name} SET {changes}"  # noqa: S608 - declared

    def frame(
        self, data: Mapping[str, Sequence[Any]] | Sequence[Mapping[str, Any]]
    ) -> pl.DataFrame:
        r"""Return columns, or rows, as a frame of the declared types.

        Text is escaped only where there is some that UTF-8 cannot hold.

        Examples
        --------
        >>> from ctxlab.store.tables import WORKSHOPS
        >>> WORKSHOPS.frame([{"id": "w1", "title": "\ud800"}]).rows()
        [('w1', '\x00json:"\\ud800"')]
        """
        columns = data if isinstance(data, Mapping) else _by_column(data)
        schema = self.schema(columns)
        escaped = [name for name in columns if self.column(name).form is ESCAPED]
        try:
            frame = pl.DataFrame(columns, schema=schema)
            marked = pl.any_horizontal(
                pl.lit(False), *(pl.col(name).str.starts_with(MARK).any() for name in escaped)
            )
            if not frame.select(marked).item():
                return frame
        except UnicodeEncodeError:
            pass
        texts = {
            name: [text if text is None else storable(text) for text in columns[name]]
            for name in escaped
        }
        return pl.DataFrame({**columns, **texts}, schema=schema)

    def create(self, name: str | None = None) -> str:
        """Return the statement that makes the table in DuckDB, under its name or another.

        Examples
        --------
        >>> from ctxlab.store.tables import VECTORS
        >>> print(VECTORS.create())
        CREATE TABLE vectors (
          "model" VARCHAR NOT NULL,
          "text_hash" VARCHAR NOT NULL,
          "vector" FLOAT[] NOT NULL,
          UNIQUE ("model", "text_hash")
        );
        """
        lines = [column.sql for column in self.columns]
        for key in self.keys:
            kind = "PRIMARY KEY" if key == self.primary else "UNIQUE"
            lines.append(f"{kind} ({_quoted(key)})")
        lines += [f"CHECK ({condition})" for condition in self.checks]
        return f"CREATE TABLE {name or self.name} (\n  " + ",\n  ".join(lines) + "\n);"


def _quoted(names: Iterable[str]) -> str:
    return ", ".join(f'"{name}"' for name in names)


def _by_column(rows: Sequence[Mapping[str, Any]]) -> dict[str, list[Any]]:
    return {name: [row[name] for row in rows] for name in (rows[0] if rows else ())}
