"""What a push would write: three states of every row compared, that was, the lab's and theirs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from ctxlab.postgres.columns import ProductionTable
from ctxlab.postgres.production_reader import KEY, Production
from ctxlab.postgres.synced import ROWS, SHARED, Past, Synced, compared, digest, lab_rows, plain
from ctxlab.postgres.synced import row_key as key_in_lab
from ctxlab.store.column import TEXT
from ctxlab.store.connection import Database
from ctxlab.store.tables import PRODUCTION

Row = Mapping[str, Any]
_PARENTS = {
    "sessions": {"workshops": "workshop_id"},
    "workshop_steps": {"workshops": "workshop_id"},
    "chat_messages": {"sessions": "session_id"},
    "step_summaries": {"workshop_steps": "workshop_step_id"},
    "step_artifacts": {"workshop_steps": "workshop_step_id"},
    # A version is part of its artifact.
    "step_artifact_versions": {
        "workshop_steps": "workshop_step_id",
        "step_artifacts": "workshop_step_id",
    },
}


@dataclass(frozen=True)
class Edit:
    """One row that is to be written: a new one, or some columns of one that is there.

    Examples
    --------
    >>> Edit("workshops", '["w"]', {"id": "w", "title": "New"}, ("title",), their_key="w").new
    False
    """

    table: str
    key: str
    row: Row
    columns: tuple[str, ...] = ()
    their_key: str | None = None

    @property
    def new(self) -> bool:
        """Whether production has no such row.

        Examples
        --------
        >>> Edit("workshops", '["w"]', {"id": "w"}).new
        True
        """
        return self.their_key is None


@dataclass
class Plan:
    """What is to be written, what is refused, and what is known of the rows that stay.

    Examples
    --------
    >>> Plan().conflicts
    []
    """

    edits: list[Edit] = field(default_factory=list)
    conflicts: list[str] = field(default_factory=list)
    same: dict[str, dict[str, tuple[str, Past]]] = field(default_factory=dict)
    keys: dict[str, dict[str, str]] = field(default_factory=dict)
    refused: set[tuple[str, str]] = field(default_factory=set)

    def refuse(self, edit_table: str, row: Row, key: str, why: str) -> None:
        """Note that a row is not written, so that nothing of it is written either.

        Examples
        --------
        >>> plan = Plan()
        >>> plan.refuse("workshops", {"id": "w"}, '["w"]', "is gone")
        >>> plan.conflicts
        ['workshops ["w"]: is gone']
        """
        self.conflicts.append(f"{edit_table} {key}: {why}")
        name = row.get("workshop_step_id") if edit_table == "step_artifacts" else row.get("id")
        self.refused.add((edit_table, str(name)))


def plan_push(db: Database, production: Production, synced: Synced, ids: list[str]) -> Plan:
    """Compare every row of some workshops with production's.

    A row that only the lab changed is written; one that only production changed stays; one that
    both changed, each in its way, is a conflict; so is one that was never read and is there.

    Examples
    --------
    >>> plan_push.__annotations__["return"]
    'Plan'
    """
    plan = Plan()
    for table in ROWS:
        source = production.sources[table]
        if source is not None:
            _Comparison(plan, production, source, synced).run(db, ids)
    return plan


class _Comparison:
    """The rows of one table."""

    def __init__(
        self, plan: Plan, production: Production, source: ProductionTable, synced: Synced
    ) -> None:
        self._plan, self._source, self._table = plan, source, PRODUCTION[source.table]
        self._names = compared(source)
        self._past = synced.past(source.table)
        self._theirs: dict[str, Row] = {}
        self._by_content: dict[str, str] = {}
        for batch in production.batches(source.table):
            for row in batch.iter_rows(named=True):
                self._theirs[row[KEY]] = row
                self._by_content.setdefault(key_in_lab(self._table, row), row[KEY])

    def run(self, db: Database, ids: list[str]) -> None:
        name = self._source.table
        same = self._plan.same.setdefault(name, {})
        keys = self._plan.keys.setdefault(name, {})
        for row in lab_rows(db, name, ids):
            key = key_in_lab(self._table, row)
            past = self._past.get(key)
            their_key = past.key if past else self._by_content.get(key)
            theirs = self._theirs.get(their_key) if their_key else None
            if theirs is not None and their_key is not None and "id" in row:
                keys[row["id"]] = their_key
            ours = digest(self._table, self._names, row)
            for outcome in self._compare(key, row, ours, past, theirs, their_key):
                if isinstance(outcome, Edit):
                    self._plan.edits.append(outcome)
                else:
                    same[key] = (row["_workshop"], outcome)

    def _compare(
        self, key: str, row: Row, ours: str, past: Past | None, theirs: Row | None,
        their_key: str | None,
    ) -> Iterator[Edit | Past]:  # fmt: skip
        table = self._source.table
        if past and past.ours == ours:
            return
        if theirs is None:
            if past:
                self._refuse(row, key, "was deleted in production, and changed in the lab")
            elif self._parent_is_refused(row):
                self._refuse(row, key, "belongs to a row that is not written")
            else:
                yield Edit(table, key, row)
            return
        their_digest = digest(self._table, self._names, theirs)
        changed = tuple(n for n in self._names if not self._equal(n, row[n], theirs[n]))
        known = Past(str(their_key), ours, their_digest)
        if not changed:
            if past != known and table not in SHARED:
                yield known
        elif past is None:
            shared = "" if table in SHARED else ", and was never read into the lab"
            what = f"is in production with another {', '.join(changed)}{shared}"
            again = "; save the change as a new version" if _written_once(table) else ""
            self._refuse(row, key, what + again)
        elif past.theirs != their_digest:
            columns = ", ".join(changed)
            self._refuse(row, key, f"changed in production since it was read ({columns})")
        elif _written_once(table):
            self._refuse(row, key, "is written once; save the change as a new version")
        else:
            yield Edit(table, key, row, changed, their_key)

    def _refuse(self, row: Row, key: str, why: str) -> None:
        self._plan.refuse(self._source.table, row, key, why)

    def _parent_is_refused(self, row: Row) -> bool:
        parents = _PARENTS.get(self._source.table, {})
        return any(
            (parent, str(row[column])) in self._plan.refused for parent, column in parents.items()
        )

    def _equal(self, name: str, ours: Any, theirs: Any) -> bool:  # noqa: ANN401 - values of rows
        stamped = self._source.type_of(name).startswith("timestamp")
        if stamped and self._table.column(name).kind == TEXT:
            ours, theirs = moment(ours), moment(theirs)
        if isinstance(ours, datetime) and isinstance(theirs, datetime):
            # A column of milliseconds holds what it can of our microseconds.
            near = abs(ours - theirs) < timedelta(milliseconds=1)
            return ours == theirs or (near and theirs.microsecond % 1000 == 0)
        return bool(plain(self._table, name, ours) == plain(self._table, name, theirs))


def _written_once(table: str) -> bool:
    return table in (*SHARED, "step_artifact_versions")


def moment(value: object) -> object:
    """Return a text as the time that it says, or as it is.

    Examples
    --------
    >>> moment("2026-11-02T10:00:00Z") == moment("2026-11-02T10:00:00.000000Z")
    True
    """
    if not isinstance(value, str):
        return value
    try:
        found = datetime.fromisoformat(value)
    except ValueError:
        return value
    from datetime import UTC

    return found if found.tzinfo else found.replace(tzinfo=UTC)
