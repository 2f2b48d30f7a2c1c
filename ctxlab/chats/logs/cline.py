"""Cline: the history that its tasks keep of the calls to Anthropic's API."""

from __future__ import annotations

from collections.abc import Iterator

from ctxlab.chats.any_chat import converter
from ctxlab.chats.case_building import build_case
from ctxlab.chats.entries import Entry, converted
from ctxlab.chats.fields import Fields, expect
from ctxlab.chats.file_format import Format
from ctxlab.core.cases import Case

_BESIDE = ("ts", "modelInfo", "metrics")


def is_cline(raw: object) -> bool:
    """Say whether a list is such a history: messages with a time, as Cline writes it.

    Examples
    --------
    >>> is_cline([{"role": "user", "content": "Fix it", "ts": 1900000000000}])
    True
    """
    return (
        isinstance(raw, list)
        and bool(raw)
        and all(isinstance(one, dict) and "role" in one and "content" in one for one in raw[:5])
        and any("ts" in one for one in raw[:5])
    )


def read_cline(raw: object, name: str) -> Iterator[Case]:
    """Yield the conversation of a task.

    Which messages were left out of a later request stands in another file, not here.

    Raises
    ------
    DataError
        With the field at fault.

    Examples
    --------
    >>> next(read_cline([{"role": "user", "content": "Fix it", "ts": 1}], "x")).dataset
    'cline'
    """
    entries: list[Entry] = []
    for at, value in enumerate(expect(raw, list, "")):
        message = Fields(value, f"[{at}]")
        shown = {key: one for key, one in message.raw.items() if key not in (*_BESIDE, "id")}
        when = message.scalar("ts") if message.has("ts") else None
        entries.append(Entry(shown, message.path, created_at=when))
    convert = converter([entry.raw for entry in entries])
    yield build_case(name, "cline", converted(entries, convert))


FORMAT = Format(
    name="cline",
    description="Cline, history of a task",
    recognises=is_cline,
    read=read_cline,
    whole=True,
    priority=1,
    example=[
        {"role": "user", "content": [{"type": "text", "text": "Fix it"}], "ts": 1900000000000},
        {
            "role": "assistant",
            "content": [{"type": "tool_use", "id": "t1", "name": "read", "input": {"path": "a"}}],
            "ts": 1900000001000,
            "modelInfo": {"modelId": "m"},
        },
        {
            "role": "user",
            "content": [{"type": "tool_result", "tool_use_id": "t1", "content": "def a(): …"}],
            "ts": 1900000002000,
        },
    ],
)
