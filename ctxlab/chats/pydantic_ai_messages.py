"""Pydantic AI's requests and responses as pieces, and back, part by part."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any, ClassVar, Protocol

from ctxlab.chats.extras import load
from ctxlab.chats.images import image_size, image_tokens
from ctxlab.chats.media import MEDIA_TOKENS
from ctxlab.chats.pieces import Kept, Piece, of_home
from ctxlab.core.segments import Payload, ToolCall
from ctxlab.errors import DataError

_FEEDBACK = ("retry-prompt", "retry-feedback")


class HistoryPart(Protocol):
    """What is read of every part of a message; the rest depends on its kind.

    Examples
    --------
    >>> HistoryPart.__name__
    'HistoryPart'
    """

    __dataclass_fields__: ClassVar[dict[str, Any]]
    part_kind: str


class HistoryMessage(Protocol):
    """What is read of a ``pydantic_ai.messages.ModelMessage``.

    Examples
    --------
    >>> HistoryMessage.__name__
    'HistoryMessage'
    """

    __dataclass_fields__: ClassVar[dict[str, Any]]
    kind: str
    parts: Sequence[HistoryPart]


def read_pydantic_ai(messages: Sequence[HistoryMessage]) -> list[Piece]:
    """Turn Pydantic AI's messages into pieces: every part of a request is one, a response is one.

    Parameters
    ----------
    messages : sequence of pydantic_ai.messages.ModelMessage
        The history.

    Raises
    ------
    DataError
        When one is neither a request nor a response.

    Examples
    --------
    >>> read_pydantic_ai([])
    []
    """
    pieces: list[Piece] = []
    for home, message in enumerate(messages):
        kind = getattr(message, "kind", None)
        if kind == "response":
            pieces.append(_response(message, home))
        elif kind != "request":
            raise DataError(
                f"is a {type(message).__name__}; expected a ModelRequest or a ModelResponse",
                field=f"messages[{home}]",
            )
        elif message.parts:
            parts = enumerate(message.parts)
            pieces += [_request(part, home, at) for at, part in parts]
        else:
            pieces.append(Piece(home, "system"))
    return pieces


def _request(part: Any, home: int, at: int) -> Piece:  # noqa: ANN401
    kind = part.part_kind
    if kind == "system-prompt":
        return Piece(home, "system", (part.content,), part=at)
    if kind == "user-prompt":
        payload = tuple(one for item in _items(part.content) for one in _carried(item))
        return Piece(home, "user", tuple(_texts(part.content)), part=at, payload=payload)
    if kind == "tool-return":
        # Tools that were searched for, and capabilities that were loaded, are read from here.
        pinned = part.tool_kind is not None
        payload = tuple(_medium(one) for one in part.files)
        texts = (part.model_response_str(),)
        answers = part.tool_call_id
        return Piece(home, "tool", texts, part=at, answers=answers, payload=payload, pinned=pinned)
    if kind == "retry-prompt" and part.tool_name is not None:
        texts = (part.model_response(),)
        return Piece(home, "tool", texts, part=at, answers=part.tool_call_id)
    if kind in _FEEDBACK:
        return Piece(home, "user", (_feedback(part),), part=at, asks=False)
    if kind == "speech":
        return Piece(home, "user", (part.transcript or "",), part=at, payload=_speech(part))
    # What is not conversation is the framework's own business: it stays.
    return Piece(home, "system", part=at, payload=(Payload(kind, repr(part)),))


def _items(content: str | Sequence[Any]) -> list[Any]:
    return [content] if isinstance(content, str) else list(content)


def _item_text(item: Any) -> str | None:  # noqa: ANN401
    """Return the text of an item of a prompt, None where it is something else."""
    if isinstance(item, str):
        return item
    text: str | None = item.content if item.kind == "text-content" else None
    return text


def _texts(content: str | Sequence[Any]) -> Iterator[str]:
    for item in _items(content):
        text = _item_text(item)
        if text is not None:
            yield text


def _carried(item: Any) -> Iterator[Payload]:  # noqa: ANN401
    if _item_text(item) is not None or item.kind == "cache-point":
        return
    if item.kind == "structured-content":
        yield Payload(item.kind, str(item.content))
    else:
        yield _medium(item)


def _medium(item: Any) -> Payload:  # noqa: ANN401
    """Return an image or a file; one in bytes says its size."""
    data = getattr(item, "data", None)
    size = image_size(data) if isinstance(data, bytes) else None
    return Payload(item.kind, tokens=image_tokens(size, "openai") if size else MEDIA_TOKENS)


def _feedback(part: Any) -> str:  # noqa: ANN401
    return part.content if isinstance(part.content, str) else str(part.model_response())


def _speech(part: Any) -> tuple[Payload, ...]:  # noqa: ANN401
    return (Payload("audio", tokens=MEDIA_TOKENS),) if part.audio is not None else ()


def _response(message: HistoryMessage, home: int) -> Piece:
    texts: list[str] = []
    calls: list[ToolCall] = []
    payload: list[Payload] = []
    part: Any
    for part in message.parts:
        kind = part.part_kind
        if kind == "text":
            texts.append(part.content)
        elif kind == "tool-call":
            calls.append(ToolCall(part.tool_call_id, part.tool_name, _arguments(part.args)))
        elif kind == "thinking":
            payload.append(Payload(kind, part.content))
        elif kind == "speech":
            payload += [Payload("transcript", part.transcript or ""), *_speech(part)]
        else:
            payload.append(_medium(part.content) if kind == "file" else Payload(kind, repr(part)))
    return Piece(home, "assistant", tuple(texts), calls=tuple(calls), payload=tuple(payload))


def _arguments(args: str | dict[str, Any] | None) -> str:
    return args if isinstance(args, str) else json.dumps(args or {}, default=str)


def write_pydantic_ai(
    messages: Sequence[HistoryMessage], kept: Sequence[Kept]
) -> list[HistoryMessage]:
    """Return what is left of a history; what was not changed is the very object that was given.

    Parameters
    ----------
    messages : sequence of pydantic_ai.messages.ModelMessage
        The history that was read.
    kept : sequence of Kept
        What is left of its pieces.

    Examples
    --------
    >>> write_pydantic_ai([], [])
    []
    """
    written: list[HistoryMessage] = []
    for home, ones in of_home(kept):
        if home is None:
            found = load("pydantic_ai.messages", "a history processor", "pydantic-ai")
            written += [found.ModelRequest.user_text_prompt(one.texts[0]) for one in ones]
            continue
        message = messages[home]
        parts = [part for one in ones for part in _parts(message, one)]
        same = len(parts) == len(message.parts) and all(map(_is, parts, message.parts))
        if same or parts:
            written.append(message if same else replace(message, parts=parts))
    return written


def _is(one: object, other: object) -> bool:
    return one is other


def _parts(message: HistoryMessage, kept: Kept) -> Iterator[HistoryPart]:
    piece = kept.piece
    if piece is not None and piece.part >= 0:
        part = message.parts[piece.part]
        if kept.texts[: len(piece.texts)] == piece.texts:
            yield part
        elif any(kept.texts) or piece.payload or piece.role == "tool":
            yield _edited(part, kept.texts)
    elif piece is not None and message.kind == "response":
        yield from _response_parts(message, kept)


def _response_parts(message: HistoryMessage, kept: Kept) -> Iterator[HistoryPart]:
    texts, call = iter(kept.texts), 0
    part: Any
    for part in message.parts:
        if part.part_kind == "text":
            text = next(texts)
            if text == part.content:
                yield part
            elif text:
                # Stored under its id, a provider would take the whole text from its own copy.
                yield replace(part, content=text, id=None)
        elif part.part_kind == "tool-call":
            if call in kept.calls:
                yield part
            call += 1
        else:
            yield part
    found = load("pydantic_ai.messages", "a history processor", "pydantic-ai")
    for text in filter(None, texts):
        yield found.TextPart(text)


def _edited(part: Any, texts: Sequence[str]) -> HistoryPart:  # noqa: ANN401
    """Return a part of a request with other texts."""
    edited: HistoryPart
    if part.part_kind == "speech":
        edited = replace(part, transcript=texts[0])
    elif part.part_kind == "tool-return" and part.files:
        edited = replace(part, content=[texts[0], *part.files])
    elif part.part_kind == "user-prompt" and not isinstance(part.content, str):
        edited = replace(part, content=list(_edited_items(part.content, texts)))
    else:
        edited = replace(part, content=texts[0])
    return edited


def _edited_items(items: Sequence[Any], texts: Sequence[str]) -> Iterator[object]:
    left = iter(texts)
    for item in items:
        before = _item_text(item)
        if before is None:
            yield item
            continue
        text = next(left)
        if text == before:
            yield item
        elif text:
            yield text if isinstance(item, str) else replace(item, content=text)
    yield from filter(None, left)
