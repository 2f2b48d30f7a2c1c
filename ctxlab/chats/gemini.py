"""Gemini contents: parts, each known by its one key; results of functions in user contents."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from ctxlab.chats.adapter import ChatAdapter, definitions, label
from ctxlab.chats.fields import Fields, expect
from ctxlab.chats.file_format import Format
from ctxlab.chats.media import json_payload, media_payload
from ctxlab.chats.parts import Parts, json_text
from ctxlab.chats.pieces import Kept, Piece
from ctxlab.core.segments import Role, ToolCall
from ctxlab.errors import DataError

_ROLES: dict[str, Role] = {
    "user": "user", "model": "assistant", "function": "user", "tool": "user", "system": "system",
}  # fmt: skip
_UNKNOWN = {"type", "part_kind"}
"""Keys of other APIs' parts."""
_CALL = ("functionCall", "function_call")
_RESULT = ("functionResponse", "function_response")
_DATA = ("inlineData", "inline_data")
_FILE = ("fileData", "file_data")
_SIGNATURE = ("thoughtSignature", "thought_signature")


class Gemini(ChatAdapter):
    """Contents of the Gemini API, in its spelling (``functionCall``) or Python's.

    Parallel calls stay in one content, so that the first keeps its thought's signature: where a
    content's calls do not all stay, the content goes. Source: Google, "Gemini API", reference
    (November 2026).

    Examples
    --------
    >>> [piece.text for piece in GEMINI.read([{"role": "user", "parts": [{"text": "Hi"}]}])]
    ['Hi']
    """

    name = "gemini"
    keys = ("contents", "history")
    user_first = True
    image_api = "gemini"

    def recognises(self, raw: object) -> bool:
        """Say whether a value is a list of contents, or an object with one."""
        if isinstance(raw, dict):
            raw = raw.get("contents", raw.get("history"))
        return isinstance(raw, list) and bool(raw) and all(map(_is_content, raw))

    def head(self, body: Fields) -> Iterator[Piece]:
        """Yield the system instruction and the definitions of tools."""
        for key in ("systemInstruction", "system_instruction"):
            value = body.raw.get(key)
            parts = Parts()
            if isinstance(value, str):
                parts.field(value, (key,))
            elif isinstance(value, dict):
                inner = value.get("parts")
                for at, part in enumerate(inner if isinstance(inner, list) else ()):
                    if isinstance(part, dict) and isinstance(part.get("text"), str):
                        parts.text(part["text"], (key, "parts", at), "text")
                    else:
                        parts.other(json_payload("part", part), (key, "parts", at))
            if parts:
                yield parts.piece(-1, "system", pinned=True, id="system")
        yield from definitions(body)

    def pieces(self, fields: Fields, home: int, model: str) -> Iterator[Piece]:
        """Yield a piece of every function's response of a content, and one of its other parts."""
        given = fields.optional("role") or "user"
        if given not in _ROLES:
            raise DataError(f"is {given!r}; expected user or model", field=fields.at("role"))
        rest, results = Parts(), list[Piece]()
        expect(fields.raw.get("parts", []), list, fields.at("parts"))
        for at, part in enumerate(fields.objects("parts") if "parts" in fields.raw else ()):
            node = ("parts", at)
            answer = next((key for key in _RESULT if part.has(key)), None)
            if answer is not None:
                results.append(_result(part.child(answer), home, at, answer))
            else:
                _add(rest, part, node, model)
        yield from results
        if rest or not results:
            yield rest.piece(home, _ROLES[given])

    def said(self, text: str) -> dict[str, Any]:
        """Return a user's content."""
        return {"role": "user", "parts": [{"text": text}]}

    def finish(
        self, message: dict[str, Any], raw: dict[str, Any], kept: Sequence[Kept],
        rest: Sequence[str],
    ) -> dict[str, Any] | None:  # fmt: skip
        """Return a content, None where no part is left that says something."""
        parts = [*message.get("parts", []), *({"text": text} for text in rest)]
        if not any(_speaks(part) for part in parts):
            return None
        return {**message, "parts": parts} if rest else message

    def settle(self, chat: list[Any]) -> list[Any]:
        """Put responses to parallel calls into one content, as the calls stand in one."""
        merged: list[dict[str, Any]] = []
        for entry in chat:
            if merged and _answers(merged[-1]) and _answers(entry):
                merged[-1] = {**merged[-1], "parts": [*merged[-1]["parts"], *entry["parts"]]}
            else:
                merged.append(entry)
        return merged


def _answers(content: dict[str, Any]) -> bool:
    return any(key in part for part in content["parts"] for key in _RESULT)


def _speaks(part: dict[str, Any]) -> bool:
    thought = part.get("thought") is True
    return not thought and (bool(part.get("text")) or "text" not in part)


def _is_content(raw: object) -> bool:
    return (
        isinstance(raw, dict)
        and isinstance(raw.get("parts"), list)
        and raw.get("role", "user") in _ROLES
        and all(isinstance(part, dict) and _UNKNOWN.isdisjoint(part) for part in raw["parts"])
    )


def _add(parts: Parts, part: Fields, node: tuple[str | int, ...], model: str) -> None:
    call = next((key for key in _CALL if part.has(key)), None)
    if call is not None:
        made = part.child(call)
        arguments = json_text(made.raw.get("args") or {})
        parts.call(ToolCall(label(made), made.text("name"), arguments), node)
        return
    thinks = part.raw.get("thought") is True
    if isinstance(part.raw.get("text"), str) and not thinks:
        parts.text(part.text("text"), node, "text")
        return
    data = next((part.raw[key] for key in (*_DATA, *_FILE) if part.has(key)), None)
    if isinstance(data, dict):
        mime = str(data.get("mimeType") or data.get("mime_type") or "")
        kind = mime.partition("/")[0]
        known = kind if kind in ("image", "audio", "video") else "file"
        parts.other(media_payload(known, data, "gemini", model), node)
    elif thinks:
        parts.other(json_payload("thinking", part.raw.get("text") or ""), node)
    else:
        parts.other(json_payload("part", part.raw), node)


def _result(found: Fields, home: int, at: int, key: str) -> Piece:
    parts = Parts()
    parts.other(None, ("parts", at))
    parts.value(found.raw.get("response", {}), ("parts", at, key, "response"), "output")
    if found.has("parts"):
        parts.payload.append(json_payload("parts", found.raw["parts"]))
    # Without ids, calls pair with responses by their order.
    return parts.piece(home, "tool", part=at, answers=label(found))


GEMINI = Gemini()

FORMAT = Format(
    name="gemini",
    description="Gemini contents",
    recognises=GEMINI.recognises,
    read=GEMINI.cases,
    whole=True,
    example={
        "systemInstruction": {"parts": [{"text": "Be brief."}]},
        "contents": [
            {"role": "user", "parts": [{"text": "How late is it?"}]},
            {"role": "model", "parts": [{"functionCall": {"name": "clock", "args": {}}}]},
            {
                "role": "user",
                "parts": [{"functionResponse": {"name": "clock", "response": {"time": "12:00"}}}],
            },
        ],
    },
)
