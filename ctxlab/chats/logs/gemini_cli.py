"""Gemini CLI: its session logs, one object or a record a line with updates."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from ctxlab.chats.case_building import build_case
from ctxlab.chats.entries import Entry, converted
from ctxlab.chats.fields import Fields
from ctxlab.chats.file_format import Format
from ctxlab.chats.openai_reader import messages_from_openai
from ctxlab.core.cases import Case

_CHAT = {"user": "user", "gemini": "assistant"}


def is_gemini_cli(raw: object) -> bool:
    """Say whether a record, or the first of some lines, is of a session of Gemini CLI.

    Examples
    --------
    >>> is_gemini_cli({"sessionId": "s", "projectHash": "h", "messages": []})
    True
    """
    first = raw[0] if isinstance(raw, list) and raw else raw
    return isinstance(first, dict) and {"sessionId", "projectHash"} <= first.keys()


def read_gemini_cli(raw: object, name: str) -> Iterator[Case]:
    """Yield the conversation of a session, with updates applied and rewound turns left out.

    What the command line compressed was long not recorded: the log may hold more than was sent.

    Raises
    ------
    DataError
        With the field at fault.

    Examples
    --------
    >>> session = {"sessionId": "s", "projectHash": "h",
    ...            "messages": [{"id": "1", "type": "user", "content": "Hi"}]}
    >>> next(read_gemini_cli(session, "x")).messages[0].content
    'Hi'
    """
    head, messages = _session(raw)
    entries: list[Entry] = []
    for message in messages:
        entries += _entries(message)
    given = head.raw.get("sessionId")
    yield build_case(
        given if isinstance(given, str) and given else name,
        "gemini-cli",
        converted(entries, messages_from_openai),
    )


def _session(raw: object) -> tuple[Fields, list[Fields]]:
    if not isinstance(raw, list):
        head = Fields(raw)
        return head, list(head.objects("messages"))
    head = Fields(raw[0] if raw else None, "[0]")
    found: dict[str, Fields] = {}
    for at, line in enumerate(raw):
        fields = Fields(line, f"[{at}]")
        if fields.has("$set"):
            changed = fields.child("$set")
            if changed.has("messages"):
                found = {_id(one): one for one in changed.objects("messages")}
        elif fields.has("$rewindTo"):
            names = list(found)
            target = str(fields.raw["$rewindTo"])
            for name in names[names.index(target) :] if target in found else ():
                del found[name]
        elif fields.has("type"):
            found[_id(fields)] = fields
        elif fields.has("messages"):
            found |= {_id(one): one for one in fields.objects("messages")}
    return head, list(found.values())


def _id(message: Fields) -> str:
    return message.scalar("id") if message.has("id") else message.path


def _entries(message: Fields) -> Iterator[Entry]:
    role = _CHAT.get(message.text("type"))
    if role is None:
        return
    when = message.optional("timestamp")
    texts = [_text(message.raw.get("content"))]
    for thought in message.objects("thoughts") if message.has("thoughts") else ():
        parts = (thought.optional(key) for key in ("subject", "description"))
        texts.insert(-1, ": ".join(filter(None, parts)))
    calls = list(message.objects("toolCalls")) if message.has("toolCalls") else []
    shown: dict[str, Any] = {"role": role, "content": "\n".join(filter(None, texts))}
    if calls:
        shown["tool_calls"] = [
            {
                "id": call.optional("id") or call.path,
                "function": {"name": call.text("name"), "arguments": call.raw.get("args", {})},
            }
            for call in calls
        ]
    yield Entry(shown, message.path, created_at=when)
    for call in calls:
        if call.has("result"):
            result = {"role": "tool", "tool_call_id": call.optional("id") or call.path,
                      "content": _text(call.raw["result"])}  # fmt: skip
            yield Entry(result, call.path, created_at=when)


def _text(value: object) -> str:
    """Return the text of a content: a string, parts with text, or the JSON of what is there."""
    if isinstance(value, list) and value and all(
        isinstance(part, dict) and isinstance(part.get("text"), str) for part in value
    ):  # fmt: skip
        return "\n".join(part["text"] for part in value)
    if value is None:
        return ""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


FORMAT = Format(
    name="gemini-cli",
    description="Gemini CLI, session log",
    recognises=is_gemini_cli,
    read=read_gemini_cli,
    lines=True,
    priority=1,
    example={
        "sessionId": "s",
        "projectHash": "h",
        "messages": [
            {"id": "1", "type": "user", "content": "What is there?"},
            {
                "id": "2",
                "type": "gemini",
                "content": "Looking.",
                "thoughts": [{"subject": "Files", "description": "List them."}],
                "toolCalls": [
                    {"id": "c1", "name": "ls", "args": {"path": "."}, "result": [{"text": "a.py"}]}
                ],
            },
        ],
    },
)
