"""Messages within a log or an export, in whichever provider's shape they stand there."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Any

from ctxlab.chats.adapter import Adapter
from ctxlab.chats.adapters import adapter_of
from ctxlab.chats.case_building import build_case
from ctxlab.chats.conversation import conversation
from ctxlab.chats.entries import Convert, Entry, converted, settled
from ctxlab.chats.fields import Fields, expect
from ctxlab.chats.media import json_payload
from ctxlab.chats.openai import messages_from_openai
from ctxlab.chats.table_rows import parsed
from ctxlab.core.cases import Case
from ctxlab.core.segments import Message
from ctxlab.errors import DataError

_LIST = re.compile(r"^\w*")


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


def reader_of(adapter: Adapter) -> Convert:
    """Return what reads messages by an adapter.

    Examples
    --------
    >>> from ctxlab.chats.openai import OPENAI
    >>> reader_of(OPENAI)([{"role": "user", "content": "Hi"}])[0].content
    'Hi'
    """
    return lambda chat: conversation(adapter.read(chat))


def chat_of(messages: object, path: str, before: Iterable[Entry] = ()) -> tuple[Message, ...]:
    """Return the messages of a value, after entries such as a system prompt of its own.

    Parameters
    ----------
    messages : object
        A list of messages of any API that has an adapter, or its JSON.
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
    first = converted(before, messages_from_openai)
    named = [replace(message, id=f"s{message.id[1:]}") for message in first]
    try:
        said = reader_of(adapter_of(found))(found)
    except DataError as error:
        raise DataError(error.problem, field=_LIST.sub(lambda _: path, error.field)) from error
    return settled([*named, *said])


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
    """Return tool definitions that stand beside a chat as an entry of their own: they are sent.

    Examples
    --------
    >>> definitions('[{"name": "clock"}]')[0].raw.payload[0].kind, definitions("[]")
    ('tools', [])
    """
    found = parsed(tools)
    if not found or not isinstance(found, list | dict):
        return []
    payload = json_payload("tools", tools if isinstance(tools, str) else found)
    return [Entry(Message("m0", "system", "", pinned=True, payload=(payload,)), path)]


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
