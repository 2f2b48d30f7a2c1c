"""Bedrock Converse messages: content blocks, each known by its one key."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from ctxlab.chats.adapter import ChatAdapter, definitions, label, speaker, system_piece
from ctxlab.chats.fields import Fields, expect
from ctxlab.chats.file_format import Format
from ctxlab.chats.media import json_payload, media_payload
from ctxlab.chats.parts import Parts, json_text
from ctxlab.chats.pieces import Kept, Piece
from ctxlab.core.segments import Payload, Role, ToolCall

_ROLES: dict[str, Role] = {"user": "user", "assistant": "assistant"}
_MEDIA = {"image": "image", "document": "file", "video": "video", "audio": "audio"}
_OWN = {"toolUse", "toolResult", "reasoningContent", "cachePoint", "citationsContent",
        "guardContent"}  # fmt: skip


class Bedrock(ChatAdapter):
    """Messages of Converse: every tool result is a piece, the other blocks are another.

    Source: AWS, "Converse", Amazon Bedrock API reference (November 2026).

    Examples
    --------
    >>> [piece.text for piece in BEDROCK.read([{"role": "user", "content": [{"text": "Hi"}]}])]
    ['Hi']
    """

    name = "bedrock"
    user_first = True
    image_api = "anthropic"

    def recognises(self, raw: object) -> bool:
        """Say whether contents are lists of blocks without a type."""
        messages = raw.get("messages") if isinstance(raw, dict) else raw
        if not isinstance(messages, list) or not all(isinstance(m, dict) for m in messages):
            return False
        blocks = [b for m in messages if isinstance(m.get("content"), list) for b in m["content"]]
        untyped = bool(blocks) and all(isinstance(b, dict) and "type" not in b for b in blocks)
        plain = all(isinstance(m.get("content"), list) for m in messages)
        keys = {key for block in blocks if isinstance(block, dict) for key in block}
        return untyped and (bool(keys & _OWN) or (plain and keys <= {"text", *_MEDIA}))

    def head(self, body: Fields) -> Iterator[Piece]:
        """Yield the system prompt and the definitions of tools."""
        yield from system_piece(body)
        yield from definitions(body, ("toolConfig",))

    def pieces(self, fields: Fields, home: int, model: str) -> Iterator[Piece]:
        """Yield a piece of every tool result of a message, and one of its other blocks."""
        role = speaker(fields, _ROLES)
        expect(fields.raw.get("content", []), list, fields.at("content"))
        rest, results = Parts(), list[Piece]()
        for at, block in enumerate(fields.objects("content") if fields.has("content") else ()):
            node = ("content", at)
            if block.has("toolResult"):
                results.append(_result(block.child("toolResult"), home, at, model))
            elif block.has("toolUse"):
                use = block.child("toolUse")
                arguments = json_text(use.raw.get("input", {}))
                rest.call(ToolCall(label(use, "toolUseId"), use.text("name"), arguments), node)
            elif isinstance(block.raw.get("text"), str):
                rest.text(block.text("text"), node, "text")
            else:
                rest.other(_carried(block.raw, model), node)
        yield from results
        if rest or not results:
            yield rest.piece(home, role)

    def said(self, text: str) -> dict[str, Any]:
        """Return a user's message."""
        return {"role": "user", "content": [{"text": text}]}

    def finish(
        self, message: dict[str, Any], raw: dict[str, Any], kept: Sequence[Kept],
        rest: Sequence[str],
    ) -> dict[str, Any] | None:  # fmt: skip
        """Return a message without blank texts and without reasoning that is not its own."""
        content = message.get("content") or []
        blocks = [block for block in map(_cleaned, content) if block is not None]
        blocks += [{"text": text} for text in rest if text.strip()]
        spoken = [block for block in blocks if "reasoningContent" not in block]
        said = [block for block in spoken if "cachePoint" not in block]
        blocks = blocks if all(one.is_whole for one in kept) else spoken
        if not said:
            return None
        return message if blocks == content else {**message, "content": blocks}

    def settle(self, chat: list[Any]) -> list[Any]:
        """Merge neighbours of one role; reasoning that would stand behind others goes."""
        merged: list[dict[str, Any]] = []
        for entry in chat:
            if merged and merged[-1]["role"] == entry["role"]:
                later = [block for block in entry["content"] if "reasoningContent" not in block]
                merged[-1] = {**entry, **merged[-1], "content": [*merged[-1]["content"], *later]}
            else:
                merged.append(entry)
        return merged


def _carried(block: dict[str, Any], model: str) -> Payload | None:
    for key, kind in _MEDIA.items():
        if isinstance(block.get(key), dict):
            return media_payload(kind, block[key], "anthropic", model)
    return None if "cachePoint" in block else json_payload(next(iter(block), "part"), block)


def _result(found: Fields, home: int, at: int, model: str) -> Piece:
    node: tuple[str | int, ...] = ("content", at)
    parts = Parts()
    parts.other(None, node)
    expect(found.raw.get("content", []), list, found.at("content"))
    for number, block in enumerate(found.objects("content") if found.has("content") else ()):
        place = (*node, "toolResult", "content", number)
        if isinstance(block.raw.get("text"), str):
            parts.text(block.text("text"), place, "text")
        elif "json" in block.raw:
            parts.other(None, place)
            parts.value(block.raw["json"], (*place, "json"), "text")
        else:
            parts.other(_carried(block.raw, model), place)
    return parts.piece(home, "tool", part=at, answers=label(found, "toolUseId"))


def _cleaned(block: dict[str, Any]) -> dict[str, Any] | None:
    """Return a block without blank texts in it, None where it is one."""
    if isinstance(block.get("text"), str):
        return block if block["text"].strip() else None
    result = block.get("toolResult")
    if not isinstance(result, dict):
        return block
    content = result.get("content") or []
    full = [one for one in content if not isinstance(one.get("text"), str) or one["text"].strip()]
    if full == content and full:
        return block
    return {**block, "toolResult": {**result, "content": full or [{"text": "(empty)"}]}}


BEDROCK = Bedrock()

FORMAT = Format(
    name="bedrock",
    description="Bedrock Converse messages",
    recognises=BEDROCK.recognises,
    read=BEDROCK.cases,
    whole=True,
    example={
        "system": [{"text": "Be brief."}],
        "messages": [
            {"role": "user", "content": [{"text": "How late is it?"}]},
            {
                "role": "assistant",
                "content": [{"toolUse": {"toolUseId": "t1", "name": "clock", "input": {}}}],
            },
            {
                "role": "user",
                "content": [
                    {"toolResult": {"toolUseId": "t1", "content": [{"json": {"time": "12:00"}}]}}
                ],
            },
        ],
    },
)
