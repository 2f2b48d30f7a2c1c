"""Records of a file: JSON or JSON lines, gzipped or not, each with its place."""

from __future__ import annotations

import gzip
import json
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from io import TextIOWrapper
from pathlib import Path

from ctxlab.errors import DataError


@dataclass(frozen=True, slots=True)
class Record:
    """One JSON value of a file: where it stands, or the error that stands in its place.

    Examples
    --------
    >>> Record(number=1, line=1, raw={}).error is None
    True
    """

    number: int
    line: int | None
    raw: object = None
    error: DataError | None = None


def records(path: Path) -> Iterator[Record]:
    r"""Yield the JSON values of a file: its lines, or the one document that it is.

    A line that is not JSON becomes a record with an error, so that the rest can be read.

    Raises
    ------
    DataError
        When the file is empty, cut off, not UTF-8, or not JSON at all.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder, "two.jsonl")
    ...     _ = path.write_text('{"a": 1}\n{"a": 2}\n')
    ...     [record.raw for record in records(path)]
    [{'a': 1}, {'a': 2}]
    """
    if _is_lines(path):
        yield from _lines(path)
        return
    text = _read(path)
    try:
        yield Record(1, None, json.loads(text))
    except json.JSONDecodeError as error:
        if error.msg != "Extra data":
            raise DataError(
                f"is not complete JSON: {error.msg}", str(path), error.lineno
            ) from error
        yield from _lines(path)


def _is_lines(path: Path) -> bool:
    return any(suffix in {".jsonl", ".ndjson"} for suffix in path.suffixes)


def _open(path: Path) -> TextIOWrapper:
    try:
        with path.open("rb") as file:
            zipped = file.read(2) == b"\x1f\x8b"
        stream = gzip.GzipFile(path) if zipped else path.open("rb")
    except OSError as error:
        problem = f"cannot be opened ({error.strerror}); name an existing file"
        raise DataError(problem, str(path)) from error
    return TextIOWrapper(stream, encoding="utf-8-sig")


def _read(path: Path) -> str:
    opened = _open(path)
    try:
        with opened as file:
            text = file.read()
    except (UnicodeDecodeError, EOFError, zlib.error, OSError) as error:
        raise _unreadable(error, path, None) from error
    if not text.strip():
        raise DataError("the file is empty; expected conversations in JSON", str(path))
    return text


def _lines(path: Path) -> Iterator[Record]:
    number, line = 0, 0
    opened = _open(path)
    try:
        with opened as file:
            for line, text in enumerate(file, 1):
                if text.strip():
                    number += 1
                    yield _parsed(text, number, line, path)
    except (UnicodeDecodeError, EOFError, zlib.error, OSError) as error:
        yield Record(number + 1, line + 1, error=_unreadable(error, path, line + 1))
        return
    if not number:
        raise DataError("the file is empty; expected one conversation a line", str(path))


def _parsed(text: str, number: int, line: int, path: Path) -> Record:
    try:
        return Record(number, line, json.loads(text))
    except json.JSONDecodeError as error:
        problem = f"is not complete JSON: {error.msg} at character {error.pos + 1}"
        return Record(number, line, error=DataError(problem, str(path), line))


def _unreadable(error: Exception, path: Path, line: int | None) -> DataError:
    if isinstance(error, UnicodeDecodeError):
        problem = f"is not UTF-8 (byte {error.object[error.start]:#04x}); save the file as UTF-8"
        return DataError(problem, str(path), line)
    return DataError(f"the compressed file is cut off or damaged ({error})", str(path), line)
