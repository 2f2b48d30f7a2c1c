"""Preferences: a conversation with an answer that was chosen and one that was not.

DPO data sets, OpenAI's preference fine-tuning, and pairs of two models as in an arena. Each
answer is a conversation of its own; both are of one cluster, for they share their prompt.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from ctxlab.chats.any_chat import chat_of, definitions, is_chat, prompt
from ctxlab.chats.case_building import build_case
from ctxlab.chats.fields import Fields
from ctxlab.chats.file_format import Format
from ctxlab.core.cases import Case
from ctxlab.errors import DataError

_PAIRS = (
    ("chosen", "rejected"),
    ("preferred_output", "non_preferred_output"),
    ("conversation_a", "conversation_b"),
)


def is_preference(raw: object) -> bool:
    """Say whether a record holds two answers to one prompt.

    Examples
    --------
    >>> is_preference({"prompt": "Hi", "chosen": "Good", "rejected": "Bad"})
    True
    """
    return isinstance(raw, dict) and any(a in raw and b in raw for a, b in _PAIRS)


def read_preference(raw: object, name: str) -> Iterator[Case]:
    """Yield both conversations of a pair.

    Raises
    ------
    DataError
        With the field at fault.

    Examples
    --------
    >>> pair = {"prompt": "Hi", "chosen": "Good", "rejected": "Bad"}
    >>> [case.id for case in read_preference(pair, "x")]
    ['x/chosen', 'x/rejected']
    """
    fields = Fields(raw)
    ids = ("id", "question_id", "prompt_id")
    given = next((fields.scalar(one) for one in ids if fields.has(one)), name)
    pair = next((p for p in _PAIRS if all(one in fields.raw for one in p)), None)
    if pair is None:
        raise DataError("is missing; expected an answer that was chosen", field="chosen")
    for side in pair:
        asked = [] if _holds_prompt(fields.raw[side]) else _asked(fields)
        before = prompt(fields.raw.get("system")) + definitions(fields.raw.get("tools"))
        messages = chat_of([*asked, *_answer(fields, side)], side, before)
        yield replace(build_case(f"{given}/{side}", "preference", messages), cluster=given)


def _holds_prompt(answer: object) -> bool:
    return is_chat(answer) and any(one.get("role") == "user" for one in answer)  # type: ignore[attr-defined]


def _asked(fields: Fields) -> list[object]:
    """Return the prompt: messages, a text, turns with a sender, or the input of a request."""
    if fields.has("input") and isinstance(fields.raw["input"], dict):
        body = fields.child("input")
        tools = [entry.raw for entry in definitions(body.raw.get("tools"))]
        return [*tools, *(value for _, value in body.items("messages"))]
    for name in ("prompt", "question", "instruction", "conversations"):
        value = fields.raw.get(name)
        if isinstance(value, list):
            return [_turn(one) for one in value]
        if isinstance(value, str):
            return [{"role": "user", "content": value}]
    return []


def _answer(fields: Fields, side: str) -> list[object]:
    value = fields.raw[side]
    if isinstance(value, list):
        return [_turn(one) for one in value]
    if isinstance(value, dict):
        return [_turn(value)]
    return [{"role": "assistant", "content": fields.text(side)}]


def _turn(value: object) -> object:
    """Return a turn with a sender, as ShareGPT has it, as a message."""
    if not isinstance(value, dict) or "from" not in value:
        return value
    role = {"human": "user", "gpt": "assistant"}.get(str(value["from"]), value["from"])
    return {"role": role, "content": value.get("value")}


FORMAT = Format(
    name="preference",
    description="pairs of answers: DPO, OpenAI's preferences, arenas",
    recognises=is_preference,
    read=read_preference,
    priority=1,
    example={
        "id": 7,
        "prompt": [{"role": "user", "content": "Hi"}],
        "chosen": [{"role": "assistant", "content": "Good"}],
        "rejected": "Bad",
    },
)
