"""Editing JSON by paths: what is not changed stays the very object that was given."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from ctxlab.chats.pieces import Kept

Path = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class Slot:
    """Where something of a piece stands in its message.

    Parameters
    ----------
    kind : {"text", "call", "other"}
        One of the piece's texts, in their order; one of its calls; or anything else.
    node : tuple of str and int
        The path to what goes when it goes; empty where it can only be emptied.
    at : tuple of str and int
        The path to the text.
    wrapped : str
        Where a text stands for an object: the key of the object that another text is put in.
    number : int
        Of the call among the piece's; one call may stand in several places.

    Examples
    --------
    >>> Slot("text", ("content", 0), ("content", 0, "text")).at[-1]
    'text'
    """

    kind: Literal["text", "call", "other"]
    node: Path = ()
    at: Path = ()
    wrapped: str = ""
    number: int = 0


@dataclass(slots=True)
class _Edit:
    put: dict[Path, object] = field(default_factory=dict)
    cut: set[Path] = field(default_factory=set)
    keep: set[Path] = field(default_factory=set)
    lists: set[Path] = field(default_factory=set)
    touched: set[Path] = field(default_factory=set)

    def close(self) -> None:
        for path in (*self.put, *self.cut, *self.lists):
            self.touched.update(path[:end] for end in range(len(path) + 1))


def edited(message: Any, kept: Iterable[Kept]) -> tuple[Any, list[str]]:  # noqa: ANN401 - JSON
    """Return a message with what is left of its pieces, and the texts that have no place in it.

    Items of a list that no kept piece owns go, as do calls without a result and texts that are
    empty now.

    Parameters
    ----------
    message : JSON value
        As it was read.
    kept : iterable of Kept
        What is left of the pieces of this very message.

    Examples
    --------
    >>> from ctxlab.chats.pieces import Piece
    >>> slot = Slot("text", ("content", 1), ("content", 1, "text"))
    >>> piece = Piece(0, "user", ("Hi",), slots=(slot,))
    >>> message = {"content": [{"type": "image"}, {"text": "Hi"}]}
    >>> edited(message, [Kept(piece, ("Hi",))])
    ({'content': [{'text': 'Hi'}]}, [])
    """
    edit, rest = _Edit(), list[str]()
    for one in kept:
        if one.piece is not None:
            rest += _plan(edit, one.piece.slots, one)
    edit.close()
    return _rebuilt(message, (), edit), rest


def _plan(edit: _Edit, slots: Sequence[Slot], kept: Kept) -> list[str]:
    before, after = iter(kept.piece.texts if kept.piece else ()), iter(kept.texts)
    for slot in slots:
        gone = False
        if slot.kind == "text":
            old, new = next(before), next(after)
            gone = bool(slot.node) and not new.strip() and bool(old.strip())
            if new != old and not gone:
                edit.put[slot.at] = {slot.wrapped: new} if slot.wrapped else new
        elif slot.kind == "call":
            gone = slot.number not in kept.calls
        if slot.node and isinstance(slot.node[-1], int):
            edit.lists.add(slot.node[:-1])
            if not gone:
                edit.keep.add(slot.node)
        elif slot.node and gone:
            edit.cut.add(slot.node)
    return [text for text in after if text]


def _rebuilt(value: Any, at: Path, edit: _Edit) -> Any:  # noqa: ANN401 - JSON
    if at in edit.put:
        return edit.put[at]
    if at not in edit.touched:
        return value
    if isinstance(value, dict):
        fields = {
            key: _rebuilt(item, (*at, key), edit)
            for key, item in value.items()
            if (*at, key) not in edit.cut
        }
        fields |= {
            path[-1]: new
            for path, new in edit.put.items()
            if path[:-1] == at and path[-1] not in value
        }
        same = len(fields) == len(value) and all(fields[key] is value[key] for key in fields)
        return value if same else fields
    if isinstance(value, list):
        whole = at not in edit.lists
        items = [
            _rebuilt(item, (*at, number), edit)
            for number, item in enumerate(value)
            if whole or (*at, number) in edit.keep
        ]
        same = len(items) == len(value) and all(map(_is, items, value))
        return value if same else items
    return value


def _is(one: object, other: object) -> bool:
    return one is other
