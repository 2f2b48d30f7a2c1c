"""Copies of a store that are stores: tables, rows and triggers, checked before they are named.

DuckDB's own copies drop triggers, so a copy is made by migrating an empty file and moving the
rows over. It is written beside its target, read back, and put in place at the end.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import duckdb

from ctxlab.core.unforeseen import on_files
from ctxlab.errors import StoreCorruptError, StoreError
from ctxlab.redaction import is_address
from ctxlab.store.attaching import fold, open_here, opening, same_file
from ctxlab.store.connection import Database, translated
from ctxlab.store.migrate import tables
from ctxlab.store.swapping import beside, exists, held, put_in_place

_Digest = dict[str, tuple[int, int]]


@dataclass(frozen=True, slots=True)
class Restored:
    """What a restore did.

    Examples
    --------
    >>> Restored(rows=6_274, aside=None).rows
    6274
    """

    rows: int
    aside: Path | None
    """Where the store that could not be opened was moved to, if there was one."""


def backup(db: Database, target: str | Path, *, overwrite: bool = False) -> int:
    """Copy a store to a new file; return the number of rows.

    The copy is opened and read in full before it takes its name, so that a backup that is
    there can be restored. The lock of a file in its place is held while it is replaced.

    Raises
    ------
    StoreError
        When the target exists and is not to be overwritten, is the store itself, or cannot be
        written.
    StoreLockedError
        When somebody has the target open.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder, Database() as db:
    ...     backup(db, f"{folder}/copy.duckdb")
    0
    """
    path = _place(target)
    own = None if db.path == ":memory:" else Path(db.path).resolve()
    if own and same_file(path, own):
        raise StoreError(f"{target} is the store itself; name another file for its backup")
    if path.exists() and not overwrite:
        raise exists(Path(target))
    with beside(path) as made, _named(made, target):
        with Database(made) as copy, db.reading() as source:
            with copy.write():
                for table in tables():
                    frame = source.sql(f'SELECT * FROM "{table}"').pl()  # noqa: S608
                    if frame.height:
                        copy.insert(table, frame)
            wanted = _digest(source)
        rows = _verified(made, wanted, f"the backup {target}")
        if own:
            shutil.copymode(own, made)
        put_in_place(made, path, overwrite=overwrite)
    return rows


def restore(source: str | Path, target: str | Path, *, overwrite: bool = False) -> Restored:
    """Put a backup in the place of a store.

    A store that is replaced is gone; one that cannot be opened any more is moved aside with
    its log, never deleted. The backup itself is only read.

    Raises
    ------
    StoreError
        When the backup cannot be read, or the target exists and is not to be overwritten.
    StoreLockedError
        When somebody has the target or the backup open.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder, Database() as db:
    ...     _ = backup(db, f"{folder}/copy.duckdb")
    ...     restore(f"{folder}/copy.duckdb", f"{folder}/lab.duckdb").rows
    0
    """
    saved, path = _place(source), _place(target)
    if not saved.is_file():
        raise StoreError(f"there is no backup {source}; name an existing file")
    if same_file(saved, path):
        raise StoreError(f"{source} is the store itself; name a backup of it")
    if path.exists() and not overwrite:
        raise exists(Path(target))
    with beside(path) as made, _named(made, source):
        _copy_file(saved, made)
        rows = _verified(made, None, f"the backup {source}")
        aside = put_in_place(made, path, overwrite=overwrite)
    return Restored(rows, aside)


def _place(given: str | Path) -> Path:
    """Return the file that is meant, its folder made, so that what cannot be fails at once."""
    if is_address(str(given)):
        raise StoreError(f"{given} is the address of a server; name a file")
    with on_files(StoreError):
        path = Path(given).resolve()
        path.parent.mkdir(parents=True, exist_ok=True)
    return path


@contextmanager
def _named(made: Path, shown: str | Path) -> Iterator[None]:
    """Let errors name the file that the user knows instead of the one in the making."""
    try:
        with translated(str(shown)):
            yield
    except StoreError as error:
        if str(made) not in str(error):
            raise
        raise type(error)(str(error).replace(str(made), str(shown))) from error


def _copy_file(source: Path, made: Path) -> None:
    """Copy a file with its log while nobody writes to it."""
    with opening:
        if open_here(source):
            raise StoreError(f"{source} is open in this process; copy it with its backup()")
        with held(source, to_read=True):
            shutil.copyfile(source, made)
            log = Path(f"{source}.wal")
            if log.exists():
                shutil.copyfile(log, f"{made}.wal")


def _verified(made: Path, wanted: _Digest | None, what: str) -> int:
    """Make a copy whole, read all of it, and return its rows; refuse one not as wanted."""
    try:
        Database(made).close()
        # Closing says nothing when the disk is full, and leaves what it could not write in a log.
        fold(made)
        with Database(made) as copy, copy.reading() as cursor:
            found = _digest(cursor)
    except StoreCorruptError as error:
        raise StoreCorruptError(f"{what} is damaged and cannot be read; use another") from error
    if wanted is not None and found != wanted:
        different = ", ".join(t for t in wanted if found.get(t) != wanted[t])
        raise StoreCorruptError(f"{what} came out different in {different}; nothing was replaced")
    return sum(rows for rows, _ in found.values())


def _digest(cursor: duckdb.DuckDBPyConnection) -> _Digest:
    """Return rows and a digest of every table; computing it reads every value."""
    found = {}
    for table in tables():
        query = f'SELECT count(*), coalesce(sum(hash(t)), 0) FROM "{table}" t'  # noqa: S608
        row = cursor.execute(query).fetchone()
        found[table] = (int(row[0]), int(row[1])) if row else (0, 0)
    return found
