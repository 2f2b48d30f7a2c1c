"""Drizzle: the tables for PostgreSQL as TypeScript, every constraint by the name it has in SQL."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence

from ctxlab.errors import MissingExtraError
from ctxlab.export import typescript
from ctxlab.export.chosen_schemas import StepSchema
from ctxlab.export.existing_tables import lacking
from ctxlab.export.export_options import PLAIN, ExportOptions
from ctxlab.store import column as declared
from ctxlab.store.table import Table
from ctxlab.store.tables import PRODUCTION

_TYPES = {
    declared.TEXT: "text({name})",
    declared.INTEGER: "integer({name})",
    declared.BIGINT: 'bigint({name}, {{ mode: "number" }})',
    declared.BOOLEAN: "boolean({name})",
    declared.TIME: "timestamp({name}, {{ withTimezone: true }})",
    declared.JSON: "jsonb({name})",
}
_JSON_TYPES = {"artifact": "ArtifactOf", "tool_calls": "unknown[]", "depends_on": "string[]"}
_HEAD = """\
// Tables of ctxlab for PostgreSQL, for drizzle-orm 0.45 or later.
import { relations, sql } from "drizzle-orm";
import {
  bigint, boolean, check, foreignKey, index, integer, jsonb, pgTable, primaryKey, text, timestamp,
  unique,
} from "drizzle-orm/pg-core";
import type { ArtifactOf } from "./artifacts.types.js";
"""


def files(schemas: Sequence[StepSchema], options: ExportOptions = PLAIN) -> dict[str, str]:
    """Return the module of tables and relations, and the types of its JSON columns.

    Raises
    ------
    MissingExtraError
        When SQLAlchemy, which names the constraints, is not installed.

    Examples
    --------
    >>> text = files([])["schema.ts"]
    >>> 'export const workshops = pgTable("workshops", {' in text
    True
    """
    tables = list(PRODUCTION.values())
    if options.like is not None:
        missing = lacking(options.like)
        tables = [table for table in tables if table.name in missing.tables]
    parts = [_HEAD, *(_table(table, tables) for table in tables), *_relations(tables)]
    return {"schema.ts": "\n".join(parts), **typescript.files(schemas)}


def camel(name: str) -> str:
    """Return a name as TypeScript writes it.

    Examples
    --------
    >>> camel("workshop_step_id")
    'workshopStepId'
    """
    first, *others = name.split("_")
    return first + "".join(word.capitalize() for word in others)


def _table(table: Table, tables: Sequence[Table]) -> str:
    columns = "".join(f"  {camel(one.name)}: {_column(one)},\n" for one in table.columns)
    rules = "".join(f"  {line},\n" for line in _constraints(table, tables))
    head = f"export const {camel(table.name)} = pgTable({json.dumps(table.name)}, {{\n{columns}}}"
    return f"{head}, (t) => [\n{rules}]);\n"


def _column(column: declared.Column) -> str:
    parts = [_TYPES[column.kind].format(name=json.dumps(column.name))]
    if column.kind == declared.JSON:
        parts.append(f"$type<{_JSON_TYPES.get(column.name, 'Record<string, unknown>')}>()")
    if not column.optional:
        parts.append("notNull()")
    if column.default is not None:
        parts.append(f"default({_default(column)})")
    return ".".join(parts)


def _default(column: declared.Column) -> str:
    text = str(column.default)
    if text in ("true", "false") or text.isdecimal():
        return text
    return f"sql`{text}`"


def _names(columns: Iterable[str]) -> str:
    return ", ".join(f"t.{camel(name)}" for name in columns)


def _constraints(table: Table, tables: Sequence[Table]) -> Iterator[str]:
    try:
        from ctxlab.workshop.production_tables import named_constraints
    except ImportError as error:
        raise MissingExtraError("writing Drizzle tables", "export") from error
    there = {one.name for one in tables}
    for rule in named_constraints(table.name):
        name = json.dumps(rule.name)
        if rule.kind == "primary":
            yield f"primaryKey({{ name: {name}, columns: [{_names(rule.columns)}] }})"
        elif rule.kind == "unique":
            yield f"unique({name}).on({_names(rule.columns)})"
        elif rule.kind == "check":
            yield f"check({name}, sql`{rule.text}`)"
        elif rule.kind == "index":
            on = f"on({_names(rule.columns)})"
            if rule.text:
                on = f'using("gin", {_names(rule.columns)}.op("{rule.text}"))'
            yield f"index({name}).{on}"
        elif rule.other in there:
            others = ", ".join(f"{camel(rule.other)}.{camel(one)}" for one in rule.others)
            yield (
                f"foreignKey({{ name: {name}, columns: [{_names(rule.columns)}], "
                f'foreignColumns: [{others}] }}).onDelete("cascade")'
            )


def _relations(tables: Sequence[Table]) -> Iterator[str]:
    there = {table.name for table in tables}
    for table in tables:
        lines = []
        for parent in table.parents:
            if parent.table not in there:
                continue
            fields = ", ".join(f"{camel(table.name)}.{camel(one)}" for one in parent.columns)
            references = ", ".join(f"{camel(parent.table)}.{camel(one)}" for one in parent.key)
            lines.append(
                f"  {camel(parent.table)}: one({camel(parent.table)}, "
                f"{{ fields: [{fields}], references: [{references}] }}),\n"
            )
        for child in tables:
            if any(parent.table == table.name for parent in child.parents):
                lines.append(f"  {camel(child.name)}: many({camel(child.name)}),\n")
        if lines:
            used = [word for word in ("one", "many") if any(f": {word}(" in x for x in lines)]
            yield (
                f"export const {camel(table.name)}Relations = relations({camel(table.name)}, "
                f"({{ {', '.join(used)} }}) => ({{\n{''.join(lines)}}}));\n"
            )
