"""ShareGPT conversations: turns with ``from`` and ``value``, in all the spellings there are."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from ctxlab.chats.any_chat import definitions, prompt
from ctxlab.chats.case_building import build_case
from ctxlab.chats.entries import converted
from ctxlab.chats.fields import Fields
from ctxlab.chats.file_format import Format
from ctxlab.chats.openai_reader import messages_from_openai
from ctxlab.chats.table_rows import parsed
from ctxlab.core.cases import Case
from ctxlab.core.segments import Message, Role, ToolCall
from ctxlab.errors import DataError

_COLUMNS = ("conversations", "conversation", "items", "messages", "turns")
_ROLES: dict[str, Role] = {
    "system": "system",
    "human": "user",
    "user": "user",
    "prompter": "user",
    "gpt": "assistant",
    "assistant": "assistant",
    "chatgpt": "assistant",
    "model": "assistant",
    "ai": "assistant",
    "bing": "assistant",
    "bard": "assistant",
    "function_call": "assistant",
    "tool_call": "assistant",
    "tool": "tool",
    "tool_response": "tool",
    "observation": "tool",
    "function_response": "tool",
    "function": "tool",
    "ipython": "tool",
}
_CALLS = ("function_call", "tool_call")


def is_sharegpt(raw: object) -> bool:
    """Say whether a record looks like a ShareGPT conversation.

    Examples
    --------
    >>> is_sharegpt({"conversations": [{"from": "human", "value": "Hi"}]})
    True
    """
    return bool(_column(raw))


def _column(raw: object) -> str:
    for name in _COLUMNS if isinstance(raw, dict) else ():
        turns = parsed(raw.get(name))  # type: ignore[attr-defined]
        listed = isinstance(turns, list) and (turns or name == "conversations")
        if listed and all(isinstance(t, dict) and "from" in t for t in turns[:3]):  # type: ignore[index]
            return name
    return ""


def read_sharegpt(raw: object, name: str) -> Iterator[Case]:
    """Yield the conversation of a record as a case without probes.

    A turn from ``function_call`` is taken as a call, or as several where it holds a list, and
    the observations after it answer them in order. A result right after an assistant's turn,
    whose text then holds the call, ties the two together by a call without a name of its own.
    A prompt and tool definitions beside the turns come first; a turn of the system replaces the
    prompt.

    Raises
    ------
    DataError
        With the field at fault.

    Examples
    --------
    >>> turns = [{"from": "human", "value": "Hi"}, {"from": "gpt", "value": "Hello"}]
    >>> record = {"system": "Be brief.", "conversations": turns}
    >>> [m.role for m in next(read_sharegpt(record, "chat-1")).messages]
    ['system', 'user', 'assistant']
    """
    fields = Fields(raw)
    column = _column(raw) or "conversations"
    if isinstance(fields.raw.get(column), str):
        fields = Fields({**fields.raw, column: parsed(fields.raw[column])})
    turns = list(fields.objects(column))
    own = any(turn.raw.get("from") == "system" for turn in turns)
    before = [] if own else prompt(fields.raw.get("system"))
    before += definitions(fields.raw.get("tools"))
    messages = [replace(m, id=f"s{m.id[1:]}") for m in converted(before, messages_from_openai)]
    waiting: list[str] = []
    start = len(messages)
    for turn in turns:
        messages += _turn(turn, f"m{len(messages) - start}", messages, waiting)
    case_id = fields.scalar("id") if fields.has("id") else name
    yield build_case(case_id, "sharegpt", messages)


def _turn(
    turn: Fields, number: str, messages: list[Message], waiting: list[str]
) -> Iterator[Message]:
    sender = turn.text("from").lower()
    text = "" if turn.raw.get("value", "") is None else turn.text("value")
    if sender not in _ROLES:
        known = ", ".join(_ROLES)
        raise DataError(f"is {turn.raw['from']!r}; expected one of {known}", field=turn.at("from"))
    if sender in _CALLS:
        calls = _calls(text, f"call_{number}")
        waiting[:] = [call.id for call in calls]
        yield Message(number, "assistant", "", tool_calls=calls)
        return
    role = _ROLES[sender]
    if role != "tool":
        waiting.clear()
        yield Message(number, role, text)
        return
    last = messages[-1] if messages else None
    if not waiting and last is not None and last.role == "assistant":
        waiting.append(f"call_{last.id}")
        messages[-1] = replace(last, tool_calls=(ToolCall(waiting[0], "function", ""),))
    # The last call may be answered in several turns.
    answers = waiting.pop(0) if len(waiting) > 1 else next(iter(waiting), None)
    yield Message(number, "tool", text, tool_call_id=answers)


def _calls(text: str, name: str) -> tuple[ToolCall, ...]:
    """Return the calls that a turn holds; its text is that of their JSON, or of one call."""
    held = parsed(text)
    several: list[Any] = held if isinstance(held, list) and held else [held]
    if len(several) == 1:
        return (ToolCall(name, _name(several[0]), text),)
    return tuple(
        ToolCall(f"{name}.{at}", _name(one), json.dumps(one, ensure_ascii=False))
        for at, one in enumerate(several)
    )


def _name(call: object) -> str:
    named = call.get("name") if isinstance(call, dict) else None
    return named if isinstance(named, str) and named else "function"


FORMAT = Format(
    name="sharegpt",
    description="ShareGPT conversations",
    recognises=is_sharegpt,
    read=read_sharegpt,
    example={
        "id": 7,
        "system": "Use tools.",
        "tools": '[{"name": "clock"}]',
        "conversations": [
            {"from": "human", "value": "What time is it?"},
            {"from": "function_call", "value": '{"name": "clock", "arguments": {}}'},
            {"from": "observation", "value": "12:00"},
            {"from": "gpt", "value": "It is noon."},
        ],
    },
)
