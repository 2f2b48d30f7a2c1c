"""DuckDB: the migrations a store is made of, triggers included, and the artifact schemas."""

from __future__ import annotations

from collections.abc import Sequence

from ctxlab.export.chosen_schemas import StepSchema
from ctxlab.export.export_options import PLAIN, ExportOptions
from ctxlab.export.seeds import schema_inserts
from ctxlab.store.migrate import migrations


def files(schemas: Sequence[StepSchema], options: ExportOptions = PLAIN) -> dict[str, str]:
    """Return one SQL script, to be run on an empty database.

    Examples
    --------
    >>> "CREATE TABLE step_artifacts" in files([])["duckdb.sql"]
    True
    """
    head = "-- Tables of ctxlab for DuckDB 2.0 and later. DuckDB has no cascading foreign keys:\n"
    head += "-- the triggers delete what belongs to a deleted row, and refuse orphans.\n"
    parts = [f"-- {m.number:04d} {m.name}\n{m.sql.strip()}\n" for m in migrations()]
    return {"duckdb.sql": "\n".join([head, *parts, *schema_inserts(schemas)])}
