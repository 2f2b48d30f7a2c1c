"""OpenAI chat messages: a list, an object with ``messages``, or one of these a line."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import Any

from ctxlab.chats.case_building import build_case
from ctxlab.chats.case_format import role_of
from ctxlab.chats.fields import Fields, expect
from ctxlab.chats.file_format import Format
from ctxlab.core.cases import Case
from ctxlab.core.segments import Message, ToolCall
from ctxlab.errors import DataError


def is_openai(raw: object) -> bool:
    """Say whether a record looks like an OpenAI chat.

    Examples
    --------
    >>> is_openai([{"role": "user", "content": "Hi"}])
    True
    """
    messages = raw.get("messages") if isinstance(raw, dict) else raw
    return (
        isinstance(messages, list)
        and bool(messages)
        and any(isinstance(message, dict) and "role" in message for message in messages[:3])
    )


def read_openai(raw: object, name: str) -> Iterator[Case]:
    """Yield the conversation of a record as a case without probes.

    Raises
    ------
    DataError
        With the field at fault.

    Examples
    --------
    >>> next(read_openai([{"role": "user", "content": "Hi"}], "chat-1")).messages[0].content
    'Hi'
    """
    body = raw if isinstance(raw, dict) else {"messages": raw}
    fields = Fields(body)
    case_id = fields.scalar("id") if fields.has("id") else name
    yield build_case(case_id, "openai-chat", messages_of(fields, "messages"))


def messages_from_openai(messages: object) -> tuple[Message, ...]:
    """Turn OpenAI chat messages into messages, with ids ``m0``, ``m1``, … where they have none.

    Text parts are joined by line breaks; a part that is not text becomes a placeholder such as
    ``[image_url]``.

    Raises
    ------
    DataError
        With the field at fault, such as ``messages[3].content``.

    Examples
    --------
    >>> messages_from_openai([{"role": "user", "content": "Hi"}])[0].id
    'm0'
    """
    return messages_of(Fields({"messages": messages}), "messages")


def messages_of(record: Fields, name: str) -> tuple[Message, ...]:
    """Return the messages of a field that holds an OpenAI chat.

    Raises
    ------
    DataError
        With the field at fault, such as ``traj[3].content``.

    Examples
    --------
    >>> messages_of(Fields({"traj": [{"role": "user", "content": "Hi"}]}), "traj")[0].content
    'Hi'
    """
    found: list[Message] = []
    for fields in record.objects(name):
        found.append(_message(fields, f"m{len(found)}", found))
    return tuple(found)


def _message(fields: Fields, number: str, before: list[Message]) -> Message:
    calls = tuple(_calls(fields, number))
    is_result = fields.raw.get("role") in ("tool", "function")
    return Message(
        fields.optional("id") or number,
        "tool" if is_result else role_of(fields),
        _content(fields, optional=bool(calls)),
        name=fields.optional("name"),
        created_at=fields.optional("created_at"),
        tool_calls=calls,
        tool_call_id=_answered(fields, before) if is_result else None,
    )


def _content(fields: Fields, *, optional: bool) -> str:
    value = fields.raw.get("content")
    if value is None:
        refusal = fields.optional("refusal")
        if refusal is not None:
            return refusal
        if optional:
            return ""
        raise DataError(
            "is missing; expected a string or a list of parts", field=fields.at("content")
        )
    if isinstance(value, str):
        return value
    expect(value, list, fields.at("content"))
    return "\n".join(_part(part) for part in fields.objects("content"))


def _part(part: Fields) -> str:
    kind = part.optional("type") or "text"
    if kind == "refusal":
        return part.text("refusal")
    return part.text("text") if kind in ("text", "input_text", "output_text") else f"[{kind}]"


def _calls(fields: Fields, number: str) -> Iterator[ToolCall]:
    if fields.has("function_call"):
        yield _call(fields.child("function_call"), f"call_{number}")
    if fields.has("tool_calls"):
        for call in fields.objects("tool_calls"):
            yield _call(call.child("function"), call.text("id"))


def _call(function: Fields, call_id: str) -> ToolCall:
    return ToolCall(call_id, function.text("name"), text_of(function.raw.get("arguments", "")))


def _answered(fields: Fields, before: list[Message]) -> str | None:
    """Return the call that a result answers: the one it names, or the last one made."""
    given = fields.optional("tool_call_id")
    if given is not None:
        return given
    return next((m.tool_calls[-1].id for m in reversed(before) if m.tool_calls), None)


def messages_to_openai(messages: Iterable[Message]) -> list[dict[str, Any]]:
    """Return messages in OpenAI's shape, as they stand.

    Examples
    --------
    >>> messages_to_openai([Message("m1", "user", "Hi")])
    [{'role': 'user', 'content': 'Hi'}]
    """
    from ctxlab.core.context import Context

    return Context.of(messages).messages()


def text_of(value: object) -> str:
    """Return a JSON value as text: strings as they are, anything else as JSON.

    Examples
    --------
    >>> text_of("a"), text_of({"b": 1})
    ('a', '{"b": 1}')
    """
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


FORMAT = Format(
    name="openai",
    description="OpenAI chat messages",
    recognises=is_openai,
    read=read_openai,
    whole=True,
    priority=-3,
    example={
        "id": 7,
        "messages": [
            {"role": "user", "content": "Cancel W1."},
            {
                "role": "assistant",
                "tool_calls": [
                    {"id": "c1", "function": {"name": "cancel", "arguments": '{"id": "W1"}'}}
                ],
            },
            {"role": "tool", "content": "ok"},
            {"role": "user", "content": [{"type": "text", "text": "Thanks."}]},
        ],
    },
)
