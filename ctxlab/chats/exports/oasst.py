"""OpenAssistant: trees of messages, one a record or flat, a row each message.

Source: Köpf et al., "OpenAssistant Conversations", 2023. Read is the path of the best answers:
at every message the reply of the lowest rank.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ctxlab.chats.case_building import build_case
from ctxlab.chats.entries import Entry, converted
from ctxlab.chats.fields import Fields, expect
from ctxlab.chats.file_format import Format
from ctxlab.chats.openai_reader import messages_from_openai
from ctxlab.core.cases import Case
from ctxlab.errors import DataError

_ROLES = {"prompter": "user", "user": "user", "assistant": "assistant", "system": "system"}


def is_oasst(raw: object) -> bool:
    """Say whether a record is a tree of messages, or a list of rows of such trees.

    Examples
    --------
    >>> is_oasst({"message_tree_id": "t", "prompt": {"text": "Hi", "role": "prompter"}})
    True
    """
    if isinstance(raw, list):
        return bool(raw) and all(
            isinstance(row, dict) and {"message_id", "parent_id", "text"} <= row.keys() | {
                "parent_id"
            } and "role" in row
            for row in raw[:20]
        )  # fmt: skip
    tree = raw.get("prompt") if isinstance(raw, dict) else None
    return isinstance(tree, dict) and "text" in tree and "role" in tree


def read_oasst(raw: object, name: str) -> Iterator[Case]:
    """Yield the best path of a tree, or of every tree whose rows there are.

    Raises
    ------
    DataError
        With the field at fault.

    Examples
    --------
    >>> tree = {"message_tree_id": "t", "prompt": {"text": "Hi", "role": "prompter"}}
    >>> next(read_oasst(tree, "x")).id
    't'
    """
    if not isinstance(raw, list):
        fields = Fields(raw)
        given = fields.scalar("message_tree_id") if fields.has("message_tree_id") else name
        yield _case(fields.child("prompt"), given)
        return
    nodes: dict[str, dict[str, Any]] = {}
    roots: list[tuple[str, str]] = []
    for at, value in enumerate(expect(raw, list, "")):
        row = Fields(value, f"[{at}]")
        key = row.scalar("message_id")
        nodes[key] = {**row.raw, "replies": [], "ctxlab_path": row.path}
        parent = row.raw.get("parent_id")
        if isinstance(parent, str) and parent in nodes and parent != key:
            nodes[parent]["replies"].append(nodes[key])
        else:
            roots.append((key, row.scalar("message_tree_id") or key))
    for key, tree in roots:
        yield _case(Fields(nodes[key], nodes[key]["ctxlab_path"]), tree)


def _case(root: Fields, name: str) -> Case:
    entries: list[Entry] = []
    node: Fields | None = root
    while node is not None:
        role = node.text("role")
        if role not in _ROLES:
            known = ", ".join(_ROLES)
            raise DataError(f"is {role!r}; expected one of {known}", field=node.at("role"))
        when = node.raw.get("created_date")
        shown = {"role": _ROLES[role], "content": node.text("text")}
        entries.append(Entry(shown, node.path, created_at=when if isinstance(when, str) else None))
        replies = list(node.objects("replies")) if node.has("replies") else []
        node = min(replies, key=_rank, default=None)
    return build_case(name, "oasst", converted(entries, messages_from_openai))


def _rank(reply: Fields) -> float:
    rank = reply.raw.get("rank")
    return rank if isinstance(rank, int | float) and rank == rank else float("inf")


FORMAT = Format(
    name="oasst",
    description="OpenAssistant, trees of messages",
    recognises=is_oasst,
    read=read_oasst,
    lines=True,
    example={
        "message_tree_id": "t",
        "prompt": {
            "text": "Hi",
            "role": "prompter",
            "replies": [
                {"text": "Yes?", "role": "assistant", "rank": 1},
                {"text": "Hello", "role": "assistant", "rank": 0},
            ],
        },
    },
)
