"""Copies of a store that are stores: tables, rows and triggers.

DuckDB's own copies drop triggers, so a copy is made by migrating an empty file and moving the
rows over. It is written beside its target and put in place at the end.
"""

from __future__ import annotations

from pathlib import Path

from ctxlab.errors import StoreError
from ctxlab.store.connection import Database
from ctxlab.store.migrate import tables
from ctxlab.store.storable import new_id


def backup(db: Database, target: str | Path, *, overwrite: bool = False) -> int:
    """Copy a store to a new file; return the number of rows.

    Raises
    ------
    StoreError
        When the target exists and is not to be overwritten, or cannot be written.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder, Database() as db:
    ...     backup(db, f"{folder}/copy.duckdb")
    0
    """
    path = Path(target)
    if path.exists() and not overwrite:
        raise StoreError(f"{path} exists; choose another name, or overwrite it explicitly")
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(f".{path.name}.{new_id('tmp')}")
    rows = 0
    try:
        with Database(beside) as copy, copy.write(), db.reading() as source:
            for table in tables():
                frame = source.sql(f'SELECT * FROM "{table}"').pl()  # noqa: S608
                rows += frame.height
                if frame.height:
                    copy.insert(table, frame)
        beside.replace(path)
    finally:
        beside.unlink(missing_ok=True)
        Path(f"{beside}.wal").unlink(missing_ok=True)
    return rows


def restore(source: str | Path, target: str | Path, *, overwrite: bool = False) -> int:
    """Put a backup in the place of a store; return the number of rows.

    Raises
    ------
    StoreError
        When the backup cannot be read, or the target exists and is not to be overwritten.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder, Database() as db:
    ...     _ = backup(db, f"{folder}/copy.duckdb")
    ...     restore(f"{folder}/copy.duckdb", f"{folder}/lab.duckdb")
    0
    """
    if not Path(source).exists():
        raise StoreError(f"there is no backup {source}; name an existing file")
    if Path(target).exists():
        # Opening the target proves that no other process holds it.
        Database(target).close()
    with Database(source) as saved:
        return backup(saved, target, overwrite=overwrite)
