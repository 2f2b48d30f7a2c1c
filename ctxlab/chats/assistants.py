"""OpenAI Assistants: the messages of a thread, which are listed newest first."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from ctxlab.chats.adapter import ChatAdapter, label, moment, speaker
from ctxlab.chats.fields import Fields, expect
from ctxlab.chats.file_format import Format
from ctxlab.chats.media import json_payload, part_payload
from ctxlab.chats.openai import ROLES
from ctxlab.chats.parts import Parts
from ctxlab.chats.pieces import Kept, Piece


class Assistants(ChatAdapter):
    """Messages of a thread, in the order in which they were made, whatever their list's is.

    What is written stands in the list's own order. Source: OpenAI, "Assistants", API reference.

    Examples
    --------
    >>> def said(at, text):
    ...     content = [{"type": "text", "text": {"value": text, "annotations": []}}]
    ...     return {"object": "thread.message", "role": "user", "created_at": at,
    ...             "content": content}
    >>> [piece.text for piece in ASSISTANTS.read([said(2, "Well?"), said(1, "Hi")])]
    ['Hi', 'Well?']
    """

    name = "assistants"
    keys = ("data", "messages")

    def recognises(self, raw: object) -> bool:
        """Say whether values say that they are messages of a thread."""
        if isinstance(raw, dict):
            raw = raw.get("data", raw.get("messages"))
        return isinstance(raw, list) and any(
            isinstance(m, dict) and m.get("object") == "thread.message" for m in raw
        )

    def pieces_of(self, record: Fields, key: str) -> list[Piece]:
        """Return the pieces of messages, the oldest first."""
        found = super().pieces_of(record, key)
        return found[::-1] if _newest_first(record.raw[key]) else found

    def pieces(self, fields: Fields, home: int, model: str) -> Iterator[Piece]:
        """Yield the piece of a message."""
        role = speaker(fields, ROLES)
        content, parts = fields.raw.get("content"), Parts()
        if isinstance(content, str):
            parts.field(content, ("content",))
        else:
            expect(content, list, fields.at("content"))
            for at, part in enumerate(fields.objects("content")):
                node, text = ("content", at), part.raw.get("text")
                if isinstance(text, str):
                    parts.text(text, node, "text")
                elif isinstance(text, dict) and isinstance(text.get("value"), str):
                    parts.text(text["value"], node, "text", "value")
                    if text.get("annotations"):
                        parts.payload.append(json_payload("annotations", text["annotations"]))
                else:
                    parts.other(part_payload(part.raw, "openai", model), node)
        yield parts.piece(home, role, id=label(fields), created_at=moment(fields, "created_at"))

    def write(self, raw: Any, kept: Sequence[Kept]) -> Any:  # noqa: ANN401 - JSON
        """Return what is left, in the order of the list."""
        chat = raw if isinstance(raw, list | tuple) else raw[self._key(raw)]
        return super().write(raw, kept[::-1] if _newest_first(chat) else kept)

    def finish(
        self, message: dict[str, Any], raw: dict[str, Any], kept: Sequence[Kept],
        rest: Sequence[str],
    ) -> dict[str, Any] | None:  # fmt: skip
        """Return a message, None where nothing is left."""
        return message if message.get("content") or message is raw else None


def _newest_first(chat: Sequence[Any]) -> bool:
    found = [m.get("created_at") for m in chat if isinstance(m, dict)]
    times = [one for one in found if isinstance(one, int | float)]
    return len(times) > 1 and times[0] > times[-1]


ASSISTANTS = Assistants()

FORMAT = Format(
    name="assistants",
    description="messages of an OpenAI Assistants thread",
    recognises=ASSISTANTS.recognises,
    read=ASSISTANTS.cases,
    whole=True,
    example={
        "object": "list",
        "data": [
            {
                "id": "msg_2",
                "object": "thread.message",
                "created_at": 2,
                "role": "assistant",
                "content": [{"type": "text", "text": {"value": "Noon.", "annotations": []}}],
            },
            {
                "id": "msg_1",
                "object": "thread.message",
                "created_at": 1,
                "role": "user",
                "content": [{"type": "text", "text": {"value": "How late?", "annotations": []}}],
            },
        ],
    },
)
