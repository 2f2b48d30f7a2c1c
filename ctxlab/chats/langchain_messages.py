"""LangChain messages as pieces, and back."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Protocol

from ctxlab.chats.extras import load
from ctxlab.chats.media import json_payload, part_payload
from ctxlab.chats.pieces import Kept, Piece
from ctxlab.core.segments import Payload, Role, ToolCall
from ctxlab.errors import DataError

Content = str | list[str | dict[str, Any]]

_ROLES: dict[str, Role] = {
    "human": "user",
    "user": "user",
    "ai": "assistant",
    "assistant": "assistant",
    "system": "system",
    "developer": "system",
    "tool": "tool",
    "function": "tool",
}
_CALL_BLOCKS = {"tool_use", "tool_call", "function_call", "invalid_tool_call"}


class LangChainMessage(Protocol):
    """What is read of a ``langchain_core.messages.BaseMessage``.

    Examples
    --------
    >>> LangChainMessage.__name__
    'LangChainMessage'
    """

    type: str
    name: str | None
    content: Content
    additional_kwargs: dict[str, Any]

    def model_copy(self, *, update: Mapping[str, Any]) -> LangChainMessage:
        """Return a copy with other values for some fields."""


def read_langchain(messages: Sequence[LangChainMessage]) -> list[Piece]:
    """Turn LangChain messages into pieces.

    Parameters
    ----------
    messages : sequence of langchain_core.messages.BaseMessage
        The chat.

    Raises
    ------
    DataError
        When one is no message of LangChain's that a model could be sent.

    Examples
    --------
    >>> read_langchain([])
    []
    """
    return [_piece(message, home) for home, message in enumerate(messages)]


def _piece(message: LangChainMessage, home: int) -> Piece:
    kind = getattr(message, "type", None)
    role = _ROLES.get(kind or "")
    if kind == "chat":
        # A role of the user's own making speaks as a user.
        role = _ROLES.get(getattr(message, "role", ""), "user")
    if role is None:
        raise DataError(
            f"is a {type(message).__name__}; expected a human, AI, system or tool message",
            field=f"messages[{home}]",
        )
    return Piece(
        home,
        role,
        tuple(_texts(message.content)),
        name=message.name,
        calls=tuple(_calls(message)),
        answers=getattr(message, "tool_call_id", None) or "",
        payload=(*map(part_payload, _others(message.content)), *_beside(message)),
    )


_NOT_SENT = ("tool_calls", "function_call")
"""Keys of the additional arguments that show the calls again."""


def _beside(message: LangChainMessage) -> Iterator[Payload]:
    for key, value in (getattr(message, "additional_kwargs", None) or {}).items():
        if key not in _NOT_SENT and value not in (None, "", [], {}):
            yield json_payload(key, value)


def _text_of(block: str | dict[str, Any]) -> str | None:
    """Return the text of a block, None where it is something else."""
    if isinstance(block, str):
        return block
    text = block.get("text") if block.get("type") == "text" else None
    return text if isinstance(text, str) else None


def _others(content: Content) -> Iterator[dict[str, Any]]:
    """Yield the blocks that are neither text nor calls, which stand among the calls, too."""
    for block in [] if isinstance(content, str) else content:
        if isinstance(block, dict) and _text_of(block) is None and not _is_call(block):
            yield block


def _is_call(block: dict[str, Any]) -> bool:
    return block.get("type") in _CALL_BLOCKS


def _texts(content: Content) -> Iterator[str]:
    for block in [content] if isinstance(content, str) else content:
        text = _text_of(block)
        if text is not None:
            yield text


def _made(message: LangChainMessage) -> list[dict[str, Any]]:
    """Return the calls of a message: those that were understood, then those that were not."""
    return [
        call
        for name in ("tool_calls", "invalid_tool_calls")
        for call in getattr(message, name, None) or ()
    ]


def _calls(message: LangChainMessage) -> Iterator[ToolCall]:
    for call in _made(message):
        arguments = call.get("args") or {}
        text = arguments if isinstance(arguments, str) else json.dumps(arguments, default=str)
        yield ToolCall(call.get("id") or "", call.get("name") or "", text)


def write_langchain(
    messages: Sequence[LangChainMessage], kept: Sequence[Kept]
) -> list[LangChainMessage]:
    """Return what is left of LangChain messages: unchanged ones are the very objects.

    Parameters
    ----------
    messages : sequence of langchain_core.messages.BaseMessage
        The chat that was read.
    kept : sequence of Kept
        What is left of its pieces.

    Examples
    --------
    >>> write_langchain([], [])
    []
    """
    written: list[LangChainMessage] = []
    for one in kept:
        if one.piece is None:
            human = load("langchain_core.messages", "trimming for LangChain", "langchain")
            written.append(human.HumanMessage(one.texts[0]))
            continue
        message = messages[one.piece.home]
        changes = _changes(message, one)
        left = changes.get("content", message.content) or one.calls or one.piece.role == "tool"
        if left or not changes:
            written.append(message.model_copy(update=changes) if changes else message)
    return written


def _changes(message: LangChainMessage, kept: Kept) -> dict[str, Any]:
    changes: dict[str, Any] = {}
    made = _made(message)
    gone = [call for at, call in enumerate(made) if at not in kept.calls]
    content = _content(message.content, kept, {call.get("id") for call in gone})
    if content != message.content:
        changes["content"] = content
    if gone:
        stay = [made[at] for at in kept.calls]
        for name in ("tool_calls", "invalid_tool_calls"):
            changes[name] = [call for call in getattr(message, name) if call in stay]
        extra = dict(message.additional_kwargs)
        raw = extra.pop("tool_calls", None)
        ids = {call.get("id") for call in stay}
        if raw and ids:
            extra["tool_calls"] = [call for call in raw if call.get("id") in ids]
        changes["additional_kwargs"] = extra
    return changes


def _content(content: Content, kept: Kept, gone: set[str | None]) -> Content:
    if isinstance(content, str):
        return kept.texts[0]
    texts, blocks = iter(kept.texts), list[str | dict[str, Any]]()
    for block in content:
        before = _text_of(block)
        if before is None:
            if not (isinstance(block, dict) and _is_call(block) and block.get("id") in gone):
                blocks.append(block)
            continue
        text = next(texts)
        if text == before:
            blocks.append(block)
        elif text:
            blocks.append({**block, "text": text} if isinstance(block, dict) else text)
    return blocks + [text for text in texts if text]
