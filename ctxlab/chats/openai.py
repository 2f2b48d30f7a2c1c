"""OpenAI chat completions: messages of every role and part, alone or in the body of a request."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from ctxlab.chats.adapter import ChatAdapter, beside, label, moment, speaker, system_piece
from ctxlab.chats.case_building import build_case
from ctxlab.chats.conversation import conversation
from ctxlab.chats.editing import Slot
from ctxlab.chats.fields import Fields, expect
from ctxlab.chats.file_format import Format
from ctxlab.chats.media import json_payload, part_payload
from ctxlab.chats.pieces import Kept, Piece
from ctxlab.core.cases import Case
from ctxlab.core.segments import Message, Payload, Role, ToolCall
from ctxlab.errors import DataError

ROLES: dict[str, Role] = {
    "user": "user", "assistant": "assistant", "system": "system", "developer": "system",
    "tool": "tool", "function": "tool", "human": "user", "ai": "assistant", "model": "assistant",
    "bot": "assistant", "gpt": "assistant", "chatgpt": "assistant", "ipython": "tool",
}  # fmt: skip
"""Who speaks, by the names that servers of OpenAI's API and data sets use."""
_TEXT = {"text": "text", "input_text": "text", "output_text": "text", "refusal": "refusal"}
_CALLS = {"tool_use", "tool_call", "function_call"}
_PAYLOADS = ("tool_calls", "function_call", "audio", "refusal", "reasoning_content", "reasoning")


class OpenAI(ChatAdapter):
    """Chat completions, and what servers of that API add to them.

    Source: OpenAI, "Chat completions", API reference (November 2026).

    Examples
    --------
    >>> OPENAI.read([{"role": "user", "content": "Hi"}])[0].texts
    ('Hi',)
    """

    name = "openai"

    def recognises(self, raw: object) -> bool:
        """Say whether a value is a list with roles, or an object with one as ``messages``."""
        messages = raw.get("messages") if isinstance(raw, dict) else raw
        return isinstance(messages, list) and any(
            isinstance(message, dict) and "role" in message for message in messages[:3]
        )

    def head(self, body: Fields) -> Iterator[Piece]:
        """Yield a system prompt beside the messages, which some servers and sets have."""
        yield from system_piece(body)
        yield from super().head(body)

    def pieces(self, fields: Fields, home: int, model: str) -> Iterator[Piece]:
        """Yield the piece of a message."""
        role = speaker(fields, ROLES)
        texts, slots, payload = list[str](), list[Slot](), list[Payload]()
        calls = list(_calls(fields))
        places = {call.id: number for number, (call, _) in enumerate(calls) if call.id}
        slots += [Slot("call", place, number=n) for n, (_, place) in enumerate(calls)]
        _check(fields, has_calls=bool(calls))
        for slot, text, carried in _content(fields, places, model):
            slots.append(slot)
            texts += [] if text is None else [text]
            payload += [] if carried is None else [carried]
        if fields.has("refusal"):
            texts.append(fields.text("refusal"))
            slots.append(Slot("text", (), ("refusal",)))
        if fields.has("audio"):
            payload.append(part_payload({"type": "audio"}))
        payload += beside(fields)
        for call in _listed(fields):
            payload += beside(call, ("extra_content", "provider_specific_fields"))
        yield Piece(
            home,
            role,
            tuple(texts),
            name=fields.optional("name"),
            calls=tuple(call for call, _ in calls),
            answers=_answered(fields) if role == "tool" else "",
            payload=tuple(payload),
            slots=tuple(slots),
            id=label(fields),
            created_at=moment(fields, "created_at", "timestamp"),
        )

    def finish(
        self, message: dict[str, Any], raw: dict[str, Any], kept: Sequence[Kept],
        rest: Sequence[str],
    ) -> dict[str, Any] | None:  # fmt: skip
        """Return a message without empty lists, None where nothing is left that an API takes."""
        tool = message["role"] in ("tool", "function", "ipython")
        changes: dict[str, Any] = {}
        content = message.get("content")
        if content == []:
            # No API takes an empty list of parts.
            content = changes["content"] = "" if tool else None
        if rest:
            text = "".join(rest)
            part = {"type": "text", "text": text}
            changes["content"] = [*content, part] if isinstance(content, list) and content else text
        entry = {**message, **changes} if changes else message
        if entry.get("tool_calls") == []:
            entry = {key: value for key, value in entry.items() if key != "tool_calls"}
        return None if not tool and _is_void(entry, raw) else entry


def _is_void(entry: dict[str, Any], raw: dict[str, Any]) -> bool:
    content = entry.get("content")
    if any(entry.get(name) for name in ("tool_calls", "function_call", "audio", "refusal")):
        return False
    return not content and (content != "" or raw.get("content") != "")


def _check(fields: Fields, *, has_calls: bool) -> None:
    content = fields.raw.get("content")
    if isinstance(content, str | dict):
        return
    known = has_calls or "tool_calls" in fields.raw or any(fields.has(key) for key in _PAYLOADS)
    if content is None and not known and fields.raw.get("role") != "assistant":
        raise DataError(
            "is missing; expected a string or a list of parts", field=fields.at("content")
        )
    if content is not None:
        expect(content, list, fields.at("content"))


def _content(
    fields: Fields, calls: dict[str, int], model: str
) -> Iterator[tuple[Slot, str | None, Payload | None]]:
    content = fields.raw.get("content")
    if isinstance(content, str):
        yield Slot("text", (), ("content",)), content, None
    elif isinstance(content, dict):
        key = _text_key(content)
        if key is not None and isinstance(content.get(key), str):
            yield Slot("text", (), ("content", key)), content[key], None
        else:
            yield Slot("other"), None, json_payload("part", content)
    for at, part in enumerate(content if isinstance(content, list) else ()):
        node = ("content", at)
        if isinstance(part, str):
            yield Slot("text", node, node), part, None
            continue
        found = Fields(part, f"{fields.at('content')}[{at}]")
        kind, key = found.optional("type"), _text_key(part)
        if key is not None:
            yield Slot("text", node, (*node, key)), found.text(key), None
        elif kind in _CALLS and part.get("id") in calls:
            # LangChain's messages show their calls here, too.
            yield Slot("call", node, number=calls[part["id"]]), None, None
        else:
            yield Slot("other", node), None, part_payload(part, "openai", model)


def _text_key(part: dict[str, Any]) -> str | None:
    """Return the key that holds a part's text, None where it is not text."""
    kind = part.get("type") or "text"
    return _TEXT.get(kind) if isinstance(kind, str) else None


def _answered(fields: Fields) -> str:
    if fields.has("tool_call_id"):
        return fields.scalar("tool_call_id")
    return fields.text("name") if fields.raw["role"] == "function" and fields.has("name") else ""


def _listed(fields: Fields) -> Iterator[Fields]:
    if fields.has("tool_calls"):
        yield from fields.objects("tool_calls")


def _calls(fields: Fields) -> Iterator[tuple[ToolCall, tuple[str | int, ...]]]:
    if fields.has("function_call"):
        function = fields.child("function_call")
        arguments = text_of(function.raw.get("arguments", ""))
        yield (
            ToolCall(function.text("name"), function.text("name"), arguments),
            ("function_call",),
        )
    for at, call in enumerate(_listed(fields)):
        yield _call(call), ("tool_calls", at)


def _call(call: Fields) -> ToolCall:
    called = label(call)
    if "function" not in call.raw and "custom" not in call.raw and call.has("name"):
        return ToolCall(called, call.text("name"), text_of(_arguments(call.raw)))
    custom = "custom" in call.raw
    function = call.child("custom" if custom else "function")
    arguments = function.raw.get("input", "") if custom else _arguments(function.raw)
    return ToolCall(called, function.text("name"), text_of(arguments))


def _arguments(function: dict[str, Any]) -> object:
    arguments = function.get("arguments", function.get("args", ""))
    return "" if arguments is None else arguments


OPENAI = OpenAI()


def is_openai(raw: object) -> bool:
    """Say whether a record looks like an OpenAI chat.

    Examples
    --------
    >>> is_openai([{"role": "user", "content": "Hi"}])
    True
    """
    return OPENAI.recognises(raw)


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
    case_id = label(Fields(raw)) or name if isinstance(raw, dict) else name
    yield build_case(case_id, "openai-chat", conversation(OPENAI.read(raw)))


def messages_from_openai(messages: object) -> tuple[Message, ...]:
    """Turn OpenAI chat messages into messages, with ids ``m0``, ``m1``, … where they have none.

    Text parts are joined by line breaks; a part that is not text is the message's payload.

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
    return conversation(OPENAI.pieces_of(record, name))


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
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)


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
