"""Codex: what a rollout's records say, and the items of the Responses API within them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

_INJECTED = (
    "<environment_context>", "<user_instructions>", "<permissions", "<INSTRUCTIONS>",
    "<turn_aborted>", "<skill", "# AGENTS.md",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Record:
    """A record of a rollout: its type, its payload, and the path to that.

    Examples
    --------
    >>> Record("response_item", {"type": "message"}, "[3].payload").payload["type"]
    'message'
    """

    type: str
    payload: Mapping[str, Any]
    path: str
    created_at: str | None = None


def records_of(lines: list[object]) -> Iterator[Record]:
    """Yield the records of a rollout, of this year's layout or of the bare one of early 2025.

    Examples
    --------
    >>> bare = {"type": "message", "role": "user", "content": []}
    >>> [record.type for record in records_of([{"id": "x", "instructions": "s"}, bare])]
    ['session_meta', 'response_item']
    """
    for at, line in enumerate(lines):
        if not isinstance(line, dict):
            continue
        kind, when = line.get("type"), line.get("timestamp")
        created_at = when if isinstance(when, str) else None
        if isinstance(line.get("payload"), dict) and isinstance(kind, str):
            yield Record(kind, line["payload"], f"[{at}].payload", created_at)
        elif isinstance(kind, str) and "payload" not in line:
            yield Record("response_item", line, f"[{at}]", created_at)
        elif "instructions" in line and "id" in line:
            yield Record("session_meta", line, f"[{at}]", created_at)


def injected(item: Mapping[str, Any]) -> bool:
    """Say whether a message of a user or a developer is what the harness put in.

    Examples
    --------
    >>> injected({"role": "user", "content": [{"text": "<environment_context>…"}]})
    True
    """
    content = item.get("content")
    first = content[0] if isinstance(content, list) and content else {}
    text = first.get("text") if isinstance(first, dict) else content
    begins = isinstance(text, str) and text.lstrip().startswith(_INJECTED)
    return item.get("role") == "developer" or begins
