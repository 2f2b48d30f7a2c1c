"""LlamaIndex chat messages, as `model_dump` writes them: blocks by their type."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from ctxlab.chats.adapter import ChatAdapter, speaker
from ctxlab.chats.editing import Slot
from ctxlab.chats.fields import Fields
from ctxlab.chats.file_format import Format
from ctxlab.chats.media import json_payload, part_payload
from ctxlab.chats.openai import ROLES, text_of
from ctxlab.chats.parts import Parts
from ctxlab.chats.pieces import Kept, Piece
from ctxlab.core.segments import ToolCall


class LlamaIndex(ChatAdapter):
    """Messages with `blocks`, and tool calls among the additional arguments.

    Source: LlamaIndex, `llama_index.core.base.llms.types.ChatMessage`.

    Examples
    --------
    >>> block = {"block_type": "text", "text": "Hi"}
    >>> [p.text for p in LLAMA_INDEX.read([{"role": "user", "blocks": [block]}])]
    ['Hi']
    """

    name = "llama-index"
    keys = ("messages", "chat_history")

    def recognises(self, raw: object) -> bool:
        """Say whether messages have blocks that name their kind."""
        if isinstance(raw, dict):
            raw = raw.get("messages", raw.get("chat_history"))
        return isinstance(raw, list) and any(
            isinstance(m, dict) and "role" in m and isinstance(m.get("blocks"), list) for m in raw
        )

    def pieces(self, fields: Fields, home: int, model: str) -> Iterator[Piece]:
        """Yield the piece of a message."""
        role = speaker(fields, ROLES)
        parts = Parts()
        if isinstance(fields.raw.get("content"), str) and not fields.raw.get("blocks"):
            parts.field(fields.text("content"), ("content",))
        for at, block in enumerate(fields.objects("blocks") if fields.has("blocks") else ()):
            kind, node = block.optional("block_type") or "text", ("blocks", at)
            if kind == "text":
                parts.text(block.text("text"), node, "text")
            elif kind == "tool_call":
                given = text_of(block.raw.get("tool_kwargs", {}))
                called = str(block.raw.get("tool_call_id") or "")
                parts.call(ToolCall(called, block.text("tool_name"), given), node)
            else:
                parts.other(part_payload({**block.raw, "type": kind}, "openai", model), node)
        extra = fields.raw.get("additional_kwargs")
        answers = ""
        for key, value in extra.items() if isinstance(extra, dict) else ():
            if key == "tool_calls" and isinstance(value, list):
                _calls(Fields(extra, fields.at("additional_kwargs")), parts)
            elif key == "tool_call_id":
                answers = str(value)
            elif key != "name" and value not in (None, "", [], {}):
                parts.payload.append(json_payload(key, value))
        yield parts.piece(home, role, answers=answers if role == "tool" else "")

    def said(self, text: str) -> dict[str, Any]:
        """Return a user's message."""
        return {"role": "user", "blocks": [{"block_type": "text", "text": text}]}

    def finish(
        self, message: dict[str, Any], raw: dict[str, Any], kept: Sequence[Kept],
        rest: Sequence[str],
    ) -> dict[str, Any] | None:  # fmt: skip
        """Return a message, None where nothing is left."""
        if rest:
            added = [{"block_type": "text", "text": text} for text in rest]
            return {**message, "blocks": [*message.get("blocks", []), *added]}
        extra = message.get("additional_kwargs") or {}
        piece = kept[0].piece
        tool = piece is not None and piece.role == "tool"
        said = message.get("blocks") or message.get("content") or extra.get("tool_calls")
        return message if said or tool or message is raw else None


def _calls(extra: Fields, parts: Parts) -> None:
    known = {call.id: number for number, call in enumerate(parts.calls)}
    for at, call in enumerate(extra.objects("tool_calls")):
        node = ("additional_kwargs", "tool_calls", at)
        called = str(call.raw.get("id") or call.raw.get("tool_id") or "")
        if called in known:
            # The same call stands among the blocks.
            parts.slots.append(Slot("call", node, number=known[called]))
            continue
        inner = call.child("function") if call.has("function") else call
        name = inner.optional("name") or inner.optional("tool_name") or "function"
        given = text_of(inner.raw.get("arguments", inner.raw.get("tool_kwargs", "")))
        parts.call(ToolCall(called, name, given), node)


LLAMA_INDEX = LlamaIndex()

FORMAT = Format(
    name="llama-index",
    description="LlamaIndex chat messages",
    recognises=LLAMA_INDEX.recognises,
    read=LLAMA_INDEX.cases,
    whole=True,
    example=[
        {"role": "user", "blocks": [{"block_type": "text", "text": "How late is it?"}]},
        {
            "role": "assistant",
            "blocks": [],
            "additional_kwargs": {
                "tool_calls": [{"id": "c1", "function": {"name": "clock", "arguments": "{}"}}]
            },
        },
        {
            "role": "tool",
            "blocks": [{"block_type": "text", "text": "12:00"}],
            "additional_kwargs": {"tool_call_id": "c1"},
        },
    ],
)
