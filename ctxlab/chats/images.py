"""What an image costs: its size from the first bytes, and the providers' published formulas."""

from __future__ import annotations

import base64
import binascii
import re
import struct
from math import ceil, floor, sqrt
from typing import Literal

Api = Literal["openai", "anthropic", "gemini"]
Size = tuple[int, int]

_DATA_URL = re.compile(r"data:[^,]*;base64,", re.ASCII)
_HEAD = 262_144
"""Bytes that are read of an image; a JPEG's size stands behind its thumbnail."""
_TILES = {"gpt-5": (70, 140), "o1": (75, 150), "o3": (75, 150), "gpt-4o-mini": (2833, 5667)}
_PATCHES = {
    "gpt-5-mini": 1.62, "gpt-5-nano": 2.46, "gpt-4.1-mini": 1.62, "gpt-4.1-nano": 2.46,
    "o4-mini": 1.72,
}  # fmt: skip
_LARGER = re.compile(r"(opus-(4-[7-9]|[5-9])|sonnet-[5-9]|haiku-[6-9]|fable|mythos)")


def encoded_size(data: str) -> Size | None:
    """Return width and height of an image in base64 or a data URL, in pixels; None if unknown.

    Examples
    --------
    >>> encoded_size("R0lGODlhAAQAAwAAACw=")
    (1024, 768)
    >>> encoded_size("https://example.org/a.png") is None
    True
    """
    text = data[: _HEAD * 4 // 3]
    found = _DATA_URL.match(text)
    text = text[found.end() if found else 0 :]
    try:
        return image_size(base64.b64decode(text[: len(text) // 4 * 4], validate=True))
    except (binascii.Error, ValueError):
        return None


def image_size(head: bytes) -> Size | None:
    """Return width and height by the first bytes of a PNG, JPEG, GIF or WebP, in pixels.

    Source: the formats' specifications (W3C PNG, ITU T.81, GIF89a, RFC 9649).

    Examples
    --------
    >>> image_size(b"GIF89a" + (320).to_bytes(2, "little") + (200).to_bytes(2, "little"))
    (320, 200)
    """
    try:
        if head.startswith(b"\x89PNG\r\n\x1a\n"):
            width, height = struct.unpack(">II", head[16:24])
        elif head[:6] in (b"GIF87a", b"GIF89a"):
            width, height = struct.unpack("<HH", head[6:10])
        elif head[:4] == b"RIFF" and head[8:12] == b"WEBP":
            width, height = _webp(head)
        elif head.startswith(b"\xff\xd8"):
            width, height = _jpeg(head)
        else:
            return None
    except (struct.error, IndexError):
        return None
    return (width, height) if width and height else None


def _webp(head: bytes) -> Size:
    kind = head[12:16]
    if kind == b"VP8X":
        wide, high = head[24:27] + b"\0", head[27:30] + b"\0"
        return struct.unpack("<I", wide)[0] + 1, struct.unpack("<I", high)[0] + 1
    if kind == b"VP8L":
        bits = struct.unpack("<I", head[21:25])[0]
        return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
    width, height = struct.unpack("<HH", head[26:30])
    return width & 0x3FFF, height & 0x3FFF


def _jpeg(head: bytes) -> Size:
    at = 2
    while True:
        marker, length = head[at + 1], struct.unpack(">H", head[at + 2 : at + 4])[0]
        # The frames that say a size; C4, C8 and CC are tables.
        if 0xC0 <= marker <= 0xCF and marker not in (0xC4, 0xC8, 0xCC):
            height, width = struct.unpack(">HH", head[at + 5 : at + 9])
            return width, height
        at += 2 + max(length, 2)


def image_tokens(size: Size, api: Api, model: str = "", detail: str = "auto") -> int:
    """Return what an image of `size` pixels costs, by the provider's formula.

    Parameters
    ----------
    size : tuple of int
        Width and height, in pixels.
    api : {"openai", "anthropic", "gemini"}
        Whose formula: OpenAI, "Images and vision"; Anthropic, "Vision"; Gemini API, "Understand
        and count tokens" (all as of November 2026).
    model : str
        For formulas that differ by model; the commonest where it is not known.
    detail : str
        OpenAI's: ``low``, ``high``, ``original`` or ``auto``.

    Examples
    --------
    >>> image_tokens((1024, 1024), "openai", "gpt-4o"), image_tokens((1000, 1000), "anthropic")
    (765, 1296)
    >>> image_tokens((1800, 2400), "openai", "gpt-5-mini"), image_tokens((1024, 1024), "gemini")
    (2353, 1032)
    """
    name = model.lower()
    if api == "anthropic":
        return _anthropic(size, name)
    if api == "gemini":
        if re.search(r"gemini-([3-9]|\d\d)", name):
            return {"low": 280, "medium": 560}.get(detail.removeprefix("media_resolution_"), 1120)
        within = max(size) <= 384
        return 258 if within else 258 * ceil(size[0] / 768) * ceil(size[1] / 768)
    return _openai(size, name, detail)


def _anthropic(size: Size, model: str) -> int:
    edge, most = (2576, 4784) if _LARGER.search(model) else (1568, 1568)
    width, height = _within(size, edge)
    tokens = ceil(width / 28) * ceil(height / 28)
    return min(tokens, most)


def _openai(size: Size, model: str, detail: str) -> int:
    if re.search(r"gpt-(5\.[6-9]|[6-9])", model):
        if detail == "low":
            size = _within(size, 512)
        return ceil(_patches(size, 2500 if detail == "high" else 30_000) * 12 / 10)
    for name, factor in _PATCHES.items():
        if name in model:
            return ceil(round(_patches(size, 1536) * factor, 6))
    cost = next((cost for name, cost in reversed(_TILES.items()) if name in model), (85, 170))
    if detail == "low":
        return cost[0]
    width, height = _within(size, 2048)
    shrink = min(1.0, 768 / min(width, height))
    tiles = ceil(round(width * shrink) / 512) * ceil(round(height * shrink) / 512)
    return cost[0] + cost[1] * tiles


def _within(size: Size, edge: int) -> Size:
    shrink = min(1.0, edge / max(size))
    return max(1, round(size[0] * shrink)), max(1, round(size[1] * shrink))


def _patches(size: Size, most: int) -> int:
    width, height = size
    count = ceil(width / 32) * ceil(height / 32)
    if count <= most:
        return count
    shrink = sqrt(1024 * most / (width * height))
    wide, high = width * shrink / 32, height * shrink / 32
    shrink *= min(floor(wide) / wide, floor(high) / high)
    return ceil(int(width * shrink) / 32) * ceil(int(height * shrink) / 32)
