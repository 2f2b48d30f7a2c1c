"""Conversations in and out, in bulk: workshops, sessions, messages, cases, probes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate, islice
from operator import add, attrgetter
from typing import Any, Literal

from ctxlab.core.cases import Case, Probe
from ctxlab.core.segments import Message
from ctxlab.core.tokens import TokenCounter
from ctxlab.errors import ConflictError, DataError
from ctxlab.store.connection import Database
from ctxlab.store.reading import MESSAGES
from ctxlab.store.records import Records, fetch
from ctxlab.store.storable import new_id, storable
from ctxlab.store.table import Table
from ctxlab.store.tables import (
    CASES,
    CHAT_MESSAGES,
    PROBES,
    SESSIONS,
    TABLES,
    WORKSHOP_STEPS,
    WORKSHOPS,
)

PLAIN = "chat"
"""The one step, and the protocol, of a conversation that is not a workshop."""

_BATCH = 20_000
_PROBES = Records(Probe, PROBES)


@dataclass(frozen=True)
class Conversation:
    """A conversation on its way into the store: its steps in order, each with its messages.

    Examples
    --------
    >>> steps = ((PLAIN, (Message("m1", "user", "Hi"),)),)
    >>> Conversation("A chat", PLAIN, steps).case is None
    True
    """

    title: str
    protocol: str
    steps: tuple[tuple[str, tuple[Message, ...]], ...]
    case: Case | None = None
    protocol_version: int = 1


class _Frames:
    """Rows that go in together."""

    def __init__(self, counter: TokenCounter) -> None:
        self._counter = counter
        self._rows: dict[Table, list[Mapping[str, object]]] = {}
        self._columns: dict[Table, dict[str, list[Any]]] = {}
        self.cases: set[tuple[str, str]] = set()
        self.height = 0

    def add(self, conversation: Conversation) -> str:
        workshop = new_id("wks")
        protocol = {
            "protocol": conversation.protocol,
            "protocol_version": conversation.protocol_version,
        }
        self._add_row(WORKSHOPS, {"id": workshop, "title": conversation.title, **protocol})
        messages: list[Message] = []
        steps: list[str] = []
        for position, (step, part) in enumerate(conversation.steps):
            row = {"workshop_id": workshop, "step_id": step, "position": position}
            self._add_row(WORKSHOP_STEPS, {"id": new_id("wst"), **row})
            messages += part
            steps += [step] * len(part)
        labels = dict.fromkeys(map(attrgetter("session"), messages)) or {None: None}
        sessions = {
            label: self.add_session(workshop, label, position)
            for position, label in enumerate(labels)
        }
        self.add_messages(workshop, steps, messages, sessions)
        if conversation.case:
            self._add_case(workshop, conversation.case)
        return workshop

    def add_session(self, workshop: str, label: str | None, position: int) -> str:
        session = new_id("ses")
        row = {"workshop_id": workshop, "label": label, "position": position}
        self._add_row(SESSIONS, {"id": session, **row})
        return session

    def add_messages(
        self,
        workshop: str,
        steps: list[str],
        messages: Sequence[Message],
        sessions: Mapping[str | None, str],
        position: int = 0,
        total: int = 0,
    ) -> None:
        n = len(messages)
        columns = MESSAGES.columns(messages)
        tokens = self._counter.count_many(columns["content"])
        overheads = self._overheads(messages, columns)
        totals = accumulate(map(add, tokens, overheads), initial=total)
        columns |= {
            "workshop_id": [workshop] * n,
            "session_id": list(map(sessions.__getitem__, map(attrgetter("session"), messages))),
            "step_id": steps,
            "position": list(range(position, position + n)),
            "token_count": list(tokens),
            "overhead": overheads,
            "running_total": list(islice(totals, n)),
            "encoding": [self._counter.encoding] * n,
        }
        self._add_columns(CHAT_MESSAGES, columns)
        self.height += n

    def _overheads(self, messages: Sequence[Message], columns: Mapping[str, Any]) -> list[int]:
        """Return every message's framing; without calls it is counted once for every speaker."""
        speakers = list(zip(columns["role"], columns["name"], strict=True))
        plain = {
            (role, name): self._counter.overhead(Message("", role, "", name=name))
            for role, name in set(speakers)
        }
        overheads = list(map(plain.__getitem__, speakers))
        for at, calls in enumerate(columns["tool_calls"]):
            if calls:
                overheads[at] = self._counter.overhead(messages[at])
        return overheads

    def _add_case(self, workshop: str, case: Case) -> None:
        key, n = new_id("cas"), len(case.probes)
        self.cases.add((case.dataset, case.id))
        row = {"id": key, "dataset": case.dataset, "case_id": case.id, "workshop_id": workshop}
        self._add_row(CASES, row)
        keys: dict[str, list[Any]] = {"case_id": [key] * n, "position": list(range(n))}
        self._add_columns(PROBES, keys | _PROBES.columns(case.probes))

    def _add_row(self, table: Table, row: Mapping[str, object]) -> None:
        self._rows.setdefault(table, []).append(row)

    def _add_columns(self, table: Table, columns: Mapping[str, list[Any]]) -> None:
        kept = self._columns.setdefault(table, {name: [] for name in columns})
        for name, values in columns.items():
            kept[name] += values

    def write(self, db: Database) -> None:
        for table in TABLES.values():
            data = self._rows.get(table) or self._columns.get(table)
            if data:
                db.insert(table.name, table.frame(data))


def add_conversations(
    db: Database, conversations: Iterable[Conversation], counter: TokenCounter
) -> list[str]:
    """Store conversations in one transaction, counted; return the ids of their workshops.

    Raises
    ------
    ConflictError
        When a case of that dataset and id is stored already; then nothing is stored.

    Examples
    --------
    >>> chat = Conversation("A chat", PLAIN, ((PLAIN, (Message("m1", "user", "Hi"),)),))
    >>> with Database() as db:
    ...     ids = add_conversations(db, [chat], TokenCounter())
    ...     db.rows("SELECT token_count, overhead, running_total FROM chat_messages")
    [(1, 4, 0)]
    """
    ids: list[str] = []
    with db.write():
        frames = _Frames(counter)
        for conversation in conversations:
            if conversation.case:
                _refuse_known(db, conversation.case, frames)
            ids.append(frames.add(conversation))
            if frames.height >= _BATCH:
                frames.write(db)
                frames = _Frames(counter)
        frames.write(db)
    return ids


def _refuse_known(db: Database, case: Case, frames: _Frames) -> None:
    key = (case.dataset, storable(case.id))
    pending = (case.dataset, case.id) in frames.cases
    if pending or db.rows("SELECT 1 FROM cases WHERE dataset = ? AND case_id = ?", key):
        raise ConflictError(
            f"case {case.id!r} of {case.dataset!r} is stored already; delete it first, "
            "or add with on_conflict='skip'"
        )


def add_cases(
    db: Database,
    cases: Iterable[Case],
    counter: TokenCounter,
    on_conflict: Literal["error", "skip"] = "error",
) -> int:
    """Store cases, each as a workshop of one step; return how many were new.

    Raises
    ------
    ConflictError
        When one is stored already and is not to be skipped; then nothing is stored.

    Examples
    --------
    >>> with Database() as db:
    ...     add_cases(db, [Case("c", "d", (Message("m1", "user", "Hi"),))], TokenCounter())
    1
    """
    seen: set[tuple[str, str]] = set()
    if on_conflict == "skip":
        found = fetch(db, CASES, ["dataset", "case_id"], "")
        seen.update(zip(found["dataset"], found["case_id"], strict=True))

    def new() -> Iterator[Conversation]:
        for case in cases:
            if not isinstance(case, Case):
                raise DataError(f"a {type(case).__name__} is no conversation; pass cases")
            if (case.dataset, case.id) in seen:
                continue
            if on_conflict == "skip":
                seen.add((case.dataset, case.id))
            title = f"{case.dataset} {case.id}"
            yield Conversation(title, PLAIN, ((PLAIN, case.messages),), case)

    return len(add_conversations(db, new(), counter))


def append_messages(
    db: Database, workshop: str, step: str, messages: Iterable[Message], counter: TokenCounter
) -> int:
    """Append messages to a step of a workshop; return how many were new.

    A message whose id the step holds already, or that comes twice, is left out.

    Examples
    --------
    >>> append_messages(Database(), "wks_none", "challenge", [], TokenCounter())
    0
    """
    with db.write():
        where = "WHERE workshop_id = ? AND step_id = ?"
        known = set(fetch(db, CHAT_MESSAGES, ["message_id"], where, [workshop, step])["message_id"])
        new = {message.id: message for message in messages if message.id not in known}
        if not new:
            return 0
        position, total = db.rows(
            "SELECT coalesce(max(position) + 1, 0), "
            "coalesce(max(running_total + token_count + overhead), 0) "
            "FROM chat_messages WHERE workshop_id = ?",
            [workshop],
        )[0]
        frames = _Frames(counter)
        sessions = _sessions(db, workshop, (message.session for message in new.values()), frames)
        frames.add_messages(
            workshop, [step] * len(new), list(new.values()), sessions, position, total
        )
        frames.write(db)
    return len(new)


def _sessions(
    db: Database, workshop: str, labels: Iterable[str | None], frames: _Frames
) -> dict[str | None, str]:
    """Return the session of every label, made where there is none yet."""
    kept = fetch(db, SESSIONS, ["label", "id"], "WHERE workshop_id = ?", [workshop])
    found: dict[str | None, str] = dict(zip(kept["label"], kept["id"], strict=True))
    for label in labels:
        if label not in found:
            found[label] = frames.add_session(workshop, label, len(found))
    return found
