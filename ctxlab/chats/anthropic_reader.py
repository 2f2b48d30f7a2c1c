"""Anthropic messages: content blocks, tool uses, tool results inside user messages."""

from __future__ import annotations

import json
from collections.abc import Iterator

from ctxlab.chats.case_building import build_case
from ctxlab.chats.case_format import role_of
from ctxlab.chats.fields import Fields, expect
from ctxlab.chats.file_format import Format
from ctxlab.core.cases import Case
from ctxlab.core.segments import Message, ToolCall
from ctxlab.errors import DataError

_BLOCKS = {"tool_use", "tool_result", "thinking", "redacted_thinking", "server_tool_use"}


def is_anthropic(raw: object) -> bool:
    """Say whether a record looks like Anthropic messages.

    Examples
    --------
    >>> is_anthropic({"system": "Be brief.", "messages": [{"role": "user", "content": "Hi"}]})
    True
    """
    messages = raw.get("messages") if isinstance(raw, dict) else raw
    if not isinstance(messages, list) or not all(isinstance(m, dict) for m in messages):
        return False
    if isinstance(raw, dict) and "system" in raw:
        return True
    blocks = [b for m in messages if isinstance(m.get("content"), list) for b in m["content"]]
    kinds = [block.get("type") for block in blocks if isinstance(block, dict)]
    return any(isinstance(kind, str) and kind in _BLOCKS for kind in kinds)


def read_anthropic(raw: object, name: str) -> Iterator[Case]:
    """Yield the conversation of a record as a case without probes.

    Raises
    ------
    DataError
        With the field at fault.

    Examples
    --------
    >>> body = {"system": "Be brief.", "messages": [{"role": "user", "content": "Hi"}]}
    >>> [m.role for m in next(read_anthropic(body, "chat-1")).messages]
    ['system', 'user']
    """
    body = raw if isinstance(raw, dict) else {"messages": raw}
    fields = Fields(body)
    case_id = fields.scalar("id") if fields.has("id") else name
    messages = messages_from_anthropic(body.get("messages"), body.get("system"))
    yield build_case(case_id, "anthropic-messages", messages)


def messages_from_anthropic(messages: object, system: object = None) -> tuple[Message, ...]:
    """Turn Anthropic messages into messages.

    Every ``tool_result`` block of a user message becomes a tool message of its own, and the
    user's text after it a user message. Thinking blocks are left out: they are not sent again.
    A block that is neither text nor a tool's becomes a placeholder such as ``[image]``.

    Raises
    ------
    DataError
        With the field at fault.

    Examples
    --------
    >>> blocks = [{"type": "tool_use", "id": "t1", "name": "clock", "input": {}}]
    >>> messages_from_anthropic([{"role": "assistant", "content": blocks}])[0].tool_calls[0].name
    'clock'
    """
    found: list[Message] = []
    if system is not None:
        found.append(Message("system", "system", _text(Fields({"system": system}), "system")))
    for number, fields in enumerate(Fields({"messages": messages}).objects("messages")):
        found += _messages(fields, f"m{number}")
    return tuple(found)


def _messages(fields: Fields, number: str) -> Iterator[Message]:
    role = role_of(fields)
    content = fields.raw.get("content")
    if content is None:
        raise DataError(
            "is missing; expected a string or a list of blocks", field=fields.at("content")
        )
    if isinstance(content, str):
        yield Message(number, role, content)
        return
    texts: list[str] = []
    calls: list[ToolCall] = []
    results = 0
    for block in fields.objects("content"):
        kind = block.text("type")
        if kind == "tool_use":
            arguments = json.dumps(block.raw.get("input", {}), ensure_ascii=False)
            calls.append(ToolCall(block.text("id"), block.text("name"), arguments))
        elif kind == "tool_result":
            results += 1
            text = _text(block, "content") if block.has("content") else ""
            yield Message(
                f"{number}.{results}", "tool", text, tool_call_id=block.text("tool_use_id")
            )
        elif kind == "text":
            texts.append(block.text("text"))
        elif kind not in _BLOCKS:
            texts.append(f"[{kind}]")
    if texts or calls or not results:
        yield Message(number, role, "\n".join(texts), tool_calls=tuple(calls))


def _text(fields: Fields, name: str) -> str:
    value = fields.raw[name]
    if isinstance(value, str):
        return value
    expect(value, list, fields.at(name))
    blocks = fields.objects(name)
    return "\n".join(
        block.text("text") if block.text("type") == "text" else f"[{block.text('type')}]"
        for block in blocks
    )


FORMAT = Format(
    name="anthropic",
    description="Anthropic messages",
    recognises=is_anthropic,
    read=read_anthropic,
    whole=True,
    priority=-2,
    example={
        "system": "Be brief.",
        "messages": [
            {
                "role": "assistant",
                "content": [
                    {"type": "text", "text": "Let me see."},
                    {"type": "tool_use", "id": "t1", "name": "clock", "input": {}},
                ],
            },
            {
                "role": "user",
                "content": [
                    {
                        "type": "tool_result",
                        "tool_use_id": "t1",
                        "content": [{"type": "text", "text": "12:00"}],
                    }
                ],
            },
        ],
    },
)
