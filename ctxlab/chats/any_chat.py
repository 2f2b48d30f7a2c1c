"""Messages within a log or an export, in whichever provider's shape they stand there."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from ctxlab.chats.anthropic_reader import is_anthropic, messages_from_anthropic
from ctxlab.chats.case_building import build_case
from ctxlab.chats.entries import Convert, Entry, converted
from ctxlab.chats.fields import Fields, expect
from ctxlab.chats.openai_reader import messages_from_openai
from ctxlab.chats.table_rows import parsed
from ctxlab.core.cases import Case
from ctxlab.core.segments import Message


def is_chat(raw: object) -> bool:
    """Say whether a value is a list of messages with roles.

    Examples
    --------
    >>> is_chat([{"role": "user", "content": "Hi"}]), is_chat([]), is_chat("Hi")
    (True, False, False)
    """
    return (
        isinstance(raw, list)
        and bool(raw)
        and all(isinstance(one, dict) and isinstance(one.get("role"), str) for one in raw[:3])
    )


def converter(messages: object) -> Convert:
    """Return what reads messages of this shape.

    Examples
    --------
    >>> converter([{"role": "user", "content": "Hi"}]).__name__
    'messages_from_openai'
    """
    return messages_from_anthropic if is_anthropic(messages) else messages_from_openai


def chat_of(messages: object, path: str, before: Iterable[Entry] = ()) -> tuple[Message, ...]:
    """Return the messages of a value, after entries such as a system prompt of its own.

    Parameters
    ----------
    messages : object
        A list of messages, or its JSON.
    path : str
        Where it stands, for errors.
    before : iterable of Entry
        What comes first, in OpenAI's shape.

    Raises
    ------
    DataError
        With the field at fault.

    Examples
    --------
    >>> chat_of('[{"role": "user", "content": "Hi"}]', "messages")[0].content
    'Hi'
    """
    found = expect(parsed(messages), list, path)
    convert = converter(found)
    # What comes first is in OpenAI's shape, which is Anthropic's too where content is text.
    return converted([*before, *entries(found, path)], convert)


def entries(messages: Iterable[object], path: str) -> Iterator[Entry]:
    """Yield messages as entries, each with its place and the time that it gives.

    Examples
    --------
    >>> [entry.path for entry in entries([{}, {}], "messages")]
    ['messages[0]', 'messages[1]']
    """
    for at, message in enumerate(messages):
        place = f"{path}[{at}]"
        yield Entry(_plain(expect(message, dict, place)), place)


def _plain(message: dict[str, Any]) -> dict[str, Any]:
    """Leave out what is no part of a message to a model: ids and times of the log."""
    times = {key: str(message[key]) for key in ("created_at",) if message.get(key) is not None}
    shown = {key: value for key, value in message.items() if key not in ("id", "created_at")}
    return shown | times


def prompt(system: object, path: str = "system") -> list[Entry]:
    """Return a system prompt as the first entry, or none where there is no such text.

    Examples
    --------
    >>> len(prompt("Be brief.")), len(prompt(""))
    (1, 0)
    """
    if not isinstance(system, str) or not system.strip():
        return []
    return [Entry({"role": "system", "content": system}, path)]


def definitions(tools: object, path: str = "tools") -> list[Entry]:
    """Return tool definitions that stand beside a chat as the system's entry: they are sent.

    Examples
    --------
    >>> definitions('[{"name": "clock"}]')[0].kind, definitions("[]")
    ('tools', [])
    """
    import json

    found = parsed(tools)
    if not found or not isinstance(found, list | dict):
        return []
    text = tools if isinstance(tools, str) else json.dumps(found, ensure_ascii=False)
    return [Entry({"role": "system", "content": text}, path, "tools")]


def case_of(
    fields: Fields, name: str, dataset: str, messages: tuple[Message, ...], *ids: str
) -> Case:
    """Return the case of a record whose id stands under one of some names, or is `name`.

    Raises
    ------
    DataError
        When there is no message.

    Examples
    --------
    >>> case_of(Fields({"uuid": "u"}), "x", "d", (Message("m0", "user", "Hi"),), "uuid").id
    'u'
    """
    given = next((fields.scalar(one) for one in ids if fields.has(one)), "")
    return build_case(given or name, dataset, messages)
