"""What a file may be packed in: gzip, zstd, zip; and files that are not on this machine."""

from __future__ import annotations

import glob
import gzip
import io
import re
import sys
import zipfile
import zlib
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path, PurePosixPath
from typing import IO, cast

from ctxlab.errors import DataError, MissingExtraError

PACKED = (".gz", ".zst", ".zstd")
"""Endings under which a file is packed as it is."""
DAMAGES = (EOFError, zlib.error, OSError, zipfile.BadZipFile, RuntimeError, NotImplementedError)
"""What reading a packed file raises where it is damaged, cut off or locked."""
_ADDRESS = re.compile(r"^[a-z][a-z0-9+.-]*://", re.IGNORECASE)
_GZIP, _ZSTD, _ZIP = b"\x1f\x8b", b"\x28\xb5\x2f\xfd", b"PK\x03\x04"


def is_elsewhere(path: str) -> bool:
    """Say whether a path is the address of a file that is not on this machine, or stdin.

    Examples
    --------
    >>> is_elsewhere("hf://datasets/a/b/c.parquet"), is_elsewhere("-"), is_elsewhere("a.json")
    (True, True, False)
    """
    return path == "-" or bool(_ADDRESS.match(path))


def matching(pattern: str) -> list[str]:
    """Return the files that a pattern names; the pattern itself where it is none.

    Examples
    --------
    >>> matching("nowhere.json"), matching("/nowhere-[0-9].json")
    (['nowhere.json'], [])
    """
    if is_elsewhere(pattern) or not glob.has_magic(pattern) or Path(pattern).exists():
        return [pattern]
    return sorted(glob.glob(pattern, recursive=True))  # noqa: PTH207 - also absolute patterns


def kind_of(name: str) -> str:
    """Return the ending that says what a file holds, whatever it is packed in.

    Examples
    --------
    >>> kind_of("chat.JSON.zst"), kind_of("notes")
    ('.json', '')
    """
    suffixes = [suffix.lower() for suffix in PurePosixPath(name).suffixes]
    return next((suffix for suffix in reversed(suffixes) if suffix not in PACKED), "")


def opened(path: str) -> Iterator[tuple[str, IO[bytes]]]:
    """Yield the files in a file, each by its name, unpacked: one, or the members of a zip.

    Parameters
    ----------
    path : str
        A path, an address such as ``s3://…`` or ``hf://…``, or ``-`` for stdin.

    Raises
    ------
    DataError
        When it cannot be opened, or a zip is damaged.
    MissingExtraError
        When the package that reads such addresses is not installed.

    Examples
    --------
    >>> next(opened("nowhere.json"))
    Traceback (most recent call last):
    ctxlab.errors.DataError: nowhere.json: cannot be opened (No such file or directory); ...
    """
    with _open(path) as file:
        start = file.read(4)
        file.seek(0)
        if start != _ZIP:
            yield path, _unpacked(start, file)
            return
        try:
            with zipfile.ZipFile(file) as archive:
                for member in sorted(archive.namelist()):
                    if not member.endswith("/"):
                        with archive.open(member) as inner:
                            data = inner.read()
                        yield member, _unpacked(data[:4], io.BytesIO(data))
        except DAMAGES as error:
            raise DataError(f"the zip is damaged or locked ({error})", path) from error


def _unpacked(start: bytes, file: IO[bytes]) -> IO[bytes]:
    if start[:2] == _GZIP:
        return cast("IO[bytes]", gzip.GzipFile(fileobj=file))
    if start == _ZSTD:
        import pyarrow as pa

        return io.BufferedReader(pa.CompressedInputStream(file, "zstd"))
    return file


def _open(path: str) -> IO[bytes]:
    if path == "-":
        return io.BytesIO(sys.stdin.buffer.read())
    try:
        return _fetched(path) if _ADDRESS.match(path) else Path(path).open("rb")
    except (OSError, ValueError) as error:
        why = (error.strerror if isinstance(error, OSError) else None) or error
        problem = f"cannot be opened ({why}); name an existing file"
        raise DataError(problem, path) from error


def _fetched(address: str) -> IO[bytes]:
    try:
        fsspec = import_module("fsspec")
    except ImportError as error:
        scheme = address.partition("://")[0]
        raise MissingExtraError(f"reading {scheme}://", package="fsspec") from error
    try:
        return cast("IO[bytes]", fsspec.open(address, "rb").open())
    except (ImportError, ValueError) as error:
        problem = f"cannot be opened ({error}); install what reads it, or copy the file here"
        raise DataError(problem, address) from error
