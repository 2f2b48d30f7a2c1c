"""Records of a file: JSON or JSON lines, gzipped or not, each with its place."""

from __future__ import annotations

import gzip
import json
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from io import BufferedIOBase, BytesIO
from pathlib import Path

from ctxlab.errors import DataError


@dataclass(frozen=True, slots=True)
class Record:
    """One JSON value of a file: where it stands, or the error that stands in its place.

    `place` is the path to a value that is an item of a list, such as ``"[3]"``.

    Examples
    --------
    >>> Record(number=1, line=1, raw={}).error is None
    True
    """

    number: int
    line: int | None
    raw: object = None
    error: DataError | None = None
    place: str = ""


def records(path: Path) -> Iterator[Record]:
    r"""Yield the JSON values of a file: its lines, or the one document that it is.

    What cannot be read (a line that is not JSON or not UTF-8, a file that is empty, the rest of
    a compressed file that is cut off) becomes a record with an error, so that all else is read.

    Raises
    ------
    DataError
        When the file cannot be opened.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder, "two.jsonl")
    ...     _ = path.write_text('{"a": 1}\n{"a": 2}\n')
    ...     [record.raw for record in records(path)]
    [{'a': 1}, {'a': 2}]
    """
    with _open(path) as file:
        yield from _lines(file, path) if _is_lines(path) else _document(file, path)


def _is_lines(path: Path) -> bool:
    return any(suffix in {".jsonl", ".ndjson"} for suffix in path.suffixes)


def _open(path: Path) -> BufferedIOBase:
    try:
        with path.open("rb") as file:
            zipped = file.read(2) == b"\x1f\x8b"
        return gzip.GzipFile(path) if zipped else path.open("rb")
    except (OSError, ValueError) as error:
        why = error.strerror if isinstance(error, OSError) else error
        problem = f"cannot be opened ({why}); name an existing file"
        raise DataError(problem, str(path)) from error


def _document(file: BufferedIOBase, path: Path) -> Iterator[Record]:
    try:
        data = file.read()
    except (EOFError, zlib.error, OSError) as error:
        yield Record(1, None, error=_damaged(error, path))
        return
    if not data.strip():
        problem = "the file is empty; expected conversations in JSON"
        yield Record(1, None, error=DataError(problem, str(path)))
        return
    found = _parsed(data, 1, None, path)
    cause = found.error.__cause__ if found.error else None
    if isinstance(cause, json.JSONDecodeError) and cause.msg == "Extra data":
        yield from _lines(BytesIO(data), path)
    else:
        yield found


def _lines(file: BufferedIOBase, path: Path) -> Iterator[Record]:
    # Bytes, decoded line by line: one bad byte then costs one line.
    number, line = 0, 0
    try:
        for line, data in enumerate(file, 1):
            if data.strip():
                number += 1
                yield _parsed(data, number, line, path)
    except (EOFError, zlib.error, OSError) as error:
        yield Record(number + 1, line + 1, error=_damaged(error, path, line + 1))
        return
    if not number:
        problem = "the file is empty; expected one conversation a line"
        yield Record(1, None, error=DataError(problem, str(path)))


def _parsed(data: bytes, number: int, line: int | None, path: Path) -> Record:
    try:
        return Record(number, line, json.loads(data.decode("utf-8-sig")))
    except (ValueError, RecursionError) as error:
        problem, within = _problem(error)
        found = DataError(problem, str(path), line or within)
        found.__cause__ = error
        return Record(number, line, error=found)


def _problem(error: Exception) -> tuple[str, int]:
    """Return what is wrong with a text, and the line within it."""
    if isinstance(error, UnicodeDecodeError):
        byte, line = error.object[error.start], error.object.count(b"\n", 0, error.start) + 1
        return f"is not UTF-8 (byte {byte:#04x}); save the file as UTF-8", line
    if isinstance(error, json.JSONDecodeError):
        return f"is not complete JSON: {error.msg} at character {error.colno}", error.lineno
    return f"is JSON that cannot be read: {error}", 1


def _damaged(error: Exception, path: Path, line: int | None = None) -> DataError:
    return DataError(f"the compressed file is cut off or damaged ({error})", str(path), line)
