"""What content parts cost that are not text: images by formulas, the rest by their JSON."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from ctxlab.chats.images import Api, encoded_size, image_tokens
from ctxlab.core.segments import Payload

MEDIA_TOKENS = 1600
"""Tokens that an image of unknown size, a sound or a file is taken to cost: an estimate.

It is what Anthropic bills for a page of a document as an image (November 2026), and above what
an image costs in OpenAI's high detail. Sounds and files are billed by length, which their
encoding does not tell.
"""

LOW_DETAIL_TOKENS = 85
"""Tokens of an image of unknown size that OpenAI is told to look at in low detail."""

_MEDIA = {
    "audio": "audio",
    "document": "file",
    "file": "file",
    "image": "image",
    "image_file": "image",
    "image_url": "image",
    "input_audio": "audio",
    "input_file": "file",
    "input_image": "image",
    "media": "file",
    "video": "video",
    "video_url": "video",
    "reasoning-file": "file",
}


def part_payload(part: Mapping[str, Any], api: Api = "openai", model: str = "") -> Payload:
    """Return a content part that is not text as what a message carries.

    An image costs what its size says by the formula of the API, whatever its encoding weighs;
    one of unknown size, a sound or a file a flat figure; every other part, such as thinking or a
    search result, the tokens of its JSON.

    Parameters
    ----------
    part : mapping
        As it stands in the message.
    api : {"openai", "anthropic", "gemini"}
        Whose formula.
    model : str
        For formulas that differ by model.

    Examples
    --------
    >>> part_payload({"type": "image_url", "image_url": {"url": "…", "detail": "low"}})
    Payload(kind='image', text='', tokens=85)
    >>> part_payload({"type": "thinking", "thinking": "Hm."}).text
    '{"type": "thinking", "thinking": "Hm."}'
    """
    kind = part.get("type")
    medium = _MEDIA.get(kind) if isinstance(kind, str) else None
    if medium is None or _is_text(part.get("source")):
        return json_payload(str(kind or "part"), part)
    return media_payload(medium, part, api, model)


def media_payload(
    kind: str, part: Mapping[str, Any], api: Api = "openai", model: str = ""
) -> Payload:
    """Return an image, a sound or a file as what a message carries.

    Examples
    --------
    >>> media_payload("image", {"source": {"data": "R0lGODlh6APoAwAAACw="}}, "anthropic").tokens
    1296
    """
    picture = part.get("image_url")
    inner = picture if isinstance(picture, Mapping) else part
    detail = str(inner.get("detail") or "auto")
    size = encoded_size(_data(part)) if kind == "image" else None
    if size is not None:
        return Payload(kind, tokens=image_tokens(size, api, model, detail))
    return Payload(kind, tokens=LOW_DETAIL_TOKENS if detail == "low" else MEDIA_TOKENS)


def _data(part: Mapping[str, Any]) -> str:
    """Return the encoded image of a part, wherever its API puts it; empty if there is none."""
    for name in ("image_url", "url", "source", "data", "bytes", "image", "base64"):
        value = part.get(name)
        if isinstance(value, Mapping):
            return _data(value)
        if isinstance(value, str):
            return value
    return ""


def json_payload(kind: str, value: object) -> Payload:
    """Return any JSON value as what a message carries, counted as its text.

    Examples
    --------
    >>> json_payload("annotations", [{"index": 0}]).text
    '[{"index": 0}]'
    """
    if isinstance(value, str):
        return Payload(kind, value)
    return Payload(kind, json.dumps(value, ensure_ascii=False, default=str))


def payload_tokens(payload: tuple[Payload, ...], count: Callable[[str], int]) -> int:
    """Return the tokens of what a message carries.

    Examples
    --------
    >>> payload_tokens((Payload("thinking", "Hm."), Payload("image", tokens=85)), len)
    88
    """
    return sum(one.tokens + count(one.text) for one in payload)


def _is_text(source: object) -> bool:
    return isinstance(source, Mapping) and source.get("type") in ("text", "content")
