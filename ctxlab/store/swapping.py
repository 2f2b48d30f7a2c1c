"""Putting a finished file in the place of another, which nobody may have open meanwhile."""

from __future__ import annotations

import os
import re
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from secrets import token_hex

from ctxlab.errors import StoreError, StoreLockedError
from ctxlab.store.attaching import fold, identity, open_here, opening
from ctxlab.store.connection import translated

if sys.platform != "win32":
    import fcntl

_TRIES = 5
_MAKER = re.compile(r"\.(\d+)-[0-9a-f]+\.making$")


@contextmanager
def beside(target: Path) -> Iterator[Path]:
    """Give a name beside `target` for a file in the making, and leave nothing of it behind.

    What a process that was killed has left behind is removed, too.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     with beside(Path(folder) / "lab.duckdb") as made:
    ...         made.touch()
    ...     list(Path(folder).iterdir())
    []
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    for left in target.parent.glob(f".{target.name}.*.making"):
        process = _MAKER.search(left.name)
        if process and not _running(int(process[1])):
            _remove(left)
    made = target.with_name(f".{target.name}.{os.getpid()}-{token_hex(4)}.making")
    try:
        yield made
    finally:
        _remove(made)


def _running(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _remove(path: Path) -> None:
    shutil.rmtree(f"{path}.tmp", ignore_errors=True)
    for file in (_log(path), path):
        file.unlink(missing_ok=True)


def put_in_place(made: Path, target: Path, *, overwrite: bool) -> Path | None:
    """Give a closed file its name; return where a broken file that had it was moved.

    Parameters
    ----------
    made : Path
        The file, whole without a log.
    target : Path
        Its name, resolved.
    overwrite : bool
        Replace the file of that name: one that can be opened is gone then, one that cannot is
        moved aside with its log.

    Raises
    ------
    StoreLockedError
        When somebody has the file open, this process included.
    StoreError
        When there is one, and it is not to be overwritten.

    Examples
    --------
    >>> import tempfile
    >>> from ctxlab.store.attaching import connect
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     made = Path(folder).resolve() / "made.duckdb"
    ...     connect(made).close()
    ...     put_in_place(made, made.with_name("lab.duckdb"), overwrite=False)
    """
    _write_through(made)
    # While this is held no store is opened in this process, so that closing our own handle of
    # the file cannot release a lock that one of them holds.
    with opening:
        if open_here(target):
            raise StoreLockedError(f"{target} is open in this process; close it there first")
        if not target.exists():
            aside = _move_aside(target) if _log(target).exists() else None
            _name(made, target)
        elif not overwrite:
            raise exists(target)
        else:
            aside = _replace(made, target)
    _write_through(target.parent)
    return aside


def exists(target: Path) -> StoreError:
    """Return the error for a file that is in the way.

    Examples
    --------
    >>> print(exists(Path("lab.duckdb")))
    lab.duckdb exists; choose another name, or overwrite it with overwrite=True (--overwrite)
    """
    return StoreError(
        f"{target} exists; choose another name, or overwrite it with overwrite=True (--overwrite)"
    )


def _replace(made: Path, target: Path) -> Path | None:
    for _ in range(_TRIES):
        whole = _folded(target)
        with held(target):
            if whole and not _log(target).exists():
                shutil.copymode(target, made)
                made.replace(target)
                return None
            if not whole:
                shutil.copymode(target, made)
                aside = _move_aside(target)
                _name(made, target)
                return aside
        # Somebody wrote to it and crashed since its log was folded into it.
    raise StoreLockedError(f"{target} is written to by another process again and again")


def _folded(target: Path) -> bool:
    """Fold the log of a file into it; return whether it can be opened at all."""
    try:
        with translated(str(target)):
            fold(target)
    except StoreLockedError:
        raise
    except StoreError:
        return False
    return True


@contextmanager
def held(path: Path, *, to_read: bool = False) -> Iterator[None]:
    """Hold the lock of a file that is not open in this process, as DuckDB would.

    Parameters
    ----------
    path : Path
        The file.
    to_read : bool
        Keep writers away, not readers.

    Raises
    ------
    StoreLockedError
        When another process holds it.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.NamedTemporaryFile() as file, held(Path(file.name)):
    ...     pass
    """
    if sys.platform == "win32":
        # Windows itself replaces no file that somebody has open.
        yield
        return
    with translated(str(path)):
        handle = os.open(path, os.O_RDONLY if to_read else os.O_RDWR)
    try:
        kind = fcntl.LOCK_SH if to_read else fcntl.LOCK_EX
        try:
            fcntl.lockf(handle, kind | fcntl.LOCK_NB)
        except OSError as error:
            raise StoreLockedError(
                f"{path} is held by another process; close it there first"
            ) from error
        found = os.fstat(handle)
        if (found.st_dev, found.st_ino) != identity(path):
            raise StoreLockedError(f"{path} was replaced by another process meanwhile; try again")
        yield
    finally:
        os.close(handle)


def _log(path: Path) -> Path:
    return Path(f"{path}.wal")


def _move_aside(target: Path) -> Path:
    stamp = datetime.now().strftime("%Y-%m-%dT%H-%M-%S-%f")
    aside = target.with_name(f"{target.name}.broken-{stamp}")
    if _log(target).exists():
        _log(target).replace(_log(aside))
    if target.exists():
        target.replace(aside)
    return aside


def _name(made: Path, target: Path) -> None:
    """Give a file a name that nobody has; unlike a rename, a link replaces nothing."""
    try:
        target.hardlink_to(made)
    except FileExistsError as error:
        raise exists(target) from error
    except OSError:
        # A file system without links.
        made.rename(target)
        return
    made.unlink()


def _write_through(path: Path) -> None:
    """Have the disk hold what was written to a file or a folder."""
    if sys.platform == "win32":
        return
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
