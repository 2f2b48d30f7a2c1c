"""Claude.ai's export: conversations of messages with a sender, of which edits make branches."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from ctxlab.chats.any_chat import case_of
from ctxlab.chats.entries import Entry, converted
from ctxlab.chats.fields import Fields
from ctxlab.chats.file_format import Format
from ctxlab.chats.openai_reader import messages_from_openai
from ctxlab.core.cases import Case
from ctxlab.errors import DataError

_SENDERS = {"human": "user", "assistant": "assistant"}


def is_claude_ai(raw: object) -> bool:
    """Say whether a record looks like a conversation of Claude.ai's export.

    Examples
    --------
    >>> is_claude_ai({"uuid": "u", "chat_messages": []})
    True
    """
    return isinstance(raw, dict) and isinstance(raw.get("chat_messages"), list)


def read_claude_ai(raw: object, name: str) -> Iterator[Case]:
    """Yield the branch of a conversation that was written last, attached texts included.

    Raises
    ------
    DataError
        With the field at fault.

    Examples
    --------
    >>> message = {"uuid": "1", "sender": "human", "text": "How many figs?"}
    >>> next(read_claude_ai({"uuid": "u", "chat_messages": [message]}, "x")).id
    'u'
    """
    fields = Fields(raw)
    entries: list[Entry] = []
    for message in _branch(fields):
        entries += _entries(message)
    messages = converted(entries, messages_from_openai)
    yield case_of(fields, name, "claude-ai", messages, "uuid")


def _branch(fields: Fields) -> list[Fields]:
    every = list(fields.objects("chat_messages"))
    by_id = {one.raw["uuid"]: one for one in every if isinstance(one.raw.get("uuid"), str)}
    if not any(one.raw.get("parent_message_uuid") in by_id for one in every[1:]):
        return every
    tip = fields.raw.get("current_leaf_message_uuid")
    current = by_id.get(tip) if isinstance(tip, str) else None
    current = current or every[-1]
    found: list[Fields] = []
    while current is not None and current not in found:
        found.append(current)
        parent = current.raw.get("parent_message_uuid")
        current = by_id.get(parent) if isinstance(parent, str) else None
    return found[::-1]


def _entries(message: Fields) -> Iterator[Entry]:
    """Yield a message: its text and calls, the results of tools, and what was said after them."""
    sender = message.text("sender")
    if sender not in _SENDERS:
        raise DataError(f"is {sender!r}; expected human or assistant", field=message.at("sender"))
    role = _SENDERS[sender]
    attached = list(_attached(message))
    parts: list[dict[str, Any]] = [{"role": role, "content": "\n".join(attached)}]
    calls = 0
    for block in message.objects("content") if message.has("content") else ():
        kind = block.optional("type") or "text"
        if kind == "tool_result":
            made = parts[-1].get("tool_calls") or [{"id": ""}]
            answers = block.optional("tool_use_id") or made[-1]["id"]
            parts.append({"role": "tool", "tool_call_id": answers, "content": _result(block)})
            continue
        if parts[-1]["role"] == "tool":
            parts.append({"role": role, "content": ""})
        if kind == "tool_use":
            calls += 1
            key = block.optional("id") or f"{message.path}.{calls}"
            arguments = json.dumps(block.raw.get("input", {}), ensure_ascii=False)
            function = {"name": block.text("name"), "arguments": arguments}
            call = {"id": key, "type": "function", "function": function}
            parts[-1].setdefault("tool_calls", []).append(call)
        elif kind != "token_budget":
            _say(parts[-1], block.optional(kind) or block.optional("text") or "")
    if len(parts) == 1 and not calls and parts[0]["content"] == "\n".join(attached):
        _say(parts[0], message.optional("text") or "")
    created_at = message.optional("created_at")
    yield from (Entry(part, message.path, created_at=created_at) for part in parts)


def _attached(message: Fields) -> Iterator[str]:
    for one in message.objects("attachments") if message.has("attachments") else ():
        yield one.optional("extracted_content") or f"[file {one.optional('file_name') or ''}]"
    for name in ("files", "files_v2"):
        if message.has(name):
            # Of both lists the newer holds the older.
            yield from (f"[file {f.optional('file_name') or ''}]" for f in message.objects(name))
            return


def _say(part: dict[str, Any], text: str) -> None:
    part["content"] = "\n".join(filter(None, (part["content"], text)))


def _result(block: Fields) -> str:
    content = block.raw.get("content")
    if isinstance(content, list):
        texts = [one.get("text") if isinstance(one, dict) else None for one in content]
        if all(isinstance(text, str) for text in texts):
            return "\n".join(map(str, texts))
    return content if isinstance(content, str) else json.dumps(content, ensure_ascii=False)


FORMAT = Format(
    name="claude-ai",
    description="Claude.ai, export of an account",
    recognises=is_claude_ai,
    read=read_claude_ai,
    example={
        "uuid": "u",
        "name": "Figs",
        "chat_messages": [
            {
                "uuid": "1",
                "sender": "human",
                "text": "How many figs?",
                "attachments": [{"file_name": "stock.txt", "extracted_content": "figs: 9"}],
            },
            {
                "uuid": "2",
                "sender": "assistant",
                "text": "",
                "content": [{"type": "text", "text": "Nine."}],
            },
        ],
    },
)
