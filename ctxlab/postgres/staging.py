"""Rows on their way into a table: a temporary table in our names, and the SQL between the two."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl
from psycopg import sql

from ctxlab.errors import DataError
from ctxlab.postgres.columns import ProductionTable
from ctxlab.store.column import JSON
from ctxlab.store.tables import PRODUCTION


def temporary(table: str, source: ProductionTable | None, names: Sequence[str]) -> sql.Composed:
    """Make a table with our names and their types; a text of ours stays a text.

    Examples
    --------
    >>> text = temporary("step_artifact_versions", None, []).as_string()
    >>> text.startswith('CREATE TEMP TABLE "pg_temp"."ctxlab_step_artifact_versions"')
    True
    """
    if source is None:
        ours = [
            sql.SQL("NULL::{} AS {}").format(
                sql.SQL(PRODUCTION[table].column(name).kind.postgres), sql.Identifier(name)
            )
            for name in names
        ]
        return sql.SQL("CREATE TEMP TABLE {} ON COMMIT DROP AS SELECT {} WITH NO DATA").format(
            staged(table), sql.SQL(", ").join(ours)
        )
    columns = [
        sql.SQL("{}{} AS {}").format(
            theirs(source, name),
            sql.SQL("::text" if _is_wrapped(source, name) else ""),
            sql.Identifier(name),
        )
        for name in names
    ]
    return sql.SQL("CREATE TEMP TABLE {} ON COMMIT DROP AS SELECT {} FROM {} WITH NO DATA").format(
        staged(table), sql.SQL(", ").join(columns), sql.Identifier(table)
    )


def _is_wrapped(source: ProductionTable, name: str) -> bool:
    """Say whether a text of ours is a JSON string of theirs."""
    ours = PRODUCTION[source.table].column(name).kind
    return ours != JSON and source.type_of(name) in ("json", "jsonb")


def value(source: ProductionTable, name: str) -> sql.Composable:
    """Return what a staged row holds, in their type.

    Examples
    --------
    >>> source = ProductionTable("sessions", {"id": "Id"}, {"Id": "json"})
    >>> value(source, "id").as_string()
    'to_jsonb("n"."id")'
    """
    column = sql.Identifier("n", name)
    return sql.SQL("to_jsonb({})").format(column) if _is_wrapped(source, name) else column


def comparable(source: ProductionTable, name: str, table: str) -> sql.Composable:
    """Return a value of their row (``t``) or of the staged one (``n``), fit to be compared.

    Examples
    --------
    >>> source = ProductionTable("sessions", {"id": "Id"}, {"Id": "json"})
    >>> comparable(source, "id", "t").as_string()
    '"t"."Id"::jsonb'
    """
    column = sql.Identifier("t", source.columns[name]) if table == "t" else value(source, name)
    # PostgreSQL's type json has no equality; jsonb has.
    return sql.SQL("{}::jsonb").format(column) if source.type_of(name) == "json" else column


def same_key(source: ProductionTable, keys: Sequence[str]) -> sql.Composed:
    """Return the condition that a row and a staged one are the same row.

    Examples
    --------
    >>> source = ProductionTable("sessions", {"id": "Id"}, {"Id": "json"})
    >>> same_key(source, ["id"]).as_string()
    't."Id" = n."id"'
    """
    return sql.SQL(" AND ").join(
        sql.SQL("t.{} = n.{}").format(theirs(source, key), sql.Identifier(key)) for key in keys
    )


def theirs(source: ProductionTable, name: str) -> sql.Identifier:
    """Return their name of a column of ours.

    Examples
    --------
    >>> source = ProductionTable("sessions", {"id": "Id"}, {"Id": "json"})
    >>> theirs(source, "id").as_string()
    '"Id"'
    """
    return sql.Identifier(source.columns[name])


def staged(table: str) -> sql.Identifier:
    """Return the name of the temporary table of a table.

    Examples
    --------
    >>> staged("sessions").as_string()
    '"pg_temp"."ctxlab_sessions"'
    """
    return sql.Identifier("pg_temp", f"ctxlab_{table}")


def refuse_nul(table: str, frame: pl.DataFrame, keys: Sequence[str]) -> None:
    """Refuse text that PostgreSQL cannot hold.

    Raises
    ------
    DataError
        With the key of the first such row.

    Examples
    --------
    >>> refuse_nul("sessions", pl.DataFrame({"id": ["s1"], "label": ["a"]}), ["id"])
    """
    for name, kind in frame.schema.items():
        if kind != pl.String:
            continue
        broken = frame.filter(pl.col(name).str.contains("\x00", literal=True))
        if broken.height:
            key = ", ".join(str(broken[column][0]) for column in keys)
            raise DataError(
                f"of {key!r} holds a NUL character or a lone surrogate, which PostgreSQL cannot "
                "hold; remove it, or push other workshops",
                field=f"{table}.{name}",
            )
