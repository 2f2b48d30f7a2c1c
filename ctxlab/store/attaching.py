"""One DuckDB instance for each file and process, and what a forked child must leave alone.

A file is attached to an instance in memory in which the JSON functions are loaded already: its
log can then be replayed whatever it holds. Opened directly, DuckDB would look for the functions
during the replay, in files that it may not read, and fail.
"""

from __future__ import annotations

import ctypes
import os
from pathlib import Path
from threading import RLock
from weakref import WeakSet, WeakValueDictionary

import duckdb

from ctxlab.errors import ForkedStoreError, StoreCorruptError, StoreError, StoreLockedError

_TAKEN = {"main", "memory", "system", "temp"}
"""Names that DuckDB uses for databases and schemas of its own."""
_TRIES = 5

opening = RLock()
"""Held while a file is opened or replaced, and while the process forks."""


class SharedFile:
    """What all openings of one file in this process share: the writer lock, and its count.

    Examples
    --------
    >>> SharedFile().generation
    0
    """

    def __init__(self) -> None:
        self.lock = RLock()
        self.generation = 0


_files: WeakValueDictionary[Path, SharedFile] = WeakValueDictionary()
_connections: WeakSet[duckdb.DuckDBPyConnection] = WeakSet()
_used = False
"""Whether this process has opened a store: then DuckDB and polars have threads in it."""
_in_child = False
"""Whether this process was forked from one that had; such threads a fork does not take along."""


def shared(path: Path) -> SharedFile:
    """Return what the openings of a file share.

    Examples
    --------
    >>> shared(Path("lab.duckdb").resolve()) is shared(Path("lab.duckdb").resolve())
    True
    """
    found = _files.get(path)
    if found is None:
        found = _files[path] = SharedFile()
    return found


def tracked(connection: duckdb.DuckDBPyConnection) -> duckdb.DuckDBPyConnection:
    """Remember a connection or a cursor, so that a forked child leaves it alone.

    Examples
    --------
    >>> tracked(duckdb.connect()).execute("SELECT 1").fetchall()
    [(1,)]
    """
    global _used
    _used = True
    _connections.add(connection)
    return connection


def check_not_forked(path: str) -> None:
    """Refuse to open a store where its threads would be missing, and it would hang.

    Raises
    ------
    ForkedStoreError
        When this process was forked from one that had opened a store.

    Examples
    --------
    >>> check_not_forked("lab.duckdb")
    """
    if _in_child:
        raise ForkedStoreError(path)


def open_here(path: Path) -> bool:
    """Say whether this process has the file open in a store, under whatever name.

    Examples
    --------
    >>> open_here(Path("none.duckdb"))
    False
    """
    return any(same_file(path, other) for other in list(_files))


def same_file(one: Path, other: Path) -> bool:
    """Say whether two paths lead to one file.

    Examples
    --------
    >>> same_file(Path("a"), Path("b"))
    False
    """
    try:
        return one == other or one.samefile(other)
    except OSError:
        return False


def identity(path: Path) -> tuple[int, int] | None:
    """Return the device and number of a file; None where there is none.

    Examples
    --------
    >>> identity(Path("none.duckdb")) is None
    True
    """
    try:
        found = path.stat()
    except FileNotFoundError:
        return None
    return found.st_dev, found.st_ino


def connect(path: Path, *, read_only: bool = False) -> duckdb.DuckDBPyConnection:
    """Open a file, or join the instance that has it open in this process.

    No statement may read or write other files, or change a setting, whoever wrote it.

    Parameters
    ----------
    path : Path
        The file, resolved.
    read_only : bool
        Change nothing in it, not even by folding its log into it.

    Raises
    ------
    StoreCorruptError
        When there is a log without its file.
    StoreLockedError
        When this process has it open under another name.
    StoreError
        When this process has it open to read only, or its path has a question mark.
    duckdb.Error
        When DuckDB cannot open it.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     connection = connect(Path(folder).resolve() / "lab.duckdb")
    ...     connection.execute("SELECT current_database()").fetchall()
    ...     connection.close()
    [('lab',)]
    """
    if "?" in str(path):
        raise StoreError(
            f"{path} cannot be a store, because DuckDB takes what follows a ? for options; "
            "choose a path without one"
        )
    for other in list(_files):
        if other != path and same_file(other, path):
            raise StoreLockedError(f"{path} is open in this process as {other}; use that name")
    for _ in range(_TRIES):
        before = identity(path)
        log = Path(f"{path}.wal")
        if before is None and log.exists() and log.stat().st_size:
            # DuckDB would begin an empty file and delete the log.
            raise StoreCorruptError(
                f"{path} is missing, but {log.name} beside it holds writes that belong to it; "
                f"put the file back, or move {log.name} away to begin a new store"
            )
        connection = _attached(path, f"{os.getpid()}:", read_only=read_only)
        if before in (None, identity(path)):
            return tracked(connection)
        # Another file was put in its place meanwhile: what we hold is nobody's any more.
        connection.close()
    raise StoreLockedError(f"{path} is being replaced by another process; try again")


def fold(path: Path) -> None:
    """Write the log of a closed file into it, so that the file is whole without it.

    Raises
    ------
    duckdb.Error
        When DuckDB cannot open it, as when it is held or broken.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     connect(Path(folder).resolve() / "lab.duckdb").close()
    ...     fold(Path(folder).resolve() / "lab.duckdb")
    """
    connection = _attached(path, "fold:", read_only=False)
    try:
        connection.execute("CHECKPOINT")
    finally:
        connection.close()


def _attached(path: Path, key: str, *, read_only: bool) -> duckdb.DuckDBPyConnection:
    connection = duckdb.connect(
        f":memory:{key}{path}",
        config={
            "autoinstall_known_extensions": False,
            "autoload_known_extensions": False,
            "temp_directory": f"{path}.tmp",
        },
    )
    try:
        attached = connection.execute(
            "SELECT readonly FROM duckdb_databases() WHERE path = ?", [str(path)]
        ).fetchall()
        if not attached:
            _attach(connection, path, read_only=read_only)
        elif attached[0][0] and not read_only:
            raise StoreError(
                f"{path} is open read-only in this process; close it there to write to it"
            )
    except BaseException:
        connection.close()
        raise
    return connection


def _attach(connection: duckdb.DuckDBPyConnection, path: Path, *, read_only: bool) -> None:
    name = f"{path.stem}_db" if path.stem.lower() in _TAKEN else path.stem
    name = '"{}"'.format(name.replace('"', '""'))
    file = "'{}'".format(str(path).replace("'", "''"))
    mode = ", READ_ONLY" if read_only else ""
    connection.execute("LOAD json")
    connection.execute(f"ATTACH {file} AS {name} (TYPE duckdb{mode})")
    # Without the one in memory the file is the only database, as if it had been opened directly.
    connection.execute(f"USE {name}")
    connection.execute("DETACH memory")
    confine(connection)


def confine(connection: duckdb.DuckDBPyConnection) -> None:
    """Let no statement read or write other files or change a setting from now on.

    Examples
    --------
    >>> confine(duckdb.connect())
    """
    connection.execute("SET enable_external_access = false")
    connection.execute("SET lock_configuration = true")


def _leave_alone() -> None:
    """Make sure that a forked child never closes what its parent has open.

    Closing would fold the parent's log into the file and delete it, and what the parent writes
    to the deleted log is lost. So every connection keeps one reference that nobody gives back.
    """
    global _in_child
    _in_child = _in_child or _used
    for connection in list(_connections):
        ctypes.pythonapi.Py_IncRef(ctypes.py_object(connection))
    opening.release()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(
        before=opening.acquire, after_in_parent=opening.release, after_in_child=_leave_alone
    )
