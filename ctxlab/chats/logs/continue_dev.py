"""Continue: the sessions of the editor's assistant, with the context that was sent along."""

from __future__ import annotations

from collections.abc import Iterator, Set
from typing import Any

from ctxlab.chats.case_building import build_case
from ctxlab.chats.entries import Entry, compacted, converted
from ctxlab.chats.fields import Fields
from ctxlab.chats.file_format import Format
from ctxlab.chats.openai_reader import messages_from_openai
from ctxlab.core.cases import Case


def is_continue(raw: object) -> bool:
    """Say whether a record is a session of Continue.

    Examples
    --------
    >>> is_continue({"sessionId": "s", "history": [{"message": {}, "contextItems": []}]})
    True
    """
    history = raw.get("history") if isinstance(raw, dict) else None
    return (
        isinstance(history, list)
        and bool(history)
        and all(isinstance(one, dict) and isinstance(one.get("message"), dict) for one in history)
    )


def read_continue(raw: object, name: str) -> Iterator[Case]:
    """Yield the conversation of a session; a summary of it is what a compaction wrote.

    Raises
    ------
    DataError
        With the field at fault.

    Examples
    --------
    >>> turn = {"message": {"role": "user", "content": "Hi"}, "contextItems": []}
    >>> next(read_continue({"sessionId": "s", "history": [turn]}, "x")).id
    's'
    """
    fields = Fields(raw)
    entries: list[Entry] = []
    items = list(fields.objects("history"))
    answered = {one.child("message").raw.get("toolCallId") for one in items}
    for item in items:
        entries += _entries(item, answered)
    given = fields.optional("sessionId")
    yield build_case(given or name, "continue", converted(entries, messages_from_openai))


def _entries(item: Fields, answered: Set[object]) -> Iterator[Entry]:
    message = item.child("message")
    role = message.text("role")
    for context in item.objects("contextItems") if item.has("contextItems") else ():
        shown: dict[str, Any] = {"role": "user", "content": context.optional("content") or ""}
        yield Entry(shown, context.path, "injected")
    shown = {k: v for k, v in message.raw.items() if k in ("role", "content", "tool_calls")}
    if message.has("toolCalls"):
        shown["tool_calls"] = [call.raw for call in message.objects("toolCalls")]
    if message.has("toolCallId"):
        shown["tool_call_id"] = message.text("toolCallId")
    told = ""
    if role == "thinking":
        shown, told = {"role": "assistant", "content": message.raw.get("content")}, "thinking"
    yield Entry(shown, message.path, told)
    for state in item.objects("toolCallStates") if item.has("toolCallStates") else ():
        outputs = list(state.objects("output")) if state.has("output") else []
        text = "\n".join(one.optional("content") or "" for one in outputs)
        call = state.optional("toolCallId")
        # A result may stand here, in a message of its own, or in both.
        if outputs and call not in answered:
            yield Entry({"role": "tool", "tool_call_id": call, "content": text}, state.path)
    if item.has("conversationSummary"):
        summary = {"role": "user", "content": item.text("conversationSummary")}
        yield Entry(summary, item.at("conversationSummary"), "summary", compacted())


FORMAT = Format(
    name="continue",
    description="Continue, session of the editor's assistant",
    recognises=is_continue,
    read=read_continue,
    priority=1,
    example={
        "sessionId": "s",
        "title": "t",
        "workspaceDirectory": "/w",
        "history": [
            {
                "message": {"role": "user", "content": "What is in a.py?"},
                "contextItems": [{"name": "a.py", "content": "def a(): …"}],
            },
            {
                "message": {
                    "role": "assistant",
                    "content": "",
                    "toolCalls": [{"id": "c1", "function": {"name": "read", "arguments": "{}"}}],
                },
                "contextItems": [],
                "toolCallStates": [{"toolCallId": "c1", "output": [{"content": "def a(): …"}]}],
            },
        ],
    },
)
