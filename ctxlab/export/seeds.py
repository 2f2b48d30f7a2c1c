"""Artifact schemas as SQL that PostgreSQL and DuckDB both read."""

from __future__ import annotations

from collections.abc import Sequence

from ctxlab.errors import DataError
from ctxlab.export.chosen_schemas import StepSchema


def schema_inserts(schemas: Sequence[StepSchema]) -> list[str]:
    """Return statements that register schemas; one that is registered already stays.

    Examples
    --------
    >>> print(schema_inserts([StepSchema("persona", 2, '{"type": "object"}')])[0])
    INSERT INTO artifact_schemas (protocol, step_id, schema_version, json_schema)
      VALUES ('design-thinking', 'persona', 2, '{
      "type": "object"
    }') ON CONFLICT DO NOTHING;
    <BLANKLINE>
    """
    return [
        "INSERT INTO artifact_schemas (protocol, step_id, schema_version, json_schema)\n"  # noqa: S608
        f"  VALUES ({quoted(one.protocol)}, {quoted(one.step)}, {one.version}, "
        f"{quoted(one.pretty())}) ON CONFLICT DO NOTHING;\n"
        for one in schemas
    ]


def quoted(text: str) -> str:
    """Return a text as an SQL literal.

    Raises
    ------
    DataError
        When it holds a NUL character, which neither database has.

    Examples
    --------
    >>> quoted("it's")
    "'it''s'"
    """
    if "\x00" in text or "\\u0000" in text:
        raise DataError(f"{text[:60]!r} holds a NUL character, which SQL cannot; leave it out")
    # Both databases read backslashes as they stand; a quote is doubled.
    return "'" + text.replace("'", "''") + "'"
