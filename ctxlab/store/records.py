"""Rows of a table by name: its columns, values of a dataclass made from them, and back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import fields
from itertools import takewhile
from operator import attrgetter
from typing import Any, Generic, TypeVar

from ctxlab.store.connection import Database, Parameters
from ctxlab.store.forms import Form
from ctxlab.store.table import Table
from ctxlab.store.tables import TABLES

T = TypeVar("T")
_Places = dict[str, tuple[str, Form]]


def fetch(
    db: Database, table: Table, names: Sequence[str], tail: str, parameters: Parameters = ()
) -> dict[str, Sequence[Any]]:
    """Return some columns of some rows of a table, by name; `tail` is WHERE and ORDER BY.

    Examples
    --------
    >>> from ctxlab.store.tables import CASES
    >>> list(fetch(Database(), CASES, ["dataset", "case_id"], "WHERE id = ?", ["cas_none"]))
    ['dataset', 'case_id']
    """
    return _fetch(db, _places(table, names), f"{table.name} {tail}", parameters)


def _form(place: str) -> Form:
    table, _, column = place.partition(".")
    return TABLES[table].column(column).form


def _places(table: Table, names: Sequence[str]) -> _Places:
    return {name: (table.select(name), table.column(name).form) for name in names}


def _fetch(
    db: Database, places: _Places, source: str, parameters: Parameters
) -> dict[str, Sequence[Any]]:
    listing = ", ".join(place for place, _ in places.values())
    rows = db.rows(f"SELECT {listing} FROM {source}", parameters)  # noqa: S608 - declared
    columns = zip(*rows, strict=True) if rows else ((),) * len(places)
    return {
        name: form.read(values)
        for (name, (_, form)), values in zip(places.items(), columns, strict=True)
    }


class Records(Generic[T]):
    """What makes values of a dataclass from the rows of a table, and rows from values.

    Parameters
    ----------
    made : type
        The dataclass. Each field is the column of that name, or the one declared with it as its
        `field`; those after the first field that is no column keep their defaults.
    table : Table
        Whose rows.
    joins : str
        JOIN clauses of tables that hold some of the fields.
    joined : mapping of str to str
        Those fields, and of each the table and column, such as ``sessions.label``.
    forms : mapping of str to Form
        How such a field is read, where it is not as its column is.

    Examples
    --------
    >>> from ctxlab.core.cases import Probe
    >>> from ctxlab.store.tables import PROBES
    >>> Records(Probe, PROBES).columns([Probe("p1", "How many?", "314", at="m7")])["asked_at"]
    ['m7']
    """

    def __init__(
        self,
        made: type[T],
        table: Table,
        joins: str = "",
        joined: Mapping[str, str] | None = None,
        forms: Mapping[str, Form] | None = None,
    ) -> None:
        self._made, self.table, self._source = made, table, f"{table.name} {joins}"
        own = {column.field or column.name: column for column in table.columns}
        others = {
            field: (place, (forms or {}).get(field) or _form(place))
            for field, place in (joined or {}).items()
        }
        names = [field.name for field in fields(made)]  # type: ignore[arg-type]
        self._own = {name: own[name] for name in names if name in own and name not in others}
        places = {name: (table.select(c.name), c.form) for name, c in self._own.items()} | others
        self._fields = {
            name: places[name] for name in takewhile(lambda name: name in places, names)
        }

    def read(self, db: Database, tail: str, parameters: Parameters = ()) -> list[T]:
        """Return the values of some rows.

        Parameters
        ----------
        db : Database
            The store's database.
        tail : str
            WHERE and ORDER BY.
        parameters : sequence or mapping
            What is bound in it.

        Examples
        --------
        >>> from ctxlab.core.cases import Probe
        >>> from ctxlab.store.tables import PROBES
        >>> Records(Probe, PROBES).read(Database(), "WHERE case_id = ?", ["cas_none"])
        []
        """
        return self.values(self.fetch(db, tail, parameters))

    def fetch(
        self, db: Database, tail: str, parameters: Parameters = (), also: Sequence[str] = ()
    ) -> dict[str, Sequence[Any]]:
        """Return some rows by field, and `also` by the names of other columns of the table.

        Examples
        --------
        >>> from ctxlab.core.cases import Probe
        >>> from ctxlab.store.tables import PROBES
        >>> list(Records(Probe, PROBES).fetch(Database(), "", also=["position"]))[-2:]
        ['at', 'position']
        """
        places = self._fields | _places(self.table, also)
        return _fetch(db, places, f"{self._source} {tail}", parameters)

    def values(self, columns: Mapping[str, Sequence[Any]]) -> list[T]:
        """Return the values whose fields are given, field by field.

        Examples
        --------
        >>> from ctxlab.core.cases import Case
        >>> from ctxlab.store.tables import CASES
        >>> records = Records(Case, CASES, joined={"messages": "cases.id"})
        >>> records.values({"id": ["c1"], "dataset": ["mine"], "messages": [()]})[0].dataset
        'mine'
        """
        return list(map(self._made, *(columns[name] for name in self._fields)))

    def columns(self, values: Sequence[T]) -> dict[str, list[Any]]:
        """Return values column by column, as far as their fields stand in the table itself.

        Examples
        --------
        >>> from ctxlab.core.segments import Message
        >>> from ctxlab.store.tables import CHAT_MESSAGES
        >>> records = Records(Message, CHAT_MESSAGES)
        >>> records.columns([Message("m1", "user", "Hi")])["message_id"]
        ['m1']
        """
        return {
            column.name: column.form.write(list(map(attrgetter(name), values)))
            for name, column in self._own.items()
        }
