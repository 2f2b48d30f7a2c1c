"""The workshop tables for PostgreSQL, as SQLAlchemy metadata made from their declarations.

What DuckDB keeps by triggers is kept here by foreign keys that cascade. Every constraint has a
name, so that a later migration can address it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    ARRAY,
    REAL,
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Double,
    ForeignKeyConstraint,
    Index,
    Integer,
    MetaData,
    PrimaryKeyConstraint,
    Table,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects import postgresql
from sqlalchemy.dialects.postgresql import JSONB, TIMESTAMP
from sqlalchemy.schema import SchemaItem
from sqlalchemy.types import TypeEngine

from ctxlab.store import column as declared
from ctxlab.store import table as declared_table
from ctxlab.store.tables import PRODUCTION

_TYPES: dict[declared.Kind, TypeEngine[Any]] = {
    declared.TEXT: Text(),
    declared.INTEGER: Integer(),
    declared.BIGINT: BigInteger(),
    declared.REAL: Double(),
    declared.BOOLEAN: Boolean(),
    declared.TIME: TIMESTAMP(timezone=True),
    declared.JSON: JSONB(),
    declared.TEXTS: ARRAY(Text()),
    declared.FLOATS: ARRAY(REAL()),
}


def metadata(tables: Iterable[declared_table.Table] = PRODUCTION.values()) -> MetaData:
    """Return declared tables as PostgreSQL has them, parents before children.

    Examples
    --------
    >>> metadata().tables["sessions"].columns.keys()
    ['id', 'workshop_id', 'label', 'position', 'created_at']
    """
    made = MetaData(
        naming_convention={
            "pk": "%(table_name)s_pkey",
            "uq": "%(table_name)s_%(column_0_N_name)s_key",
            "fk": "%(table_name)s_%(column_0_N_name)s_fkey",
            "ck": "%(table_name)s_%(constraint_name)s_check",
            "ix": "%(table_name)s_%(column_0_N_name)s_idx",
        }
    )
    all_tables = list(tables)
    for table in all_tables:
        owned = [parent for one in all_tables for parent in one.parents]
        referred = [parent.key for parent in owned if parent.table == table.name]
        Table(table.name, made, *map(_column, table.columns), *_constraints(table, referred))
    return made


def _column(column: declared.Column) -> Column[Any]:
    default = None if column.default is None else text(column.default)
    kind = _TYPES[column.kind]
    return Column(column.name, kind, nullable=column.optional, server_default=default)


def _constraints(
    table: declared_table.Table, referred: Iterable[tuple[str, ...]]
) -> Iterator[SchemaItem]:
    primary, *others = table.keys
    yield PrimaryKeyConstraint(*primary)
    # PostgreSQL wants a key of exactly those columns that a foreign key names.
    for key in dict.fromkeys([*others, *referred]):
        if key != primary:
            yield UniqueConstraint(*key)
    for parent in table.parents:
        there = [f"{parent.table}.{name}" for name in parent.key]
        yield ForeignKeyConstraint(parent.columns, there, ondelete="CASCADE")
    for column in table.columns:
        if column.check:
            yield CheckConstraint(column.check.postgres.format(column.name), name=column.name)
    for names in table.indexes:
        yield _index(table, names)


def _index(table: declared_table.Table, names: tuple[str, ...]) -> Index:
    if [table.column(name).kind for name in names] == [declared.JSON]:
        contains = {names[0]: "jsonb_path_ops"}
        return Index(None, *names, postgresql_using="gin", postgresql_ops=contains)
    return Index(None, *names)


@dataclass(frozen=True, slots=True)
class NamedConstraint:
    """A constraint or an index with the name that PostgreSQL gives it.

    Examples
    --------
    >>> NamedConstraint("primary", "sessions_pkey", ("id",)).others
    ()
    """

    kind: str
    name: str
    columns: tuple[str, ...]
    other: str = ""
    others: tuple[str, ...] = ()
    text: str = ""


def named_constraints(table: str) -> list[NamedConstraint]:
    """Return every constraint and index of a table of production, by name.

    Examples
    --------
    >>> [rule.name for rule in named_constraints("sessions")][:2]
    ['sessions_pkey', 'sessions_id_workshop_id_key']
    """
    dialect = postgresql.dialect()  # type: ignore[no-untyped-call]
    made = metadata().tables[table]
    found = []
    rules: list[Any] = _constraints_in_order(made)
    for rule in [*rules, *sorted(made.indexes, key=lambda index: str(index.name))]:
        name = str(dialect.identifier_preparer.format_constraint(rule))
        columns = tuple(column.name for column in rule.columns)
        if isinstance(rule, PrimaryKeyConstraint):
            found.append(NamedConstraint("primary", name, columns))
        elif isinstance(rule, UniqueConstraint):
            found.append(NamedConstraint("unique", name, columns))
        elif isinstance(rule, CheckConstraint):
            found.append(NamedConstraint("check", name, columns, text=str(rule.sqltext)))
        elif isinstance(rule, ForeignKeyConstraint):
            others = tuple(element.column.name for element in rule.elements)
            other = rule.referred_table.name
            own = tuple(element.parent.name for element in rule.elements)
            found.append(NamedConstraint("foreign", name, own, other, others))
        elif isinstance(rule, Index):
            operators = rule.dialect_options["postgresql"]["ops"]
            found.append(
                NamedConstraint("index", name, columns, text=next(iter(operators.values()), ""))
            )
    return found


def _constraints_in_order(made: Table) -> list[Any]:
    order = (PrimaryKeyConstraint, UniqueConstraint, ForeignKeyConstraint, CheckConstraint)
    rules: list[Any] = list(made.constraints)

    def place(rule: Any) -> tuple[int, list[str], str]:  # noqa: ANN401 - SQLAlchemy's constraints
        return order.index(type(rule)), [column.name for column in rule.columns], str(rule.name)

    return sorted(rules, key=place)
