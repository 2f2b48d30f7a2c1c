"""What content parts cost that are not text: a flat figure for media, their JSON for the rest."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

MEDIA_TOKENS = 1600
"""Tokens an image, a sound or a file is taken to cost.

Anthropic bills an image by its area, 1,600 tokens at most before it is scaled down (Anthropic,
"Vision", 2025); OpenAI bills 765 for 1024 × 1024 pixels in high detail (OpenAI, "Images and
vision", 2025). The larger of the two is on the safe side of both. Sounds and files are billed by
length, which their encoding does not tell.
"""

LOW_DETAIL_TOKENS = 85
"""Tokens of an image that OpenAI is told to look at in low detail."""

_MEDIA = {
    "audio",
    "document",
    "file",
    "image",
    "image_url",
    "input_audio",
    "input_file",
    "input_image",
    "media",
    "video",
    "video_url",
}


def part_tokens(part: Mapping[str, Any], count: Callable[[str], int]) -> int:
    """Return the tokens of a content part that is not text.

    Images, sounds and files count a flat figure, whatever their encoding weighs; every other
    part, such as thinking or a search result, counts the tokens of its JSON.

    Parameters
    ----------
    part : mapping
        As it stands in the message.
    count : callable
        Tokens of a text.

    Examples
    --------
    >>> part_tokens({"type": "image_url", "image_url": {"url": "…", "detail": "low"}}, len)
    85
    >>> part_tokens({"type": "thinking", "thinking": "Hm."}, len)
    39
    """
    kind = part.get("type")
    if kind in _MEDIA and not _is_text(part.get("source")):
        picture = part.get("image_url")
        detail = picture.get("detail") if isinstance(picture, Mapping) else part.get("detail")
        return LOW_DETAIL_TOKENS if detail == "low" else MEDIA_TOKENS
    return count(json.dumps(part, ensure_ascii=False, default=str))


def _is_text(source: object) -> bool:
    return isinstance(source, Mapping) and source.get("type") in ("text", "content")
