"""Rows of tables: CSV, TSV and Parquet, as the records that they would be in JSON lines."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import IO

from ctxlab.errors import DataError

TABLES = (".csv", ".tsv", ".parquet")
"""Endings of the files that hold a table."""


def rows(file: IO[bytes], kind: str, path: str) -> Iterator[dict[str, object]]:
    r"""Yield the rows of a table, without what is null.

    Parquet fills keys that a message lacks with null, which no record would show. Text that is
    JSON of an object or a list, as columns of messages in a CSV hold it, is read as such.

    Raises
    ------
    DataError
        When it is no such table.

    Examples
    --------
    >>> import io
    >>> list(rows(io.BytesIO(b"role,content\nuser,Hi\n"), ".csv", "chat.csv"))
    [{'role': 'user', 'content': 'Hi'}]
    """
    import polars as pl

    try:
        if kind == ".parquet":
            table = pl.read_parquet(file.read())
        else:
            separator = "\t" if kind == ".tsv" else ","
            table = pl.read_csv(file.read(), separator=separator, infer_schema=False)
    except (pl.exceptions.PolarsError, OSError, ValueError) as error:
        problem = f"is no {kind[1:]} table that can be read ({str(error).splitlines()[0]})"
        raise DataError(problem, path) from error
    for row in table.iter_rows(named=True):
        yield {
            name: parsed(cell)
            for name, value in row.items()
            if (cell := _without_nulls(value)) is not None
        }


def _without_nulls(value: object) -> object:
    if isinstance(value, dict):
        shown = {key: _without_nulls(one) for key, one in value.items()}
        return {key: one for key, one in shown.items() if one is not None}
    if isinstance(value, list):
        return [_without_nulls(one) for one in value]
    known = value is None or isinstance(value, str | int | float | bool)
    return value if known else str(value)


def parsed(value: object) -> object:
    """Return the object or list that a text is the JSON of, and any other value as it is.

    Examples
    --------
    >>> parsed('[{"role": "user"}]'), parsed("[sic]")
    ([{'role': 'user'}], '[sic]')
    """
    if isinstance(value, str) and value.lstrip()[:1] in ("{", "["):
        try:
            found = json.loads(value)
        except (ValueError, RecursionError):
            return value
        return found if isinstance(found, dict | list) else value
    return value
