"""Letta: the messages of an agent, each of a kind of its own."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from ctxlab.chats.case_building import build_case
from ctxlab.chats.entries import Entry, compacted, converted
from ctxlab.chats.fields import Fields, expect
from ctxlab.chats.file_format import Format
from ctxlab.chats.openai_reader import messages_from_openai
from ctxlab.chats.table_rows import parsed
from ctxlab.core.cases import Case
from ctxlab.errors import DataError

_TEXTS = {
    "system": ("system", "content", ""),
    "user": ("user", "content", ""),
    "assistant": ("assistant", "content", ""),
    "reasoning": ("assistant", "reasoning", "thinking"),
    "hidden_reasoning": ("assistant", "hidden_reasoning", "thinking"),
    "summary": ("user", "summary", "summary"),
    "event": ("user", "event_data", "injected"),
}


def is_letta(raw: object) -> bool:
    """Say whether a list holds messages of Letta.

    Examples
    --------
    >>> is_letta([{"message_type": "user_message", "content": "Hi"}])
    True
    """
    return isinstance(raw, list) and bool(raw) and all(
        isinstance(one, dict) and isinstance(one.get("message_type"), str) for one in raw[:5]
    )  # fmt: skip


def read_letta(raw: object, name: str) -> Iterator[Case]:
    """Yield the conversation of a list of messages.

    Raises
    ------
    DataError
        With the field at fault.

    Examples
    --------
    >>> message = {"message_type": "user_message", "content": "Hi"}
    >>> next(read_letta([message], "x")).messages[0].role
    'user'
    """
    entries: list[Entry] = []
    for at, value in enumerate(expect(raw, list, "")):
        message = Fields(value, f"[{at}]")
        kind = message.text("message_type").removesuffix("_message")
        role = ""
        shown: dict[str, Any] = {}
        if kind in ("tool_call", "approval_request"):
            held = "tool_calls" if message.has("tool_calls") else "tool_call"
            calls = list(message.objects(held)) if held == "tool_calls" else [message.child(held)]
            shown = {"content": None, "tool_calls": [_call(call) for call in calls]}
            role = "assistant"
        elif kind == "tool_return":
            returned = message.raw.get("tool_return")
            text = returned if isinstance(returned, str) else json.dumps(returned)
            shown = {"content": text, "tool_call_id": message.text("tool_call_id")}
            role = "tool"
        elif kind == "approval_response":
            continue
        elif kind in _TEXTS:
            role, key, _ = _TEXTS[kind]
            shown = {"content": _text(message, key)}
        else:
            known = ", ".join((*_TEXTS, "tool_call", "tool_return"))
            problem = f"is {kind!r}; expected one of {known}, each with _message"
            raise DataError(problem, field=message.at("message_type"))
        told = _TEXTS.get(kind, ("", "", ""))[2]
        when = message.raw.get("date")
        entries.append(
            Entry(
                {"role": role, **shown},
                message.path,
                told,
                compacted() if told == "summary" else None,
                when if isinstance(when, str) else None,
            )
        )
    yield build_case(name, "letta", converted(entries, messages_from_openai))


def _call(call: Fields) -> dict[str, Any]:
    function = {"name": call.text("name"), "arguments": call.raw.get("arguments", "")}
    return {"id": call.text("tool_call_id"), "type": "function", "function": function}


def _text(message: Fields, key: str) -> object:
    value = parsed(message.raw.get(key))
    if isinstance(value, dict):
        # A user's text may be wrapped with its time.
        inner = value.get("message")
        return inner if isinstance(inner, str) else json.dumps(value, ensure_ascii=False)
    return "" if value is None else value


FORMAT = Format(
    name="letta",
    description="Letta, messages of an agent",
    recognises=is_letta,
    read=read_letta,
    whole=True,
    example=[
        {"id": "message-1", "message_type": "user_message", "content": "Hi", "date": "2031-01-01"},
        {"id": "message-2", "message_type": "reasoning_message", "reasoning": "A greeting."},
        {
            "id": "message-3",
            "message_type": "tool_call_message",
            "tool_call": {"tool_call_id": "c1", "name": "clock", "arguments": "{}"},
        },
        {"message_type": "tool_return_message", "tool_call_id": "c1", "tool_return": "12:00"},
        {"id": "message-4", "message_type": "assistant_message", "content": "Noon."},
    ],
)
