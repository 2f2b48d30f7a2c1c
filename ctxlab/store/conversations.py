"""Conversations in and out, in bulk: workshops, sessions, messages, cases, probes."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from itertools import accumulate, islice
from operator import add, attrgetter
from typing import Any, Literal

import polars as pl

from ctxlab.core.cases import Case
from ctxlab.core.segments import Message, Role, ToolCall
from ctxlab.core.tokens import TokenCounter
from ctxlab.errors import ConflictError
from ctxlab.store.connection import Database
from ctxlab.store.storable import MARK, all_storable, new_id, storable, stored

PLAIN = "chat"
"""The one step, and the protocol, of a conversation that is not a workshop."""

_BATCH = 20_000
_MESSAGE = {
    "workshop_id": pl.String, "session_id": pl.String, "step_id": pl.String,
    "message_id": pl.String, "position": pl.Int32, "role": pl.String, "name": pl.String,
    "content": pl.String, "tool_calls": pl.String, "tool_call_id": pl.String,
    "pinned": pl.Boolean, "token_count": pl.Int32, "overhead": pl.Int32,
    "running_total": pl.Int64, "encoding": pl.String, "created_at": pl.String,
}  # fmt: skip
_PROBE = {
    "case_id": pl.String, "position": pl.Int32, "probe_id": pl.String, "question": pl.String,
    "answer": pl.String, "evidence": pl.List(pl.String), "category": pl.String,
    "evidence_mode": pl.String, "asked_at": pl.String,
}  # fmt: skip
_SESSION = {
    "id": pl.String, "workshop_id": pl.String, "label": pl.String, "position": pl.Int32,
}  # fmt: skip
_STEP = {
    "id": pl.String, "workshop_id": pl.String, "step_id": pl.String, "position": pl.Int32,
}  # fmt: skip


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


class _Frames:
    """Columns of rows that go in together."""

    def __init__(self, counter: TokenCounter) -> None:
        self._counter = counter
        self.workshops: list[tuple[str, str, str]] = []
        self.sessions: list[tuple[str, str, str | None, int]] = []
        self.steps: list[tuple[str, str, str, int]] = []
        self.cases: list[tuple[str, str, str, str]] = []
        self.probes: list[tuple[object, ...]] = []
        self._messages: dict[str, list[Any]] = {name: [] for name in _MESSAGE}
        self.height = 0

    def add(self, conversation: Conversation) -> str:
        workshop = new_id("wks")
        self.workshops.append((workshop, storable(conversation.title), conversation.protocol))
        messages: list[Message] = []
        steps: list[str] = []
        for position, (step, part) in enumerate(conversation.steps):
            self.steps.append((new_id("wst"), workshop, step, position))
            messages += part
            steps += [step] * len(part)
        labels = dict.fromkeys(map(attrgetter("session"), messages))
        ids = {label: new_id("ses") for label in labels or {None: None}}
        self.sessions += [(ids[label], workshop, label, i) for i, label in enumerate(ids)]
        self.add_messages(workshop, steps, messages, ids)
        if conversation.case:
            self._add_case(workshop, conversation.case)
        return workshop

    def add_messages(
        self,
        workshop: str,
        steps: list[str],
        messages: Sequence[Message],
        sessions: dict[str | None, str],
        position: int = 0,
        total: int = 0,
    ) -> None:
        n, columns = len(messages), self._messages

        def each(field: str) -> list[Any]:
            return list(map(attrgetter(field), messages))

        contents, roles, names = each("content"), each("role"), each("name")
        calling = {at: asked for at, asked in enumerate(each("tool_calls")) if asked}
        tokens = self._counter.count_many(contents)
        overheads = self._plain_overheads(roles, names)
        calls: list[str | None] = [None] * n
        for at, asked in calling.items():
            overheads[at] = self._counter.overhead(messages[at])
            calls[at] = _calls_to_json(asked)
        totals = accumulate(map(add, tokens, overheads), initial=total)
        columns["workshop_id"] += [workshop] * n
        columns["session_id"] += map(sessions.__getitem__, each("session"))
        columns["step_id"] += steps
        columns["message_id"] += each("id")
        columns["position"] += range(position, position + n)
        columns["role"] += roles
        columns["name"] += map({name: name and storable(name) for name in set(names)}.get, names)
        columns["content"] += contents
        columns["tool_calls"] += calls
        columns["tool_call_id"] += each("tool_call_id")
        columns["pinned"] += each("pinned")
        columns["token_count"] += tokens
        columns["overhead"] += overheads
        columns["running_total"] += islice(totals, n)
        columns["encoding"] += [self._counter.encoding] * n
        columns["created_at"] += each("created_at")
        self.height += n

    def _plain_overheads(self, roles: list[Role], names: list[str | None]) -> list[int]:
        """Return the framing of messages without calls, counted once for every speaker."""
        plain = {
            (role, name): self._counter.overhead(Message("", role, "", name=name))
            for role, name in set(zip(roles, names, strict=True))
        }
        return list(map(plain.__getitem__, zip(roles, names, strict=True)))

    def _add_case(self, workshop: str, case: Case) -> None:
        case_id = new_id("cas")
        self.cases.append((case_id, case.dataset, storable(case.id), workshop))
        for position, probe in enumerate(case.probes):
            texts = all_storable((probe.id, probe.question, probe.answer))
            evidence = all_storable(probe.evidence)
            rest = (probe.category, probe.evidence_mode, probe.at)
            self.probes.append((case_id, position, *texts, evidence, *rest))

    def write(self, db: Database) -> None:
        _insert(db, "workshops", self.workshops, ["id", "title", "protocol"])
        _insert(db, "sessions", self.sessions, _SESSION)
        _insert(db, "workshop_steps", self.steps, _STEP)
        if self.height:
            db.insert("chat_messages", _message_frame(self._messages))
        _insert(db, "cases", self.cases, ["id", "dataset", "case_id", "workshop_id"])
        _insert(db, "probes", self.probes, _PROBE)


def _message_frame(columns: dict[str, list[Any]]) -> pl.DataFrame:
    """Make the frame of messages; text without UTF-8 is escaped only when it is met."""
    try:
        frame = pl.DataFrame(columns, schema=_MESSAGE)
        marked = pl.col("content", "message_id").str.starts_with(MARK).any()
        if not any(frame.select(marked).row(0)):
            return frame
    except UnicodeEncodeError:
        pass
    escaped = {name: list(map(storable, columns[name])) for name in ("content", "message_id")}
    return pl.DataFrame(columns | escaped, schema=_MESSAGE)


def _insert(db: Database, table: str, rows: list[Any], schema: Any) -> None:  # noqa: ANN401
    if rows:
        db.insert(table, pl.DataFrame(rows, schema=schema, orient="row"))


def _calls_to_json(calls: tuple[ToolCall, ...]) -> str:
    return json.dumps([asdict(call) for call in calls])


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
    pending = any((dataset, case_id) == key for _, dataset, case_id, _ in frames.cases)
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
    known = {(d, stored(c)) for d, c in db.rows("SELECT dataset, case_id FROM cases")}
    seen: set[tuple[str, str]] = set() if on_conflict == "error" else known

    def new() -> Iterator[Conversation]:
        for case in cases:
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
        known = {
            stored(key)
            for (key,) in db.rows(
                "SELECT message_id FROM chat_messages WHERE workshop_id = ? AND step_id = ?",
                [workshop, step],
            )
        }
        new = {message.id: message for message in messages if message.id not in known}
        if not new:
            return 0
        position, total = db.rows(
            "SELECT coalesce(max(position) + 1, 0), "
            "coalesce(max(running_total + token_count + overhead), 0) "
            "FROM chat_messages WHERE workshop_id = ?",
            [workshop],
        )[0]
        sessions = _sessions(db, workshop, dict.fromkeys(m.session for m in new.values()))
        frames = _Frames(counter)
        frames.add_messages(
            workshop, [step] * len(new), list(new.values()), sessions, position, total
        )
        frames.write(db)
    return len(new)


def _sessions(db: Database, workshop: str, labels: Iterable[str | None]) -> dict[str | None, str]:
    """Return the session of every label, made where there is none yet."""
    rows = db.rows("SELECT label, id FROM sessions WHERE workshop_id = ?", [workshop])
    found: dict[str | None, str] = dict(rows)
    for label in labels:
        if label not in found:
            found[label] = new_id("ses")
            row = (found[label], workshop, label, len(found) - 1)
            _insert(db, "sessions", [row], _SESSION)
    return found
