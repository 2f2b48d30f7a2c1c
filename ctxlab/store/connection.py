"""One DuckDB file, one writer lock, and errors that say what to do."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from threading import RLock
from typing import Any

import duckdb
import polars as pl

from ctxlab.errors import ConflictError, StoreCorruptError, StoreError, StoreLockedError
from ctxlab.store.migrate import migrate

_HOLDER = re.compile(r"held in (?P<who>.*?) ?\(PID (?P<pid>\d+)\)")
Parameters = Sequence[object] | Mapping[str, object]


class Database:
    """A DuckDB file with ctxlab's tables.

    All writes of a process go through one lock and one connection, each block in one
    transaction; reads use cursors of their own and may run in any thread.

    Parameters
    ----------
    path : str or Path
        The file, made with its folders when absent, or ``":memory:"``.

    Raises
    ------
    StoreLockedError
        When another process holds the file; the message names it.
    StoreCorruptError
        When the file is not a DuckDB database, or damaged.
    NewerStoreError
        When a newer ctxlab wrote it.

    Examples
    --------
    >>> with Database(":memory:") as db:
    ...     db.rows("SELECT count(*) FROM workshops")
    [(0,)]
    """

    def __init__(self, path: str | Path = ":memory:") -> None:
        self.path = str(path)
        self._lock, self._depth = RLock(), 0
        self.schemas: dict[tuple[str, int | None], tuple[int, str]] = {}
        """Artifact schemas that were read; a registered version never changes."""
        self.generation = 0
        """Number of writes that have ended: what was read before may be out of date."""
        if self.path != ":memory:":
            Path(self.path).parent.mkdir(parents=True, exist_ok=True)
        with translated(self.path):
            # No query may read or write other files, whoever wrote it.
            self._connection = duckdb.connect(self.path, config={"enable_external_access": "false"})
        try:
            with translated(self.path):
                migrate(self._connection, self.path)
        except BaseException:
            self._connection.close()
            raise

    @contextmanager
    def write(self) -> Iterator[duckdb.DuckDBPyConnection]:
        """Give the connection within a transaction, under the writer lock.

        What is nested joins the outer transaction. An exception rolls everything back.

        Examples
        --------
        >>> with Database(":memory:") as db, db.write() as connection:
        ...     _ = connection.execute("INSERT INTO _refused VALUES ('x')")
        """
        with self._lock, translated(self.path):
            if self._depth == 0:
                self._connection.execute("BEGIN TRANSACTION")
            self._depth += 1
            try:
                yield self._connection
            except BaseException:
                self._depth -= 1
                if self._depth == 0:
                    self.generation += 1
                    self._roll_back()
                raise
            self._depth -= 1
            if self._depth == 0:
                self.generation += 1
                self._connection.execute("COMMIT")

    @property
    def writing(self) -> bool:
        """Whether a write is open.

        Examples
        --------
        >>> Database().writing
        False
        """
        return self._depth > 0

    def _roll_back(self) -> None:
        self.schemas.clear()
        try:
            self._connection.execute("ROLLBACK")
        except duckdb.TransactionException:
            # A commit that failed has ended the transaction already.
            return

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
        with translated(self.path):
            if self._lock.acquire(blocking=False):
                # The writing thread sees what it has written; a free lock costs no cursor.
                try:
                    yield self._connection
                finally:
                    self._lock.release()
                return
            cursor = self._connection.cursor()
            try:
                yield cursor
            finally:
                cursor.close()

    @contextmanager
    def reading(self) -> Iterator[duckdb.DuckDBPyConnection]:
        """Give a cursor within a read-only transaction: one consistent view, no changes.

        Examples
        --------
        >>> with Database() as db, db.reading() as cursor:
        ...     cursor.execute("SELECT 1").fetchall()
        [(1,)]
        """
        with translated(self.path):
            cursor = self._connection.cursor()
            try:
                cursor.execute("BEGIN TRANSACTION READ ONLY")
                yield cursor
            finally:
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
        """Close the file; what was committed is on disk.

        Examples
        --------
        >>> Database(":memory:").close()
        """
        with self._lock:
            self._connection.close()

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
    if "already closed" in lower:
        return StoreError(f"the store {path} is closed; open it again with Store({path!r})")
    if "not a valid duckdb" in lower or "corrupt" in lower or "deserializ" in lower:
        return StoreCorruptError(
            f"{path} is not a readable DuckDB database ({_first_line(text)}); "
            "restore a backup with `ctxlab restore`, or choose another file"
        )
    if "no space left" in lower or "disk quota" in lower or "could not write all bytes" in lower:
        return StoreError(
            f"{path}: the disk is full; free some space and try again, nothing half-written "
            f"was kept ({_first_line(text)})"
        )
    if isinstance(error, duckdb.ConstraintException) or "duplicate key" in lower:
        return ConflictError(f"{path}: {_first_line(text)}")
    return StoreError(f"{path}: {_first_line(text)}")


def _first_line(text: str) -> str:
    return text.strip().splitlines()[0] if text.strip() else "no details"
