"""What a reader declares of its format, so that its module is all that it takes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from ctxlab.core.cases import Case

Reader = Callable[[object, str], Iterator[Case]]


@dataclass(frozen=True, kw_only=True)
class Format:
    """A format of files: how a record of it looks, and how to read one.

    A module of `ctxlab.chats` or `ctxlab.datasets`, or of a package that names itself under the
    entry points ``ctxlab.formats``, declares one as ``FORMAT = Format(…)``.

    Parameters
    ----------
    name : str
        What ``--format`` calls it.
    description : str
        A few words for a list of formats.
    recognises : callable
        Whether a JSON value looks like a record of it; must not fail, whatever the value is.
    read : callable
        Takes a record and the name that a conversation has where the record gives none (the
        file's); yields cases, or raises `DataError` with the field at fault.
    example : object
        A small record with every field that is read, on which tests run.
    whole : bool
        A list at the top of a file is one record, not many.
    lines : bool
        The lines of a file, or the rows of a table, are one record, as those of a log are:
        `recognises` is shown a list of the first of them, `read` a list of all.
    priority : int
        A record is tried in the formats of higher priority first: above 0 for one that says
        what it is, below for one that many records look like.

    Examples
    --------
    >>> from ctxlab.chats.case_building import build_case
    >>> from ctxlab.core.segments import Message
    >>> def read_notes(raw, name):
    ...     yield build_case(name, "notes", [Message("n0", "user", raw["note"])])
    >>> notes = Format(
    ...     name="notes",
    ...     description="one note a record",
    ...     recognises=lambda raw: isinstance(raw, dict) and "note" in raw,
    ...     read=read_notes,
    ...     example={"note": "63 stalls"},
    ... )
    >>> [case.messages[0].content for case in notes.read(notes.example, "market")]
    ['63 stalls']
    """

    name: str
    description: str
    recognises: Callable[[object], bool]
    read: Reader
    example: object
    whole: bool = False
    lines: bool = False
    priority: int = 0
