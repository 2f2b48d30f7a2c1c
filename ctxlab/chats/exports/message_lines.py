"""One message a line, or a row: a log that is written message by message."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ctxlab.chats.any_chat import entries
from ctxlab.chats.case_building import build_case
from ctxlab.chats.entries import Entry, converted
from ctxlab.chats.fields import Fields, expect
from ctxlab.chats.file_format import Format
from ctxlab.chats.openai_reader import messages_from_openai
from ctxlab.core.cases import Case
from ctxlab.core.segments import role_named
from ctxlab.errors import UnknownNameError

_ROLES = ("role", "speaker", "sender", "author", "from")
_TEXTS = ("content", "text", "message", "value", "utterance", "body")
_CONVERSATIONS = ("conversation_id", "session_id", "thread_id", "chat_id", "dialogue_id",
                  "conversation", "session")  # fmt: skip


def is_message_lines(raw: object) -> bool:
    """Say whether records are messages, each with who spoke and what.

    Examples
    --------
    >>> is_message_lines([{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "A"}])
    True
    """
    if not isinstance(raw, list) or not raw:
        return False
    return all(isinstance(one, dict) and _columns(one) is not None for one in raw[:50])


def _columns(row: dict[str, Any]) -> tuple[str, str] | None:
    """Return the names under which a row has its speaker and its text."""
    names = {key.lower(): key for key in row if isinstance(key, str)}
    role = next((names[n] for n in _ROLES if isinstance(row.get(names.get(n, "")), str)), None)
    held = (names[n] for n in _TEXTS if n in names)
    text = next((n for n in held if isinstance(row[n], str | list | type(None))), None)
    called = "tool_calls" in row and role == "role"
    return (role, text or "content") if role and (text or called) else None


def read_message_lines(raw: object, name: str) -> Iterator[Case]:
    """Yield the conversation of all lines, or one for every conversation that they name.

    A speaker that is no role is a person: the first is taken as the user, others answer.

    Raises
    ------
    DataError
        With the line and the field at fault.

    Examples
    --------
    >>> rows = [{"speaker": "Ada", "text": "Hi"}, {"speaker": "Bo", "text": "Hello"}]
    >>> [(m.role, m.name) for m in next(read_message_lines(rows, "x")).messages]
    [('user', 'Ada'), ('assistant', 'Bo')]
    """
    found: dict[str, list[Entry]] = {}
    people: dict[str, str] = {}
    for entry in entries(expect(raw, list, ""), ""):
        row = Fields(entry.raw, entry.path)
        columns = _columns(row.raw)
        role, text = columns or ("role", "content")
        named = next((n for n in _CONVERSATIONS if row.has(n)), "")
        shown, speaker = _message(row, role, text, people)
        key = row.scalar(named) if named else ""
        found.setdefault(key, []).append(
            Entry(shown, row.path, created_at=_when(row), name=speaker)
        )
    for key, parts in found.items():
        messages = converted(parts, messages_from_openai)
        yield build_case(key or name, "messages", messages)


def _message(
    row: Fields, role: str, text: str, people: dict[str, str]
) -> tuple[dict[str, Any], str | None]:
    speaker = row.text(role)
    shown = {key: value for key, value in row.raw.items()
             if key in ("tool_calls", "tool_call_id", "name", "function_call")}  # fmt: skip
    shown["content"] = row.raw.get(text)
    try:
        shown["role"] = role_named(speaker)
    except UnknownNameError:
        if role == "role":
            shown["role"] = speaker
            return shown, None
        if not isinstance(shown["content"], str):
            shown["content"] = row.text(text)
        shown["role"] = people.setdefault(speaker, "assistant" if people else "user")
        return shown, speaker
    return shown, None


def _when(row: Fields) -> str | None:
    held = (row.raw.get(name) for name in ("created_at", "timestamp", "date", "time", "ts"))
    return next((str(one) for one in held if isinstance(one, str | int | float)), None)


FORMAT = Format(
    name="message-lines",
    description="one message a line or row: role and content",
    recognises=is_message_lines,
    read=read_message_lines,
    lines=True,
    priority=-5,
    example=[
        {"conversation_id": "c1", "speaker": "Ada", "text": "Hi", "timestamp": "2031-01-01"},
        {"conversation_id": "c1", "speaker": "Bo", "text": "Hello"},
    ],
)
