"""Options that several commands share, and what they turn into."""

from __future__ import annotations

import re
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ctxlab.cli import completing
from ctxlab.errors import DataError, SpecError, UnknownNameError

if TYPE_CHECKING:
    from ctxlab.core.cases import Case

Paths = Annotated[
    list[str],
    typer.Argument(
        help="Files, folders or patterns of conversations, - for stdin, or names of datasets.",
        show_default=False,
        autocompletion=completing.datasets,
    ),
]
AsJSON = Annotated[bool, typer.Option("--json", help="Print JSON on stdout.")]
StorePath = Annotated[Path, typer.Option("--store", help="The store, a DuckDB file.")]
Encoding = Annotated[
    str, typer.Option("--encoding", help="Whose tokens are counted: an encoding or a model.")
]
EncoderName = Annotated[
    str | None,
    typer.Option(
        "--encoder",
        help="What turns texts into vectors: onnx:FOLDER, model2vec:NAME, "
        "sentence-transformers:NAME or openai:MODEL. Vectors are kept in the store.",
    ),
]
FormatName = Annotated[
    str | None,
    typer.Option(
        "--format",
        help="The files' format, or module:reader of your own; recognised when not given.",
    ),
]
ColumnName = Annotated[
    str | None,
    typer.Option("--column", help="The column, or key, of each record that holds the messages."),
]
SkipBad = Annotated[
    bool, typer.Option("--skip-bad", help="Leave out malformed records, and count them.")
]
AllowImport = Annotated[
    bool,
    typer.Option(
        "--allow-import",
        help="Import strategies and metrics, as module:Class, that are not ctxlab's.",
    ),
]
Categories = Annotated[
    list[str] | None,
    typer.Option("--category", help="Only probes of this category; again, or 1,2,3, for several."),
]

DEFAULT_STORE = Path("ctxlab.duckdb")
_SHOWN = 20


def say(text: str) -> None:
    """Write a line for people on stderr, so that stdout holds data alone.

    Examples
    --------
    >>> say("")
    """
    sys.stderr.write(f"{text}\n")


def read_inputs(
    paths: Sequence[str],
    format_name: str | None = None,
    *,
    skip_bad: bool = False,
    column: str | None = None,
) -> Iterator[Case]:
    """Yield the conversations of files, folders and named datasets.

    What is left out, and what folders hold besides conversations, is said on stderr.

    Raises
    ------
    DataError
        With file, line and field of the first malformed record, unless it is skipped.

    Examples
    --------
    >>> next(read_inputs(["agent-run"])).id
    'agent-run'
    """
    from ctxlab.datasets import cases_of, is_dataset, read_all

    skipped: list[DataError] = []
    passed: list[DataError] = []
    for path in paths:
        if not Path(path).exists() and is_dataset(path):
            yield from cases_of(path, skip_bad=skip_bad, on_skip=skipped.append)
        else:
            yield from read_all(
                path,
                format_name,
                column=column,
                skip_bad=skip_bad,
                on_skip=skipped.append,
                on_pass=passed.append,
            )
    for error in passed[:_SHOWN]:
        say(f"passed over: {error.file}: {error.problem.partition(';')[0]}")
    if len(passed) > _SHOWN:
        say(f"passed over: {len(passed) - _SHOWN:,} more files")
    for error in skipped:
        say(f"skipped: {error}")
    if skipped:
        say(f"{len(skipped)} malformed record{'' if len(skipped) == 1 else 's'} left out")


def choose_clusters(cases: Sequence[Case], pattern: str | None) -> list[Case]:
    """Return the cases with what is independent named by a part of their ids.

    Parameters
    ----------
    cases : sequence of Case
        The conversations.
    pattern : str, optional
        A regular expression; what its first group finds in an id is the cluster.

    Raises
    ------
    SpecError
        When it is no regular expression with a group, or finds nothing in an id.

    Examples
    --------
    >>> from ctxlab.testing import sample_case
    >>> choose_clusters([sample_case()], "(mark).*")[0].cluster
    'mark'
    """
    if pattern is None:
        return list(cases)
    try:
        wanted = re.compile(pattern)
    except re.error as error:
        raise SpecError(f"--cluster-by {pattern!r} is no regular expression: {error}") from error
    found = [wanted.search(case.id) for case in cases]
    for case, match in zip(cases, found, strict=True):
        if match is None or not wanted.groups or match[1] is None:
            raise SpecError(
                f"--cluster-by {pattern!r} finds no group in the id {case.id!r}; "
                r"write one such as '(t\d+)_r\d+'"
            )
    return [replace(c, cluster=m[1]) for c, m in zip(cases, found, strict=True) if m]


def choose_probes(cases: Sequence[Case], categories: Sequence[str] | None) -> list[Case]:
    """Return the cases with only the probes of some categories.

    Raises
    ------
    UnknownNameError
        When no probe has such a category.

    Examples
    --------
    >>> from ctxlab.testing import sample_case
    >>> [probe.id for probe in choose_probes([sample_case()], ["number"])[0].probes]
    ['p0']
    """
    wanted = {part.strip() for text in categories or () for part in text.split(",")}
    if not wanted:
        return list(cases)
    known = Counter(probe.category for case in cases for probe in case.probes)
    for category in sorted(wanted - set(known)):
        raise UnknownNameError("category", category, known)
    return [
        replace(case, probes=tuple(p for p in case.probes if p.category in wanted))
        for case in cases
    ]
