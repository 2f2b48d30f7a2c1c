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
    """What was moved: rows by table, the columns that found no place, and what was not moved.

    Parameters
    ----------
    rows : mapping of str to int
        Rows that were new or changed, by table.
    ignored : tuple of str
        Columns, and tables, that found no place.
    skipped : tuple of str
        Rows at fault that were left out, each with table, key and column.
    conflicts : tuple of str
        Rows that a push refused to write, each with the reason.
    statements : tuple of str
        The SQL of a push.

    Examples
    --------
    >>> print(Counts({"workshops": 1, "chat_messages": 20}, ("sessions.color",)))
    1 workshops, 20 chat_messages; no place for sessions.color
    """

    rows: Mapping[str, int]
    ignored: tuple[str, ...] = ()
    skipped: tuple[str, ...] = ()
    conflicts: tuple[str, ...] = ()
    statements: tuple[str, ...] = ()

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
    *,
    workshops: Sequence[str] | None = None,
    since: str | None = None,
    deleted: bool = False,
    skip_bad: bool = False,
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
    workshops : sequence of str, optional
        Ids of the workshops; all by default.
    since : str, optional
        Only workshops changed, or made, at that time or later, such as ``2026-11-01``.
    deleted : bool
        Also what is marked as deleted in production.
    skip_bad : bool
        Leave out rows at fault, and list them.

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
    from ctxlab.postgres.production_reader import Choice

    choice = Choice(workshops, since, deleted)
    tokens = counter or shared_counter()
    return import_all(store.db, dsn, progress, tokens, choice, skip_bad=skip_bad)


def push_workshops(
    store: Store,
    dsn: str,
    workshops: Sequence[str] | None = None,
    progress: ShowsProgress = _progress.progress,
    *,
    dry_run: bool = False,
    create_tables: bool = False,
    defaults: Mapping[str, str] | None = None,
) -> Counts:
    """Write what the lab changed to a database: one transaction, no row overwritten unseen.

    A row is written only where the lab changed it, in the columns that it changed, and only when
    production still holds it as it was read; a row that changed on both sides is a conflict and
    stays as it is, with all that belongs to it. A row that is not in production yet is added,
    with an id of production's kind. Nothing is deleted.

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
    dry_run : bool
        Only return the SQL, as `Counts.statements`.
    create_tables : bool
        Make ctxlab's own tables where they are absent.
    defaults : mapping of str to str
        Values, by ``column`` or ``table.column``, of what production demands and the lab does
        not know. A workshop's metadata is looked into, too.

    Returns
    -------
    Counts
        Rows that were new or changed, by table, and the conflicts.

    Raises
    ------
    DataError
        When a table or a value that production demands is missing, or a text holds what
        PostgreSQL cannot: a NUL character or a lone surrogate. Then nothing is written.
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
    from ctxlab.postgres.pushing import Wishes, push_all

    wishes = Wishes(workshops, dry_run, create_tables, defaults or {})
    return push_all(store.db, dsn, wishes, progress)


def _require(feature: str) -> None:
    if find_spec("psycopg") is None:
        raise MissingExtraError(feature, "postgres")
