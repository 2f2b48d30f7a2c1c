"""The AI SDK's model messages: parts with camel-case types, results in tool messages."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from ctxlab.chats.adapter import ChatAdapter, label, speaker
from ctxlab.chats.fields import Fields, expect
from ctxlab.chats.file_format import Format
from ctxlab.chats.media import json_payload, media_payload, part_payload
from ctxlab.chats.openai import ROLES, text_of
from ctxlab.chats.parts import Parts
from ctxlab.chats.pieces import Kept, Piece
from ctxlab.core.segments import ToolCall

_OWN = {"tool-call", "tool-result", "tool-approval-request", "tool-approval-response"}


class AISDK(ChatAdapter):
    """Model messages of versions 4 to 6.

    Every result of a tool message is a piece. Source: Vercel, "AI SDK", `ModelMessage`.

    Examples
    --------
    >>> part = {"type": "tool-result", "toolCallId": "a", "toolName": "clock",
    ...         "output": {"type": "text", "value": "12:00"}}
    >>> [piece.text for piece in AI_SDK.read([{"role": "tool", "content": [part]}])]
    ['12:00']
    """

    name = "ai-sdk"

    def recognises(self, raw: object) -> bool:
        """Say whether a part is one that only model messages have."""
        messages = raw.get("messages") if isinstance(raw, dict) else raw
        if not isinstance(messages, list):
            return False
        found = [m.get("content") for m in messages if isinstance(m, dict)]
        parts = [part for content in found if isinstance(content, list) for part in content]
        return any(isinstance(part, dict) and str(part.get("type")) in _OWN for part in parts)

    def pieces(self, fields: Fields, home: int, model: str) -> Iterator[Piece]:
        """Yield a piece of every result of a message, and one of its other parts."""
        role = speaker(fields, ROLES)
        content = fields.raw.get("content")
        rest, results = Parts(), list[Piece]()
        if isinstance(content, str):
            rest.field(content, ("content",))
        else:
            expect(content, list, fields.at("content"))
        for at, part in enumerate(fields.objects("content") if isinstance(content, list) else ()):
            kind, node = part.optional("type") or "text", ("content", at)
            if kind == "tool-result" and role == "tool":
                results.append(_result(part, home, at))
            elif kind == "tool-call" and not part.raw.get("providerExecuted"):
                given = text_of(part.raw.get("input", part.raw.get("args", {})))
                rest.call(ToolCall(label(part, "toolCallId"), part.text("toolName"), given), node)
            elif kind == "text":
                rest.text(part.text("text"), node, "text")
            elif kind in ("image", "file"):
                mime = str(part.raw.get("mediaType") or part.raw.get("mimeType") or kind)
                medium = "image" if mime.startswith("image") else "file"
                rest.other(media_payload(medium, part.raw, "openai", model), node)
            elif kind == "reasoning" and isinstance(part.raw.get("text"), str):
                rest.other(json_payload(kind, part.raw["text"]), node)
            else:
                rest.other(part_payload(part.raw, "openai", model), node)
        yield from results
        if rest or not results:
            yield rest.piece(home, "assistant" if role == "tool" else role, id=label(fields))

    def finish(
        self, message: dict[str, Any], raw: dict[str, Any], kept: Sequence[Kept],
        rest: Sequence[str],
    ) -> dict[str, Any] | None:  # fmt: skip
        """Return a message, None where nothing is left."""
        content = message["content"]
        if isinstance(content, str):
            return message if content or raw["content"] == "" else None
        parts = [*content, *({"type": "text", "text": text} for text in rest)]
        if not parts or all(part.get("type") == "reasoning" for part in parts):
            return None
        return {**message, "content": parts} if rest else message


def _result(part: Fields, home: int, at: int) -> Piece:
    node: tuple[str | int, ...] = ("content", at)
    parts = Parts()
    parts.other(None, node)
    output = part.raw.get("output")
    if isinstance(output, dict) and "value" in output:
        value, place = output["value"], (*node, "output", "value")
        if output.get("type") == "content" and isinstance(value, list):
            for number, one in enumerate(value):
                if isinstance(one, dict) and isinstance(one.get("text"), str):
                    parts.text(one["text"], (*place, number), "text")
                else:
                    parts.other(json_payload("part", one), (*place, number))
        else:
            parts.value(value, place, "text")
    else:
        key = "output" if "output" in part.raw else "result"
        parts.value(part.raw.get(key, ""), (*node, key), "text")
    return parts.piece(home, "tool", part=at, answers=label(part, "toolCallId"))


AI_SDK = AISDK()

FORMAT = Format(
    name="ai-sdk",
    description="AI SDK model messages",
    recognises=AI_SDK.recognises,
    read=AI_SDK.cases,
    whole=True,
    example=[
        {"role": "user", "content": "How late is it?"},
        {
            "role": "assistant",
            "content": [
                {"type": "tool-call", "toolCallId": "c1", "toolName": "clock", "input": {}}
            ],
        },
        {
            "role": "tool",
            "content": [
                {
                    "type": "tool-result",
                    "toolCallId": "c1",
                    "toolName": "clock",
                    "output": {"type": "text", "value": "12:00"},
                }
            ],
        },
    ],
)
