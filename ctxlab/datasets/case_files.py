"""Files of conversations: each record read in its format, each fault with its place."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path, PurePosixPath

from ctxlab.chats.containers import PACKED, is_elsewhere, kind_of, matching, opened
from ctxlab.chats.files import JSON_LINES, Record, records_in
from ctxlab.chats.table_rows import TABLES, parsed
from ctxlab.core.cases import Case
from ctxlab.datasets.formats import FORMATS, find_format, recognised, sniff
from ctxlab.datasets.unknown import UnknownFormatError, unknown
from ctxlab.errors import CtxlabError, DataError

OnSkip = Callable[[DataError], None]
_LOGS = (".traj", ".eval", ".md", ".txt", ".zip")
_SUFFIXES = (".json", *JSON_LINES, *TABLES, *_LOGS, *PACKED)
_FIRST = re.compile(r"^\[(\d+)\]\.?")


def read(
    path: str | Path,
    format: str | None = None,  # noqa: A002 - the option is called so everywhere
    *,
    column: str | None = None,
    skip_bad: bool = False,
    on_skip: OnSkip | None = None,
) -> Iterator[Case]:
    """Yield the conversations of a file.

    Parameters
    ----------
    path : str or Path
        JSON, JSON lines, a table (CSV, Parquet) or a plain transcript, as it is or packed with
        gzip, zstd or zip; ``-`` for stdin; an address such as ``s3://…`` or ``hf://…``.
    format : str, optional
        One of `FORMATS`, or ``module:name`` of your own; recognised record by record when not
        given.
    column : str, optional
        The column, or key, of each record that holds the conversation.
    skip_bad : bool
        Leave out malformed records and go on.
    on_skip : callable, optional
        Called with the error of each record that is left out, and once for each file in which
        records are in no format.

    Raises
    ------
    DataError
        With file, line and field of the first malformed record, unless it is skipped; or when
        the file cannot be opened.
    UnknownNameError
        When there is no such format.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder, "chat.json")
    ...     _ = path.write_text('[{"role": "user", "content": "Hi"}]')
    ...     [case.id for case in read(path)]
    ['chat']
    """
    reading = _Reading(format, column, skip_bad, on_skip)
    yield from reading.file(str(path))


class _Reading:
    """One reading of files: what is asked of it, and what it has seen."""

    def __init__(
        self,
        format_name: str | None,
        column: str | None,
        skip_bad: bool,
        on_skip: OnSkip | None,
        on_pass: OnSkip | None = None,
    ) -> None:
        self.chosen = find_format(format_name) if format_name else None
        self.column = column
        self.skip_bad = skip_bad
        self.on_skip = on_skip or (lambda _: None)
        self.on_pass = on_pass or (lambda _: None)
        self.seen: set[tuple[str, str]] = set()

    def file(self, path: str) -> Iterator[Case]:
        """Yield the cases of a file, or of the members of a zip that are conversations."""
        several: list[DataError] = []
        found = 0
        for name, inner in opened(path):
            if name == path:
                yield from self.records(records_in(inner, name, path, self._is_log), path, path)
                return
            place = f"{path}/{name}"
            try:
                for case in self.records(
                    records_in(inner, name, place, self._is_log), place, _within(path, name)
                ):
                    found += 1
                    yield case
            except UnknownFormatError as error:
                several.append(error)
        if not found and not self.skip_bad:
            names = ", ".join(str(e.file).rpartition("/")[2] for e in several[:6]) or "nothing"
            problem = f"the zip holds no file of conversations; it holds {names}"
            raise (several[0] if len(several) == 1 else DataError(problem, path))
        for passed in several:
            self.on_pass(passed)

    def records(self, found: Iterable[Record], path: str, name: str) -> Iterator[Case]:
        """Yield the cases of records that are not `seen`: a second one of an id is an error."""
        strange: DataError | None = None
        strangers = 0
        for record in self._split(found):
            try:
                cases = list(self._cases(record, _name(name, record)))
                for case in cases:
                    self._check(case)
            except DataError as error:
                placed = _placed(error, path, record)
                if isinstance(error, UnknownFormatError):
                    strange, strangers = strange or placed, strangers + 1
                    if not self.skip_bad:
                        raise placed from error
                elif not self.skip_bad:
                    raise placed from error
                else:
                    self.on_skip(placed)
                continue
            yield from cases
        if strange is not None:
            more = f" ({strangers:,} records of the file)" if strangers > 1 else ""
            problem = strange.problem + more
            self.on_skip(UnknownFormatError(problem, strange.file, strange.line, strange.field))

    def _check(self, case: Case) -> None:
        if (case.dataset, case.id) in self.seen:
            problem = f"case id {case.id!r} stands twice in dataset {case.dataset!r}"
            remedy = "; give each its own (without one, the file's name is taken)"
            raise DataError(problem + remedy, field="id")
        self.seen.add((case.dataset, case.id))

    def _is_log(self, first: list[object]) -> bool:
        if self.column:
            return False
        kinds = [self.chosen] if self.chosen else FORMATS.values()
        return any(kind.lines and recognised(kind, first) for kind in kinds)

    def _split(self, found: Iterable[Record]) -> Iterator[Record]:
        """Take a list that is a file apart into its records."""
        for record in found:
            if record.line is None and isinstance(record.raw, list) and not record.lines:
                kind = self.chosen or sniff(record.raw)
                whole = kind and (kind.whole or kind.lines) and recognised(kind, record.raw)
                if not whole or self.column:
                    if not record.raw:
                        problem = "the file holds an empty list; expected conversations"
                        yield Record(1, None, error=DataError(problem))
                    for index, raw in enumerate(record.raw):
                        yield Record(index + 1, None, raw, place=f"[{index}]")
                    continue
            yield record

    def _cases(self, record: Record, name: str) -> Iterator[Case]:
        raw = record.raw
        if record.error and not isinstance(raw, str):
            raise record.error
        if self.column:
            raw = _cell(raw, self.column)
        kind = self.chosen or sniff(raw, lines=bool(record.lines))
        if kind is None:
            looks_so = isinstance(raw, str) and raw.lstrip()[:1] in ("{", "[")
            raise record.error if record.error and looks_so else unknown(raw)
        try:
            found = list(kind.read(raw, name))
        except CtxlabError as error:
            if isinstance(error, DataError):
                raise
            raise DataError(str(error)) from error
        except (LookupError, TypeError, ValueError, AttributeError, ArithmeticError,
                RecursionError) as error:  # fmt: skip
            # Readers of others may not look at every field; a record must not end the run.
            problem = f"cannot be read as {kind.name!r}: {type(error).__name__}: {error}"
            raise DataError(problem) from error
        if not found:
            raise DataError(f"holds no conversation, read as {kind.name!r}")
        yield from found


def _cell(raw: object, column: str) -> object:
    if not isinstance(raw, dict) or column not in raw:
        has = ", ".join(map(str, raw)) if isinstance(raw, dict) else "no columns"
        raise DataError(f"has no such column; it has {has}", field=column)
    return parsed(raw[column])


def _within(path: str, member: str) -> str:
    """Return the name of the conversation in a member of a zip."""
    folder = PurePosixPath(path).name
    return f"{_stem(folder)}/{member}"


def _stem(name: str) -> str:
    known = (*_SUFFIXES, ".gz")
    while PurePosixPath(name).suffix.lower() in known:
        name = name[: -len(PurePosixPath(name).suffix)]
    return name


def _name(name: str, record: Record) -> str:
    if name == "-":
        stem = "stdin"
    else:
        inside = "/" in name and not Path(name).exists() and not is_elsewhere(name)
        stem = _stem(name) if inside else _stem(PurePosixPath(name).name)
    return stem if record.line is None and record.number == 1 else f"{stem}-{record.number}"


def _placed(error: DataError, file: str, record: Record) -> DataError:
    field, line = error.field, error.line or record.line
    within = _FIRST.match(field)
    if record.lines and within and int(within[1]) < len(record.lines):
        # Of lines that are one record, the field names the line.
        line, field = record.lines[int(within[1])], field[within.end() :]
    field = ".".join(part for part in (record.place, field) if part)
    return type(error)(error.problem, error.file or file, line, field)


def read_all(
    paths: str | Path | Iterable[str | Path],
    format: str | None = None,  # noqa: A002
    *,
    column: str | None = None,
    skip_bad: bool = False,
    on_skip: OnSkip | None = None,
    on_pass: OnSkip | None = None,
) -> Iterator[Case]:
    """Yield the conversations of files, of all such files in folders, and of what a glob names.

    Parameters
    ----------
    paths : str, Path or iterable of them
        Files, folders, patterns such as ``logs/**/*.jsonl``, addresses, or ``-`` for stdin.
    format, column, skip_bad, on_skip
        As in `read`.
    on_pass : callable, optional
        Called with what a folder or a zip holds besides conversations, and why it is passed over.

    Raises
    ------
    DataError
        When a folder holds no such file, a pattern names none, a record is malformed and not
        skipped, or an id stands twice in a dataset, be it in two files.

    Examples
    --------
    >>> list(read_all([]))
    []
    """
    reading = _Reading(format, column, skip_bad, on_skip, on_pass)
    # A path alone is taken as such: as an iterable of characters it would name other files.
    for path in map(str, [paths] if isinstance(paths, str | Path) else paths):
        named = matching(path)
        if not named:
            raise DataError("the pattern names no file; check the folder it begins with", path)
        for one in named:
            if is_elsewhere(one) or not Path(one).is_dir():
                yield from _tolerant(reading, one)
            else:
                yield from _folder(reading, one)


def _tolerant(reading: _Reading, path: str) -> Iterator[Case]:
    try:
        yield from reading.file(path)
    except DataError as error:
        if not reading.skip_bad:
            raise
        reading.on_skip(error)


def _folder(reading: _Reading, folder: str) -> Iterator[Case]:
    every = sorted(path for path in Path(folder).rglob("*") if path.is_file())
    # A name whose ending only packs it, such as core.gz, says nothing of what it holds.
    files = [path for path in every if path.suffix.lower() in _SUFFIXES]
    passed = [DataError(f"is no {kind_of(p.name) or 'such'} file of conversations", str(p))
              for p in every if p not in set(files)]  # fmt: skip
    found = 0
    for file in files:
        try:
            for case in _tolerant(reading, str(file)):
                found += 1
                yield case
        except UnknownFormatError as error:
            passed.append(error)
    unknowns = [error for error in passed if isinstance(error, UnknownFormatError)]
    if not found and not reading.skip_bad:
        if len(passed) == 1 and unknowns:
            raise unknowns[0]
        names = ", ".join(Path(str(error.file)).name for error in passed[:6]) or "nothing"
        problem = f"the folder holds no file of conversations; it holds {names}"
        raise DataError(f"{problem}; the files read are {', '.join(_SUFFIXES)}", folder)
    for one in passed:
        reading.on_pass(one)
