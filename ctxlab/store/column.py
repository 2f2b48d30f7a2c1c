"""What the declaration of a column says: its type in each place, its checks, its other names."""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from ctxlab.store.forms import AS_IS, Form


@dataclass(frozen=True, slots=True)
class Kind:
    """A type of values, as DuckDB, polars and PostgreSQL call it.

    Examples
    --------
    >>> JSON.duckdb, JSON.polars, JSON.postgres
    ('JSON', String, 'jsonb')
    """

    duckdb: str
    polars: pl.DataType
    postgres: str


TEXT = Kind("VARCHAR", pl.String(), "text")
INTEGER = Kind("INTEGER", pl.Int32(), "integer")
BIGINT = Kind("BIGINT", pl.Int64(), "bigint")
REAL = Kind("DOUBLE", pl.Float64(), "double precision")
BOOLEAN = Kind("BOOLEAN", pl.Boolean(), "boolean")
TIME = Kind("TIMESTAMP WITH TIME ZONE", pl.Datetime("us", "UTC"), "timestamp with time zone")
JSON = Kind("JSON", pl.String(), "jsonb")
TEXTS = Kind("VARCHAR[]", pl.List(pl.String()), "text[]")
FLOATS = Kind("FLOAT[]", pl.List(pl.Float32()), "real[]")


@dataclass(frozen=True, slots=True)
class Check:
    """A condition on a column, which stands in it as ``{}``, for each of the two databases.

    Examples
    --------
    >>> json_is("object").postgres
    "jsonb_typeof({}) = 'object'"
    """

    duckdb: str
    postgres: str
    words: tuple[str, ...] = ()


def one_of(*words: str) -> Check:
    """Allow only some words.

    Examples
    --------
    >>> one_of("all", "any").duckdb
    "{} IN ('all', 'any')"
    """
    condition = f"{{}} IN ({', '.join(map(repr, words))})"
    return Check(condition, condition, words)


def at_least(least: int) -> Check:
    """Allow only numbers from `least` on.

    Examples
    --------
    >>> at_least(1).duckdb
    '{} >= 1'
    """
    return Check(f"{{}} >= {least}", f"{{}} >= {least}")


def json_is(kind: str) -> Check:
    """Allow only JSON of one kind, such as ``object``.

    Examples
    --------
    >>> json_is("array").duckdb
    "json_type({}) = 'ARRAY'"
    """
    return Check(f"json_type({{}}) = '{kind.upper()}'", f"jsonb_typeof({{}}) = '{kind}'")


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a table.

    Parameters
    ----------
    name : str
        Its name in the store.
    kind : Kind
        The type of its values.
    elsewhere : sequence of str
        Other names that production gives it.
    optional : bool
        Whether it may be null.
    default : str, optional
        What stands in it when nothing is given, as SQL.
    check : Check, optional
        What its values must obey.
    field : str, optional
        The field of our dataclass, where its name is another.
    form : Form
        How a value of Python is written to it and read back.
    counted : bool
        Whether the store counts it itself, and believes nobody else's number.

    Examples
    --------
    >>> Column("asked_at", TEXT, optional=True, field="at").sql
    '"asked_at" VARCHAR'
    """

    name: str
    kind: Kind
    elsewhere: tuple[str, ...] = ()
    optional: bool = False
    default: str | None = None
    check: Check | None = None
    field: str | None = None
    form: Form = AS_IS
    counted: bool = False

    @property
    def sql(self) -> str:
        """The column within a ``CREATE TABLE`` of DuckDB.

        Examples
        --------
        >>> Column("version", INTEGER, default="1", check=at_least(1)).sql
        '"version" INTEGER NOT NULL DEFAULT 1 CHECK ("version" >= 1)'
        """
        parts = [f'"{self.name}" {self.kind.duckdb}']
        parts += [] if self.optional else ["NOT NULL"]
        parts += [] if self.default is None else [f"DEFAULT {self.default}"]
        if self.check:
            condition = self.check.duckdb.format(f'"{self.name}"')
            allowed = f'"{self.name}" IS NULL OR {condition}' if self.optional else condition
            parts.append(f"CHECK ({allowed})")
        return " ".join(parts)
