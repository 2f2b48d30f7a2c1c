"""A connection to PostgreSQL whose errors say what to do, and never say the password."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from ctxlab.errors import ConflictError, CtxlabError, StoreError
from ctxlab.postgres import SCHEME

_SECONDS = 10


@contextmanager
def connected(
    dsn: str, *, read_only: bool, one_moment: bool = False
) -> Iterator[psycopg.Connection]:
    """Give a connection within one transaction, committed at the end unless something fails.

    Parameters
    ----------
    dsn : str
        Address of the database.
    read_only : bool
        Whether nothing may be written.
    one_moment : bool
        Whether all tables are seen as they were at one moment; always when only read.

    Raises
    ------
    psycopg.errors.SerializationFailure
        When, at one moment, somebody else has written the same row meanwhile.
    ConflictError
        When a row breaks a unique constraint.
    StoreError
        When the address is not understood, or PostgreSQL refuses something.

    Examples
    --------
    >>> with connected("postgresql://ada:sec@ret@localhost/app", read_only=True):
    ...     pass
    Traceback (most recent call last):
    ctxlab.errors.StoreError: the address of the database is not understood; ...
    """
    if not _parts(dsn):
        raise StoreError(
            "the address of the database is not understood; write it as "
            "postgresql://user:password@host:5432/database, special characters in the password "
            "percent-encoded"
        )
    # The error that psycopg raised is not chained: its text may hold the password.
    failure: CtxlabError | None = None
    try:
        parts = {"connect_timeout": str(_SECONDS)} | _parts(dsn)
        connection = psycopg.connect(make_conninfo("", **parts))
    except psycopg.Error as error:
        failure = _unreachable(error, dsn)
    if failure:
        raise failure
    if read_only:
        connection.read_only = True
    if read_only or one_moment:
        connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
    try:
        with connection:
            connection.execute("SET LOCAL TIME ZONE 'UTC'")
            yield connection
    except psycopg.errors.SerializationFailure:
        raise
    except psycopg.Error as error:
        failure = _refused(error, dsn)
    if failure:
        raise failure


def address(dsn: str) -> str:
    """Return an address for people: without its password and options.

    Examples
    --------
    >>> address("postgresql://ada:secret@db.test:5433/app?sslmode=require")
    'postgresql://ada@db.test:5433/app'
    >>> address("postgresql://ada:sec ret")
    'postgresql://…'
    """
    parts = _parts(dsn)
    if not parts:
        return "postgresql://…"
    user, host, port, name = (parts.get(key, "") for key in ("user", "host", "port", "dbname"))
    return f"postgresql://{user}{'@' if user else ''}{host}{':' if port else ''}{port}/{name}"


def _parts(dsn: str) -> dict[str, str]:
    """Return the parts of an address, none when a piece of the password may be in the wrong one."""
    plain = SCHEME.sub("postgresql://", dsn, count=1) if SCHEME.match(dsn) else dsn
    try:
        parts = {name: str(value) for name, value in conninfo_to_dict(plain).items() if value}
    except psycopg.Error:
        return {}
    numbers = (parts.get("port", ""), parts.get("connect_timeout", ""))
    misplaced = any("@" in parts.get(name, "") for name in ("host", "dbname", "user"))
    return parts if not misplaced and re.fullmatch(r"[\d,]*;\d*", ";".join(numbers)) else {}


def _unreachable(error: psycopg.Error, dsn: str) -> StoreError:
    return StoreError(
        f"{address(dsn)} cannot be reached: {_message(error, dsn)}; "
        "see that the server runs and lets you in"
    )


def _refused(error: psycopg.Error, dsn: str) -> StoreError:
    text = f"{address(dsn)}: {_message(error, dsn)}"
    if isinstance(error, psycopg.errors.UniqueViolation):
        return ConflictError(text)
    return StoreError(f"{text}; nothing was changed")


def _message(error: psycopg.Error, dsn: str) -> str:
    text = error.diag.message_primary or str(error)
    lines = text.strip().splitlines()
    line = lines[0] if lines else "no details"
    if error.diag.table_name:
        line += f" (table {error.diag.table_name})"
    password = _parts(dsn).get("password")
    return line.replace(password, "***") if password else line
