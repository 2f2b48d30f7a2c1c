"""Read-only queries: any SELECT on the store, and nothing else."""

from __future__ import annotations

import duckdb
import polars as pl

from ctxlab.errors import StoreError
from ctxlab.store.connection import Database, Parameters

_READS = {duckdb.StatementType.SELECT, duckdb.StatementType.EXPLAIN}


def query(db: Database, sql: str, parameters: Parameters = ()) -> pl.DataFrame:
    """Return the rows of one reading statement, run in a read-only transaction.

    Raises
    ------
    StoreError
        When the text is not one statement that only reads, or DuckDB refuses it.

    Examples
    --------
    >>> query(Database(), "SELECT count(*) AS n FROM workshops").rows()
    [(0,)]
    >>> query(Database(), "DELETE FROM workshops")
    Traceback (most recent call last):
    ctxlab.errors.StoreError: a query must be one statement that only reads...
    """
    try:
        kinds = [statement.type for statement in duckdb.extract_statements(sql)]
    except duckdb.Error as error:
        raise StoreError(f"the query is not understood: {error}") from error
    if len(kinds) != 1 or kinds[0] not in _READS:
        what = ", ".join(kind.name for kind in kinds) or "nothing"
        raise StoreError(
            f"a query must be one statement that only reads, such as SELECT, not {what}"
        )
    with db.reading() as cursor:
        found: pl.DataFrame = cursor.sql(sql, params=parameters or None).pl()
        return found
