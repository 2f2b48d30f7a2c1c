"""OpenAI Responses: items, of which a message is one kind, by themselves or as a body's input."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

from ctxlab.chats.adapter import ChatAdapter, label, speaker, system_piece
from ctxlab.chats.editing import edited
from ctxlab.chats.fields import Fields, expect
from ctxlab.chats.file_format import Format
from ctxlab.chats.media import json_payload, part_payload
from ctxlab.chats.openai import ROLES, text_of
from ctxlab.chats.parts import Parts
from ctxlab.chats.pieces import Kept, Piece
from ctxlab.core.segments import ToolCall
from ctxlab.errors import DataError

_TEXT = {"input_text": "text", "output_text": "text", "text": "text", "refusal": "refusal"}
_RESULT = "_output"
_PAIRED = {"function_call", "custom_tool_call", "computer_call", "local_shell_call", "shell_call",
           "apply_patch_call", "tool_search_call"}  # fmt: skip
_SIGNS = ("_call", "_call_output", "_search_output")
_OTHERS = {"reasoning", "compaction", "compaction_trigger", "item_reference", "mcp_list_tools",
           "mcp_approval_request", "mcp_approval_response", "additional_tools", "program",
           "program_output", "context_compaction", "compaction_summary"}  # fmt: skip


class Responses(ChatAdapter):
    """The items of the Responses API.

    Reasoning stays with the item that follows it: neither may be sent without the other. What a
    built-in tool did stands in one item, and stays with the answer that it led to. Source:
    OpenAI, "Responses", API reference (November 2026).

    Examples
    --------
    >>> items = [{"type": "reasoning", "id": "r", "summary": []},
    ...          {"type": "function_call", "call_id": "a", "name": "clock", "arguments": "{}"},
    ...          {"type": "function_call_output", "call_id": "a", "output": "12:00"}]
    >>> [(piece.role, piece.home) for piece in RESPONSES.read(items)]
    [('assistant', 1), ('tool', 2)]
    """

    name = "responses"
    keys = ("input", "output")

    def recognises(self, raw: object) -> bool:
        """Say whether a list has an item that only this API knows, or a body such an input."""
        if isinstance(raw, dict):
            given = raw.get("input") if raw.get("input") is not None else raw.get("output")
            if isinstance(given, str):
                return "messages" not in raw and ("instructions" in raw or "model" in raw)
            raw = given
            if isinstance(raw, list) and raw and all(_is_message(item) for item in raw):
                return True
        return isinstance(raw, list) and any(
            isinstance(item, dict) and _is_own(item) for item in raw
        )

    def head(self, body: Fields) -> Iterator[Piece]:
        """Yield the instructions, the definitions of tools and the schema of the answer."""
        yield from system_piece(body, "instructions")
        yield from super().head(body)

    def pieces_of(self, record: Fields, key: str) -> list[Piece]:
        """Return the pieces of items; what thought and searched goes with the next item."""
        if isinstance(record.raw.get(key), str):
            parts = Parts()
            parts.field(record.text(key), (key,))
            return [parts.piece(-1, "user", id="m0")]
        model = record.raw.get("model")
        found: list[Piece] = []
        before: list[int] = []
        for home, item in enumerate(record.objects(key)):
            if _goes_along(item):
                before.append(home)
                continue
            piece = self._piece(item, home, model if isinstance(model, str) else "")
            if piece.role != "assistant":
                found += [self._alone(record, key, at) for at in before]
                before = []
            found.append(self._with(record, key, before, piece))
            if not before and len(found) > 1 and _parallel(found[-2], found[-1]):
                found[-2:] = [_together(found[-2], found[-1])]
            before = []
        return found + [self._alone(record, key, at) for at in before]

    def _alone(self, record: Fields, key: str, at: int) -> Piece:
        item = record.raw[key][at]
        kind = str(item.get("type"))
        # A compaction stands for all before it.
        keep = "compaction" in kind or kind in ("mcp_list_tools", "additional_tools")
        role: Any = "system" if keep else "assistant"
        carried = (json_payload(kind, item),)
        return Piece(at, role, payload=carried, id=label(Fields(item)), pinned=keep)

    def _with(self, record: Fields, key: str, before: Sequence[int], piece: Piece) -> Piece:
        if not before:
            return piece
        items = [record.raw[key][at] for at in before]
        carried = tuple(json_payload(str(item.get("type")), item) for item in items)
        return replace(piece, payload=carried + piece.payload, along=tuple(before))

    def pieces(self, fields: Fields, home: int, model: str) -> Iterator[Piece]:
        """Yield the piece of an item."""
        yield self._piece(fields, home, model)

    def _piece(self, item: Fields, home: int, model: str) -> Piece:
        kind = item.optional("type") or "message"
        parts = Parts()
        if kind == "message":
            role = speaker(item, ROLES)
            _content(item, "content", parts, model)
            return parts.piece(home, role, id=label(item))
        if kind in _PAIRED:
            called = label(item, "call_id") or label(item)
            name = item.optional("name") or kind
            given = next(
                (item.raw[k] for k in ("arguments", "input", "action") if k in item.raw), ""
            )
            parts.call(ToolCall(called, name, text_of(given)), ())
            return parts.piece(home, "assistant", id=label(item))
        if kind.endswith(_RESULT):
            if "output" not in item.raw:
                parts.other(json_payload(kind, item.raw))
            elif isinstance(item.raw["output"], str | list):
                _content(item, "output", parts, model)
            else:
                parts.value(item.raw["output"], ("output",), "text")
            return parts.piece(home, "tool", answers=label(item, "call_id"), id=label(item))
        parts.other(json_payload(kind, item.raw))
        return parts.piece(home, "assistant", id=label(item))

    def write(self, raw: Any, kept: Sequence[Kept]) -> Any:  # noqa: ANN401 - JSON
        """Return items, or a body, with what is left: what thought stands before its item."""
        if isinstance(raw, dict) and isinstance(raw.get(self._key(raw)), str):
            return edited(raw, kept)[0]
        return super().write(raw, _in_place(kept))

    def along(self, chat: Sequence[Any], kept: Kept) -> list[Any]:
        """Return what stays with an item: its reasoning, and the calls made with it."""
        found, number = [], 0
        for at in kept.piece.along if kept.piece else ():
            if chat[at].get("type") not in _PAIRED:
                found.append(chat[at])
                continue
            if number in kept.calls:
                found.append(chat[at])
            number += 1
        return found

    def finish(
        self, message: dict[str, Any], raw: dict[str, Any], kept: Sequence[Kept],
        rest: Sequence[str],
    ) -> dict[str, Any] | None:  # fmt: skip
        """Return an item, None for a call without a result and a message without content."""
        piece = kept[0].piece
        if piece is not None and piece.calls and len(piece.calls) - 1 not in kept[0].calls:
            return self.said_by_assistant("".join(rest)) if rest else None
        if (raw.get("type") or "message") == "message" and message.get("content") in ([], ""):
            return None
        return message

    def said_by_assistant(self, text: str) -> dict[str, Any]:
        """Return a message of the assistant's."""
        return {"role": "assistant", "content": text}


def _parallel(before: Piece, piece: Piece) -> bool:
    """Say whether a call was made with the one before it: one reasoning led to both."""
    return bool(before.calls and piece.calls) and before.home + 1 == piece.home


def _together(before: Piece, piece: Piece) -> Piece:
    return replace(
        before,
        home=piece.home,
        calls=before.calls + piece.calls,
        along=(*before.along, before.home),
    )


def _in_place(kept: Sequence[Kept]) -> list[Kept]:
    """Put the outputs of parallel calls back behind all of the calls, where they stood."""
    homes = iter(sorted((one for one in kept if one.piece), key=lambda one: one.piece.home))  # type: ignore[union-attr]
    return [next(homes) if one.piece else one for one in kept]


def _is_message(item: object) -> bool:
    return (
        isinstance(item, dict) and (item.get("type") or "message") == "message" and "role" in item
    )


def _is_own(item: dict[str, Any]) -> bool:
    kind = item.get("type")
    if not isinstance(kind, str):
        return False
    if kind == "message" and isinstance(item.get("content"), list):
        parts = [part.get("type") for part in item["content"] if isinstance(part, dict)]
        return any(part in ("input_text", "output_text", "input_image") for part in parts)
    return "role" not in item and (kind in _OTHERS or kind.endswith(_SIGNS))


def _goes_along(item: Fields) -> bool:
    kind = item.optional("type") or "message"
    paired = kind in _PAIRED or kind.endswith(_RESULT)
    return kind != "message" and not paired and (kind in _OTHERS or kind.endswith("_call"))


def _content(item: Fields, key: str, parts: Parts, model: str) -> None:
    content = item.raw.get(key)
    if isinstance(content, str):
        parts.field(content, (key,))
        return
    if content is None:
        raise DataError("is missing; expected a string or a list of parts", field=item.at(key))
    expect(content, list, item.at(key))
    for at, part in enumerate(item.objects(key)):
        kind = part.optional("type") or "text"
        if kind in _TEXT:
            parts.text(part.text(_TEXT[kind]), (key, at), _TEXT[kind])
            if part.raw.get("annotations"):
                parts.payload.append(json_payload("annotations", part.raw["annotations"]))
        else:
            parts.other(part_payload(part.raw, "openai", model), (key, at))


RESPONSES = Responses()

FORMAT = Format(
    name="responses",
    description="OpenAI Responses items",
    recognises=RESPONSES.recognises,
    read=RESPONSES.cases,
    whole=True,
    priority=-1,
    example={
        "instructions": "Be brief.",
        "input": [
            {"role": "user", "content": [{"type": "input_text", "text": "How late is it?"}]},
            {"type": "reasoning", "id": "rs_1", "summary": []},
            {"type": "function_call", "call_id": "c1", "name": "clock", "arguments": "{}"},
            {"type": "function_call_output", "call_id": "c1", "output": "12:00"},
        ],
    },
)
