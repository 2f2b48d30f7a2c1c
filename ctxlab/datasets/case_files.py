"""Files of conversations: each record read in its format, each fault with its place."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from ctxlab.chats.file_format import Format
from ctxlab.chats.files import Record, records
from ctxlab.core.cases import Case
from ctxlab.datasets.formats import FORMATS, find_format, sniff
from ctxlab.errors import DataError

OnSkip = Callable[[DataError], None]
_SUFFIXES = (".json", ".jsonl", ".ndjson", ".gz")


def read(
    path: str | Path,
    format: str | None = None,  # noqa: A002 - the option is called so everywhere
    *,
    skip_bad: bool = False,
    on_skip: OnSkip | None = None,
) -> Iterator[Case]:
    """Yield the conversations of a file.

    Parameters
    ----------
    path : str or Path
        A JSON or JSON-lines file, gzipped or not.
    format : str, optional
        One of `FORMATS`, or ``module:name`` of your own; recognised record by record when not
        given.
    skip_bad : bool
        Leave out malformed records and go on.
    on_skip : callable, optional
        Called with the error of each record that is left out.

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
    yield from _read(Path(path), format, skip_bad, on_skip, set())


def _read(
    file: Path,
    format_name: str | None,
    skip_bad: bool,
    on_skip: OnSkip | None,
    seen: set[tuple[str, str]],
) -> Iterator[Case]:
    """Yield the cases of a file that are not `seen`: a second one of an id is an error."""
    chosen = find_format(format_name) if format_name else None
    for record in _split(file, chosen):
        try:
            found = list(_cases(record, chosen, _name(file, record)))
            for case in found:
                if (case.dataset, case.id) in seen:
                    problem = f"case id {case.id!r} stands twice in dataset {case.dataset!r}"
                    remedy = "; give each its own (without one, the file's name is taken)"
                    raise DataError(problem + remedy, field="id")
                seen.add((case.dataset, case.id))
        except DataError as error:
            placed = _placed(error, file, record)
            if not skip_bad:
                raise placed from error
            if on_skip:
                on_skip(placed)
            continue
        yield from found


def _split(path: Path, chosen: Format | None) -> Iterator[Record]:
    """Take a list that is a file apart into its records."""
    for record in records(path):
        if record.line is None and isinstance(record.raw, list):
            kind = chosen or sniff(record.raw)
            if not (kind and kind.whole and kind.recognises(record.raw)):
                if not record.raw:
                    problem = "the file holds an empty list; expected conversations"
                    yield Record(1, None, error=DataError(problem))
                for index, raw in enumerate(record.raw):
                    yield Record(index + 1, None, raw, place=f"[{index}]")
                continue
        yield record


def _cases(record: Record, chosen: Format | None, name: str) -> Iterator[Case]:
    if record.error:
        raise record.error
    kind = chosen or sniff(record.raw)
    if kind is None:
        raise DataError(
            "is in no format that is recognised; name it with --format: " + ", ".join(FORMATS)
        )
    yield from kind.read(record.raw, name)


def _name(file: Path, record: Record) -> str:
    stem = file.name
    while Path(stem).suffix in _SUFFIXES:
        stem = Path(stem).stem
    return stem if record.line is None and record.number == 1 else f"{stem}-{record.number}"


def _placed(error: DataError, file: Path, record: Record) -> DataError:
    field = ".".join(part for part in (record.place, error.field) if part)
    return DataError(error.problem, error.file or str(file), error.line or record.line, field)


def read_all(
    paths: str | Path | Iterable[str | Path],
    format: str | None = None,  # noqa: A002
    *,
    skip_bad: bool = False,
    on_skip: OnSkip | None = None,
) -> Iterator[Case]:
    """Yield the conversations of files, and of all such files in folders.

    Raises
    ------
    DataError
        When a folder holds no such file, a record is malformed and not skipped, or an id stands
        twice in a dataset, be it in two files.

    Examples
    --------
    >>> list(read_all([]))
    []
    """
    seen: set[tuple[str, str]] = set()
    # A path alone is taken as such: as an iterable of characters it would name other files.
    for path in map(Path, [paths] if isinstance(paths, str | Path) else paths):
        files = [path]
        if path.is_dir():
            files = sorted(p for p in path.rglob("*") if p.suffix in _SUFFIXES and p.is_file())
            if not files:
                raise DataError(f"the folder holds no {', '.join(_SUFFIXES)} file", str(path))
        for file in files:
            try:
                yield from _read(file, format, skip_bad, on_skip, seen)
            except DataError as error:
                if not skip_bad:
                    raise
                if on_skip:
                    on_skip(error)
