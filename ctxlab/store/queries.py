"""Read-only queries: any SELECT on the store, and nothing else."""

from __future__ import annotations

import re
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from time import monotonic

import duckdb
import polars as pl

from ctxlab.errors import StoreError
from ctxlab.store.connection import Database, Parameters
from ctxlab.store.temporal import beyond_python

_READS = {duckdb.StatementType.SELECT, duckdb.StatementType.EXPLAIN}
_OPTIONS = {"analyze", "analyse", "format", "verbose"}
_WORD = re.compile(r"\w+|.", re.DOTALL)
_AS_TEXT = re.compile(
    r"INTERVAL|BIGNUM|VARIANT|UNION|BIT|BLOB|TIME WITH TIME ZONE|GEOMETRY", re.IGNORECASE
)
"""Types that a frame cannot hold, or not show: their columns come as text."""
_PATIENCE = 0.05


def query(
    db: Database, sql: str, parameters: Parameters = (), *, timeout: float | None = None
) -> pl.DataFrame:
    """Return the rows of one reading statement, run in a read-only transaction.

    Intervals, bits, blobs and dates that Python has not, such as ``infinity``, come as text.

    Parameters
    ----------
    db : Database
        The store's database.
    sql : str
        The statement.
    parameters : sequence or mapping
        Its values.
    timeout : float, optional
        Seconds after which it is given up. An interrupt (Ctrl-C) gives it up at once.

    Raises
    ------
    StoreError
        When the text is not one statement that only reads, DuckDB refuses it, or it takes
        longer than `timeout`.

    Examples
    --------
    >>> query(Database(), "SELECT count(*) AS n FROM workshops").rows()
    [(0,)]
    >>> query(Database(), "SELECT INTERVAL 1 MONTH AS soon").rows()
    [('1 month',)]
    >>> query(Database(), "DELETE FROM workshops")
    Traceback (most recent call last):
    ctxlab.errors.StoreError: a query must be one statement that only reads...
    """
    _check_reads(sql)
    with db.reading() as cursor:
        return _interruptible(cursor, lambda: _frame(cursor, sql, parameters), timeout)


def _check_reads(sql: str) -> None:
    kinds = _kinds(sql)
    if kinds == [duckdb.StatementType.EXPLAIN]:
        # EXPLAIN ANALYZE runs what it explains.
        kinds = _kinds(_explained(sql))
    if len(kinds) != 1 or kinds[0] not in _READS:
        what = ", ".join(kind.name for kind in kinds) or "nothing"
        raise StoreError(
            f"a query must be one statement that only reads, such as SELECT, not {what}"
        )


def _kinds(sql: str) -> list[duckdb.StatementType]:
    try:
        sql.encode()
    except (AttributeError, UnicodeEncodeError) as error:
        problem = f"{sql!r:.60} is no text that can be SQL: {error}"
        raise StoreError(f"{problem}; pass a statement as text") from error
    try:
        return [statement.type for statement in duckdb.extract_statements(sql)]
    except duckdb.Error as error:
        raise StoreError(f"the query is not understood: {error}") from error


def _explained(sql: str) -> str:
    """Return the statement behind EXPLAIN, ANALYZE and options in parentheses."""
    starts = [at for at, kind in duckdb.tokenize(sql) if kind != duckdb.token_type.comment]
    words = [_WORD.match(sql, at) for at in starts]
    tokens = [word[0].lower() if word else "" for word in words] + ["", ""]
    place = 1
    if tokens[place] in _OPTIONS:
        place += 1
    if tokens[place] == "(" and tokens[place + 1] in _OPTIONS:
        place = tokens.index(")", place) + 1
    return sql[starts[place] :] if place < len(starts) else ""


def _frame(cursor: duckdb.DuckDBPyConnection, sql: str, parameters: Parameters) -> pl.DataFrame:
    found = cursor.sql(sql, params=parameters or None)
    found = _as_text(found, [bool(_AS_TEXT.search(str(kind))) for kind in found.types])
    table = found.to_arrow_table()
    beyond = [beyond_python(column) for column in table.columns]
    if any(beyond):
        table = _as_text(cursor.from_arrow(table), beyond).to_arrow_table()
    return pl.DataFrame(table)


def _as_text(found: duckdb.DuckDBPyRelation, chosen: list[bool]) -> duckdb.DuckDBPyRelation:
    """Turn the chosen columns of a relation into text."""
    if not any(chosen):
        return found
    columns = []
    for place, (name, text) in enumerate(zip(found.columns, chosen, strict=True), 1):
        label = '"{}"'.format(name.replace('"', '""'))
        columns.append(f"#{place}::VARCHAR AS {label}" if text else f"#{place} AS {label}")
    return found.project(", ".join(columns))


def _interruptible(
    cursor: duckdb.DuckDBPyConnection, work: Callable[[], pl.DataFrame], timeout: float | None
) -> pl.DataFrame:
    """Run a query in a thread, so that this one can hear an interrupt and give it up."""
    end = None if timeout is None else monotonic() + timeout
    with ThreadPoolExecutor(1, thread_name_prefix="ctxlab-query") as pool:
        running = pool.submit(work)
        try:
            # An interrupt that another thread receives is only heard by one that wakes up.
            while not wait([running], _PATIENCE).done:
                if end is not None and monotonic() > end:
                    raise StoreError(
                        f"the query took longer than {timeout:g} seconds and was given up; "
                        "narrow it, or allow more with timeout= (--timeout)"
                    )
        except BaseException:
            _give_up(cursor, running)
            raise
        return running.result()


def _give_up(cursor: duckdb.DuckDBPyConnection, running: Future[pl.DataFrame]) -> None:
    """Interrupt until it has ended: an interrupt between two steps of a query is not heard."""
    while not running.done():
        cursor.interrupt()
        wait([running], _PATIENCE)
