"""The AI SDK's UI messages: parts with states; a call and its result are one part."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from ctxlab.chats.adapter import ChatAdapter, label, moment, speaker
from ctxlab.chats.fields import Fields
from ctxlab.chats.file_format import Format
from ctxlab.chats.media import json_payload, media_payload
from ctxlab.chats.openai import ROLES, text_of
from ctxlab.chats.parts import Parts
from ctxlab.chats.pieces import Kept, Piece
from ctxlab.core.segments import ToolCall

_UNBILLED = {"step-start", "source-url", "source-document", "source"}


class AISDKUI(ChatAdapter):
    """UI messages of versions 4 to 6.

    A part of a tool that has an output is a call and its result, which stay or go as one. In
    version 4 the text and the calls may stand twice, in `content` or `toolInvocations` and in
    `parts`: the parts are read. Source: Vercel, "AI SDK", `UIMessage`.

    Examples
    --------
    >>> part = {"type": "tool-clock", "toolCallId": "a", "state": "output-available",
    ...         "input": {}, "output": "12:00"}
    >>> [p.role for p in AI_SDK_UI.read([{"id": "m", "role": "assistant", "parts": [part]}])]
    ['assistant', 'tool']
    """

    name = "ai-sdk-ui"

    def recognises(self, raw: object) -> bool:
        """Say whether messages have parts with types, or invocations of tools."""
        messages = raw.get("messages") if isinstance(raw, dict) else raw
        if not isinstance(messages, list):
            return False
        found = [message for message in messages if isinstance(message, dict)]
        if any(isinstance(m.get("toolInvocations"), list) and "role" in m for m in found):
            return True
        several = [m["parts"] for m in found if isinstance(m.get("parts"), list) and "role" in m]
        parts = [part for parts in several for part in parts]
        return bool(parts) and all(isinstance(p, dict) and "type" in p for p in parts)

    def pieces(self, fields: Fields, home: int, model: str) -> Iterator[Piece]:
        """Yield the piece of a message, and one of every result in it."""
        role = speaker(fields, ROLES)
        parts, results = Parts(), list[Piece]()
        if fields.raw.get("parts"):
            for at, part in enumerate(fields.objects("parts")):
                _part(part, ("parts", at), home, parts, results, model)
        else:
            if isinstance(fields.raw.get("content"), str):
                parts.field(fields.text("content"), ("content",))
            if fields.has("toolInvocations"):
                for at, one in enumerate(fields.objects("toolInvocations")):
                    _tool(one, one, ("toolInvocations", at), (), home, parts, results)
        yield parts.piece(
            home, role, id=label(fields), created_at=moment(fields, "createdAt", "created_at")
        )
        yield from results

    def said(self, text: str) -> dict[str, Any]:
        """Return a user's message."""
        return {"id": "left-out", "role": "user", "parts": [{"type": "text", "text": text}]}

    def finish(
        self, message: dict[str, Any], raw: dict[str, Any], kept: Sequence[Kept],
        rest: Sequence[str],
    ) -> dict[str, Any] | None:  # fmt: skip
        """Return a message, None where nothing is left; copies in `content` follow the parts."""
        if rest:
            added = [{"type": "text", "text": text} for text in rest]
            message = {**message, "parts": [*message.get("parts", []), *added]}
        parts = message.get("parts") or []
        if not raw.get("parts"):
            if not message.get("content") and not message.get("toolInvocations") and not parts:
                return None if raw.get("content") or raw.get("toolInvocations") else message
            return message
        if not any(part.get("type") not in ("step-start", "reasoning") for part in parts):
            return None
        if message is not raw and isinstance(raw.get("content"), str):
            texts = [part["text"] for part in parts if part.get("type") == "text"]
            message = {**message, "content": "".join(texts)}
        if message is not raw and isinstance(raw.get("toolInvocations"), list):
            own = [p["toolInvocation"] for p in parts if p.get("type") == "tool-invocation"]
            message = {**message, "toolInvocations": own}
        return message


def _part(
    part: Fields,
    node: tuple[str | int, ...],
    home: int,
    parts: Parts,
    results: list[Piece],
    model: str,
) -> None:
    kind = part.optional("type") or ""
    if kind == "text":
        parts.text(part.text("text"), node, "text")
    elif kind == "tool-invocation":
        _tool(part.child("toolInvocation"), part, node, ("toolInvocation",), home, parts, results)
    elif kind.startswith("tool-") or kind == "dynamic-tool":
        _tool(part, part, node, (), home, parts, results)
    elif kind == "reasoning":
        thought = part.raw.get("text", part.raw.get("reasoning"))
        parts.other(json_payload(kind, thought if isinstance(thought, str) else part.raw), node)
    elif kind == "file":
        mime = str(part.raw.get("mediaType") or part.raw.get("mimeType") or "")
        medium = "image" if mime.startswith("image") else "file"
        parts.other(media_payload(medium, part.raw, "openai", model), node)
    else:
        # Sources and data of the page are not sent to a model.
        sent = kind not in _UNBILLED and not kind.startswith("data-")
        parts.other(json_payload(kind, part.raw) if sent else None, node)


def _tool(
    one: Fields,
    part: Fields,
    node: tuple[str | int, ...],
    inner: tuple[str | int, ...],
    home: int,
    parts: Parts,
    results: list[Piece],
) -> None:
    kind = part.optional("type") or ""
    name = one.optional("toolName") or kind.removeprefix("tool-") or "tool"
    called = label(one, "toolCallId")
    given = text_of(one.raw.get("input", one.raw.get("args", {})))
    key = next((k for k in ("output", "result", "errorText") if k in one.raw), None)
    if one.raw.get("providerExecuted"):
        parts.other(
            json_payload(name, {k: one.raw.get(k) for k in ("input", key or "output")}), node
        )
        return
    parts.call(ToolCall(called, name, given), node)
    if key is None:
        return
    found = Parts()
    found.value(one.raw[key], (*node, *inner, key), "text")
    found.other(None, node)
    results.append(
        found.piece(home, "tool", part=node[-1] if isinstance(node[-1], int) else 0, answers=called)
    )


AI_SDK_UI = AISDKUI()

FORMAT = Format(
    name="ai-sdk-ui",
    description="AI SDK UI messages",
    recognises=AI_SDK_UI.recognises,
    read=AI_SDK_UI.cases,
    whole=True,
    example=[
        {"id": "u1", "role": "user", "parts": [{"type": "text", "text": "How late is it?"}]},
        {
            "id": "a1",
            "role": "assistant",
            "parts": [
                {"type": "step-start"},
                {
                    "type": "tool-clock",
                    "toolCallId": "c1",
                    "state": "output-available",
                    "input": {},
                    "output": {"time": "12:00"},
                },
                {"type": "text", "text": "Noon.", "state": "done"},
            ],
        },
    ],
)
