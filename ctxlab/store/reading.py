"""Conversations out of the store: cases, messages, the newest that fit, the counts."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import polars as pl

from ctxlab.core.cases import Case, Probe
from ctxlab.core.segments import Message
from ctxlab.store.connection import Database
from ctxlab.store.records import Records, fetch
from ctxlab.store.tables import CASES, CHAT_MESSAGES, PROBES

MESSAGES = Records(
    Message,
    CHAT_MESSAGES,
    "JOIN sessions ON sessions.id = chat_messages.session_id",
    {"session": "sessions.label"},
)
"""Messages as they are stored, each with the label of its session."""
_PROBES = Records(Probe, PROBES)


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
    wanted = None if ids is None else set(ids)
    where = "WHERE $dataset IS NULL OR dataset = $dataset ORDER BY id"
    found = fetch(db, CASES, CASES.names, where, {"dataset": dataset})
    for at, case_id in enumerate(found["case_id"]):
        if wanted is None or case_id in wanted:
            messages = tuple(read_messages(db, found["workshop_id"][at]))
            probes = _PROBES.read(db, "WHERE case_id = ? ORDER BY position", [found["id"][at]])
            yield Case(case_id, found["dataset"][at], messages, tuple(probes))


def read_messages(db: Database, workshop: str, step: str | None = None) -> Iterator[Message]:
    """Yield the messages of a workshop, or of one of its steps, in order.

    Examples
    --------
    >>> list(read_messages(Database(), "wks_none"))
    []
    """
    yield from MESSAGES.read(
        db,
        "WHERE chat_messages.workshop_id = $workshop "
        "AND ($step IS NULL OR chat_messages.step_id = $step) ORDER BY chat_messages.position",
        {"workshop": workshop, "step": step},
    )


def stored_counts(db: Database, encoding: str) -> list[tuple[str, int]]:
    """Return the counted texts of an encoding, to prime a counter with.

    Examples
    --------
    >>> stored_counts(Database(), "o200k_base")
    []
    """
    found = fetch(db, CHAT_MESSAGES, ["content", "token_count"], "WHERE encoding = ?", [encoding])
    return list(zip(found["content"], found["token_count"], strict=True))


def tail(db: Database, workshop: str, budget: int) -> list[Message]:
    """Return the newest messages whose tokens, overhead included, fit `budget`.

    Reads the stored running sum: neither a tokenizer nor older messages are touched.

    Examples
    --------
    >>> tail(Database(), "wks_none", 100)
    []
    """
    return MESSAGES.read(
        db,
        "WHERE chat_messages.workshop_id = $workshop AND chat_messages.running_total >= "
        "(SELECT max(running_total + token_count + overhead) FROM chat_messages "
        "WHERE workshop_id = $workshop) - $budget ORDER BY chat_messages.position",
        {"workshop": workshop, "budget": budget},
    )


def growth(db: Database) -> pl.DataFrame:
    """Return the running total of tokens of every conversation, a row a message.

    Examples
    --------
    >>> growth(Database()).columns
    ['conversation', 'message', 'tokens']
    """
    rows = db.rows(
        "SELECT w.title, row_number() OVER (PARTITION BY m.workshop_id ORDER BY m.running_total, "
        "m.position), m.running_total + m.token_count + m.overhead FROM chat_messages m "
        "JOIN workshops w ON w.id = m.workshop_id ORDER BY w.created_at, m.workshop_id, 2"
    )
    schema = {"conversation": pl.String(), "message": pl.Int64(), "tokens": pl.Int64()}
    return pl.DataFrame(rows, schema=schema, orient="row")
