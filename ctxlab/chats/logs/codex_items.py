"""Codex: what a rollout's records say, and the items of the Responses API within them."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from ctxlab.chats.fields import Fields

_INJECTED = (
    "<environment_context>", "<user_instructions>", "<permissions", "<INSTRUCTIONS>",
    "<turn_aborted>", "<skill", "# AGENTS.md",
)  # fmt: skip
_RESULTS = "_output"


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


def as_chat(item: Mapping[str, Any], path: str) -> dict[str, Any]:
    """Return an item as a message of a chat; every item that a model was shown becomes one.

    Raises
    ------
    DataError
        With the field at fault.

    Examples
    --------
    >>> as_chat({"type": "function_call_output", "call_id": "c", "output": "ok"}, "")["role"]
    'tool'
    """
    fields = Fields(item, path)
    kind = fields.optional("type") or "message"
    if kind == "message":
        content = item.get("content")
        return {"role": fields.text("role"), "content": "" if content is None else content}
    if kind.endswith(_RESULTS):
        output = item.get("output")
        return {"role": "tool", "tool_call_id": fields.text("call_id"), "content": _shown(output)}
    if fields.has("call_id"):
        held: object = next((item[k] for k in ("arguments", "input", "action") if k in item), {})
        arguments = held if isinstance(held, str) else json.dumps(held, ensure_ascii=False)
        name = fields.optional("name") or kind.removesuffix("_call")
        function = {"name": name, "arguments": arguments}
        call = {"id": fields.text("call_id"), "type": "function", "function": function}
        return {"role": "assistant", "content": None, "tool_calls": [call]}
    if kind == "reasoning":
        return {"role": "assistant", "content": _reasoning(fields)}
    return {"role": "assistant", "content": json.dumps(dict(item), ensure_ascii=False)}


def _reasoning(fields: Fields) -> str:
    texts: list[str] = []
    for name in ("summary", "content"):
        if fields.has(name):
            texts += [part.optional("text") or "" for part in fields.objects(name)]
    return "\n".join(filter(None, texts)) or fields.optional("encrypted_content") or ""


def _shown(output: object) -> object:
    """Return what a tool gave back: a text, parts, or the text within an old wrapping."""
    if output is None:
        return ""
    if isinstance(output, str) or (
        isinstance(output, list) and all(isinstance(part, dict) for part in output)
    ):
        return output
    held = output.get("content") if isinstance(output, dict) else None
    return held if isinstance(held, str) else json.dumps(output, ensure_ascii=False)
