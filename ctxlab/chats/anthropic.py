"""Anthropic messages as pieces, and back: roles alternate, and the first is a user's."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from ctxlab.chats.fields import Fields, expect
from ctxlab.chats.media import part_tokens
from ctxlab.chats.pieces import Kept, Piece, of_home
from ctxlab.core.segments import Role, ToolCall
from ctxlab.errors import DataError

_THINKING = {"thinking", "redacted_thinking"}
_OWN = _THINKING | {"image", "document", "search_result", "container_upload"}
_SUFFIXES = ("tool_use", "tool_result")


def is_anthropic_chat(messages: Sequence[object]) -> bool:
    """Say whether a list of messages holds a block that only Anthropic knows.

    Examples
    --------
    >>> is_anthropic_chat([{"role": "user", "content": [{"type": "image", "source": {}}]}])
    True
    >>> is_anthropic_chat([{"role": "user", "content": "Hi"}])
    False
    """
    contents = [message.get("content") for message in messages if isinstance(message, dict)]
    blocks = [block for content in contents if isinstance(content, list) for block in content]
    kinds = [block.get("type") for block in blocks if isinstance(block, dict)]
    return any(
        isinstance(kind, str) and (kind in _OWN or kind.endswith(_SUFFIXES)) for kind in kinds
    )


def read_anthropic_chat(
    messages: Sequence[dict[str, Any]], count: Callable[[str], int]
) -> list[Piece]:
    """Turn Anthropic messages into pieces: every tool result is one, the other blocks another.

    Parameters
    ----------
    messages : sequence of dict
        The chat, without the system prompt.
    count : callable
        Tokens of a text, for the blocks that are not text.

    Raises
    ------
    DataError
        With the field at fault, such as ``messages[3].content[0].text``.

    Examples
    --------
    >>> blocks = [{"type": "tool_result", "tool_use_id": "a", "content": "12:00"},
    ...           {"type": "text", "text": "Well?"}]
    >>> [p.role for p in read_anthropic_chat([{"role": "user", "content": blocks}], len)]
    ['tool', 'user']
    """
    records = Fields({"messages": list(messages)}).objects("messages")
    return [piece for home, fields in enumerate(records) for piece in _pieces(fields, home, count)]


def _pieces(fields: Fields, home: int, count: Callable[[str], int]) -> Iterator[Piece]:
    role = _role(fields)
    content = fields.raw.get("content")
    if content is None:
        raise DataError(
            "is missing; expected a string or a list of blocks", field=fields.at("content")
        )
    if isinstance(content, str):
        yield Piece(home, role, (content,))
        return
    expect(content, list, fields.at("content"))
    texts: list[str] = []
    calls: list[ToolCall] = []
    extra, rest = 0, not content
    for at, block in enumerate(fields.objects("content")):
        kind = block.text("type")
        if kind == "tool_result":
            yield _result(block, home, at, count)
            continue
        rest = True
        if kind == "text":
            texts.append(block.text("text"))
        elif kind == "tool_use":
            arguments = json.dumps(block.raw.get("input", {}), ensure_ascii=False, default=str)
            calls.append(ToolCall(block.optional("id") or "", block.text("name"), arguments))
        else:
            extra += part_tokens(block.raw, count)
    if rest:
        yield Piece(home, role, tuple(texts), calls=tuple(calls), extra=extra)


def _role(fields: Fields) -> Role:
    role = fields.text("role")
    if role == "user":
        return "user"
    if role == "assistant":
        return "assistant"
    raise DataError(
        f"is {role!r}; expected user or assistant (a system prompt is sent apart, as system=...)",
        field=fields.at("role"),
    )


def _result(block: Fields, home: int, at: int, count: Callable[[str], int]) -> Piece:
    content = block.raw.get("content")
    texts: list[str] = []
    extra = 0
    if isinstance(content, str):
        texts.append(content)
    elif content is not None:
        expect(content, list, block.at("content"))
        for part in block.objects("content"):
            if part.text("type") == "text":
                texts.append(part.text("text"))
            else:
                extra += part_tokens(part.raw, count)
    answers = block.optional("tool_use_id") or ""
    return Piece(home, "tool", tuple(texts), part=at, answers=answers, extra=extra)


def write_anthropic_chat(
    messages: Sequence[dict[str, Any]], kept: Sequence[Kept]
) -> list[dict[str, Any]]:
    """Return what is left of a chat; what was not changed is the very dict that was given.

    Neighbours of one role become one message, since roles have to alternate.

    Examples
    --------
    >>> chat = [{"role": "user", "content": "One"}, {"role": "user", "content": "Two"}]
    >>> write_anthropic_chat(chat, [Kept(p, p.texts) for p in read_anthropic_chat(chat, len)])
    [{'role': 'user', 'content': [{'type': 'text', 'text': 'One'},
                                  {'type': 'text', 'text': 'Two'}]}]
    """
    merged: list[dict[str, Any]] = []
    for home, ones in of_home(kept):
        entries = (
            [{"role": "user", "content": one.texts[0]} for one in ones]
            if home is None
            else [_written(messages[home], ones)]
        )
        for entry in entries:
            if not entry["content"]:
                continue
            if merged and merged[-1]["role"] == entry["role"]:
                blocks = [*_blocks(merged[-1]["content"]), *_blocks(entry["content"])]
                merged[-1] = {**entry, **merged[-1], "content": blocks}
            else:
                merged.append(entry)
    return merged


def _blocks(content: str | list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [{"type": "text", "text": content}] if isinstance(content, str) else content


def _written(raw: dict[str, Any], kept: Sequence[Kept]) -> dict[str, Any]:
    content = raw["content"]
    if isinstance(content, str):
        text = kept[0].texts[0]
        return (
            raw if text == content and text.strip() else {**raw, "content": text.strip() and text}
        )
    blocks: list[dict[str, Any]] = []
    for one in kept:
        if one.piece is not None and one.piece.part >= 0:
            blocks.append(_edited_result(content[one.piece.part], one))
        else:
            blocks += _edited_blocks(content, one)
    return raw if blocks == content else {**raw, "content": blocks}


def _edited_blocks(content: Sequence[dict[str, Any]], kept: Kept) -> list[dict[str, Any]]:
    texts, call, blocks = iter(kept.texts), 0, list[dict[str, Any]]()
    for block in content:
        if block["type"] == "text":
            text = next(texts)
            if text.strip():
                blocks.append(block if text == block["text"] else {**block, "text": text})
        elif block["type"] == "tool_use":
            if call in kept.calls:
                blocks.append(block)
            call += 1
        elif block["type"] != "tool_result":
            blocks.append(block)
    blocks += [{"type": "text", "text": text} for text in texts if text.strip()]
    # Thinking is no message by itself.
    return blocks if any(block["type"] not in _THINKING for block in blocks) else []


def _edited_result(block: dict[str, Any], kept: Kept) -> dict[str, Any]:
    content = block.get("content")
    if content is None:
        text = kept.texts[0] if kept.texts else ""
        return {**block, "content": text} if text else block
    if isinstance(content, str):
        return block if kept.texts[0] == content else {**block, "content": kept.texts[0]}
    texts, parts = iter(kept.texts), list[dict[str, Any]]()
    for part in content:
        if part["type"] != "text":
            parts.append(part)
            continue
        text = next(texts)
        if text.strip():
            parts.append(part if text == part["text"] else {**part, "text": text})
    return block if parts == content else {**block, "content": parts}


def openai_to_anthropic(chat: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return a valid OpenAI chat of plain texts and calls as Anthropic messages.

    Examples
    --------
    >>> openai_to_anthropic([{"role": "user", "content": "Hi"}])
    [{'role': 'user', 'content': [{'type': 'text', 'text': 'Hi'}]}]
    """
    merged: list[dict[str, Any]] = []
    for message in filter(lambda one: one["role"] != "system", chat):
        role = "assistant" if message["role"] == "assistant" else "user"
        blocks = list(_translated(message))
        if merged and merged[-1]["role"] == role:
            merged[-1]["content"] += blocks
        elif blocks and (merged or message["role"] == "user"):
            merged.append({"role": role, "content": blocks})
    return merged


def _translated(message: dict[str, Any]) -> Iterator[dict[str, Any]]:
    text = message["content"]
    if message["role"] == "tool":
        answers = message["tool_call_id"]
        yield {"type": "tool_result", "tool_use_id": answers, "content": text}
    elif text.strip():
        yield {"type": "text", "text": text}
    for call in message.get("tool_calls", ()):
        function = call["function"]
        arguments = _input(function["arguments"])
        yield {"type": "tool_use", "id": call["id"], "name": function["name"], "input": arguments}


def _input(arguments: str) -> dict[str, Any]:
    try:
        found = json.loads(arguments or "{}")
    except json.JSONDecodeError:
        found = None
    return found if isinstance(found, dict) else {"text": arguments}
