"""Tables that exist already, read from their SQL, and what ctxlab's declarations add to them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from ctxlab.errors import DataError
from ctxlab.store.column import Column
from ctxlab.store.tables import PRODUCTION

_CREATE = re.compile(
    r"CREATE\s+TABLE\s+(?:IF\s+NOT\s+EXISTS\s+)?(?:\"?\w+\"?\.)?\"?(\w+)\"?\s*\(", re.IGNORECASE
)
_RULE = re.compile(r"(CONSTRAINT|PRIMARY|UNIQUE|FOREIGN|CHECK|EXCLUDE|LIKE)\b", re.IGNORECASE)


@dataclass(frozen=True)
class Lacking:
    """What is declared and not there.

    Examples
    --------
    >>> Lacking((), {}).tables
    ()
    """

    tables: tuple[str, ...]
    columns: Mapping[str, tuple[Column, ...]]


def lacking(text: str) -> Lacking:
    """Return the declared tables and columns that a database of that SQL lacks.

    A column counts as there under any name that production may give it.

    Raises
    ------
    DataError
        When the SQL makes no table.

    Examples
    --------
    >>> found = lacking('CREATE TABLE workshops (id uuid, "name" text, protocol text);')
    >>> [column.name for column in found.columns["workshops"]]
    ['protocol_version', 'metadata', 'created_at']
    >>> found.tables[0]
    'sessions'
    """
    there = columns_of(text)
    if not there:
        raise DataError("the SQL makes no table; give a file with CREATE TABLE statements")
    columns = {}
    for name, table in PRODUCTION.items():
        if name in there:
            missing = [
                column
                for column in table.columns
                if not {column.name, *column.elsewhere} & {_snake(one) for one in there[name]}
            ]
            if missing:
                columns[name] = tuple(missing)
    return Lacking(tuple(name for name in PRODUCTION if name not in there), columns)


def columns_of(text: str) -> dict[str, tuple[str, ...]]:
    """Return the columns of every table that some SQL makes.

    Examples
    --------
    >>> columns_of("CREATE TABLE a (id text PRIMARY KEY, n numeric(3, 1), UNIQUE (n));")
    {'a': ('id', 'n')}
    """
    text = re.sub(r"--[^\n]*", "", text)
    found = {}
    for match in _CREATE.finditer(text):
        parts = _split(text[match.end() :])
        names = [part.strip() for part in parts if part.strip() and not _RULE.match(part.strip())]
        found[match[1]] = tuple(
            re.split(r"\s", one.replace('"', ""), maxsplit=1)[0] for one in names
        )
    return found


def _split(text: str) -> list[str]:
    """Split what stands before the closing bracket at the commas outside of inner ones."""
    parts: list[str] = []
    depth, start, quote = 0, 0, ""
    for at, char in enumerate(text):
        if quote:
            quote = "" if char == quote else quote
        elif char in "'\"":
            quote = char
        elif char == "(":
            depth += 1
        elif char == ")" and depth == 0:
            return [*parts, text[start:at]]
        elif char == ")":
            depth -= 1
        elif char == "," and depth == 0:
            parts.append(text[start:at])
            start = at + 1
    return parts


def _snake(name: str) -> str:
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower()


def added_columns(missing: Lacking) -> list[str]:
    """Return the statements that add the columns; rows that are there keep null without a default.

    Examples
    --------
    >>> from ctxlab.store.column import TEXT
    >>> added_columns(Lacking((), {"sessions": (Column("label", TEXT),)}))
    ['ALTER TABLE sessions ADD COLUMN IF NOT EXISTS label text']
    """
    statements = []
    for table, columns in missing.columns.items():
        for column in columns:
            default = "" if column.default is None else f" DEFAULT {column.default}"
            never = " NOT NULL" if column.default is not None and not column.optional else ""
            statements.append(
                f"ALTER TABLE {table} ADD COLUMN IF NOT EXISTS {column.name} "
                f"{column.kind.postgres}{default}{never}"
            )
    return statements
