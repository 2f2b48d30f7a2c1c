"""Slack's export: the messages of a channel on a day, several people's."""

from __future__ import annotations

from collections.abc import Iterator

from ctxlab.chats.case_building import build_case
from ctxlab.chats.fields import Fields, expect
from ctxlab.chats.file_format import Format
from ctxlab.core.cases import Case
from ctxlab.core.segments import Message, Role


def is_slack(raw: object) -> bool:
    """Say whether a list is a day of a channel.

    Examples
    --------
    >>> is_slack([{"type": "message", "user": "U1", "ts": "1.0", "text": "Hi"}])
    True
    """
    return (
        isinstance(raw, list)
        and bool(raw)
        and all(isinstance(o, dict) and o.get("type") == "message" and "ts" in o for o in raw[:5])
    )


def read_slack(raw: object, name: str) -> Iterator[Case]:
    """Yield a channel's day; the first who speaks is taken as the user, others answer.

    Raises
    ------
    DataError
        With the field at fault.

    Examples
    --------
    >>> day = [{"type": "message", "user": "U1", "ts": "1.0", "text": "Hi"}]
    >>> next(read_slack(day, "2031-01-01")).messages[0].name
    'U1'
    """
    people: dict[str, Role] = {}
    messages: list[Message] = []
    for at, value in enumerate(expect(raw, list, "")):
        one = Fields(value, f"[{at}]")
        profile = one.child("user_profile") if one.has("user_profile") else Fields({})
        given = (one.optional(key) for key in ("user", "bot_id", "username"))
        key = next((name for name in given if name), "unknown")
        role = people.setdefault(key, "assistant" if people else "user")
        speaker = profile.optional("real_name") or key
        when = one.scalar("ts") if one.has("ts") else None
        text = one.optional("text") or ""
        messages.append(Message(f"m{at}", role, text, name=speaker, created_at=when))
    yield build_case(name, "slack", messages)


FORMAT = Format(
    name="slack",
    description="Slack, export of a channel's day",
    recognises=is_slack,
    read=read_slack,
    whole=True,
    example=[
        {"type": "message", "user": "U1", "ts": "1900000000.0001", "text": "Shall we ship?"},
        {
            "type": "message",
            "user": "U2",
            "ts": "1900000001.0001",
            "text": "Yes.",
            "user_profile": {"real_name": "Ada"},
        },
    ],
)
