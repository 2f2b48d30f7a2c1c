"""Conversations out of the store: cases, messages, the newest that fit, the counts."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any

from ctxlab.core.cases import Case, Probe
from ctxlab.core.segments import Message, ToolCall
from ctxlab.store.connection import Database
from ctxlab.store.storable import storable, stored


def read_cases(
    db: Database, dataset: str | None = None, ids: Sequence[str] | None = None
) -> Iterator[Case]:
    """Yield stored cases as they went in.

    Parameters
    ----------
    dataset : str, optional
        Only cases of this dataset.
    ids : sequence of str, optional
        Only cases with these ids.

    Examples
    --------
    >>> list(read_cases(Database(), ids=["c"]))
    []
    """
    wanted = None if ids is None else {storable(case_id) for case_id in ids}
    rows = db.rows(
        "SELECT id, dataset, case_id, workshop_id FROM cases "
        "WHERE $dataset IS NULL OR dataset = $dataset ORDER BY id",
        {"dataset": dataset},
    )
    for key, name, case_id, workshop in rows:
        if wanted is None or case_id in wanted:
            messages = tuple(read_messages(db, workshop))
            yield Case(stored(case_id), name, messages, tuple(_read_probes(db, key)))


def read_messages(db: Database, workshop: str, step: str | None = None) -> Iterator[Message]:
    """Yield the messages of a workshop, or of one of its steps, in order.

    Examples
    --------
    >>> list(read_messages(Database(), "wks_none"))
    []
    """
    rows = db.rows(
        "SELECT m.message_id, m.role, m.content, m.name, m.created_at, s.label, m.tool_calls, "
        "m.tool_call_id, m.pinned FROM chat_messages m JOIN sessions s ON s.id = m.session_id "
        "WHERE m.workshop_id = $workshop AND ($step IS NULL OR m.step_id = $step) "
        "ORDER BY m.position",
        {"workshop": workshop, "step": step},
    )
    for row in rows:
        yield message_of(row)


def message_of(row: tuple[Any, ...]) -> Message:
    """Make a message of its id, role, content, name, time, session, tool calls, call id and pin.

    Examples
    --------
    >>> message_of(("m1", "user", "Hi", None, None, None, None, None, False)).content
    'Hi'
    """
    message_id, role, content, name, created_at, session, calls, call_id, pinned = row
    return Message(
        stored(message_id),
        role,
        stored(content),
        name=name if name is None else stored(name),
        created_at=created_at,
        session=session,
        tool_calls=tuple(ToolCall(**call) for call in json.loads(calls)) if calls else (),
        tool_call_id=call_id,
        pinned=pinned,
    )


def _read_probes(db: Database, case: str) -> Iterator[Probe]:
    rows = db.rows(
        "SELECT probe_id, question, answer, evidence, category, evidence_mode, asked_at "
        "FROM probes WHERE case_id = ? ORDER BY position",
        [case],
    )
    for probe_id, question, answer, evidence, category, mode, at in rows:
        yield Probe(
            stored(probe_id),
            stored(question),
            stored(answer),
            tuple(map(stored, evidence)),
            category,
            mode,
            at,
        )


def stored_counts(db: Database, encoding: str) -> list[tuple[str, int]]:
    """Return the counted texts of an encoding, to prime a counter with.

    Examples
    --------
    >>> stored_counts(Database(), "o200k_base")
    []
    """
    rows = db.rows("SELECT content, token_count FROM chat_messages WHERE encoding = ?", [encoding])
    return [(stored(content), tokens) for content, tokens in rows]


def tail(db: Database, workshop: str, budget: int) -> list[Message]:
    """Return the newest messages whose tokens, overhead included, fit `budget`.

    Reads the stored running sum: neither a tokenizer nor older messages are touched.

    Examples
    --------
    >>> tail(Database(), "wks_none", 100)
    []
    """
    rows = db.rows(
        "WITH total AS (SELECT max(running_total + token_count + overhead) AS tokens "
        "FROM chat_messages WHERE workshop_id = $workshop) "
        "SELECT m.message_id, m.role, m.content, m.name, m.created_at, s.label, m.tool_calls, "
        "m.tool_call_id, m.pinned FROM chat_messages m JOIN sessions s ON s.id = m.session_id "
        "WHERE m.workshop_id = $workshop "
        "AND m.running_total >= (SELECT tokens FROM total) - $budget ORDER BY m.position",
        {"workshop": workshop, "budget": budget},
    )
    return [message_of(row) for row in rows]
