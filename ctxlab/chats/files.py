"""Records of a file: JSON, JSON lines, rows of a table or plain text, each with its place."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from io import BytesIO
from itertools import chain, islice
from pathlib import Path
from typing import IO

from ctxlab.chats.containers import DAMAGES, kind_of, opened
from ctxlab.chats.table_rows import TABLES, rows
from ctxlab.errors import DataError

JSON_LINES = (".jsonl", ".ndjson")
"""Endings of the files that hold one JSON value a line."""
_JSON = (".json", *JSON_LINES)
_PEEK = 200
_DECODER = json.JSONDecoder()

IsLog = Callable[[list[object]], bool]
"""Says of the first records of a file whether all of them together are one record."""


@dataclass(frozen=True, slots=True)
class Record:
    """One value of a file: where it stands, or the error that stands in its place.

    `place` is the path to a value that is an item of a list, such as ``"[3]"``. A value that is
    the list of a file's lines has their numbers in `lines`. Text that is no JSON stands with the
    error that reading it as such gave.

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
    lines: tuple[int, ...] = ()


def records(path: str | Path, is_log: IsLog | None = None) -> Iterator[Record]:
    r"""Yield the values of a file: its lines or rows, or the one document that it is.

    What cannot be read (a line that is not JSON or not UTF-8, a file that is empty, the rest of
    a compressed file that is cut off) becomes a record with an error, so that all else is read.

    Parameters
    ----------
    path : str or Path
        The file; of a zip, all of its members.
    is_log : callable, optional
        Lines that it says yes to are one record.

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
    for name, file in opened(str(path)):
        yield from records_in(file, name, str(path), is_log)


def records_in(
    file: IO[bytes], name: str, path: str, is_log: IsLog | None = None
) -> Iterator[Record]:
    """Yield the values of an open file, by whose `name` its kind is known.

    Examples
    --------
    >>> [record.raw for record in records_in(BytesIO(b"[1]"), "a.json", "a.json")]
    [[1]]
    """
    kind = kind_of(name)
    if kind in TABLES:
        try:
            found = [Record(at, at + 1, row) for at, row in enumerate(rows(file, kind, path), 1)]
        except DAMAGES as error:
            found = [Record(1, None, error=_damaged(error, path))]
        except DataError as error:
            found = [Record(1, None, error=error)]
        if not found:
            found = [Record(1, None, error=DataError("the table has no rows", path))]
        yield from _joined(found, is_log)
    elif kind in JSON_LINES:
        yield from _joined(_lines(file, path), is_log)
    else:
        yield from _document(file, kind, path, is_log)


def _joined(found: Iterable[Record], is_log: IsLog | None) -> Iterator[Record]:
    """Yield records, or, where they are those of a log, one record of them all."""
    every = iter(found)
    first = list(islice(every, _PEEK)) if is_log else []
    shown = [record.raw for record in first if record.error is None]
    if not (is_log and shown and is_log(shown)):
        yield from chain(first, every)
        return
    good: list[Record] = []
    for record in chain(first, every):
        if record.error is None:
            good.append(record)
        else:
            yield record
    raws = [record.raw for record in good]
    yield Record(1, None, raws, lines=tuple(record.line or 0 for record in good))


def _document(file: IO[bytes], kind: str, path: str, is_log: IsLog | None) -> Iterator[Record]:
    try:
        data = file.read()
    except DAMAGES as error:
        yield Record(1, None, error=_damaged(error, path))
        return
    if not data.strip():
        problem = "the file is empty; expected conversations in JSON"
        yield Record(1, None, error=DataError(problem, path))
        return
    found = _parsed(data, 1, None, path)
    cause = found.error.__cause__ if found.error else None
    if not isinstance(cause, json.JSONDecodeError):
        yield found
    elif (cause.msg == "Extra data" and kind not in (".txt", ".md")) or _begins_lines(data, cause):
        if _parsed(data.lstrip().partition(b"\n")[0], 1, 1, path).error is None:
            yield from _joined(_lines(BytesIO(data), path), is_log)
        else:
            yield from _values(_decoded(data), path)
    elif kind in _JSON:
        yield found
    else:
        yield Record(1, None, _decoded(data), error=found.error)


def _begins_lines(data: bytes, cause: json.JSONDecodeError) -> bool:
    """Say whether text that is not JSON as a whole is lines of JSON, whatever it is called."""
    first = data.lstrip()[:1]
    return cause.msg == "Extra data" and first in (b"{", b"[")


def _values(text: str, path: str) -> Iterator[Record]:
    """Yield values that are written one after the other, over several lines each."""
    at, number = 0, 0
    while at < len(text):
        if text[at].isspace():
            at += 1
            continue
        number += 1
        line = text.count("\n", 0, at) + 1
        try:
            raw, at = _DECODER.raw_decode(text, at)
        except (ValueError, RecursionError) as error:
            problem, _ = _problem(error)
            yield Record(number, line, error=DataError(problem, path, line))
            return
        yield Record(number, line, raw)


def _lines(file: Iterable[bytes], path: str) -> Iterator[Record]:
    # Bytes, decoded line by line: one bad byte then costs one line.
    number, line = 0, 0
    try:
        for line, data in enumerate(file, 1):
            if data.strip():
                number += 1
                yield _parsed(data, number, line, path)
    except DAMAGES as error:
        yield Record(number + 1, line + 1, error=_damaged(error, path, line + 1))
        return
    if not number:
        problem = "the file is empty; expected one conversation a line"
        yield Record(1, None, error=DataError(problem, path))


def _parsed(data: bytes, number: int, line: int | None, path: str) -> Record:
    try:
        return Record(number, line, json.loads(_decoded(data)))
    except (ValueError, RecursionError) as error:
        problem, within = _problem(error)
        found = DataError(problem, path, line or within)
        found.__cause__ = error
        return Record(number, line, error=found)


def _decoded(data: bytes) -> str:
    """Return text that says by its first bytes that it is UTF-16, or else is UTF-8."""
    utf16 = data[:2] in (b"\xff\xfe", b"\xfe\xff") and len(data) % 2 == 0
    return data.decode("utf-16" if utf16 else "utf-8-sig")


def _problem(error: Exception) -> tuple[str, int]:
    """Return what is wrong with a text, and the line within it."""
    if isinstance(error, UnicodeDecodeError):
        byte, line = error.object[error.start], error.object.count(b"\n", 0, error.start) + 1
        return f"is not UTF-8 (byte {byte:#04x}); save the file as UTF-8", line
    if isinstance(error, json.JSONDecodeError):
        return f"is not complete JSON: {error.msg} at character {error.colno}", error.lineno
    return f"is JSON that cannot be read: {error}", 1


def _damaged(error: Exception, path: str, line: int | None = None) -> DataError:
    return DataError(f"the compressed file is cut off or damaged ({error})", path, line)
