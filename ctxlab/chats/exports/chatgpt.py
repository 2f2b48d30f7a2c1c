"""ChatGPT's export: every conversation a tree, of which one branch is the active one."""

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

_ROLES = ("system", "user", "assistant", "tool")
_CONTEXT = ("user_editable_context", "model_editable_context")


def is_chatgpt(raw: object) -> bool:
    """Say whether a record looks like a conversation of ChatGPT's export.

    Examples
    --------
    >>> is_chatgpt({"mapping": {}, "current_node": "n1"})
    True
    """
    return isinstance(raw, dict) and isinstance(raw.get("mapping"), dict)


def read_chatgpt(raw: object, name: str) -> Iterator[Case]:
    """Yield the active branch of a conversation, what was hidden from the screen included.

    Calls and results of tools have no ids there: a result belongs to the call before it.

    Raises
    ------
    DataError
        With the field at fault.

    Examples
    --------
    >>> list(read_chatgpt({"mapping": {"n": {"message": None}}}, "x"))
    Traceback (most recent call last):
    ctxlab.errors.DataError: field messages: holds no message; expected at least one
    """
    fields = Fields(raw)
    entries: list[Entry] = []
    call = ""
    for node in _branch(fields):
        message = node.child("message")
        if not message.has("author"):
            continue
        entry, call = _entry(message, call, len(entries))
        if entry:
            entries.append(entry)
    messages = converted(entries, messages_from_openai)
    yield case_of(fields, name, "chatgpt", messages, "conversation_id", "id")


def _branch(fields: Fields) -> list[Fields]:
    """Return the nodes from the root to the current one, or to the newest leaf."""
    mapping = fields.child("mapping")
    current = fields.raw.get("current_node")
    if not isinstance(current, str) or current not in mapping.raw:
        inner = [n.get("parent") for n in mapping.raw.values() if isinstance(n, dict)]
        leaves = [key for key in mapping.raw if key not in inner]
        current = leaves[-1] if leaves else None
    found: list[Fields] = []
    seen: set[str] = set()
    while isinstance(current, str) and current in mapping.raw and current not in seen:
        seen.add(current)
        node = mapping.child(current)
        if node.has("message"):
            found.append(node)
        current = node.optional("parent")
    return found[::-1]


def _entry(message: Fields, call: str, number: int) -> tuple[Entry | None, str]:
    """Return a node as an entry, and the call that the next result answers."""
    author = message.child("author")
    role = author.text("role")
    text = _text(message)
    facts = message.child("metadata").raw if message.has("metadata") else {}
    content = message.child("content") if message.has("content") else Fields({})
    kind = "injected" if _is_hidden(facts, content) else ""
    if content.optional("content_type") in ("thoughts", "reasoning_recap"):
        kind = "thinking"
    when = message.raw.get("create_time")
    shown: dict[str, Any] = {"role": role if role in _ROLES else "system", "content": text}
    recipient = message.optional("recipient") or "all"
    if role == "assistant" and recipient != "all":
        call = f"call_{number}"
        function = {"name": recipient, "arguments": text}
        shown["content"] = None
        shown["tool_calls"] = [{"id": call, "type": "function", "function": function}]
    elif role == "tool" and call:
        shown["tool_call_id"] = call
    elif role == "tool":
        shown["role"] = "user"
        kind = kind or "injected"
    elif not text:
        return None, call
    at = str(when) if isinstance(when, int | float) else None
    return Entry(shown, message.path, kind, created_at=at), call


def _is_hidden(facts: dict[str, Any], content: Fields) -> bool:
    return bool(
        facts.get("is_visually_hidden_from_conversation")
        or facts.get("is_user_system_message")
        or content.raw.get("content_type") in _CONTEXT
    )


def _text(message: Fields) -> str:
    if not message.has("content"):
        return ""
    content = message.child("content")
    texts: list[str] = []
    for path, part in content.items("parts") if content.has("parts") else ():
        texts.append(part if isinstance(part, str) else _part(Fields(part, path)))
    texts += [
        content.raw[key]
        for key in (
            "text",
            "result",
            "content",
            "user_profile",
            "user_instructions",
            "model_set_context",
        )
        if isinstance(content.raw.get(key), str)
    ]
    for thought in content.objects("thoughts") if content.has("thoughts") else ():
        texts.append(thought.optional("content") or "")
    context = (
        message.child("metadata").raw.get("user_context_message_data")
        if message.has("metadata")
        else None
    )
    if context and not texts:
        texts.append(json.dumps(context, ensure_ascii=False))
    return "\n".join(filter(None, texts))


def _part(part: Fields) -> str:
    kind = part.optional("content_type") or "part"
    return part.optional("text") or f"[{kind}]"


def _node(key: str, parent: str | None, role: str, text: str) -> dict[str, Any]:
    content = {"content_type": "text", "parts": [text]}
    return {"id": key, "parent": parent, "message": {"author": {"role": role}, "content": content}}


FORMAT = Format(
    name="chatgpt",
    description="ChatGPT, export of an account",
    recognises=is_chatgpt,
    read=read_chatgpt,
    example={
        "title": "Pears",
        "conversation_id": "c1",
        "current_node": "n3",
        "mapping": {
            "root": {"id": "root", "parent": None, "message": None},
            "n1": _node("n1", "root", "user", "How many pears?"),
            "n2": _node("n2", "n1", "assistant", "Three."),
            "n3": _node("n3", "n1", "assistant", "Four."),
        },
    },
)
