"""Writing the lab's changes to a database: compared, planned, then written, all or nothing."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby

import psycopg
from psycopg import Connection

from ctxlab.core.progress import ShowsProgress
from ctxlab.errors import DataError, NotFoundError, StoreError
from ctxlab.postgres import Counts
from ctxlab.postgres.columns import COLUMNS, find_table
from ctxlab.postgres.production_reader import KEY, Choice, Production
from ctxlab.postgres.push_plans import Edit, Plan, plan_push
from ctxlab.postgres.server import address, connected
from ctxlab.postgres.statements import Facts, Statement, Writer
from ctxlab.postgres.synced import ROWS, SHARED, Past, Synced, compared, digest, row_key
from ctxlab.store.connection import Database
from ctxlab.store.tables import PRODUCTION
from ctxlab.workshop.production_ddl import statements as ddl

_TRIES = 3
"""How often a push begins anew when someone else writes the same rows at the same moment."""


@dataclass(frozen=True)
class Wishes:
    """How to push.

    Parameters
    ----------
    workshops : sequence of str, optional
        Ids; all when not given.
    dry_run : bool
        Only say what would be written.
    create_tables : bool
        Make the tables that are absent.
    defaults : mapping of str to str
        Values of columns that production demands.

    Examples
    --------
    >>> Wishes(dry_run=True).create_tables
    False
    """

    workshops: Sequence[str] | None = None
    dry_run: bool = False
    create_tables: bool = False
    defaults: Mapping[str, str] = field(default_factory=dict)


def push_all(db: Database, dsn: str, wishes: Wishes, progress: ShowsProgress) -> Counts:
    """Write what the lab changed to a database in one transaction.

    Raises
    ------
    DataError, NotFoundError, StoreError
        As `ctxlab.postgres.push_workshops` says.

    Examples
    --------
    >>> push_all.__annotations__["return"]
    'Counts'
    """
    for left in reversed(range(_TRIES)):
        try:
            with connected(dsn, read_only=False, one_moment=True) as connection, db.write():
                return _push(db, connection, address(dsn), wishes, progress)
        except psycopg.errors.SerializationFailure:
            if not left:
                break
    raise StoreError(
        f"{address(dsn)}: the same rows were written by others {_TRIES} times over while they "
        "were compared; nothing was changed: push again"
    )


def _push(
    db: Database, connection: Connection, place: str, wishes: Wishes, progress: ShowsProgress
) -> Counts:
    ids = _chosen(db, wishes.workshops)
    made = _absent(connection) if wishes.create_tables else []
    for statement in made:
        connection.execute(statement.encode())
    production = Production(connection, place, Choice(ids))
    # Rows are found by what the lab knows of them, whatever their workshop is called there.
    synced = Synced(db, place, production.sources)
    production.ids = _their_ids(synced, ids)
    plan = plan_push(db, production, synced, ids)
    written = plan.edits
    _refuse_nul(written)
    writer = Writer(production, plan.keys, wishes.defaults, _facts(db))
    if wishes.dry_run:
        shown = (_shown(connection, writer.statement(edit)) for edit in written)
        texts = [*made, *shown]
        connection.rollback()
        return _counts(production, plan, written, texts)
    with progress(len(written), "rows") as advance:
        for table, group in groupby(written, lambda edit: edit.table):
            # Ids that the database made for the tables before are known by now.
            pairs = [(edit, writer.statement(edit)) for edit in group]
            _run(connection, plan, table, pairs)
            advance(len(pairs))
    _remember(db, production, synced, plan, written)
    return _counts(production, plan, written, [])


def _chosen(db: Database, workshops: Sequence[str] | None) -> list[str]:
    known = [row[0] for row in db.rows("SELECT id FROM workshops ORDER BY id")]
    if workshops is None:
        return known
    for workshop in sorted(set(workshops) - set(known)):
        raise NotFoundError(f"no workshop {workshop!r} in {db.path}; name one that it holds")
    return list(dict.fromkeys(workshops))


def _absent(connection: Connection) -> list[str]:
    """Return what makes the tables that are not there."""
    there = {table: find_table(connection, table) for table in ROWS}
    others = [source.type_of("id") for source in there.values() if source and source.has("id")]
    absent = [table for table, source in there.items() if source is None]
    if absent and not set(others) <= {"text"}:
        raise DataError(
            f"the ids of this database are {others[0]}, and those of ctxlab's tables text; "
            f"make {', '.join(absent)} by a migration of your own, or push without them"
        )
    return ddl(absent) if absent else []


def _their_ids(synced: Synced, ids: list[str]) -> list[str]:
    past = synced.past("workshops")
    return [past[key].key if (key := json.dumps([one])) in past else one for one in ids]


def _facts(db: Database) -> Facts:
    rows = db.rows("SELECT id, metadata FROM workshops")
    steps = db.rows("SELECT id, workshop_id, step_id FROM workshop_steps")
    return Facts(
        {workshop: json.loads(text) for workshop, text in rows},
        {row: step for row, _, step in steps},
        {(workshop, step): row for row, workshop, step in steps},
    )


def _refuse_nul(edits: Sequence[Edit]) -> None:
    for edit in edits:
        for name in edit.columns or PRODUCTION[edit.table].names:
            value = edit.row.get(name)
            escaped = "\\u0000" in value if isinstance(value, str) else False
            if isinstance(value, str) and ("\x00" in value or (escaped and _holds_nul(value))):
                raise DataError(
                    f"of {edit.key} holds a NUL character or a lone surrogate, which PostgreSQL "
                    "cannot hold; remove it, or push other workshops",
                    field=f"{edit.table}.{name}",
                )


def _holds_nul(text: str) -> bool:
    try:
        return "\x00" in str(json.loads(text)) or "\\x00" in repr(json.loads(text))
    except ValueError:
        return False


def _shown(connection: Connection, statement: Statement) -> str:
    return f"{psycopg.ClientCursor(connection).mogrify(statement.query, statement.values)};"


def _run(
    connection: Connection, plan: Plan, table: str, pairs: list[tuple[Edit, Statement]]
) -> None:
    """Send the rows of a table: alike statements together."""
    for _, group in groupby(pairs, lambda pair: id(pair[1].query)):
        alike = list(group)
        with connection.cursor() as cursor:
            if not alike[0][1].returns:
                cursor.executemany(alike[0][1].query, [s.values for _, s in alike])
                continue
            for edit, statement in alike:
                row = cursor.execute(statement.query, statement.values).fetchone()
                key = str(edit.row.get("id") or edit.key)
                plan.keys.setdefault(table, {})[key] = str(row[0] if row else "")


def _remember(
    db: Database, production: Production, synced: Synced, plan: Plan, written: list[Edit]
) -> None:
    """Keep what the database holds now of the rows that were written, as it holds it."""
    for table, known in plan.same.items():
        synced.write(table, known)
    workshops = plan.keys.get("workshops", {})
    production.ids = list(dict.fromkeys([*production.ids, *workshops.values()]))
    for table in dict.fromkeys(edit.table for edit in written):
        source = production.sources[table]
        if source is None or table in SHARED:
            continue
        declared, names = PRODUCTION[table], compared(source)
        theirs = {row[KEY]: row for row in production.whole(table).iter_rows(named=True)}
        by_key = {row_key(declared, row): key for key, row in theirs.items()}
        found: dict[str, tuple[str, Past]] = {}
        for edit in written:
            if edit.table != table:
                continue
            made = plan.keys.get(table, {}).get(str(edit.row.get("id") or edit.key))
            key = edit.their_key or made or by_key.get(edit.key, "")
            if key in theirs:
                past = Past(
                    key,
                    digest(declared, names, edit.row),
                    digest(declared, names, theirs[key]),
                )
                found[edit.key] = (str(edit.row["_workshop"]), past)
        synced.write(table, found)


def _counts(
    production: Production, plan: Plan, written: list[Edit], texts: Sequence[str]
) -> Counts:
    rows = {table: 0 for table, source in production.sources.items() if source}
    for edit in written:
        rows[edit.table] += 1
    absent = [table for table, source in production.sources.items() if source is None]
    missing = [
        f"{table}.{name}"
        for table, source in production.sources.items()
        if source
        for name in COLUMNS[table]
        if not source.has(name)
    ]
    return Counts(
        rows,
        (*absent, *missing),
        conflicts=tuple(plan.conflicts),
        statements=tuple(texts),
    )
