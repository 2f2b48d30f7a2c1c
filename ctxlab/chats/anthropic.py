"""Anthropic messages: content blocks; roles alternate, and the first is a user's."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any

from ctxlab.chats.adapter import (
    ChatAdapter,
    beside,
    definitions,
    label,
    moment,
    speaker,
    system_piece,
)
from ctxlab.chats.case_building import build_case
from ctxlab.chats.conversation import conversation
from ctxlab.chats.editing import Slot
from ctxlab.chats.fields import Fields, expect
from ctxlab.chats.file_format import Format
from ctxlab.chats.media import part_payload
from ctxlab.chats.pieces import Kept, Piece
from ctxlab.core.cases import Case
from ctxlab.core.segments import Message, Payload, Role, ToolCall
from ctxlab.errors import DataError

ROLES: dict[str, Role] = {"user": "user", "assistant": "assistant", "system": "system"}
THINKING = {"thinking", "redacted_thinking"}
_OWN = THINKING | {
    "image", "document", "search_result", "container_upload", "tool_use", "tool_result",
    "server_tool_use", "mcp_tool_use", "compaction",
}  # fmt: skip
_NOT_OURS = ("tool", "function", "developer")


class Anthropic(ChatAdapter):
    """The messages API: blocks of every kind, tool results inside user messages.

    Every result is a piece; the other blocks of a message are another. Thinking stays where it is
    and as it is, or goes whole: where another block of its message changed, and where it would
    no longer come first. Source: Anthropic, "Messages", API reference (November 2026).

    Examples
    --------
    >>> blocks = [{"type": "tool_result", "tool_use_id": "a", "content": "12:00"},
    ...           {"type": "text", "text": "Well?"}]
    >>> [piece.role for piece in ANTHROPIC.read([{"role": "user", "content": blocks}])]
    ['tool', 'user']
    """

    name = "anthropic"
    user_first = True
    image_api = "anthropic"

    def recognises(self, raw: object) -> bool:
        """Say whether a chat has a block that only Anthropic knows, or a system prompt apart."""
        messages = raw.get("messages") if isinstance(raw, dict) else raw
        if not isinstance(messages, list) or not all(isinstance(m, dict) for m in messages):
            return False
        if any(m.get("role") in _NOT_OURS or "tool_calls" in m for m in messages):
            return False
        if messages and messages[0].get("role") == "system":
            return False
        if isinstance(raw, dict) and raw.get("system") is not None:
            return True
        blocks = [b for m in messages if isinstance(m.get("content"), list) for b in m["content"]]
        kinds = [block.get("type") for block in blocks if isinstance(block, dict)]
        return any(isinstance(kind, str) and _is_own(kind) for kind in kinds)

    def head(self, body: Fields) -> Iterator[Piece]:
        """Yield the system prompt, and the definitions of tools and MCP servers."""
        yield from system_piece(body)
        yield from definitions(body, ("tools", "mcp_servers"))

    def pieces(self, fields: Fields, home: int, model: str) -> Iterator[Piece]:
        """Yield a piece of every tool result of a message, and one of its other blocks."""
        role = speaker(fields, ROLES)
        name, made = label(fields), moment(fields, "created_at", "timestamp")
        content = fields.raw.get("content")
        if content is None:
            raise DataError(
                "is missing; expected a string or a list of blocks", field=fields.at("content")
            )
        if isinstance(content, str):
            slots: tuple[Slot, ...] = (Slot("text", (), ("content",)),)
            yield Piece(home, role, (content,), slots=slots, id=name, created_at=made)
            return
        expect(content, list, fields.at("content"))
        rest = _Rest()
        for at, block in enumerate(fields.objects("content")):
            if block.text("type") == "tool_result":
                yield _result(block, home, at, model, made)
            else:
                rest.add(block, at, model)
        rest.payload += beside(fields)
        if rest.slots or rest.payload or not content:
            yield Piece(
                home,
                role,
                tuple(rest.texts),
                calls=tuple(rest.calls),
                payload=tuple(rest.payload),
                slots=tuple(rest.slots),
                id=name,
                created_at=made,
            )

    def finish(
        self, message: dict[str, Any], raw: dict[str, Any], kept: Sequence[Kept],
        rest: Sequence[str],
    ) -> dict[str, Any] | None:  # fmt: skip
        """Return a message without empty blocks and without thinking that is not its own."""
        content = message["content"]
        if isinstance(content, str):
            text = content + "".join(rest)
            if not text.strip():
                return None
            return message if text == content else {**message, "content": text}
        blocks = [block for block in map(_cleaned, content) if block is not None]
        blocks += [{"type": "text", "text": text} for text in rest if text.strip()]
        whole = all(one.is_whole for one in kept)
        spoken = [block for block in blocks if block["type"] not in THINKING]
        blocks = blocks if whole and spoken else spoken
        if not blocks:
            return None
        same = len(blocks) == len(content) and all(
            one is other for one, other in zip(blocks, content, strict=True)
        )
        return message if same else {**message, "content": blocks}

    def settle(self, chat: list[Any]) -> list[Any]:
        """Merge neighbours of one role, results first; thinking behind other blocks goes."""
        merged: list[dict[str, Any]] = []
        for entry in chat:
            if merged and merged[-1]["role"] == entry["role"] != "system":
                later = [b for b in _blocks(entry["content"]) if b["type"] not in THINKING]
                blocks = [*_blocks(merged[-1]["content"]), *later]
                merged[-1] = {**entry, **merged[-1], "content": blocks}
            else:
                merged.append(entry)
        return [_results_first(message) for message in merged]


def _is_own(kind: str) -> bool:
    return kind in _OWN or kind.endswith(("_tool_result", "_tool_use"))


class _Rest:
    """The blocks of a message that are no tool results."""

    def __init__(self) -> None:
        self.texts: list[str] = []
        self.calls: list[ToolCall] = []
        self.payload: list[Payload] = []
        self.slots: list[Slot] = []

    def add(self, block: Fields, at: int, model: str) -> None:
        kind, node = block.text("type"), ("content", at)
        if kind == "text":
            self.texts.append(block.text("text"))
            self.slots.append(Slot("text", node, (*node, "text")))
            self.payload += beside(block, ("citations",))
        elif kind == "tool_use":
            arguments = json.dumps(block.raw.get("input", {}), ensure_ascii=False, default=str)
            self.slots.append(Slot("call", node, number=len(self.calls)))
            self.calls.append(ToolCall(label(block), block.text("name"), arguments))
        else:
            self.slots.append(Slot("other", node))
            thought = block.raw.get("thinking")
            carried = Payload(kind, thought) if kind == "thinking" and isinstance(thought, str) \
                else part_payload(block.raw, "anthropic", model)  # fmt: skip
            self.payload.append(carried)


def _result(block: Fields, home: int, at: int, model: str, made: str | None) -> Piece:
    node: tuple[str | int, ...] = ("content", at)
    content = block.raw.get("content")
    texts, slots, payload = list[str](), [Slot("other", node)], list[Payload]()
    if isinstance(content, str):
        texts.append(content)
        slots.append(Slot("text", (), (*node, "content")))
    elif content is not None:
        expect(content, list, block.at("content"))
        for number, part in enumerate(block.objects("content")):
            place = (*node, "content", number)
            if part.text("type") == "text":
                texts.append(part.text("text"))
                slots.append(Slot("text", place, (*place, "text")))
            else:
                slots.append(Slot("other", place))
                payload.append(part_payload(part.raw, "anthropic", model))
    else:
        slots.append(Slot("text", (), (*node, "content")))
        texts.append("")
    return Piece(
        home, "tool", tuple(texts), part=at, answers=label(block, "tool_use_id"),
        payload=tuple(payload), slots=tuple(slots), created_at=made,
    )  # fmt: skip


def _cleaned(block: dict[str, Any]) -> dict[str, Any] | None:
    """Return a block without empty texts in it, None where it is one."""
    if block["type"] == "text":
        return block if block["text"].strip() else None
    content = block.get("content")
    if block["type"] == "tool_result" and isinstance(content, list):
        full = [part for part in content if part.get("type") != "text" or part["text"].strip()]
        return block if len(full) == len(content) else {**block, "content": full}
    return block


def _results_first(message: dict[str, Any]) -> dict[str, Any]:
    """Return a message with its tool results before its other blocks, as the API demands."""
    content = message["content"]
    if isinstance(content, str):
        return message
    ordered = sorted(content, key=lambda block: block["type"] != "tool_result")
    return message if ordered == content else {**message, "content": ordered}


def _blocks(content: str | list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [{"type": "text", "text": content}] if isinstance(content, str) else content


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


ANTHROPIC = Anthropic()


def is_anthropic(raw: object) -> bool:
    """Say whether a record looks like Anthropic messages.

    Examples
    --------
    >>> is_anthropic({"system": "Be brief.", "messages": [{"role": "user", "content": "Hi"}]})
    True
    """
    return ANTHROPIC.recognises(raw)


def read_anthropic(raw: object, name: str) -> Iterator[Case]:
    """Yield the conversation of a record as a case without probes.

    Raises
    ------
    DataError
        With the field at fault.

    Examples
    --------
    >>> body = {"system": "Be brief.", "messages": [{"role": "user", "content": "Hi"}]}
    >>> [m.role for m in next(read_anthropic(body, "chat-1")).messages]
    ['system', 'user']
    """
    case_id = label(Fields(raw)) or name if isinstance(raw, dict) else name
    yield build_case(case_id, "anthropic-messages", conversation(ANTHROPIC.read(raw)))


def messages_from_anthropic(messages: object, system: object = None) -> tuple[Message, ...]:
    """Turn Anthropic messages into messages.

    Every ``tool_result`` block of a user message becomes a tool message of its own, and the
    user's text after it a user message. Thinking, images and every other block that is neither
    text nor a call are the payload of their message.

    Raises
    ------
    DataError
        With the field at fault.

    Examples
    --------
    >>> blocks = [{"type": "tool_use", "id": "t1", "name": "clock", "input": {}}]
    >>> messages_from_anthropic([{"role": "assistant", "content": blocks}])[0].tool_calls[0].name
    'clock'
    """
    body = {"messages": messages, **({} if system is None else {"system": system})}
    return conversation(ANTHROPIC.read(body))


FORMAT = Format(
    name="anthropic",
    description="Anthropic messages",
    recognises=is_anthropic,
    read=read_anthropic,
    whole=True,
    priority=-2,
    example={
        "system": "Be brief.",
        "messages": [
            {
                "role": "assistant",
                "content": [
                    {"type": "text", "text": "Let me see."},
                    {"type": "tool_use", "id": "t1", "name": "clock", "input": {}},
                ],
            },
            {
                "role": "user",
                "content": [
                    {
                        "type": "tool_result",
                        "tool_use_id": "t1",
                        "content": [{"type": "text", "text": "12:00"}],
                    }
                ],
            },
        ],
    },
)
