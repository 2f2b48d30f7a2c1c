"""Entries of a log: a provider's message each, and what the log says about it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace

from ctxlab.core.segments import About, Compaction, Message
from ctxlab.errors import DataError

Convert = Callable[[list[object]], Sequence[Message]]
"""Reads a list of a provider's messages, such as `messages_from_openai`."""

_FIRST = re.compile(r"^\w+\[0\]\.?")


@dataclass(frozen=True, slots=True)
class Entry:
    """A provider's message as a log holds it.

    Parameters
    ----------
    raw : object
        The message.
    path : str
        Where it stands in the log, for errors.
    kind : str
        As in `About`.
    compaction : Compaction, optional
        What took place right before it.
    created_at : str, optional
        When it was written.
    name : str, optional
        The speaker.
    session : str, optional
        The session of it, where a log holds several.

    Examples
    --------
    >>> Entry({"role": "user", "content": "Hi"}, "[0].message").kind
    ''
    """

    raw: object
    path: str
    kind: str = ""
    compaction: Compaction | None = None
    created_at: str | None = None
    name: str | None = None
    session: str | None = None


def converted(entries: Iterable[Entry], convert: Convert) -> tuple[Message, ...]:
    """Return the messages of entries, numbered by their place: ``m0``, ``m1``, ….

    An entry may become several messages, as a user's turn with two results of tools does; what
    the log says about it then stands with each, and a compaction with the first.

    Raises
    ------
    DataError
        With the field at fault, as the log has it.

    Examples
    --------
    >>> from ctxlab.chats.openai_reader import messages_from_openai
    >>> summary = Entry({"role": "user", "content": "So far: …"}, "[4].message", "summary")
    >>> converted([summary], messages_from_openai)[0].about.kind
    'summary'
    """
    found: list[Message] = []
    for number, entry in enumerate(entries):
        try:
            messages = convert([entry.raw])
        except DataError as error:
            field = _FIRST.sub("", error.field)
            place = ".".join(part for part in (entry.path, field) if part)
            raise DataError(error.problem, field=place) from error
        for at, message in enumerate(messages):
            compaction = None if at else entry.compaction
            kind = entry.kind or (message.about.kind if message.about else "")
            found.append(
                replace(
                    message,
                    id=_numbered(message.id, number, at),
                    name=message.name or entry.name,
                    created_at=message.created_at or entry.created_at,
                    session=message.session or entry.session,
                    about=About(kind, compaction) if kind or compaction else None,
                )
            )
    return settled(found)


def _numbered(given: str, number: int, at: int) -> str:
    within = re.fullmatch(r"m0((?:\.\w+)*)", given)
    if within:
        return f"m{number}{within[1]}"
    return f"m{number}.{at}" if at else f"m{number}"


def settled(messages: Sequence[Message]) -> tuple[Message, ...]:
    """Return messages of a log of which no id stands twice and no result answers nothing.

    Logs hold results without their call, where a session went on in another file or was cut
    off; such a result stays as what a user's turn holds, so that its text is not lost.

    Examples
    --------
    >>> lost = Message("m0", "tool", "12:00", tool_call_id="c1")
    >>> settled([lost, lost])
    (Message(id='m0', role='user', content='12:00', ...), Message(id='m0~2', role='user', ...))
    """
    seen: set[str] = set()
    called: set[str] = set()
    found: list[Message] = []
    for message in messages:
        called.update(call.id for call in message.tool_calls)
        one = message
        if one.role == "tool" and one.tool_call_id not in called:
            about = one.about or About("injected")
            one = replace(one, role="user", tool_call_id=None, about=about)
        count, name = 1, one.id
        while name in seen:
            count += 1
            name = f"{one.id}~{count}"
        seen.add(name)
        found.append(one if name == one.id else replace(one, id=name))
    return tuple(found)


def compacted(
    trigger: object = "", before: object = None, after: object = None, kept: Iterable[str] = ()
) -> Compaction:
    """Return a compaction with those of its figures that are figures.

    Examples
    --------
    >>> compacted("auto", 155_000, "many").tokens_after is None
    True
    """
    return Compaction(
        trigger if isinstance(trigger, str) else "", figure(before), figure(after), tuple(kept)
    )


def figure(value: object) -> int | None:
    """Return a number of tokens, or None for what is none.

    Examples
    --------
    >>> figure(12), figure(True), figure("12")
    (12, None, None)
    """
    number = isinstance(value, int) and not isinstance(value, bool)
    return value if number else None  # type: ignore[return-value]
