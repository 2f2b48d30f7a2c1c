"""LongMemEval: a question over many chat sessions, with the turns that hold the answer.

Source: Wu et al., "LongMemEval: Benchmarking Chat Assistants on Long-Term Interactive Memory",
2024.
"""

from __future__ import annotations

from collections.abc import Iterator

from ctxlab.chats.case_building import build_case
from ctxlab.chats.case_format import role_of
from ctxlab.chats.fields import Fields, expect
from ctxlab.chats.file_format import Format
from ctxlab.core.cases import Case, Probe
from ctxlab.core.segments import Message
from ctxlab.errors import DataError

_ABSTAIN = "_abs"


def is_longmemeval(raw: object) -> bool:
    """Say whether a record looks like a question of LongMemEval.

    Examples
    --------
    >>> is_longmemeval({"haystack_sessions": []})
    True
    """
    return isinstance(raw, dict) and "haystack_sessions" in raw


def read_longmemeval(raw: object, name: str) -> Iterator[Case]:
    """Yield the case of one question: the sessions of its haystack, and one probe.

    A session that stands twice in a haystack is two sessions, the second named ``s1~2``; of
    copies that say the same, the first is the evidence. A question whose id ends in ``_abs`` asks
    for what was never said: it has neither evidence nor answer here, and its category is
    ``abstention``.

    Raises
    ------
    DataError
        With the field at fault.

    Examples
    --------
    >>> turn = {"role": "user", "content": "I ran 5 km.", "has_answer": True}
    >>> raw = {"question_id": "q", "question": "How far?", "answer": "5 km",
    ...        "haystack_session_ids": ["s1"], "haystack_sessions": [[turn]]}
    >>> next(read_longmemeval(raw, "q")).probes[0].evidence
    ('s1/0',)
    """
    fields = Fields(raw)
    names = [expect(value, str, path) for path, value in fields.items("haystack_session_ids")]
    dates = (
        [str(d) for _, d in fields.items("haystack_dates")] if fields.has("haystack_dates") else []
    )
    messages: list[Message] = []
    evidence: list[str] = []
    sessions = list(fields.items("haystack_sessions"))
    if len(names) != len(sessions):
        problem = f"names {len(names)} sessions and there are {len(sessions)}"
        raise DataError(problem, field="haystack_session_ids")
    given: dict[str, list[object]] = {}
    for number, ((path, turns), named) in enumerate(zip(sessions, names, strict=True)):
        copies = given.setdefault(named, [])
        again = turns in copies
        copies.append(turns)
        session = named if len(copies) == 1 else f"{named}~{len(copies)}"
        when = dates[number] if number < len(dates) else None
        for index, raw_turn in enumerate(expect(turns, list, path)):
            turn = Fields(raw_turn, f"{path}[{index}]")
            message_id = f"{session}/{index}"
            text = turn.text("content")
            messages.append(
                Message(message_id, role_of(turn), text, created_at=when, session=session)
            )
            if turn.raw.get("has_answer") and not again:
                evidence.append(message_id)
    key, asked, answer = (
        fields.text("question_id"),
        fields.text("question"),
        fields.scalar("answer"),
    )
    question = Probe(key, asked, answer, tuple(evidence), fields.optional("question_type") or "")
    if key.endswith(_ABSTAIN):
        question = Probe(key, asked, "", (), "abstention")
    yield build_case(key, "longmemeval", messages, [question])


FORMAT = Format(
    name="longmemeval",
    description="LongMemEval, original file",
    recognises=is_longmemeval,
    read=read_longmemeval,
    example={
        "question_id": "q",
        "question": "How far?",
        "answer": "5 km",
        "haystack_session_ids": ["s1"],
        "haystack_dates": ["2023/05/20 (Sat) 02:21"],
        "haystack_sessions": [[{"role": "user", "content": "I ran 5 km.", "has_answer": True}]],
    },
)
