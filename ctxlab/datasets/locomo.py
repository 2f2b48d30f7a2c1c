"""LoCoMo: very long conversations of two people over many sessions, with question and evidence.

Source: Maharana et al., "Evaluating Very Long-Term Conversational Memory of LLM Agents", 2024.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from ctxlab.chats.case_building import build_case
from ctxlab.chats.fields import Fields
from ctxlab.chats.file_format import Format
from ctxlab.core.cases import Case, Probe
from ctxlab.core.segments import Message
from ctxlab.errors import DataError

_TURN = re.compile(r"D(\d+):0*(\d+)")
_SESSION = re.compile(r"session_(\d+)")


def is_locomo(raw: object) -> bool:
    """Say whether a record looks like a conversation of LoCoMo.

    Examples
    --------
    >>> is_locomo({"conversation": {}, "qa": []})
    True
    """
    return isinstance(raw, dict) and "conversation" in raw and "qa" in raw


def read_locomo(raw: object, name: str) -> Iterator[Case]:
    """Yield the case of one conversation.

    Probes keep their category: 1 multi-hop, 2 temporal, 3 open-domain, 4 single-hop,
    5 adversarial. An adversarial question has no answer in the conversation, and so neither
    evidence nor answer here. The caption of a photo that is shared belongs to its turn, for
    questions ask about what it shows. An evidence entry may name several turns in one string;
    what names no turn is left out, as the published files hold such entries.

    Raises
    ------
    DataError
        With the field at fault.

    Examples
    --------
    >>> turn = {"speaker": "Ada", "dia_id": "D1:1", "text": "Hi"}
    >>> raw = {"sample_id": "c", "conversation": {"session_1": [turn]}, "qa": []}
    >>> next(read_locomo(raw, "c")).messages[0].name
    'Ada'
    """
    fields = Fields(raw)
    talk = fields.child("conversation")
    messages = list(_messages(talk))
    known = {message.id for message in messages}
    probes = [_probe(qa, index, known) for index, qa in enumerate(fields.objects("qa"))]
    case_id = fields.scalar("sample_id") if fields.has("sample_id") else name
    yield build_case(case_id, "locomo", messages, probes)


def _messages(talk: Fields) -> Iterator[Message]:
    numbers = sorted(int(match[1]) for key in talk.raw if (match := _SESSION.fullmatch(key)))
    first = talk.optional("speaker_a")
    for number in numbers:
        session = f"session_{number}"
        when = talk.optional(f"{session}_date_time")
        for turn in talk.objects(session):
            speaker = turn.text("speaker")
            yield Message(
                turn.text("dia_id"),
                "assistant" if first and speaker != first else "user",
                _said(turn),
                name=speaker,
                created_at=when,
                session=session,
            )


def _said(turn: Fields) -> str:
    """Return what was said and shown: a photo is known by its caption alone."""
    caption = turn.optional("blip_caption")
    text = turn.text("text")
    return "\n".join(filter(None, (text, f"[shares {caption}]"))) if caption else text


def _probe(qa: Fields, index: int, known: set[str]) -> Probe:
    if not qa.has("answer") and not qa.has("adversarial_answer"):
        raise DataError("is missing; expected a string or a number", field=qa.at("answer"))
    if not qa.has("answer"):
        return Probe(f"q{index}", qa.text("question"), "", (), qa.scalar("category"))
    found = [
        f"D{session}:{turn}"
        for _, value in (qa.items("evidence") if qa.has("evidence") else ())
        for session, turn in _TURN.findall(str(value))
    ]
    return Probe(
        f"q{index}",
        qa.text("question"),
        qa.scalar("answer"),
        tuple(dict.fromkeys(turn for turn in found if turn in known)),
        qa.scalar("category"),
    )


FORMAT = Format(
    name="locomo",
    description="LoCoMo, original file",
    recognises=is_locomo,
    read=read_locomo,
    example={
        "sample_id": "c",
        "conversation": {
            "speaker_a": "Ada",
            "session_1_date_time": "1:56 pm on 8 May, 2023",
            "session_1": [
                {
                    "speaker": "Ada",
                    "dia_id": "D1:1",
                    "text": "I have 7 cats.",
                    "blip_caption": "a photo of seven cats",
                }
            ],
        },
        "qa": [{"question": "How many cats?", "answer": 7, "evidence": ["D1:1"], "category": 4}],
    },
)
