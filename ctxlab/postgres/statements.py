"""The SQL of a push: one statement a row, in production's types, words and ids."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any
from uuid import NAMESPACE_URL, uuid5

from psycopg import sql

from ctxlab.errors import DataError
from ctxlab.postgres.columns import ProductionTable, snake_case
from ctxlab.postgres.production_reader import Production
from ctxlab.postgres.push_plans import Edit, moment
from ctxlab.postgres.selects import PHASES, STATUSES
from ctxlab.store.column import INTEGER, JSON
from ctxlab.store.json_text import json_text
from ctxlab.store.storable import stored
from ctxlab.store.tables import PRODUCTION

_WORDS = {"status": STATUSES, "arc_phase": PHASES}
_AS_JSON, _AS_TIME = sql.SQL("to_jsonb(%s::text)"), sql.SQL("%s::timestamptz")
_COUNTERS = ("integer", "bigint", "smallint")


@dataclass(frozen=True)
class Statement:
    """One statement with its values; `returns` says that the row's new id comes back.

    Examples
    --------
    >>> Statement(sql.SQL("SELECT %s"), (1,)).returns
    False
    """

    query: sql.Composed | sql.SQL
    values: tuple[Any, ...]
    returns: bool = False


class Writer:
    """Turns edits into statements for one database.

    Parameters
    ----------
    production : Production
        The database.
    keys : mapping
        Their ids of rows of ours, by table; new rows are added.
    defaults : mapping of str to str
        Values of columns that production demands and the lab does not know, by ``column`` or
        ``table.column``.
    facts : mapping
        Of every workshop its metadata, of every workshop step its step.

    Examples
    --------
    >>> Writer.__init__.__annotations__["return"]
    'None'
    """

    def __init__(
        self,
        production: Production,
        keys: dict[str, dict[str, str]],
        defaults: Mapping[str, str],
        facts: Facts,
    ) -> None:
        self._production, self._keys, self._facts = production, keys, facts
        self._defaults = {snake_case(name): value for name, value in defaults.items()}
        self._words: dict[tuple[str, str], dict[str, str]] = {}
        self._insertions: dict[tuple[str, tuple[tuple[str, int], ...]], sql.Composed] = {}

    def statement(self, edit: Edit) -> Statement:
        """Return what writes a row.

        Raises
        ------
        DataError
            When a column that production demands has no value, or a value does not fit it.

        Examples
        --------
        >>> Writer.statement.__annotations__["return"]
        'Statement'
        """
        source = self._production.sources[edit.table]
        if source is None:
            raise DataError(f"there is no table {edit.table}")
        return self._insert(source, edit) if edit.new else self._update(source, edit)

    def _update(self, source: ProductionTable, edit: Edit) -> Statement:
        assignments, values = [], []
        for name in edit.columns:
            place, value = self._value(source, name, edit.row)
            assignments.append(
                sql.SQL("{} = {}").format(sql.Identifier(source.columns[name]), place)
            )
            values.append(value)
        condition, keys = self._condition(source, str(edit.their_key))
        query = sql.SQL("UPDATE {} SET {} WHERE {}").format(
            sql.Identifier(source.table), sql.SQL(", ").join(assignments), condition
        )
        return Statement(query, (*values, *keys))

    def _condition(self, source: ProductionTable, key: str) -> tuple[sql.Composed, list[Any]]:
        parts = [key] if len(source.key) == 1 else json.loads(key)
        conditions = [
            sql.SQL("{} = {}").format(sql.Identifier(name), _cast(source.types[name]))
            for name in source.key
        ]
        return sql.SQL(" AND ").join(conditions), [str(part) for part in parts]

    def _insert(self, source: ProductionTable, edit: Edit) -> Statement:
        places: dict[str, tuple[sql.Composable, Any]] = {}
        for column in PRODUCTION[source.table].columns:
            name = column.name
            if source.has(name) and name != "id" and edit.row.get(name) is not None:
                theirs = source.columns[name]
                if theirs == "id":
                    continue
                places[theirs] = self._value(source, name, edit.row)
        made = self._new_id(source, edit, places)
        self._fill(source, edit, places)
        query = self._insertion(source, places, returns=not made)
        return Statement(query, tuple(value for _, value in places.values()), returns=not made)

    def _insertion(
        self,
        source: ProductionTable,
        places: Mapping[str, tuple[sql.Composable, Any]],
        *,
        returns: bool,
    ) -> sql.Composed:
        """Return the one statement that all rows with these columns share."""
        shapes = tuple((name, id(place)) for name, (place, _) in places.items())
        key = (source.table, shapes)
        if key not in self._insertions:
            query = sql.SQL("INSERT INTO {} ({}) VALUES ({})").format(
                sql.Identifier(source.table),
                sql.SQL(", ").join(map(sql.Identifier, places)),
                sql.SQL(", ").join(place for place, _ in places.values()),
            )
            self._insertions[key] = query + sql.SQL(" RETURNING id::text") if returns else query
        return self._insertions[key]

    def _new_id(
        self,
        source: ProductionTable,
        edit: Edit,
        places: dict[str, tuple[sql.Composable, Any]],
    ) -> bool:
        """Give a row an id of their kind; False when the database makes it."""
        kind = source.types.get("id")
        if kind is None:
            return True
        ours = str(edit.row.get("id") or edit.row.get("message_id") or edit.key)
        theirs = source.columns.get("message_id") == "id"
        if kind == "uuid":
            # The same row has the same id, whenever it is pushed.
            value = ours if _is_uuid(ours) else str(uuid5(NAMESPACE_URL, f"ctxlab:{edit.key}"))
        elif kind in _COUNTERS:
            if not (theirs and ours.isdecimal()):
                if "id" in source.required:
                    raise _missing(source, "id")
                return False
            value = ours
        elif "id" in edit.row or theirs:
            value = ours
        else:
            value = f"msg_{uuid5(NAMESPACE_URL, f'ctxlab:{edit.key}').hex}"
        places["id"] = (_cast(kind), value)
        self._keys.setdefault(source.table, {})[str(edit.row.get("id") or edit.key)] = value
        return True

    def _fill(
        self,
        source: ProductionTable,
        edit: Edit,
        places: dict[str, tuple[sql.Composable, Any]],
    ) -> None:
        """Give the columns that are none of ours their values, where there are some."""
        metadata = self._facts.metadata.get(str(edit.row["_workshop"]), {})
        step = self._facts.steps.get(str(edit.row.get("workshop_step_id")))
        for name in source.types:
            if name in places:
                continue
            plain = snake_case(name)
            given = self._defaults.get(f"{source.table}.{plain}", self._defaults.get(plain))
            if given is None and plain == "step_id":
                given = step
            extra = name in source.extras
            if given is None and extra and (source.table == "workshops" or name in source.required):
                given = metadata.get(name, metadata.get(plain))
            if given is not None:
                text = given if isinstance(given, str) else json_text(given, f"the value of {name}")
                places[name] = (_cast(source.types[name]), text)
            elif name in source.required:
                raise _missing(source, name)

    def _value(
        self, source: ProductionTable, name: str, row: Mapping[str, Any]
    ) -> tuple[sql.Composable, Any]:
        kind, value = source.type_of(name), row[name]
        declared = PRODUCTION[source.table].column(name)
        if isinstance(value, str):
            value = self._text(source, name, stored(value), row)
        if value is None:
            return _cast(kind), None
        if declared.kind == JSON and name == "metadata":
            kept = {k: v for k, v in json.loads(value).items() if k not in source.extras}
            value = json.dumps(kept)
        elif declared.kind == INTEGER and not _is_number(kind):
            # Their versions are texts such as '1.0'.
            value = f"{value}.0" if self._dotted(source, name) else str(value)
        if kind in ("json", "jsonb") and declared.kind != JSON:
            return _AS_JSON, value
        if kind.startswith("timestamp"):
            if isinstance(moment(value), str):
                raise DataError(
                    f"is {value!r}, which is no time; their column is a {kind}",
                    field=f"{source.table}.{name}",
                )
            return _AS_TIME, str(value)
        return _cast(kind), value

    def _text(self, source: ProductionTable, name: str, value: str, row: Mapping[str, Any]) -> str:
        parents = {"workshop_id": "workshops", "session_id": "sessions",
                   "workshop_step_id": "workshop_steps"}  # fmt: skip
        if name in parents:
            return self._keys.get(parents[name], {}).get(value, value)
        if name == "step_id" and source.table == "chat_messages" and self._by_row(source):
            ours = self._facts.rows.get((str(row["_workshop"]), value), value)
            return self._keys.get("workshop_steps", {}).get(ours, ours)
        if name in _WORDS and source.table == "workshop_steps":
            return self._word(source, name).get(value, value)
        return value

    def _by_row(self, source: ProductionTable) -> bool:
        """Say whether messages name their step by its row's id, not by its name."""
        steps = self._production.sources["workshop_steps"]
        kind = source.type_of("step_id")
        if steps is None or kind in _COUNTERS or kind == "uuid":
            return True
        if ("chat_messages", "step_id") not in self._words:
            found = self._production.connection.execute(
                sql.SQL(
                    "SELECT EXISTS (SELECT 1 FROM chat_messages t JOIN workshop_steps w "
                    "ON w.{}::text = {}::text)"
                ).format(sql.Identifier(steps.columns["id"]), source.column("step_id"))
            ).fetchone()
            rows = {"by": "row"} if found == (True,) else {}
            self._words["chat_messages", "step_id"] = rows
        return bool(self._words["chat_messages", "step_id"])

    def _word(self, source: ProductionTable, name: str) -> dict[str, str]:
        """Return their word for each of ours: those in use, else those that are allowed."""
        if (source.table, name) not in self._words:
            column, run = source.column(name), self._production.connection.execute
            table = sql.Identifier(source.table)
            used: Counter[str] = Counter(
                dict(
                    run(
                        sql.SQL("SELECT {0}::text, count(*) FROM {1} t WHERE {0} IS NOT NULL "
                                "GROUP BY 1").format(column, table)
                    ).fetchall()
                )
            )  # fmt: skip
            allowed = self._allowed(source, name)
            found: dict[str, str] = {}
            for word in [*(word for word, _ in used.most_common()), *allowed]:
                plain = word.lower().replace("-", "_")
                found.setdefault(_WORDS[name].get(plain, plain), word)
            self._words[source.table, name] = found
        return self._words[source.table, name]

    def _allowed(self, source: ProductionTable, name: str) -> list[str]:
        rows = self._production.connection.execute(
            "SELECT e.enumlabel FROM pg_enum e JOIN pg_attribute a ON a.atttypid = e.enumtypid "
            "WHERE a.attrelid = to_regclass(%(table)s) AND a.attname = %(name)s "
            "UNION ALL SELECT pg_get_constraintdef(c.oid) FROM pg_constraint c "
            "JOIN pg_attribute a ON a.attrelid = c.conrelid AND a.attnum = ANY(c.conkey) "
            "WHERE c.contype = 'c' AND a.attrelid = to_regclass(%(table)s) "
            "AND a.attname = %(name)s",
            {"table": source.table, "name": source.columns[name]},
        ).fetchall()
        return [
            word
            for (text,) in rows
            for word in (re.findall(r"'(\w+)'", text) if "(" in text else [text])
        ]

    def _dotted(self, source: ProductionTable, name: str) -> bool:
        if (source.table, name) not in self._words:
            found = self._production.connection.execute(
                sql.SQL("SELECT {0} FROM {1} t WHERE {0} IS NOT NULL UNION ALL "
                        "SELECT pg_get_expr(adbin, adrelid) FROM pg_attrdef d JOIN pg_attribute a "
                        "ON a.attrelid = d.adrelid AND a.attnum = d.adnum "
                        "WHERE d.adrelid = to_regclass({2}) AND a.attname = {3} LIMIT 1").format(
                    source.column(name), sql.Identifier(source.table),
                    sql.Literal(source.table), sql.Literal(source.columns[name]),
                )
            ).fetchone()  # fmt: skip
            dotted = {"dot": "."} if found and "." in str(found[0]) else {}
            self._words[source.table, name] = dotted
        return bool(self._words[source.table, name])


@dataclass(frozen=True)
class Facts:
    """What is known beside the rows: metadata of workshops, steps of rows, and rows of steps.

    Examples
    --------
    >>> Facts({}, {}, {}).steps
    {}
    """

    metadata: Mapping[str, Mapping[str, Any]]
    steps: Mapping[str, str]
    rows: Mapping[tuple[str, str], str]


@cache
def _cast(kind: str) -> sql.Composed:
    # The type comes from the catalogue, quoted where it must be.
    return sql.SQL("%s::{}").format(sql.SQL(kind))


def _is_number(kind: str) -> bool:
    return kind in _COUNTERS or kind in ("numeric", "real", "double precision")


def _is_uuid(text: str) -> bool:
    return re.fullmatch(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", text) is not None


def _missing(source: ProductionTable, name: str) -> DataError:
    return DataError(
        f"is demanded by production, and the lab has no value for it; "
        f"give one with --default {source.table}.{name}=VALUE",
        field=f"{source.table}.{name}",
    )
