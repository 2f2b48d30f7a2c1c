"""Messages as people have them: plain dicts where a `Message` belongs."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import fields
from typing import Any

from ctxlab.core.segments import About, Compaction, Message, ToolCall
from ctxlab.errors import DataError, UnknownNameError

_FIELDS = [field.name for field in fields(Message)]


def as_messages(messages: Iterable[Message | Mapping[str, Any]]) -> tuple[Message, ...]:
    """Return messages; a mapping becomes one, with an id of its place where it has none.

    A mapping has `role` and `content`, and may have the other fields of a `Message`; tool calls
    may be as OpenAI sends them. For images, thinking and the like read the chat with
    `ctxlab.read` or `ctxlab.compress`.

    Raises
    ------
    DataError
        When one is no mapping, its content is no text, an id stands twice, or a field is unknown.

    Examples
    --------
    >>> as_messages([{"role": "human", "content": "Hi"}])[0]
    Message(id='m0', role='user', content='Hi', name=None, created_at=None, session=None,
            tool_calls=(), tool_call_id=None, pinned=False, payload=(), about=None)
    """
    found = tuple(
        message if isinstance(message, Message) else _message(message, f"messages[{at}]", f"m{at}")
        for at, message in enumerate(messages)
    )
    often = Counter(message.id for message in found)
    if len(often) < len(found):
        twice = next(name for name, count in often.items() if count > 1)
        raise DataError(f"message id {twice!r} stands twice; give each its own", field="messages")
    return found


def _message(raw: object, place: str, name: str) -> Message:
    if not isinstance(raw, Mapping):
        raise DataError(f"is a {type(raw).__name__}; pass a Message or a dict", field=place)
    for key in raw:
        if key not in _FIELDS:
            raise DataError(str(UnknownNameError("field", str(key), _FIELDS)), field=place)
    if "role" not in raw:
        raise DataError("has no role; give 'user', 'assistant', 'system' or 'tool'", field=place)
    content = raw.get("content")
    if content is None:
        content = ""
    if not isinstance(content, str):
        problem = f"is a {type(content).__name__}; give text, or read the chat with ctxlab.read"
        raise DataError(problem, field=f"{place}.content")
    calls = tuple(_call(call, f"{place}.tool_calls[{i}]") for i, call in
                  enumerate(raw.get("tool_calls") or ()))  # fmt: skip
    known = {**raw, "id": str(raw.get("id", name)), "content": content, "tool_calls": calls}
    known["about"] = about_of(raw.get("about"), f"{place}.about")
    try:
        return Message(**known)
    except UnknownNameError as error:
        raise DataError(str(error), field=f"{place}.role") from error


def about_of(raw: object, place: str = "") -> About | None:
    """Return what is said about a message, from the object that ``asdict`` makes of it.

    Raises
    ------
    DataError
        When it is no such object; with the field at fault.

    Examples
    --------
    >>> about_of({"kind": "summary", "compaction": {"trigger": "auto"}}).compaction.trigger
    'auto'
    """
    if raw is None or isinstance(raw, About):
        return raw
    try:
        kind, compaction = _values(raw, kind="", compaction=None)
        if compaction is not None and not isinstance(compaction, Compaction):
            trigger, before, after, kept = _values(
                compaction, trigger="", tokens_before=None, tokens_after=None, kept=()
            )
            before, after = (None if n is None else int(n) for n in (before, after))
            compaction = Compaction(str(trigger), before, after, tuple(map(str, kept or ())))
        return About(str(kind), compaction)
    except (TypeError, ValueError, OverflowError) as error:
        problem = f"is not what is said about a message ({error}); give kind and compaction"
        raise DataError(problem, field=place) from error


def _values(raw: object, **known: object) -> list[Any]:
    if not isinstance(raw, Mapping):
        raise TypeError(f"it is a {type(raw).__name__}")
    unknown = sorted(map(str, set(raw) - set(known)))
    if unknown:
        raise ValueError(f"{unknown[0]!r} is no field of it")
    return [raw.get(name, default) for name, default in known.items()]


def _call(raw: object, place: str) -> ToolCall:
    if isinstance(raw, ToolCall):
        return raw
    if not isinstance(raw, Mapping):
        raise DataError(f"is a {type(raw).__name__}; pass a ToolCall or a dict", field=place)
    inner = raw.get("function", raw)
    arguments = inner.get("arguments", "{}")
    text = arguments if isinstance(arguments, str) else json.dumps(arguments)
    try:
        return ToolCall(str(raw["id"]), str(inner["name"]), text)
    except KeyError as error:
        raise DataError(f"has no {error.args[0]!r}", field=place) from error
