"""The parts of a message, collected on the way to a piece."""

from __future__ import annotations

import json
from typing import Any

from ctxlab.chats.editing import Path, Slot
from ctxlab.chats.pieces import Piece
from ctxlab.core.segments import Payload, Role, ToolCall


class Parts:
    """What a message holds, part by part, each with its place.

    Examples
    --------
    >>> parts = Parts()
    >>> parts.text("Hi", ("parts", 0), "text")
    >>> parts.piece(0, "user").texts
    ('Hi',)
    """

    def __init__(self) -> None:
        self.texts: list[str] = []
        self.calls: list[ToolCall] = []
        self.payload: list[Payload] = []
        self.slots: list[Slot] = []

    def text(self, text: str, node: Path, *key: str | int) -> None:
        """Add a text that stands under `key` in the part at `node`, which goes with it."""
        self.texts.append(text)
        self.slots.append(Slot("text", node, (*node, *key)))

    def field(self, text: str, at: Path) -> None:
        """Add a text that can be emptied, but not taken out."""
        self.texts.append(text)
        self.slots.append(Slot("text", (), at))

    def value(self, value: object, at: Path, wrapped: str) -> None:
        """Add a JSON value as its text; another text is put in as a field `wrapped`."""
        if isinstance(value, str):
            self.field(value, at)
            return
        self.texts.append(json_text(value))
        self.slots.append(Slot("text", (), at, wrapped))

    def call(self, call: ToolCall, node: Path) -> None:
        """Add a call that stands at `node`."""
        self.slots.append(Slot("call", node, number=len(self.calls)))
        self.calls.append(call)

    def other(self, carried: Payload | None, node: Path = ()) -> None:
        """Add what is neither text nor a call; None for what is not billed."""
        self.slots.append(Slot("other", node))
        self.payload += [] if carried is None else [carried]

    def piece(self, home: int, role: Role, **fields: Any) -> Piece:  # noqa: ANN401
        """Return the piece of all parts."""
        return Piece(
            home,
            role,
            tuple(self.texts),
            calls=tuple(self.calls),
            payload=tuple(self.payload),
            slots=tuple(self.slots),
            **fields,
        )

    def __bool__(self) -> bool:
        return bool(self.slots)


def json_text(value: object) -> str:
    """Return a JSON value as text; nothing for null.

    Examples
    --------
    >>> json_text({"a": 1}), json_text(None)
    ('{"a": 1}', '')
    """
    return "" if value is None else json.dumps(value, ensure_ascii=False, default=str)
