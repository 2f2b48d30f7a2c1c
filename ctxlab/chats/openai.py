"""OpenAI chat messages as pieces, and back."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from ctxlab.chats.case_format import role_of
from ctxlab.chats.fields import Fields, expect
from ctxlab.chats.media import part_tokens
from ctxlab.chats.openai_reader import text_of
from ctxlab.chats.pieces import Kept, Piece
from ctxlab.core.segments import ToolCall
from ctxlab.errors import DataError

_TEXT = {"text": "text", "input_text": "text", "output_text": "text", "refusal": "refusal"}
_PAYLOADS = ("tool_calls", "function_call", "audio", "refusal")


def read_openai(messages: Sequence[dict[str, Any]], count: Callable[[str], int]) -> list[Piece]:
    """Turn OpenAI chat messages into pieces, system and developer messages first.

    Calls pair with results by their ids; where there are none, by the function's name or by
    their order.

    Parameters
    ----------
    messages : sequence of dict
        The chat.
    count : callable
        Tokens of a text, for the parts that are not text.

    Raises
    ------
    DataError
        With the field at fault, such as ``messages[3].content``.

    Examples
    --------
    >>> read_openai([{"role": "user", "content": "Hi"}], len)[0].texts
    ('Hi',)
    """
    records = Fields({"messages": list(messages)}).objects("messages")
    pieces = [_piece(fields, home, count) for home, fields in enumerate(records)]
    return sorted(pieces, key=lambda piece: piece.role != "system")


def _piece(fields: Fields, home: int, count: Callable[[str], int]) -> Piece:
    raw = fields.raw
    result = fields.has("role") and fields.text("role") in ("tool", "function")
    role = "tool" if result else role_of(fields)
    content = raw.get("content")
    if content is None and not any(fields.has(name) for name in _PAYLOADS):
        raise DataError(
            "is missing; expected a string or a list of parts", field=fields.at("content")
        )
    if content is not None and not isinstance(content, str):
        expect(content, list, fields.at("content"))
    kinds = [(part.optional("type"), part.raw) for part in _parts(fields)]
    others = [part for kind, part in kinds if kind is not None and kind not in _TEXT]
    return Piece(
        home,
        role,
        tuple(_texts(fields)),
        name=fields.optional("name"),
        calls=tuple(_calls(fields)),
        answers=_answered(fields) if result else "",
        extra=sum(part_tokens(part, count) for part in others),
    )


def _parts(fields: Fields) -> Iterator[Fields]:
    if isinstance(fields.raw.get("content"), list):
        yield from fields.objects("content")


def _key(part: dict[str, Any]) -> str | None:
    """Return the key that holds a part's text, None where it is not text."""
    return _TEXT.get(part.get("type") or "text")


def _texts(fields: Fields) -> Iterator[str]:
    if isinstance(fields.raw.get("content"), str):
        yield fields.text("content")
    for part in _parts(fields):
        key = _key(part.raw)
        if key is not None:
            yield part.text(key)
    if fields.has("refusal"):
        yield fields.text("refusal")


def _answered(fields: Fields) -> str:
    if fields.has("tool_call_id"):
        return fields.text("tool_call_id")
    return fields.text("name") if fields.raw["role"] == "function" and fields.has("name") else ""


def _calls(fields: Fields) -> Iterator[ToolCall]:
    if fields.has("function_call"):
        function = fields.child("function_call")
        arguments = text_of(function.raw.get("arguments", ""))
        yield ToolCall(function.text("name"), function.text("name"), arguments)
    if fields.has("tool_calls"):
        for call in fields.objects("tool_calls"):
            yield _call(call)


def _call(call: Fields) -> ToolCall:
    called = call.optional("id") or ""
    custom = call.raw.get("type") == "custom"
    function = call.child("custom" if custom else "function")
    arguments = function.raw.get("input" if custom else "arguments", "")
    return ToolCall(called, function.text("name"), text_of(arguments))


def write_openai(messages: Sequence[dict[str, Any]], kept: Sequence[Kept]) -> list[dict[str, Any]]:
    """Return what is left of a chat; what was not changed is the very dict that was given.

    Keys that are not known stay as they are on a message that stays.

    Examples
    --------
    >>> chat = [{"role": "user", "content": "Hi", "mood": "glad"}]
    >>> write_openai(chat, [Kept(read_openai(chat, len)[0], ("H",))])
    [{'role': 'user', 'content': 'H', 'mood': 'glad'}]
    """
    written: list[dict[str, Any]] = []
    for one in kept:
        if one.piece is None:
            written.append({"role": "user", "content": one.texts[0]})
            continue
        raw = messages[one.piece.home]
        entry = _written(raw, one)
        if not _is_void(entry, raw):
            written.append(raw if entry == raw else entry)
    return written


def _written(raw: dict[str, Any], kept: Kept) -> dict[str, Any]:
    entry, texts = dict(raw), iter(kept.texts)
    content = raw.get("content")
    if isinstance(content, str):
        entry["content"] = next(texts)
    elif isinstance(content, list):
        parts = [_edited(part, texts) for part in content]
        entry["content"] = [part for part in parts if part is not None]
        if not entry["content"]:
            entry["content"] = "" if kept.piece and kept.piece.role == "tool" else None
    if not (kept.piece and kept.piece.texts):
        _say(entry, next(texts))
    if raw.get("refusal") is not None:
        entry["refusal"] = next(texts)
    first = 1 if raw.get("function_call") is not None else 0
    if first and 0 not in kept.calls:
        del entry["function_call"]
    if "tool_calls" in raw and raw["tool_calls"] is not None:
        calls = [raw["tool_calls"][at - first] for at in kept.calls if at >= first]
        if calls:
            entry["tool_calls"] = calls
        else:
            del entry["tool_calls"]
    return entry


def _say(entry: dict[str, Any], text: str) -> None:
    """Put in a text that a strategy wrote for a message that had none."""
    if text and isinstance(entry.get("content"), list):
        entry["content"] = [*entry["content"], {"type": "text", "text": text}]
    elif text:
        entry["content"] = text


def _edited(part: dict[str, Any], texts: Iterator[str]) -> dict[str, Any] | None:
    key = _key(part)
    if key is None:
        return part
    text = next(texts)
    return {**part, key: text} if text or not part[key] else None


def _is_void(entry: dict[str, Any], raw: dict[str, Any]) -> bool:
    """Say whether nothing is left that an API would take."""
    if entry["role"] in ("tool", "function") or any(entry.get(name) for name in _PAYLOADS):
        return False
    content = entry.get("content")
    return not content and (content != "" or raw.get("content") != "")
