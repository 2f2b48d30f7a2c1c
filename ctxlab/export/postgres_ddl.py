"""PostgreSQL: the tables as SQLAlchemy compiles them, and the artifact schemas."""

from __future__ import annotations

from collections.abc import Sequence

from ctxlab.export.chosen_schemas import StepSchema
from ctxlab.export.seeds import schema_inserts
from ctxlab.workshop.production_ddl import statements, table_names


def files(schemas: Sequence[StepSchema]) -> dict[str, str]:
    """Return one SQL script that makes the tables, all or none, and registers the schemas.

    Raises
    ------
    MissingExtraError
        When SQLAlchemy is not installed.

    Examples
    --------
    >>> "CONSTRAINT workshops_pkey PRIMARY KEY (id)" in files([])["postgres.sql"]
    True
    """
    head = "-- Tables of ctxlab for PostgreSQL 14 and later.\nBEGIN;\n"
    made = (f"{statement};\n" for statement in statements(table_names()))
    return {"postgres.sql": "\n".join([head, *made, *schema_inserts(schemas), "COMMIT;\n"])}
