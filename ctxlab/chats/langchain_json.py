"""LangChain messages as JSON: `dumpd`, `messages_to_dict`, and the state of a LangGraph."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from ctxlab.chats.adapter import ChatAdapter, label
from ctxlab.chats.editing import Path, Slot
from ctxlab.chats.fields import Fields, expect
from ctxlab.chats.file_format import Format
from ctxlab.chats.media import json_payload, part_payload
from ctxlab.chats.openai import text_of
from ctxlab.chats.parts import Parts
from ctxlab.chats.pieces import Kept, Piece
from ctxlab.core.segments import Role, ToolCall
from ctxlab.errors import DataError

_ROLES: dict[str, Role] = {
    "human": "user", "user": "user", "chat": "user", "generic": "user", "ai": "assistant",
    "assistant": "assistant", "system": "system", "developer": "system", "tool": "tool",
    "function": "tool",
}  # fmt: skip
_CALLS = {"tool_use", "tool_call", "function_call", "invalid_tool_call"}
_COPIES = ("tool_calls", "function_call")
_TYPES = {*_ROLES, "AIMessageChunk", "HumanMessageChunk", "remove"}


class LangChainJSON(ChatAdapter):
    """Messages in the three shapes in which LangChain writes them.

    A call may stand three times, as a call, as a block of the content and among the additional
    arguments: it counts once, and all three go with it. Source: langchain-core, `messages`.

    Examples
    --------
    >>> state = {"values": {"messages": [{"type": "human", "content": "Hi", "id": "1"}]}}
    >>> [piece.text for piece in LANGCHAIN.read(state)]
    ['Hi']
    """

    name = "langchain"

    def recognises(self, raw: object) -> bool:
        """Say whether messages name their type as LangChain does."""
        if isinstance(raw, dict) and isinstance(raw.get("values"), dict):
            raw = raw["values"]
        if isinstance(raw, dict):
            raw = raw.get("messages")
        return isinstance(raw, list) and bool(raw) and all(map(_is_message, raw))

    def read(self, raw: Any) -> list[Piece]:  # noqa: ANN401 - JSON
        """Return the pieces of messages, or of a state that holds them."""
        return super().read(raw["values"] if _is_state(raw) else raw)

    def write(self, raw: Any, kept: Sequence[Kept]) -> Any:  # noqa: ANN401 - JSON
        """Return messages, or a state, with what is left."""
        if not _is_state(raw):
            return super().write(raw, kept)
        values = super().write(raw["values"], kept)
        return raw if values is raw["values"] else {**raw, "values": values}

    def pieces(self, fields: Fields, home: int, model: str) -> Iterator[Piece]:
        """Yield the piece of a message."""
        inner, where = _inner(fields)
        role = _role(fields, inner)
        parts, calls = Parts(), dict[str, int]()
        for key in ("tool_calls", "invalid_tool_calls"):
            for at, call in enumerate(inner.objects(key) if inner.has(key) else ()):
                called = label(call)
                calls[called] = len(parts.calls)
                given = text_of(call.raw.get("args") or {})
                made = ToolCall(called, call.optional("name") or "", given)
                parts.call(made, (*where, key, at))
        _content(inner, where, parts, calls, model)
        _additional(inner, where, parts, calls)
        yield parts.piece(
            home,
            role,
            name=inner.optional("name"),
            answers=label(inner, "tool_call_id") if role == "tool" else "",
            id=label(inner),
        )

    def said(self, text: str) -> dict[str, Any]:
        """Return a user's message."""
        return {"type": "human", "content": text}

    def settle(self, chat: list[Any]) -> list[Any]:
        """Write what a strategy put in as its neighbours are written."""
        shaped = next((one for one in chat if "content" not in one), None)
        if shaped is None:
            return chat
        return [_shaped(one, shaped) if "content" in one else one for one in chat]

    def finish(
        self, message: dict[str, Any], raw: dict[str, Any], kept: Sequence[Kept],
        rest: Sequence[str],
    ) -> dict[str, Any] | None:  # fmt: skip
        """Return a message, None where nothing is left."""
        inner, where = _inner(Fields(message))
        content = inner.raw.get("content")
        if rest:
            added = "".join(rest)
            new = (
                [*content, {"type": "text", "text": added}] if isinstance(content, list) else added
            )
            return _with(message, where, {**inner.raw, "content": new})
        piece = kept[0].piece
        tool = piece is not None and piece.role == "tool"
        left = content or inner.raw.get("tool_calls") or inner.raw.get("invalid_tool_calls")
        return message if left or tool or message is raw else None


def _is_state(raw: object) -> bool:
    return isinstance(raw, dict) and isinstance(raw.get("values"), dict)


def _is_message(raw: object) -> bool:
    if not isinstance(raw, dict):
        return False
    if raw.get("lc") == 1 or (raw.get("type") in _TYPES and isinstance(raw.get("data"), dict)):
        return True
    return raw.get("type") in _TYPES and "content" in raw and "role" not in raw


def _inner(fields: Fields) -> tuple[Fields, tuple[str, ...]]:
    for key in ("kwargs", "data"):
        if fields.has(key) and "content" not in fields.raw:
            return fields.child(key), (key,)
    return fields, ()


def _with(message: dict[str, Any], where: Path, inner: dict[str, Any]) -> dict[str, Any]:
    return {**message, str(where[0]): inner} if where else inner


def _shaped(one: dict[str, Any], like: dict[str, Any]) -> dict[str, Any]:
    if "kwargs" in like:
        path = [*like["id"][:-1], "HumanMessage"] if isinstance(like.get("id"), list) else []
        return {"lc": 1, "type": "constructor", "id": path, "kwargs": one}
    return {"type": "human", "data": one}


def _role(fields: Fields, inner: Fields) -> Role:
    kind = inner.optional("type") if fields is not inner else fields.optional("type")
    if kind is None and isinstance(fields.raw.get("id"), list) and fields.raw["id"]:
        kind = str(fields.raw["id"][-1])
    kind = (kind or fields.optional("type") or "").removesuffix("Chunk").removesuffix("Message")
    if kind.lower() == "chat":
        return _ROLES.get(str(inner.raw.get("role")), "user")
    found = _ROLES.get(kind.lower())
    if found is None:
        known = ", ".join(_ROLES)
        raise DataError(f"is {kind!r}; expected one of {known}", field=fields.at("type"))
    return found


def _content(inner: Fields, where: Path, parts: Parts, calls: dict[str, int], model: str) -> None:
    content = inner.raw.get("content")
    if content is None:
        return
    if isinstance(content, str):
        parts.field(content, (*where, "content"))
        return
    expect(content, list, inner.at("content"))
    for at, block in enumerate(content):
        node: Path = (*where, "content", at)
        if isinstance(block, str):
            parts.text(block, node)
            continue
        one = Fields(block, f"{inner.at('content')}[{at}]")
        kind = one.optional("type") or "text"
        called = block.get("id") or block.get("call_id")
        if kind == "text":
            parts.text(one.text("text"), node, "text")
        elif kind in _CALLS and isinstance(called, str) and called in calls:
            parts.slots.append(Slot("call", node, number=calls[called]))
        else:
            parts.other(part_payload(block, "openai", model), node)


def _additional(inner: Fields, where: Path, parts: Parts, calls: dict[str, int]) -> None:
    extra = inner.raw.get("additional_kwargs")
    if not isinstance(extra, dict):
        return
    copies = extra.get("tool_calls")
    for at, call in enumerate(copies if isinstance(copies, list) else ()):
        called = call.get("id") if isinstance(call, dict) else None
        if isinstance(called, str) and called in calls:
            node: Path = (*where, "additional_kwargs", "tool_calls", at)
            parts.slots.append(Slot("call", node, number=calls[called]))
    for key, value in extra.items():
        if key not in _COPIES and value not in (None, "", [], {}):
            parts.payload.append(json_payload(key, value))


LANGCHAIN = LangChainJSON()

FORMAT = Format(
    name="langchain",
    description="LangChain messages and LangGraph states",
    recognises=LANGCHAIN.recognises,
    read=LANGCHAIN.cases,
    whole=True,
    example={
        "values": {
            "messages": [
                {"type": "human", "content": "How late is it?", "id": "1"},
                {
                    "type": "ai",
                    "content": "",
                    "id": "2",
                    "tool_calls": [{"id": "c1", "name": "clock", "args": {}}],
                },
                {"type": "tool", "content": "12:00", "id": "3", "tool_call_id": "c1"},
            ]
        }
    },
)
