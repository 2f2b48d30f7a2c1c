"""Which column of a production table is which of ours."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from psycopg import Connection, sql

from ctxlab.errors import DataError
from ctxlab.store.tables import PRODUCTION

COLUMNS: dict[str, dict[str, tuple[str, ...]]] = {
    name: {column.name: column.elsewhere for column in table.columns}
    for name, table in PRODUCTION.items()
}
"""Our columns of every table, each with other names that production gives it."""


@dataclass(frozen=True)
class ProductionTable:
    """A table of the database: for our columns theirs, what is left over, what must be given.

    Examples
    --------
    >>> columns, types = {"created_at": "createdAt"}, {"createdAt": "timestamp with time zone"}
    >>> ProductionTable("workshops", columns, types).has("title")
    False
    """

    table: str
    columns: dict[str, str]
    types: dict[str, str]
    extras: list[str] = field(default_factory=list)
    required: frozenset[str] = frozenset()

    def has(self, name: str) -> bool:
        """Say whether there is a column of that meaning.

        Examples
        --------
        >>> ProductionTable("workshops", {"id": "id"}, {"id": "uuid"}).has("id")
        True
        """
        return name in self.columns

    def require(self, *names: str) -> None:
        """Refuse a table without some columns.

        Raises
        ------
        DataError
            With the column that is missing, and those that there are.

        Examples
        --------
        >>> ProductionTable("workshops", {"id": "id"}, {"id": "uuid"}).require("id", "title")
        Traceback (most recent call last):
        ctxlab.errors.DataError: field workshops.title: is missing; the table has id
        """
        for name in names:
            if not self.has(name):
                there = ", ".join(self.types)
                raise DataError(f"is missing; the table has {there}", field=f"{self.table}.{name}")

    def type_of(self, name: str) -> str:
        """Return the PostgreSQL type of the column of that meaning.

        Examples
        --------
        >>> ProductionTable("workshops", {"id": "id"}, {"id": "uuid"}).type_of("id")
        'uuid'
        """
        return self.types[self.columns[name]]

    @property
    def key(self) -> tuple[str, ...]:
        """Their columns that tell a row: its id where there is one, else what tells it in the lab.

        Examples
        --------
        >>> ProductionTable("chat_messages", {"message_id": "m"}, {"id": "uuid", "m": "text"}).key
        ('id',)
        """
        if "id" in self.types:
            return ("id",)
        return tuple(self.columns[name] for name in PRODUCTION[self.table].key if self.has(name))

    def unplaced(self, name: str) -> str | None:
        """Return their column of that name which is none of ours, in whatever spelling.

        Examples
        --------
        >>> ProductionTable("workshops", {}, {}, ["deletedAt"]).unplaced("deleted_at")
        'deletedAt'
        """
        return next((column for column in self.extras if snake_case(column) == name), None)

    def column(self, name: str) -> sql.Composable:
        """Return the column of that meaning, for a query in which the table is called ``t``.

        Examples
        --------
        >>> ProductionTable("workshops", {"id": "Id"}, {"Id": "uuid"}).column("id").as_string()
        '"t"."Id"'
        """
        return sql.Identifier("t", self.columns[name])


def find_table(connection: Connection, table: str) -> ProductionTable | None:
    """Look a table up on the search path; None when there is none.

    Examples
    --------
    >>> find_table.__annotations__["return"]
    'ProductionTable | None'
    """
    rows = connection.execute(
        "SELECT attname, format_type(atttypid, NULL), attnotnull AND NOT atthasdef "
        "AND attidentity = '' FROM pg_attribute "
        "WHERE attrelid = to_regclass(%s) AND attnum > 0 AND NOT attisdropped ORDER BY attnum",
        [table],
    ).fetchall()
    if not rows:
        return None
    types = {str(name): str(kind) for name, kind, _ in rows}
    columns = match_columns(table, list(types))
    extras = [name for name in types if name not in columns.values()]
    required = frozenset(str(name) for name, _, needed in rows if needed)
    return ProductionTable(table, columns, types, extras, required)


def match_columns(table: str, names: list[str]) -> dict[str, str]:
    """Return theirs for ours: a column of our own name goes before one of another name.

    Examples
    --------
    >>> match_columns("workshops", ["id", "name", "createdAt", "color"])
    {'id': 'id', 'title': 'name', 'created_at': 'createdAt'}
    """
    plain = {snake_case(name): name for name in reversed(names)}
    ours = COLUMNS[table]
    found: dict[str, str] = {}
    for name, others in ours.items():
        # Another name that is itself one of our columns belongs to that column.
        free = (other for other in others if other not in ours)
        place = next((n for n in (name, *free) if n in plain), None)
        if place:
            found[name] = plain[place]
    return found


def snake_case(name: str) -> str:
    """Return a name as Python and SQL write it.

    Examples
    --------
    >>> snake_case("workshopStepId"), snake_case("created_at"), snake_case("ID")
    ('workshop_step_id', 'created_at', 'id')
    """
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower()
