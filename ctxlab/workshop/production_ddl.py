"""Production's tables as PostgreSQL's DDL, compiled by SQLAlchemy."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from ctxlab.errors import MissingExtraError
from ctxlab.store.tables import PRODUCTION

if TYPE_CHECKING:
    from sqlalchemy import MetaData


def table_names() -> list[str]:
    """Return the tables, parents before children.

    Examples
    --------
    >>> table_names()[:2]
    ['workshops', 'sessions']
    """
    return list(PRODUCTION)


def column_names(table: str) -> list[str]:
    """Return the columns of a table.

    Examples
    --------
    >>> column_names("sessions")
    ['id', 'workshop_id', 'label', 'position', 'created_at']
    """
    return list(PRODUCTION[table].names)


def statements(tables: Iterable[str]) -> list[str]:
    """Return what makes some of the tables and their indexes, without semicolons.

    Examples
    --------
    >>> print(statements(["sessions"])[1])
    CREATE INDEX sessions_workshop_id_idx ON sessions (workshop_id)
    """
    made = _metadata().tables
    from sqlalchemy.dialects import postgresql
    from sqlalchemy.schema import CreateIndex, CreateTable

    dialect = postgresql.dialect()  # type: ignore[no-untyped-call]
    found: list[str] = []
    for name in tables:
        table = made[name]
        indexes = sorted(table.indexes, key=lambda index: str(index.name))
        found.append(_tidy(str(CreateTable(table).compile(dialect=dialect))))
        found += [_tidy(str(CreateIndex(index).compile(dialect=dialect))) for index in indexes]
    return found


def _tidy(statement: str) -> str:
    lines = (line.rstrip().replace("\t", "  ") for line in statement.strip().splitlines())
    return "\n".join(lines)


def _metadata() -> MetaData:
    try:
        from ctxlab.workshop.production_tables import metadata
    except ImportError as error:
        raise MissingExtraError("writing PostgreSQL tables", "export") from error
    return metadata()
