"""Pydantic AI's history as JSON: requests and responses of parts."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from ctxlab.chats.adapter import ChatAdapter, label, moment
from ctxlab.chats.fields import Fields, expect
from ctxlab.chats.file_format import Format
from ctxlab.chats.media import json_payload, media_payload
from ctxlab.chats.openai import text_of
from ctxlab.chats.parts import Parts
from ctxlab.chats.pieces import Kept, Piece
from ctxlab.core.segments import ToolCall
from ctxlab.errors import DataError

_USER = {"user-prompt", "retry-prompt", "speech"}
_RESULTS = {"tool-return", "builtin-tool-return"}
_MEDIA = {"image-url": "image", "binary": "file", "audio-url": "audio", "video-url": "video",
          "document-url": "file", "image": "image"}  # fmt: skip


class PydanticAIJSON(ChatAdapter):
    """What `ModelMessagesTypeAdapter` writes: every part of a request is a piece.

    A retry with a tool's name is that tool's result; the instructions of a request are a system
    text. Source: Pydantic AI, `pydantic_ai.messages`.

    Examples
    --------
    >>> request = {"kind": "request", "parts": [{"part_kind": "user-prompt", "content": "Hi"}]}
    >>> [piece.text for piece in PYDANTIC_AI.read([request])]
    ['Hi']
    """

    name = "pydantic-ai"
    keys = ("messages", "message_history")
    user_first = True

    def recognises(self, raw: object) -> bool:
        """Say whether messages are requests and responses of parts that name their kind."""
        if isinstance(raw, dict):
            raw = raw.get("messages", raw.get("message_history"))
        return isinstance(raw, list) and any(
            isinstance(m, dict)
            and m.get("kind") in ("request", "response")
            and isinstance(m.get("parts"), list)
            for m in raw
        )

    def pieces(self, fields: Fields, home: int, model: str) -> Iterator[Piece]:
        """Yield the pieces of a request, or the one of a response."""
        kind = fields.text("kind")
        if kind == "response":
            yield _response(fields, home)
            return
        if kind != "request":
            raise DataError(f"is {kind!r}; expected request or response", field=fields.at("kind"))
        if isinstance(fields.raw.get("instructions"), str) and fields.raw["instructions"]:
            parts = Parts()
            parts.field(fields.text("instructions"), ("instructions",))
            yield parts.piece(home, "system", part=0)
        for at, part in enumerate(fields.objects("parts")):
            yield _request(part, home, at, model)

    def said(self, text: str) -> dict[str, Any]:
        """Return a request with a user's prompt."""
        return {"kind": "request", "parts": [{"part_kind": "user-prompt", "content": text}]}

    def finish(
        self, message: dict[str, Any], raw: dict[str, Any], kept: Sequence[Kept],
        rest: Sequence[str],
    ) -> dict[str, Any] | None:  # fmt: skip
        """Return a message, None where no part is left."""
        parts = message["parts"]
        if rest:
            parts = [*parts, *({"part_kind": "text", "content": text} for text in rest)]
            return {**message, "parts": parts}
        thinking = all(part.get("part_kind") == "thinking" for part in parts)
        lone = not parts if message["kind"] == "request" else thinking
        return message if not lone or message is raw or message.get("instructions") else None


def _request(part: Fields, home: int, at: int, model: str) -> Piece:
    kind, node = part.text("part_kind"), ("parts", at)
    parts = Parts()
    parts.other(None, node)
    _value(part, node, parts, model)
    made = moment(part, "timestamp")
    tool = kind in _RESULTS or (kind == "retry-prompt" and part.has("tool_name"))
    if tool:
        answers = label(part, "tool_call_id")
        return parts.piece(home, "tool", part=at, answers=answers, created_at=made)
    if kind in _USER:
        asks = kind != "retry-prompt"
        return parts.piece(home, "user", part=at, asks=asks, created_at=made)
    return parts.piece(home, "system", part=at, created_at=made)


def _value(part: Fields, node: tuple[str | int, ...], parts: Parts, model: str) -> None:
    content = part.raw.get("content")
    if isinstance(content, list) and part.raw.get("part_kind") == "user-prompt":
        for number, item in enumerate(content):
            place = (*node, "content", number)
            if isinstance(item, str):
                parts.text(item, place)
                continue
            found = Fields(item, f"{part.at('content')}[{number}]")
            medium = _MEDIA.get(found.optional("kind") or "")
            if isinstance(item.get("content"), str) and medium is None:
                parts.text(item["content"], place, "content")
            elif medium is not None:
                image = str(item.get("media_type")).startswith("image")
                media = media_payload("image" if image else medium, item, "openai", model)
                parts.other(media, place)
            else:
                parts.other(json_payload("part", item), place)
    elif "content" in part.raw:
        parts.value(content, (*node, "content"), "text")
    else:
        parts.payload.append(json_payload(part.text("part_kind"), part.raw))


def _response(fields: Fields, home: int) -> Piece:
    parts = Parts()
    expect(fields.raw.get("parts"), list, fields.at("parts"))
    for at, part in enumerate(fields.objects("parts")):
        kind, node = part.text("part_kind"), ("parts", at)
        if kind == "text":
            parts.text(part.text("content"), node, "content")
        elif kind == "tool-call":
            args = part.raw.get("args")
            given = args if isinstance(args, str) else text_of(args or {})
            parts.call(ToolCall(label(part, "tool_call_id"), part.text("tool_name"), given), node)
        elif kind == "thinking":
            parts.other(json_payload(kind, part.raw.get("content") or ""), node)
        else:
            parts.other(json_payload(kind, part.raw), node)
    return parts.piece(home, "assistant", created_at=moment(fields, "timestamp"))


PYDANTIC_AI = PydanticAIJSON()

FORMAT = Format(
    name="pydantic-ai",
    description="Pydantic AI's message history",
    recognises=PYDANTIC_AI.recognises,
    read=PYDANTIC_AI.cases,
    whole=True,
    example=[
        {
            "kind": "request",
            "parts": [
                {"part_kind": "system-prompt", "content": "Be brief."},
                {"part_kind": "user-prompt", "content": "How late is it?"},
            ],
        },
        {
            "kind": "response",
            "parts": [
                {"part_kind": "tool-call", "tool_name": "clock", "args": {}, "tool_call_id": "c1"}
            ],
        },
        {
            "kind": "request",
            "parts": [
                {
                    "part_kind": "tool-return",
                    "tool_name": "clock",
                    "content": "12:00",
                    "tool_call_id": "c1",
                }
            ],
        },
    ],
)
