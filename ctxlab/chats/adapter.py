"""Adapters: the one way in and the one way out of an API's, a framework's or a log's messages.

An adapter reads what people have into pieces, and writes what is left of the pieces back. Whoever
asks gets the same pieces: the lab makes messages of them (`conversation`), `compress` fits them
into a budget, so that both count the same. What is left out is decided by pieces alone; what was
not changed comes back as the very object that was given.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, ClassVar

from ctxlab.chats.case_building import build_case
from ctxlab.chats.conversation import conversation
from ctxlab.chats.editing import Slot, edited
from ctxlab.chats.fields import Fields, expect
from ctxlab.chats.images import Api
from ctxlab.chats.media import json_payload
from ctxlab.chats.pieces import Kept, Piece, of_home
from ctxlab.core.cases import Case
from ctxlab.core.segments import Payload, Role
from ctxlab.errors import DataError, UnknownNameError

HEAD = -1
"""The home of a piece that stands in the body of a request, beside its messages."""
BILLED = (
    "reasoning_content", "reasoning", "reasoning_details", "reasoning_text", "thinking_blocks",
    "thinking", "annotations", "additional_kwargs", "extra_content", "provider_specific_fields",
    "citations", "encrypted_content",
)  # fmt: skip
"""Keys beside the content of a message that are sent back, and billed."""


class Adapter(ABC):
    """Reads messages of one kind into pieces, and writes them back.

    A class of your own needs `read` and `write`; `ctxlab.testing.check_adapter` checks its laws.

    Examples
    --------
    >>> from ctxlab.chats.openai import OPENAI
    >>> chat = [{"role": "user", "content": "One"}, {"role": "user", "content": "Two"}]
    >>> pieces = OPENAI.read(chat)
    >>> OPENAI.write(chat, [Kept.whole(pieces[1])])
    [{'role': 'user', 'content': 'Two'}]
    """

    name: ClassVar[str]
    """What it is called, as in ``compress(…, api=…)``."""
    user_first: ClassVar[bool] = False
    """Whether the API wants the first message to be a user's."""

    @abstractmethod
    def recognises(self, raw: object) -> bool:
        """Say whether a JSON value looks like its messages; must not fail."""

    @abstractmethod
    def read(self, raw: Any) -> list[Piece]:  # noqa: ANN401 - JSON, or a framework's objects
        """Return the pieces of messages, in order.

        Raises
        ------
        DataError
            With the field at fault.
        """

    @abstractmethod
    def write(self, raw: Any, kept: Sequence[Kept]) -> Any:  # noqa: ANN401 - as `raw`
        """Return what is left of messages: `kept` is of pieces that `read` made of `raw`."""

    def cases(self, raw: Any, name: str) -> Iterator[Case]:  # noqa: ANN401 - JSON
        """Yield the conversation of messages as a case without probes."""
        case_id = label(Fields(raw)) or name if isinstance(raw, dict) else name
        yield build_case(case_id, self.name, conversation(self.read(raw)))

    def opens(self, kept: Sequence[Kept]) -> bool:
        """Say whether what is left begins as the API wants it to."""
        said = (one for one in kept if _says(one))
        first = next(said, None)
        starts = first is None or first.piece is None or first.piece.role == "user"
        return starts or not self.user_first


def _says(one: Kept) -> bool:
    """Say whether something is left that is no system prompt: an empty message is not sent."""
    if one.piece is None:
        return True
    full = any(text.strip() for text in one.texts) or one.calls or one.piece.payload
    return one.piece.role != "system" and bool(full or one.piece.role == "tool")


class ChatAdapter(Adapter):
    """An adapter of a list of JSON messages, by itself or in the body of a request.

    A subclass says how one message is read (`pieces`); the rest can be had: what stands beside
    the messages (`head`), what an edited message may look like (`finish`), and the rules for
    the whole chat (`settle`).

    Examples
    --------
    >>> from ctxlab.chats.gemini import GEMINI
    >>> isinstance(GEMINI, ChatAdapter), GEMINI.keys
    (True, ('contents', 'history'))
    """

    keys: ClassVar[tuple[str, ...]] = ("messages",)
    """Fields of a body that hold the messages; the first that is there."""
    image_api: ClassVar[Api] = "openai"

    def read(self, raw: Any) -> list[Piece]:  # noqa: ANN401 - JSON
        """Return the pieces of a list of messages, or of a body that holds them."""
        if isinstance(raw, list | tuple):
            return self.pieces_of(Fields({self.keys[0]: list(raw)}), self.keys[0])
        body = Fields(raw)
        key = self._key(body.raw)
        return [*self.head(body), *self.pieces_of(body, key)]

    def pieces_of(self, record: Fields, key: str) -> list[Piece]:
        """Return the pieces of a field that holds messages."""
        model = record.raw.get("model")
        self_model = model if isinstance(model, str) else ""
        records = enumerate(record.objects(key))
        return [p for home, one in records for p in self.pieces(one, home, self_model)]

    @abstractmethod
    def pieces(self, fields: Fields, home: int, model: str) -> Iterator[Piece]:
        """Yield the pieces of one message."""

    def head(self, body: Fields) -> Iterator[Piece]:
        """Yield the pieces of what stands beside the messages: a system prompt, definitions."""
        yield from definitions(body)

    def write(self, raw: Any, kept: Sequence[Kept]) -> Any:  # noqa: ANN401 - JSON
        """Return a list of messages, or a body, with what is left."""
        body = None if isinstance(raw, list | tuple) else raw
        key = self._key(body) if body is not None else ""
        chat = raw if body is None else body[key]
        head = [one for one in kept if one.piece is not None and one.piece.home == HEAD]
        written: list[Any] = []
        for home, ones in of_home(kept):
            if home is None:
                written += [self.said(one.texts[0]) for one in ones]
            elif home != HEAD:
                along = [entry for one in ones for entry in self.along(chat, one)]
                message, rest = edited(chat[home], ones)
                message = self.finish(message, chat[home], ones, rest)
                if message is not None or any(one.calls for one in ones):
                    written += along if message is None else [*along, message]
        settled = self.settle(written)
        if body is None:
            return settled
        changed, _ = edited(body, head)
        same = len(settled) == len(chat) and all(a is b for a, b in zip(settled, chat, strict=True))
        return changed if same else {**changed, key: settled}

    def said(self, text: str) -> dict[str, Any]:
        """Return a user's message of a text that a strategy put in."""
        return {"role": "user", "content": text}

    def along(self, chat: Sequence[Any], kept: Kept) -> list[Any]:
        """Return the messages before a piece's own that stay with it."""
        return [chat[at] for at in kept.piece.along] if kept.piece else []

    def finish(
        self,
        message: Any,  # noqa: ANN401 - JSON
        raw: Any,  # noqa: ANN401 - JSON
        kept: Sequence[Kept],
        rest: Sequence[str],
    ) -> Any | None:  # noqa: ANN401 - JSON
        """Return an edited message as the API takes it, None where nothing is left.

        Parameters
        ----------
        message, raw : JSON value
            Edited, and as it was read.
        kept : sequence of Kept
            What is left of its pieces.
        rest : sequence of str
            Texts that a strategy wrote for pieces without a text.
        """
        return message

    def settle(self, chat: list[Any]) -> list[Any]:
        """Return the messages of a chat by the rules for all of them."""
        return chat

    def _key(self, body: Mapping[str, Any]) -> str:
        return next((key for key in self.keys if body.get(key) is not None), self.keys[0])


def definitions(body: Fields, keys: Sequence[str] = ("tools", "functions")) -> Iterator[Piece]:
    """Yield a piece of the tool definitions of a body, and one of the schema of its answer.

    They are part of what is sent with every request, and billed.

    Examples
    --------
    >>> tool = {"type": "function", "function": {"name": "clock", "description": "Time."}}
    >>> [piece.payload[0].kind for piece in definitions(Fields({"tools": [tool]}))]
    ['tools']
    """
    found = tuple(json_payload("tools", body.raw[key]) for key in keys if body.raw.get(key))
    if found:
        yield Piece(HEAD, "system", payload=found, pinned=True, id="tools")
    schema = schema_of(body.raw)
    if schema is not None:
        yield Piece(HEAD, "system", payload=(schema,), pinned=True, id="schema")


def schema_of(body: Mapping[str, Any]) -> Payload | None:
    """Return the schema that an answer has to follow, as what is billed; None where there is none.

    Examples
    --------
    >>> wanted = {"type": "json_schema", "json_schema": {"name": "a", "schema": {}}}
    >>> schema_of({"response_format": wanted}).kind
    'schema'
    """
    wanted = body.get("response_format") or body.get("output_format")
    text = body.get("text")
    if not wanted and isinstance(text, Mapping):
        wanted = text.get("format")
    if not isinstance(wanted, Mapping) or wanted.get("type") in (None, "text", "json_object"):
        return None
    return json_payload("schema", wanted.get("json_schema") or wanted.get("schema") or wanted)


def system_piece(body: Fields, key: str = "system") -> Iterator[Piece]:
    """Yield the piece of a system prompt that stands in a body: a text, or blocks of text.

    Examples
    --------
    >>> [piece.text for piece in system_piece(Fields({"system": "Be brief."}))]
    ['Be brief.']
    """
    value = body.raw.get(key)
    if value is None:
        return
    if isinstance(value, str):
        slot = Slot("text", (), (key,))
        yield Piece(HEAD, "system", (value,), slots=(slot,), pinned=True, id=key)
        return
    expect(value, list, body.at(key))
    texts, slots, payload = list[str](), list[Slot](), list[Payload]()
    for at, block in enumerate(value):
        node = (key, at)
        if isinstance(block, str):
            texts.append(block)
            slots.append(Slot("text", node, node))
        elif isinstance(block, dict) and isinstance(block.get("text"), str):
            texts.append(block["text"])
            slots.append(Slot("text", node, (*node, "text")))
        else:
            payload.append(json_payload("part", block))
            slots.append(Slot("other", node))
    yield Piece(
        HEAD, "system", tuple(texts), slots=tuple(slots), payload=tuple(payload), pinned=True,
        id=key,
    )  # fmt: skip


def beside(fields: Fields, keys: Sequence[str] = BILLED) -> Iterator[Payload]:
    """Yield what a message carries beside its content.

    Examples
    --------
    >>> list(beside(Fields({"role": "assistant", "reasoning_content": "Hm."})))
    [Payload(kind='reasoning_content', text='Hm.', tokens=0)]
    """
    for key in keys:
        if fields.raw.get(key) not in (None, "", [], {}):
            yield json_payload(key, fields.raw[key])


def speaker(fields: Fields, roles: Mapping[str, Role], key: str = "role") -> Role:
    """Return the role of a message by the API's name for it, in any case.

    Raises
    ------
    DataError
        When it is none; the message offers the nearest.

    Examples
    --------
    >>> speaker(Fields({"role": "model"}), {"user": "user", "model": "assistant"})
    'assistant'
    """
    given = fields.text(key)
    found = roles.get(given) or roles.get(given.lower())
    if found is None:
        hint = str(UnknownNameError("role", given, roles)).partition("; ")[2]
        raise DataError(f"is {given!r}; {hint}", field=fields.at(key))
    return found


def label(fields: Fields, key: str = "id") -> str:
    """Return the id of a message as text: a string or a number; empty where there is none.

    Examples
    --------
    >>> label(Fields({"id": 7})), label(Fields({"id": None}))
    ('7', '')
    """
    value = fields.raw.get(key)
    return str(value) if isinstance(value, str | int) and not isinstance(value, bool) else ""


def moment(fields: Fields, *keys: str) -> str | None:
    """Return when a message was made, as it is given: a text, or a number as text.

    Examples
    --------
    >>> moment(Fields({"timestamp": 1700000000}), "created_at", "timestamp")
    '1700000000'
    """
    found = (fields.raw.get(key) for key in keys)
    return next((str(one) for one in found if isinstance(one, str | int | float)), None)
