"""PostgreSQL in and out: production's workshops into the lab, and the lab's back again."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from typing import TYPE_CHECKING

from ctxlab.core import progress as _progress
from ctxlab.core.progress import ShowsProgress
from ctxlab.errors import MissingExtraError

if TYPE_CHECKING:
    from ctxlab.core.tokens import TokenCounter
    from ctxlab.store import Store

SCHEME = re.compile(r"postgres(?:ql)?(?:\+\w+)?://", re.IGNORECASE)
"""How an address of PostgreSQL begins; SQLAlchemy's names a driver, too."""

__all__ = ["Counts", "import_workshops", "is_address", "push_workshops"]


@dataclass(frozen=True, slots=True)
class Counts:
    """What was moved: rows by table, and the columns that found no place.

    Examples
    --------
    >>> print(Counts({"workshops": 1, "chat_messages": 20}, ("sessions.color",)))
    1 workshops, 20 chat_messages; no place for sessions.color
    """

    rows: Mapping[str, int]
    ignored: tuple[str, ...] = ()

    def __str__(self) -> str:
        text = ", ".join(f"{count:,} {table}" for table, count in self.rows.items() if count)
        left = f"; no place for {', '.join(self.ignored)}" if self.ignored else ""
        return (text or "nothing") + left


def is_address(text: str) -> bool:
    """Say whether a text is the address of a PostgreSQL database.

    Examples
    --------
    >>> is_address("postgresql+psycopg://localhost/app"), is_address("chats.jsonl")
    (True, False)
    """
    return SCHEME.match(text) is not None


def import_workshops(
    store: Store,
    dsn: str,
    progress: ShowsProgress = _progress.progress,
    counter: TokenCounter | None = None,
) -> Counts:
    """Read the workshops of a production database into the store, tokens counted.

    The database is read in one read-only transaction: all of it as it was at one moment. Tables
    are found by name; columns by theirs, in snake_case or camelCase, or by a usual other name.
    Columns of no known name go to the metadata of workshops and messages, and are reported for
    other tables.

    Parameters
    ----------
    store : Store
        The lab.
    dsn : str
        Address of the database, such as ``postgresql://user@host/app``.
    progress : callable
        Shows the messages that were read; `ctxlab.core.progress.progress` by default.
    counter : TokenCounter, optional
        Counts the tokens; the process's counter by default.

    Raises
    ------
    ConflictError
        When a workshop is in the store already; then nothing is stored.
    DataError
        When a table, a column or a value is not what a workshop has; then nothing is stored.
    StoreError
        When the database cannot be reached or read. No message holds the password.
    MissingExtraError
        When psycopg is not installed.

    Examples
    --------
    >>> from ctxlab.store import Store
    >>> import_workshops(Store(":memory:"), "postgresql://ada:secret@localhost:1/app")
    Traceback (most recent call last):
    ctxlab.errors.StoreError: postgresql://ada@localhost:1/app cannot be reached: ...
    """
    _require("PostgreSQL import")
    from ctxlab.core.tokens import shared_counter
    from ctxlab.postgres.importing import import_all

    return import_all(store.db, dsn, progress, counter or shared_counter())


def push_workshops(
    store: Store,
    dsn: str,
    workshops: Sequence[str] | None = None,
    progress: ShowsProgress = _progress.progress,
) -> Counts:
    """Write the lab's workshops to a database: one transaction, all or nothing.

    Tables that are absent are made. A row that is there already is brought up to date, one that
    is not in the lab stays. An artifact, or a summary, that was changed in the database since it
    was read is never overwritten.

    Parameters
    ----------
    store : Store
        The lab.
    dsn : str
        Address of the database, such as ``postgresql://user@host/app``.
    workshops : sequence of str, optional
        Ids of the workshops; all by default.
    progress : callable
        Shows the rows that were written; `ctxlab.core.progress.progress` by default.

    Returns
    -------
    Counts
        Rows that were new or changed, by table.

    Raises
    ------
    StaleVersionError
        When someone else saved an artifact or a summary in between; then nothing is written.
    ConflictError
        When an artifact's version or a schema is there with another content.
    DataError
        When a text holds what PostgreSQL cannot: a NUL character or a lone surrogate.
    NotFoundError
        When there is no such workshop in the lab.
    StoreError
        When the database cannot be reached or written. No message holds the password.
    MissingExtraError
        When psycopg is not installed.

    Examples
    --------
    >>> from ctxlab.store import Store
    >>> push_workshops(Store(":memory:"), "postgresql://ada:secret@localhost:1/app")
    Traceback (most recent call last):
    ctxlab.errors.StoreError: postgresql://ada@localhost:1/app cannot be reached: ...
    """
    _require("PostgreSQL push")
    from ctxlab.postgres.pushing import push_all

    return push_all(store.db, dsn, workshops, progress)


def _require(feature: str) -> None:
    if find_spec("psycopg") is None:
        raise MissingExtraError(feature, "postgres")
