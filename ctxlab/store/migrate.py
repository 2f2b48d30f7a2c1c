"""Numbered migrations: plain SQL files, each applied once, in one transaction."""

from __future__ import annotations

import hashlib
import re
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from importlib.metadata import version
from pathlib import Path

import duckdb

from ctxlab.errors import NewerStoreError, OlderStoreError, StoreError

_TABLE = re.compile(r"CREATE TABLE (\w+)")
_LOG = """
CREATE TABLE IF NOT EXISTS schema_migrations (
  number INTEGER PRIMARY KEY,
  name VARCHAR NOT NULL,
  sha256 VARCHAR NOT NULL,
  written_by VARCHAR NOT NULL,
  applied_at TIMESTAMPTZ NOT NULL DEFAULT now()
)
"""


@dataclass(frozen=True, slots=True)
class Migration:
    """One numbered SQL file.

    Examples
    --------
    >>> migrations()[0].name
    'core'
    """

    number: int
    name: str
    sql: str

    @property
    def sha256(self) -> str:
        """Digest of the SQL: an applied migration is never edited.

        Examples
        --------
        >>> len(migrations()[0].sha256)
        64
        """
        return hashlib.sha256(self.sql.encode()).hexdigest()


@cache
def migrations() -> tuple[Migration, ...]:
    """Return all migrations in order.

    Examples
    --------
    >>> [m.number for m in migrations()] == list(range(1, len(migrations()) + 1))
    True
    """
    files = sorted((Path(__file__).parent / "migrations").glob("*.sql"))
    return tuple(
        Migration(int(f.stem[:4]), f.stem[5:], f.read_text(encoding="utf-8")) for f in files
    )


def tables() -> list[str]:
    """Return the tables that migrations make, parents before children.

    Examples
    --------
    >>> tables()[:2]
    ['workshops', 'sessions']
    """
    made = (name for m in migrations() for name in _TABLE.findall(m.sql))
    # A table that is made anew under another name takes its old name again.
    return [name for name in made if not name.startswith("_") and not name.endswith("_now")]


def migrate(connection: duckdb.DuckDBPyConnection, path: str, *, read_only: bool = False) -> None:
    """Bring a database up to date; each migration is applied whole or not at all.

    Raises
    ------
    OlderStoreError
        When it needs a migration and is open to read only.
    NewerStoreError
        When it holds a migration that this ctxlab does not know.
    StoreError
        When an applied migration differs from ours, or the file holds tables of others.

    Examples
    --------
    >>> with duckdb.connect(":memory:") as connection:
    ...     migrate(connection, ":memory:")
    """
    applied = _applied(connection, path)
    known = {migration.number: migration for migration in migrations()}
    for number, (name, sha256, writer) in applied.items():
        if number not in known:
            raise NewerStoreError(
                f"{path} holds migration {number} ({name}), written by ctxlab {writer}; this is "
                f"ctxlab {version('ctxlab')} and knows {max(known)}: upgrade ctxlab to open it"
            )
        if known[number].sha256 != sha256:
            raise StoreError(
                f"{path}: migration {number} ({name}) differs from the one ctxlab "
                f"{version('ctxlab')} ships; open it with ctxlab {writer}"
            )
    missing = [migration for migration in migrations() if migration.number not in applied]
    if missing and read_only:
        raise OlderStoreError(
            f"{path} lacks migration {missing[0].number} ({missing[0].name}) and is open "
            f"read-only; open it once with Store({path!r}), or a copy where it cannot be written"
        )
    for migration in missing:
        _apply(connection, migration)


def _applied(connection: duckdb.DuckDBPyConnection, path: str) -> dict[int, tuple[str, str, str]]:
    tables = {
        row[0] for row in connection.execute("SELECT table_name FROM duckdb_tables()").fetchall()
    }
    if tables and "schema_migrations" not in tables:
        raise StoreError(
            f"{path} is a DuckDB database of something else ({', '.join(sorted(tables)[:3])}); "
            "choose another file for ctxlab's store"
        )
    if not tables:
        return {}
    rows = connection.execute(
        "SELECT number, name, sha256, written_by FROM schema_migrations ORDER BY number"
    ).fetchall()
    return {number: (name, sha256, writer) for number, name, sha256, writer in rows}


def _apply(connection: duckdb.DuckDBPyConnection, migration: Migration) -> None:
    connection.execute("BEGIN TRANSACTION")
    try:
        connection.execute(_LOG)
        connection.execute(migration.sql)
        connection.execute(
            "INSERT INTO schema_migrations (number, name, sha256, written_by) VALUES (?, ?, ?, ?)",
            [migration.number, migration.name, migration.sha256, version("ctxlab")],
        )
        connection.execute("COMMIT")
    except BaseException:
        # A commit that failed has ended the transaction already.
        with suppress(duckdb.TransactionException):
            connection.execute("ROLLBACK")
        raise
