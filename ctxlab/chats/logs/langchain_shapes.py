"""LangChain's messages as traces and dumps write them, in OpenAI's shape."""

from __future__ import annotations

from typing import Any

_ROLES = {"human": "user", "ai": "assistant", "AIMessageChunk": "assistant", "system": "system",
          "tool": "tool", "function": "tool"}  # fmt: skip


def as_openai(message: object) -> object:
    """Return a message of LangChain's, dumped in any of its ways, as OpenAI has it.

    A call may stand there three times, and counts once. What is none of LangChain's comes back
    as it is.

    Examples
    --------
    >>> as_openai({"type": "human", "data": {"content": "Hi"}})
    {'role': 'user', 'content': 'Hi'}
    """
    if not isinstance(message, dict) or ("role" in message and "kwargs" not in message):
        return message
    held: dict[str, Any] = message
    kind = message.get("type")
    if isinstance(message.get("kwargs"), dict):
        held = message["kwargs"]
        named = message.get("id")
        last = named[-1] if isinstance(named, list) and named else ""
        kind = held.get("type") or str(last).removesuffix("Message").lower()
    elif isinstance(message.get("data"), dict):
        held = message["data"]
    role = held.get("role") if kind == "chat" else _ROLES.get(str(kind))
    if role is None:
        return message
    shown: dict[str, Any] = {"role": role, "content": held.get("content", "")}
    calls = held.get("tool_calls")
    if isinstance(calls, list) and calls:
        shown["tool_calls"] = [_call(call) for call in calls]
        content = shown["content"]
        if isinstance(content, list):
            shown["content"] = [
                part for part in content
                if not (isinstance(part, dict) and part.get("type") == "tool_use")
            ]  # fmt: skip
    if role == "tool":
        shown["tool_call_id"] = held.get("tool_call_id")
    return shown


def _call(call: object) -> object:
    if not isinstance(call, dict) or "function" in call:
        return call
    function = {"name": call.get("name"), "arguments": call.get("args", {})}
    return {"id": call.get("id"), "function": function}
