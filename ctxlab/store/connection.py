"""One DuckDB file, one writer lock, and errors that say what to do."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import duckdb
import polars as pl

from ctxlab.errors import (
    ConflictError,
    ForkedStoreError,
    StoreCorruptError,
    StoreError,
    StoreLockedError,
)
from ctxlab.redaction import is_address
from ctxlab.store.attaching import (
    SharedFile,
    check_not_forked,
    confine,
    connect,
    opening,
    shared,
    tracked,
)
from ctxlab.store.migrate import migrate

_HOLDER = re.compile(r"held in (?P<who>.*?) ?\(PID (?P<pid>\d+)\)")
_BROKEN = ("not a valid duckdb", "corrupt", "deserializ", "replaying wal", "wal does not match")
_FULL = ("no space left", "disk quota", "could not write all bytes", "file too large")
_FORBIDDEN = ("permission denied", "read-only file system", "operation not permitted")
Parameters = Sequence[object] | Mapping[str, object]


class Database:
    """A DuckDB file with ctxlab's tables.

    All writes of a process to a file go through one lock, each block in one transaction; reads
    may run in any thread. It belongs to the process that opened it: a forked child that uses it
    gets an error, and leaves the file alone when it ends.

    Parameters
    ----------
    path : str or Path
        The file, made with its folders when absent, or ``":memory:"``.
    read_only : bool
        Change nothing in it: for files and media that cannot be written.

    Raises
    ------
    StoreLockedError
        When another process holds the file; the message names it.
    StoreCorruptError
        When the file is not a DuckDB database, or damaged.
    NewerStoreError
        When a newer ctxlab wrote it.
    OlderStoreError
        When it is opened to read only, and an older ctxlab wrote it.

    Examples
    --------
    >>> with Database(":memory:") as db:
    ...     db.rows("SELECT count(*) FROM workshops")
    [(0,)]
    """

    def __init__(self, path: str | Path = ":memory:", *, read_only: bool = False) -> None:
        self.path, self.read_only = str(path), read_only
        self._process, self._depth = os.getpid(), 0
        self.schemas: dict[tuple[str, str, int | None, int | None], tuple[int, str]] = {}
        """Artifact schemas that were read; a registered version never changes."""
        check_not_forked(self.path)
        with opening, translated(self.path):
            self._file, self._connection = self._open()
            try:
                migrate(self._connection, self.path, read_only=read_only)
            except BaseException:
                self._connection.close()
                self._file = SharedFile()
                raise

    def _open(self) -> tuple[SharedFile, duckdb.DuckDBPyConnection]:
        if self.path == ":memory:":
            connection = tracked(duckdb.connect())
            confine(connection)
            return SharedFile(), connection
        if is_address(self.path):
            raise StoreError(
                f"{self.path} is the address of a server, and a store is a file; name a file, and "
                "read production into it with `ctxlab import ADDRESS --store FILE`"
            )
        if "\0" in self.path:
            raise StoreError(f"{self.path!r} holds a NUL character; name a file without")
        path = Path(self.path).resolve()
        if self.read_only and not path.exists():
            raise StoreError(f"there is no store {self.path} to read; name an existing one")
        if not self.read_only:
            path.parent.mkdir(parents=True, exist_ok=True)
        connection = connect(path, read_only=self.read_only)
        return shared(path), connection

    @property
    def generation(self) -> int:
        """Number of writes that have ended: what was read before may be out of date.

        Examples
        --------
        >>> Database().generation
        0
        """
        return self._file.generation

    @property
    def inherited(self) -> bool:
        """Whether this process is a child of the one that opened the store.

        Examples
        --------
        >>> Database().inherited
        False
        """
        return self._process != os.getpid()

    def check_process(self) -> None:
        """Refuse to go on in a forked child.

        Raises
        ------
        ForkedStoreError
            When another process opened the store.

        Examples
        --------
        >>> Database().check_process()
        """
        if self.inherited:
            raise ForkedStoreError(self.path)

    @contextmanager
    def write(self) -> Iterator[duckdb.DuckDBPyConnection]:
        """Give the connection within a transaction, under the writer lock.

        What is nested joins the outer transaction. An exception rolls everything back.

        Examples
        --------
        >>> with Database(":memory:") as db, db.write() as connection:
        ...     _ = connection.execute("INSERT INTO _refused VALUES ('x')")
        """
        self.check_process()
        if self.read_only:
            raise StoreError(
                f"{self.path} is open read-only; open it with Store({self.path!r}) to write, or "
                "write to a copy made by `ctxlab backup`"
            )
        with self._file.lock, translated(self.path):
            if self._depth == 0:
                self._connection.execute("BEGIN TRANSACTION")
            self._depth += 1
            try:
                yield self._connection
            except BaseException:
                self._end("ROLLBACK")
                raise
            self._end("COMMIT")

    def _end(self, how: str) -> None:
        """Leave a write; the outermost ends the transaction."""
        self._depth -= 1
        if self._depth > 0:
            return
        if self.inherited and how == "ROLLBACK":
            # A child that was forked within the write leaves its parent's transaction alone.
            return
        self.check_process()
        try:
            if how == "ROLLBACK":
                self._roll_back()
                return
            try:
                self._connection.execute("COMMIT")
            except BaseException:
                self._roll_back()
                raise
        finally:
            # Only now: who read before the end has read what is out of date.
            self._file.generation += 1

    def _roll_back(self) -> None:
        self.schemas.clear()
        # A commit that failed may have ended the transaction already.
        with suppress(duckdb.TransactionException):
            self._connection.execute("ROLLBACK")

    @property
    def writing(self) -> bool:
        """Whether a write is open.

        Examples
        --------
        >>> Database().writing
        False
        """
        return self._depth > 0

    def rows(self, sql: str, parameters: Parameters = ()) -> list[tuple[Any, ...]]:
        """Return the rows of a query.

        Examples
        --------
        >>> Database(":memory:").rows("SELECT ?::INT + 1", [1])
        [(2,)]
        """
        with self._reader() as cursor:
            return cursor.execute(sql, parameters).fetchall()

    def frame(self, sql: str, parameters: Parameters = ()) -> pl.DataFrame:
        """Return the rows of a query as a frame, by way of Arrow.

        Examples
        --------
        >>> Database(":memory:").frame("SELECT 1 AS one").shape
        (1, 1)
        """
        with self._reader() as cursor:
            found: pl.DataFrame = cursor.sql(sql, params=parameters or None).pl()
            return found

    @contextmanager
    def _reader(self) -> Iterator[duckdb.DuckDBPyConnection]:
        self.check_process()
        with translated(self.path):
            if self._file.lock.acquire(blocking=False):
                # The writing thread sees what it has written; a free lock costs no cursor.
                try:
                    yield self._connection
                finally:
                    self._file.lock.release()
                return
            with self._cursor() as cursor:
                yield cursor

    @contextmanager
    def reading(self) -> Iterator[duckdb.DuckDBPyConnection]:
        """Give a cursor within a read-only transaction: one consistent view, no changes.

        Examples
        --------
        >>> with Database() as db, db.reading() as cursor:
        ...     cursor.execute("SELECT 1").fetchall()
        [(1,)]
        """
        self.check_process()
        with translated(self.path), self._cursor() as cursor:
            cursor.execute("BEGIN TRANSACTION READ ONLY")
            yield cursor

    @contextmanager
    def _cursor(self) -> Iterator[duckdb.DuckDBPyConnection]:
        cursor = tracked(self._connection.cursor())
        try:
            yield cursor
        finally:
            if not self.inherited:
                cursor.close()

    def insert(self, table: str, frame: pl.DataFrame) -> None:
        """Append a frame to a table by column name, in bulk; part of the write that is open.

        Examples
        --------
        >>> with Database(":memory:") as db:
        ...     db.insert("_refused", pl.DataFrame({"reason": ["x"]}))
        ...     db.rows("SELECT * FROM _refused")
        [('x',)]
        """
        with self.write() as connection:
            connection.register("_incoming", frame.to_arrow())
            connection.execute(f"INSERT INTO {table} BY NAME SELECT * FROM _incoming")  # noqa: S608
            connection.unregister("_incoming")

    def close(self) -> None:
        """Close the file; what was committed is on disk. A forked child leaves it open.

        Examples
        --------
        >>> Database(":memory:").close()
        """
        if self.inherited:
            return
        with self._file.lock:
            self._connection.close()
            self._file = SharedFile()

    def __enter__(self) -> Database:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


@contextmanager
def translated(path: str) -> Iterator[None]:
    """Turn DuckDB's errors into ctxlab's.

    Examples
    --------
    >>> with translated("x.duckdb"):
    ...     raise duckdb.IOException("No space left on device")
    Traceback (most recent call last):
    ctxlab.errors.StoreError: x.duckdb: the disk is full; ...
    """
    try:
        yield
    except (duckdb.Error, OSError) as error:
        raise _translate(error, path) from error


def _translate(error: Exception, path: str) -> StoreError:
    text = str(error)
    lower = text.lower()
    if "could not set lock" in lower or "conflicting lock" in lower:
        holder = _HOLDER.search(text)
        who = f"process {holder['pid']} ({holder['who']})" if holder else "another process"
        return StoreLockedError(
            f"{path} is held by {who}; close it there, or work on a copy made by `ctxlab backup`"
        )
    if "unique file handle conflict" in lower:
        return StoreLockedError(
            f"{path} is open in this process without ctxlab; close that connection first"
        )
    if "already closed" in lower:
        return StoreError(f"the store {path} is closed; open it again with Store({path!r})")
    if any(sign in lower for sign in _BROKEN):
        return StoreCorruptError(
            f"{path} is not a readable DuckDB database ({_first_line(text)}); restore a backup "
            f"with `ctxlab restore BACKUP --store {path} --overwrite`, which moves the broken "
            "file aside, or choose another file"
        )
    if any(sign in lower for sign in _FULL):
        return StoreError(
            f"{path}: the disk is full; free some space and try again, nothing half-written "
            f"was kept ({_first_line(text)})"
        )
    if any(sign in lower for sign in _FORBIDDEN):
        return StoreError(
            f"{path} cannot be written ({_first_line(text)}); read it with Store({path!r}, "
            "read_only=True) or `ctxlab sql`, or copy it to a folder that you may write to"
        )
    if isinstance(error, duckdb.ConstraintException) or "duplicate key" in lower:
        return ConflictError(f"{path}: {_first_line(text)}")
    return StoreError(f"{path}: {_first_line(text)}")


def _first_line(text: str) -> str:
    lines = text.strip().removeprefix("TransactionContext Error: Failed to commit: ").splitlines()
    return lines[0] if lines else "no details"
