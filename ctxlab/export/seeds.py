"""Artifact schemas as SQL that PostgreSQL and DuckDB both read."""

from __future__ import annotations

from collections.abc import Sequence

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
        f"  VALUES ({_quoted(one.protocol)}, {_quoted(one.step)}, {one.version}, "
        f"{_quoted(one.pretty())}) ON CONFLICT DO NOTHING;\n"
        for one in schemas
    ]


def _quoted(text: str) -> str:
    # Both databases read backslashes as they stand; a quote is doubled.
    return "'" + text.replace("'", "''") + "'"
