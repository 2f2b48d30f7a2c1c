"""PostgreSQL: the tables as SQLAlchemy compiles them, and the artifact schemas."""

from __future__ import annotations

from collections.abc import Sequence

from ctxlab.export.chosen_schemas import StepSchema
from ctxlab.export.existing_tables import added_columns, lacking
from ctxlab.export.export_options import PLAIN, ExportOptions
from ctxlab.export.seeds import schema_inserts
from ctxlab.workshop.production_ddl import statements, table_names


def files(schemas: Sequence[StepSchema], options: ExportOptions = PLAIN) -> dict[str, str]:
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
    wanted, added = table_names(), list[str]()
    if options.like is not None:
        head = "-- What tables that exist lack, for PostgreSQL 14 and later.\nBEGIN;\n"
        missing = lacking(options.like)
        wanted, added = list(missing.tables), added_columns(missing)
    made = (f"{statement};\n" for statement in [*added, *statements(wanted)])
    return {"postgres.sql": "\n".join([head, *made, *schema_inserts(schemas), "COMMIT;\n"])}
