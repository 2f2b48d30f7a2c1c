"""The queries that read production's tables as ours: casts, defaults and usual other words."""

from __future__ import annotations

import json
from collections.abc import Mapping

from psycopg import sql

from ctxlab.postgres.columns import ProductionTable
from ctxlab.store.column import INTEGER, JSON, TEXT, TIME, Column, Kind
from ctxlab.store.tables import PRODUCTION

Query = sql.Composable
EVERY = sql.SQL("true")
"""The condition that every row fulfils."""

STATUSES = {
    "completed": "complete", "done": "complete", "finished": "complete", "active": "in_progress",
    "started": "in_progress", "pending": "not_started", "locked": "not_started",
    "stale": "needs_regeneration",
}  # fmt: skip
_TEXTS = ("text", "character varying", "character")
PHASES = {"completed": "complete"}
_ROLE = {"human": "user", "ai": "assistant", "model": "assistant", "developer": "system",
         "function": "tool"}  # fmt: skip
_ISO_8601 = 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'


def workshops(
    source: ProductionTable, where: Query = EVERY, protocol: str = "design-thinking"
) -> sql.Composed:
    """Read workshops; columns of no known name go to the metadata.

    Examples
    --------
    >>> names, types = {"id": "id", "title": "name"}, {"id": "uuid", "name": "text"}
    >>> "design-thinking" in workshops(ProductionTable("workshops", names, types)).as_string()
    True
    """
    special = {
        "title": _or(_text(source, "title"), ""),
        "protocol": _or(_text(source, "protocol"), protocol),
        "metadata": _metadata(source, empty="{}"),
    }
    return _select(source, _columns(source, special), _text(source, "id"), where)


def sessions(source: ProductionTable, where: Query = EVERY) -> sql.Composed:
    """Read sessions; without a position they are in the order of their making.

    Examples
    --------
    >>> names = {"id": "id", "workshop_id": "workshopId"}
    >>> found = sessions(ProductionTable("sessions", names, {"id": "uuid", "workshopId": "uuid"}))
    >>> '"t"."workshopId"' in found.as_string()
    True
    """
    source.require("id", "workshop_id")
    special = {"position": _position(source, _time(source, "created_at"))}
    return _select(source, _columns(source, special), _text(source, "id"), where)


def workshop_steps(source: ProductionTable, order: list[str], where: Query = EVERY) -> sql.Composed:
    """Read steps; without a position they are in a known order, then as they were started.

    Examples
    --------
    >>> names = {"id": "i", "workshop_id": "w", "step_id": "s"}
    >>> table = ProductionTable("workshop_steps", names, dict.fromkeys("isw", "text"))
    >>> found = workshop_steps(table, [])
    >>> "row_number()" in found.as_string()
    True
    """
    source.require("id", "workshop_id", "step_id")
    step = _text(source, "step_id")
    known = sql.SQL("array_position({}::text[], {})").format(sql.Literal(order), step)
    special = {
        "step_id": step,
        "position": _position(source, sql.SQL("{}, {}").format(known, _time(source, "started_at"))),
        "status": _word(source, "status", STATUSES, "not_started"),
        "arc_phase": _word(source, "arc_phase", PHASES, "orient"),
    }
    return _select(source, _columns(source, special), _text(source, "id"), where)


def chat_messages(
    source: ProductionTable,
    steps: ProductionTable,
    sessions: ProductionTable,
    where: Query = EVERY,
    *,
    ordered: bool,
) -> sql.Composed:
    """Read messages by workshop, in order: by position where that is trusted, else by time.

    A message may name its step by the step's id, or by that of the row in ``workshop_steps``.

    Examples
    --------
    >>> names = {"session_id": "s", "step_id": "p", "message_id": "m", "role": "r", "content": "c"}
    >>> keys = {"id": "id", "workshop_id": "w", "step_id": "p"}
    >>> source = ProductionTable("chat_messages", names, dict.fromkeys("spmrc", "text"))
    >>> steps, sessions = (ProductionTable(n, keys, {}) for n in ("workshop_steps", "sessions"))
    >>> "JOIN" in chat_messages(source, steps, sessions, ordered=False).as_string()
    True
    """
    source.require("session_id", "step_id", "message_id", "role", "content")
    by = ("position", "created_at") if ordered else ("created_at", "position")
    places = [source.column(name) for name in (*by, "message_id") if source.has(name)]
    position = source.column("position") if ordered else sql.SQL("NULL")
    row_step = sql.SQL("w.{}::text").format(sql.Identifier(steps.columns["step_id"]))
    special = {
        "workshop_id": sql.SQL("s.{}::text").format(
            sql.Identifier(sessions.columns["workshop_id"])
        ),
        "step_id": sql.SQL("coalesce({}, {})").format(row_step, _text(source, "step_id")),
        "position": sql.SQL("{}::int").format(position),
        "role": _word(source, "role", _ROLE, ""),
        "content": _or(_text(source, "content"), ""),
        "metadata": _metadata(source, empty=None),
    }
    return sql.SQL(
        "SELECT {columns}, {key} FROM {table} t "
        "LEFT JOIN sessions s ON s.{session}::text = {own}::text "
        "LEFT JOIN workshop_steps w ON w.{id}::text = {step}::text WHERE {where} "
        "ORDER BY 1, {places}"
    ).format(
        key=key_of(source),
        where=where,
        columns=_columns(source, special),
        table=sql.Identifier(source.table),
        session=sql.Identifier(sessions.columns["id"]),
        own=source.column("session_id"),
        id=sql.Identifier(steps.columns["id"]),
        step=source.column("step_id"),
        places=sql.SQL(", ").join(places),
    )


def step_summaries(source: ProductionTable, where: Query = EVERY) -> sql.Composed:
    """Read summaries.

    Examples
    --------
    >>> names = {"workshop_step_id": "w", "summary": "s"}
    >>> table = ProductionTable("step_summaries", names, dict.fromkeys("ws", "text"))
    >>> found = step_summaries(table)
    >>> "'sum_'" in found.as_string()
    True
    """
    source.require("workshop_step_id", "summary")
    special = {"id": _id(source, "sum_"), "summary": _or(_text(source, "summary"), "")}
    return _select(source, _columns(source, special), _text(source, "workshop_step_id"), where)


def step_artifacts(source: ProductionTable, where: Query = EVERY) -> sql.Composed:
    """Read artifacts; whether they are valid is null where the table does not say.

    Examples
    --------
    >>> names = {"workshop_step_id": "w", "artifact": "a"}
    >>> table = ProductionTable("step_artifacts", names, dict.fromkeys("wa", "jsonb"))
    >>> found = step_artifacts(table)
    >>> "'art_'" in found.as_string()
    True
    """
    source.require("workshop_step_id", "artifact")
    special = {
        "id": _id(source, "art_"),
        "artifact": _json(source, "artifact"),
        "schema_version": _value(source, "schema_version", INTEGER, "1"),
        "version": _value(source, "version", INTEGER, "1"),
    }
    return _select(source, _columns(source, special), _text(source, "workshop_step_id"), where)


def as_stored(source: ProductionTable, where: Query = EVERY) -> sql.Composed:
    """Read a table that only ctxlab writes, column by column.

    Examples
    --------
    >>> names = {n: n for n in PRODUCTION["artifact_schemas"].names}
    >>> source = ProductionTable("artifact_schemas", names, dict.fromkeys(names, "text"))
    >>> '"t"."step_id"::text' in as_stored(source).as_string()
    True
    """
    declared = PRODUCTION[source.table]
    newer = ("protocol", "protocol_version", "chosen", "migration")
    source.require(*(name for name in declared.names if name not in newer))
    columns = sql.SQL(", ").join(
        _plain(source, name) if source.has(name) else _declared(source, declared.column(name))
        for name in declared.names
    )
    return _select(source, columns, sql.SQL("1"), where)


def key_of(source: ProductionTable) -> Query:
    """Return what tells one row of theirs, as a text.

    Examples
    --------
    >>> key_of(ProductionTable("sessions", {"id": "id"}, {"id": "uuid"})).as_string()
    '"t"."id"::text'
    """
    parts = [sql.Identifier("t", name) for name in source.key]
    if len(parts) == 1:
        return sql.SQL("{}::text").format(parts[0])
    return sql.SQL("jsonb_build_array({})::text").format(sql.SQL(", ").join(parts))


def _plain(source: ProductionTable, name: str) -> Query:
    kind = source.type_of(name)
    if kind in ("boolean", "integer"):
        return source.column(name)
    if kind.startswith("timestamp"):
        return _time(source, name)
    return sql.SQL("{}::text").format(source.column(name))


def _select(source: ProductionTable, columns: Query, order: Query, where: Query) -> sql.Composed:
    return sql.SQL("SELECT {}, {} FROM {} t WHERE {} ORDER BY {}").format(
        columns, key_of(source), sql.Identifier(source.table), where, order
    )


def _columns(source: ProductionTable, special: Mapping[str, Query]) -> sql.Composed:
    """Return what to read as our columns, in their order, but for those that are counted."""
    return sql.SQL(", ").join(
        special.get(column.name) or _declared(source, column)
        for column in PRODUCTION[source.table].columns
        if not column.counted
    )


def _declared(source: ProductionTable, column: Column) -> Query:
    if column.kind == TIME:
        return _time(source, column.name, now=column.default == "now()")
    if column.kind in (TEXT, JSON):
        text = _text(source, column.name)
        return _coalesced(text, column.default) if column.default else text
    return _value(source, column.name, column.kind, column.default)


def _value(source: ProductionTable, name: str, kind: Kind, default: str | None) -> Query:
    given = source.column(name) if source.has(name) else sql.SQL("NULL")
    if kind == INTEGER and source.has(name) and source.type_of(name) in _TEXTS:
        # Versions are often text, as '1.0'; what is no whole number is told by the row's check.
        number = sql.SQL(
            "CASE WHEN {0} ~ '^\\d{{1,9}}(\\.0+)?$' THEN split_part({0}, '.', 1)::integer "
            "WHEN {0} IS NULL THEN {1} END"
        )
        return number.format(given, sql.SQL(default or "NULL"))
    value = sql.SQL("{}::{}").format(given, sql.SQL(kind.postgres))
    return _coalesced(value, default) if default else value


def _coalesced(value: Query, default: str) -> Query:
    return sql.SQL("coalesce({}, {})").format(value, sql.SQL(default))


def _text(source: ProductionTable, name: str) -> Query:
    if not source.has(name):
        return sql.SQL("NULL::text")
    column, kind = source.column(name), source.type_of(name)
    if kind in ("json", "jsonb"):
        # A JSON string is its text; anything else stays JSON.
        return sql.SQL(
            "CASE jsonb_typeof({0}::jsonb) WHEN 'string' THEN {0} #>> '{{}}' "
            "WHEN 'null' THEN NULL ELSE {0}::text END"
        ).format(column)
    if kind.startswith("timestamp"):
        return sql.SQL("to_char({}::timestamptz, {})").format(column, sql.Literal(_ISO_8601))
    return sql.SQL("{}::text").format(column)


def _json(source: ProductionTable, name: str) -> Query:
    return sql.SQL("{}::jsonb::text").format(source.column(name))


def _time(source: ProductionTable, name: str, *, now: bool = False) -> Query:
    if not source.has(name):
        return sql.SQL("now()") if now else sql.SQL("NULL::timestamptz")
    stamped = source.type_of(name).startswith(("timestamp", "date"))
    # Python has no infinite time.
    finite = "CASE WHEN isfinite({0}) THEN {0}::timestamptz END" if stamped else "{}::timestamptz"
    time = sql.SQL(finite).format(source.column(name))
    return sql.SQL("coalesce({}, now())").format(time) if now else time


def _or(value: Query, default: str) -> Query:
    return sql.SQL("coalesce({}, {})").format(value, sql.Literal(default))


def _id(source: ProductionTable, prefix: str) -> Query:
    if source.has("id"):
        return _text(source, "id")
    return sql.SQL("{} || {}").format(sql.Literal(prefix), _text(source, "workshop_step_id"))


def _word(source: ProductionTable, name: str, words: dict[str, str], default: str) -> Query:
    word = sql.SQL("replace(lower({}), '-', '_')").format(_or(_text(source, name), default))
    return sql.SQL("coalesce({}::jsonb ->> {}, {})").format(
        sql.Literal(json.dumps(words)), word, word
    )


def _position(source: ProductionTable, order: Query) -> Query:
    numbered = sql.SQL("(row_number() OVER (PARTITION BY {} ORDER BY {}, {}) - 1)::int").format(
        source.column("workshop_id"), order, source.column("id")
    )
    if not source.has("position"):
        return numbered
    return sql.SQL("coalesce({}::int, {})").format(source.column("position"), numbered)


def _metadata(source: ProductionTable, empty: str | None) -> Query:
    known = sql.Literal(list(source.columns.values()))
    parts: list[Query] = []
    if source.has("metadata"):
        column = source.column("metadata")
        parts.append(
            sql.SQL(
                "CASE coalesce(jsonb_typeof({0}::jsonb), 'null') WHEN 'object' THEN {0}::jsonb "
                "WHEN 'null' THEN NULL ELSE jsonb_build_object('metadata', {0}::jsonb) END"
            ).format(column)
        )
    if source.extras:
        parts.append(sql.SQL("to_jsonb(t) - {}::text[]").format(known))
    if not parts:
        return sql.SQL("{}::text").format(sql.Literal(empty))
    if len(parts) == 2:
        parts = [sql.SQL("coalesce({}, '{{}}') || ({})").format(*parts)]
    return sql.SQL("coalesce(({})::text, {})").format(parts[0], sql.Literal(empty))
