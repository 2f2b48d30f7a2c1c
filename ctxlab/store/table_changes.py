"""The migration that a changed declaration needs: what is declared, and not yet in the store.

``python -m ctxlab.store.table_changes`` writes it as the next numbered file. From then on that
file is history, and is never edited.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

from duckdb import DuckDBPyConnection

from ctxlab.errors import StoreError
from ctxlab.store.column import Column
from ctxlab.store.connection import Database
from ctxlab.store.migrate import migrations
from ctxlab.store.table import Table
from ctxlab.store.tables import TABLES


def missing_columns(
    connection: DuckDBPyConnection, tables: Iterable[Table] = TABLES.values()
) -> dict[Table, list[Column]]:
    """Return the declared columns that a database has not, by table.

    Examples
    --------
    >>> with Database() as db, db.reading() as connection:
    ...     missing_columns(connection)
    {}
    """
    there = set(
        connection.execute("SELECT table_name, column_name FROM duckdb_columns()").fetchall()
    )
    missing = {
        table: [column for column in table.columns if (table.name, column.name) not in there]
        for table in tables
    }
    return {table: columns for table, columns in missing.items() if columns}


def migration(connection: DuckDBPyConnection, tables: Iterable[Table] = TABLES.values()) -> str:
    """Return the SQL that adds what is declared to a database; nothing when all is there.

    A table gets its new columns by being made anew, filled and renamed: after an ``ALTER TABLE``
    on a table whose checks read JSON, DuckDB cannot replay its log.

    Raises
    ------
    StoreError
        When a new column may not be null and has no default: the rows that are there lack it.

    Examples
    --------
    >>> with Database() as db, db.reading() as connection:
    ...     migration(connection)
    ''
    """
    parts = []
    for table, columns in missing_columns(connection, tables).items():
        if len(columns) == len(table.columns):
            parts.append(table.create())
        else:
            parts.append(_made_anew(connection, table, columns))
    return "\n".join(parts)


def _made_anew(connection: DuckDBPyConnection, table: Table, new: Sequence[Column]) -> str:
    for column in new:
        if not column.optional and column.default is None:
            raise StoreError(
                f"{table.name}.{column.name} is new, and rows that are stored have no value for "
                "it; declare it with optional=True, or with a default"
            )
    triggers = _resting_on(connection, table.name)
    return "\n".join(
        [
            *(f"DROP TRIGGER {name} ON {on};" for name, on, _ in triggers),
            table.create(f"_{table.name}_now"),
            f"INSERT INTO _{table.name}_now BY NAME SELECT * FROM {table.name};",  # noqa: S608
            f"DROP TABLE {table.name};",
            f"ALTER TABLE _{table.name}_now RENAME TO {table.name};",
            *(text for _, _, text in triggers),
        ]
    )


def _resting_on(connection: DuckDBPyConnection, table: str) -> list[tuple[str, str, str]]:
    """Return the triggers that would keep a table from being dropped: name, table and text.

    A trigger that names the table does, and so does one that sets off such a trigger.
    """
    everything = connection.execute(
        "SELECT trigger_name, table_name, sql FROM duckdb_triggers() ORDER BY trigger_name"
    ).fetchall()
    reached = {table}
    while True:
        words = re.compile(rf"\b({'|'.join(sorted(reached))})\b")
        found = [trigger for trigger in everything if words.search(trigger[2])]
        if reached >= (more := {on for _, on, _ in found}):
            return found
        reached |= more


def write_migration(folder: Path | None = None) -> Path | None:
    """Write the next migration beside the others; None when the declarations need none.

    Parameters
    ----------
    folder : Path, optional
        Where to write it; the package's own migrations by default.

    Examples
    --------
    >>> write_migration() is None
    True
    """
    with Database() as db, db.reading() as connection:
        changed = missing_columns(connection)
        text = migration(connection)
    if not text:
        return None
    number = migrations()[-1].number + 1
    place = folder or Path(__file__).parent / "migrations"
    path = place / f"{number:04d}_{'_'.join(table.name for table in changed)}.sql"
    path.write_text(f"-- As declared in ctxlab/store/tables.py.\n{text}\n", encoding="utf-8")
    return path


if __name__ == "__main__":
    written = write_migration()
    sys.stdout.write(f"{written or 'nothing to write: every declared column is there'}\n")
