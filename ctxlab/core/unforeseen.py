"""Errors of the system and of Python at the edges, in a line that says what to do."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from ctxlab.errors import CtxlabError

_ROOM, _RIGHT, _PLACE = (
    "make room there, or write elsewhere",
    "allow it, or name another place",
    "name another place",
)
_FILES = {
    errno.ENOSPC: _ROOM,
    errno.EDQUOT: _ROOM,
    errno.EFBIG: _ROOM,
    errno.EROFS: "write elsewhere",
    errno.EACCES: _RIGHT,
    errno.EPERM: _RIGHT,
    errno.ENOENT: "make its folder, or name another place",
    errno.EEXIST: _PLACE,
    errno.ENOTDIR: _PLACE,
    errno.EISDIR: "name a file in it",
    errno.ENAMETOOLONG: "choose a shorter name",
}
_WHERE = "CTXLAB_TRACEBACK=1 shows where"


def explained(error: Exception) -> str:
    """Return an error of Python's or of a library's as a line with a remedy.

    Examples
    --------
    >>> explained(OSError(errno.ENOSPC, "No space left on device", "report.html"))
    'report.html: no space left on device; make room there, or write elsewhere'
    >>> explained(ZeroDivisionError("division by zero"))
    'ZeroDivisionError: division by zero; CTXLAB_TRACEBACK=1 shows where'
    """
    if isinstance(error, OSError) and error.errno is not None and error.strerror:
        place = f"{error.filename}: " if error.filename is not None else ""
        words = error.strerror[:1].lower() + error.strerror[1:]
        return f"{place}{words}; {_FILES.get(error.errno, _WHERE)}"
    if isinstance(error, RecursionError):
        return "something is nested too deeply to be read; flatten it"
    if isinstance(error, MemoryError):
        return "there is not enough memory; use less, or fewer workers"
    if isinstance(error, ValueError) and "null byte" in str(error):
        return "the name of a file holds a NUL character; write it without"
    return f"{type(error).__name__}: {error}; {_WHERE}"


@contextmanager
def on_files(kind: type[CtxlabError]) -> Iterator[None]:
    """Turn what the system says of files, and what Python says of their names, into our error.

    Raises
    ------
    CtxlabError
        Of the class `kind`.

    Examples
    --------
    >>> from ctxlab.errors import StoreError
    >>> with on_files(StoreError):
    ...     Path("no such folder/a.txt").write_text("a")
    Traceback (most recent call last):
    ctxlab.errors.StoreError: no such folder/a.txt: no such file or directory; make its folder, ...
    """
    try:
        yield
    except OSError as error:
        if isinstance(error, CtxlabError):
            raise
        raise kind(explained(error)) from error
    except (ValueError, RecursionError) as error:
        if isinstance(error, CtxlabError) or not _of_names(error):
            raise
        raise kind(explained(error)) from error


def _of_names(error: Exception) -> bool:
    return isinstance(error, RecursionError) or "null byte" in str(error)


def write_whole(target: Path, text: str, kind: type[CtxlabError]) -> None:
    """Write a text file in one step: it is there whole, or what was there before still is.

    What is no plain file, such as a device or a pipe, is written to as it is.

    Raises
    ------
    CtxlabError
        Of the class `kind`, when it cannot be written.

    Examples
    --------
    >>> import tempfile
    >>> from ctxlab.errors import StoreError
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     write_whole(Path(folder, "deep", "a.txt"), "one", StoreError)
    ...     Path(folder, "deep", "a.txt").read_text()
    'one'
    """
    with on_files(kind):
        target.parent.mkdir(parents=True, exist_ok=True)
        if target.exists() and not target.is_file():
            target.write_text(text, encoding="utf-8", errors="replace")
            return
        target = target.resolve()
        beside = target.with_name(f".{target.name[:40]}.{os.getpid()}")
        try:
            beside.write_text(text, encoding="utf-8", errors="replace")
            beside.replace(target)
        except BaseException:
            with suppress(OSError):
                beside.unlink(missing_ok=True)
            raise
