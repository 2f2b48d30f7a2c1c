"""ShareGPT conversations: turns with ``from`` and ``value``."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from ctxlab.chats.case_building import build_case
from ctxlab.chats.fields import Fields
from ctxlab.chats.file_format import Format
from ctxlab.core.cases import Case
from ctxlab.core.segments import Message, Role, ToolCall
from ctxlab.errors import DataError

_ROLES: dict[str, Role] = {
    "system": "system",
    "human": "user",
    "user": "user",
    "gpt": "assistant",
    "assistant": "assistant",
    "chatgpt": "assistant",
    "bing": "assistant",
    "bard": "assistant",
    "function_call": "assistant",
    "tool": "tool",
    "observation": "tool",
    "function_response": "tool",
}


def is_sharegpt(raw: object) -> bool:
    """Say whether a record looks like a ShareGPT conversation.

    Examples
    --------
    >>> is_sharegpt({"conversations": [{"from": "human", "value": "Hi"}]})
    True
    """
    turns = raw.get("conversations") if isinstance(raw, dict) else None
    return isinstance(turns, list) and all(isinstance(t, dict) and "from" in t for t in turns[:3])


def read_sharegpt(raw: object, name: str) -> Iterator[Case]:
    """Yield the conversation of a record as a case without probes.

    A turn from ``function_call`` is taken as a call, and the next ``observation`` answers it. A
    result right after an assistant's turn, whose text then holds the call, ties the two together
    by a call without a name of its own.

    Raises
    ------
    DataError
        With the field at fault.

    Examples
    --------
    >>> turns = [{"from": "human", "value": "Hi"}, {"from": "gpt", "value": "Hello"}]
    >>> [m.role for m in next(read_sharegpt({"conversations": turns}, "chat-1")).messages]
    ['user', 'assistant']
    """
    fields = Fields(raw)
    messages: list[Message] = []
    answering: str | None = None
    for turn in fields.objects("conversations"):
        sender, text, number = turn.text("from"), turn.text("value"), f"m{len(messages)}"
        if sender not in _ROLES:
            known = ", ".join(_ROLES)
            raise DataError(f"is {sender!r}; expected one of {known}", field=turn.at("from"))
        if sender == "function_call":
            answering = f"call_{number}"
            call = ToolCall(answering, "function", text)
            messages.append(Message(number, "assistant", "", tool_calls=(call,)))
            continue
        role = _ROLES[sender]
        if role != "tool":
            answering = None
        elif answering is None and messages and messages[-1].role == "assistant":
            answering = f"call_{messages[-1].id}"
            call = ToolCall(answering, "function", "")
            messages[-1] = replace(messages[-1], tool_calls=(call,))
        messages.append(Message(number, role, text, tool_call_id=answering))
    case_id = fields.scalar("id") if fields.has("id") else name
    yield build_case(case_id, "sharegpt", messages)


FORMAT = Format(
    name="sharegpt",
    description="ShareGPT conversations",
    recognises=is_sharegpt,
    read=read_sharegpt,
    example={
        "id": 7,
        "conversations": [
            {"from": "human", "value": "What time is it?"},
            {"from": "gpt", "value": "Let me see."},
            {"from": "tool", "value": "12:00"},
        ],
    },
)
