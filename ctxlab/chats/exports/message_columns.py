"""Data sets with a column of messages: WildChat, LMSYS, and those that call it ``conversation``.

Also what a log wraps messages in, a batch's request body or one object deeper, and messages that
are kept as the text of their JSON.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ctxlab.chats.any_chat import case_of, chat_of, definitions, is_chat, prompt
from ctxlab.chats.fields import Fields
from ctxlab.chats.file_format import Format
from ctxlab.chats.table_rows import parsed
from ctxlab.core.cases import Case

_COLUMNS = ("messages", "conversation", "conversations", "turns", "chat", "dialog", "dialogue",
            "history", "items")  # fmt: skip
_INNER = ("body", "request", "data", "inputs", "input", "values", "state", "params", "payload",
          "conversation", "chat")  # fmt: skip
_IDS = ("id", "conversation_id", "conversation_hash", "custom_id", "chat_id", "thread_id", "uuid")


def is_column(raw: object) -> bool:
    """Say whether a record holds one list of messages with roles, at most two objects down.

    Examples
    --------
    >>> is_column({"conversation": [{"role": "user", "content": "Hi"}], "model": "x"})
    True
    >>> is_column({"custom_id": "r1", "body": {"messages": [{"role": "user", "content": "Hi"}]}})
    True
    """
    return _found(raw) is not None


def _found(raw: object, path: str = "", depth: int = 3) -> tuple[dict[str, Any], str, str] | None:
    """Return the object that holds messages, its path, and the name they stand under."""
    if not isinstance(raw, dict) or not depth:
        return None
    for name in _COLUMNS:
        if is_chat(parsed(raw.get(name))):
            return raw, path, name
    for name in _INNER:
        if isinstance(raw.get(name), dict):
            found = _found(raw[name], f"{path}.{name}" if path else name, depth - 1)
            if found:
                return found
    return None


def read_column(raw: object, name: str) -> Iterator[Case]:
    """Yield the conversation of a record, with the answer that stands beside its request.

    Raises
    ------
    DataError
        With the field at fault.

    Examples
    --------
    >>> record = {"conversation_hash": "h1", "conversation": [{"role": "user", "content": "Hi"}]}
    >>> next(read_column(record, "x")).id
    'h1'
    """
    fields = Fields(raw)
    found = _found(raw)
    holder, path, column = found or (fields.raw, "", "messages")
    inner = Fields(holder, path)
    before = prompt(inner.raw.get("system")) + definitions(inner.raw.get("tools"))
    messages = parsed(holder.get(column))
    if not isinstance(messages, list):
        messages = [value for _, value in inner.items(column)]
    chat = chat_of([*messages, *_answers(fields)], inner.at(column), before)
    yield case_of(fields, name, "messages", chat, *_IDS)


def _answers(fields: Fields) -> list[object]:
    """Return the messages of the response that is logged beside a request."""
    for name in ("response", "outputs", "output"):
        held = fields.raw.get(name)
        while isinstance(held, dict) and isinstance(held.get("body"), dict):
            held = held["body"]
        if not isinstance(held, dict):
            continue
        choices = held.get("choices")
        if isinstance(choices, list) and choices and isinstance(choices[0], dict):
            message = choices[0].get("message")
            return [message] if isinstance(message, dict) else []
        if is_chat(held.get("messages")):
            return list(held["messages"])
        if isinstance(held.get("role"), str):
            return [held]
    return []


FORMAT = Format(
    name="messages",
    description="a column of messages: WildChat, LMSYS, batches, requests",
    recognises=is_column,
    read=read_column,
    priority=-4,
    example={
        "custom_id": "r1",
        "body": {"system": "Be brief.", "messages": [{"role": "user", "content": "Hi"}]},
        "response": {"choices": [{"message": {"role": "assistant", "content": "Hello"}}]},
    },
)
