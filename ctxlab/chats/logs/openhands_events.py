"""Events of OpenHands as messages: those of the first version, and those of the agent SDK."""

from __future__ import annotations

import json
from typing import Any

from ctxlab.chats.fields import Fields

Found = tuple[dict[str, Any], str, str]
"""A message in OpenAI's shape, the response that it is a part of, and its kind."""

_SILENT = ("change_agent_state", "agent_state_changed", "null", "recall", "system_state")


def first_version(event: Fields) -> Found | None:
    """Return an action or an observation as a message, or None for what no model was shown.

    Raises
    ------
    DataError
        With the field at fault.

    Examples
    --------
    >>> seen = Fields({"observation": "run", "content": "a.py", "cause": 1})
    >>> first_version(seen)[0]
    {'role': 'tool', 'tool_call_id': 'event_1', 'content': 'a.py'}
    """
    if event.has("observation"):
        if event.raw["observation"] in _SILENT:
            return None
        return (
            {
                "role": "tool",
                "tool_call_id": _call_id(event) or f"event_{event.raw.get('cause')}",
                "content": event.optional("content") or "",
            },
            "",
            "",
        )
    action = event.optional("action") or ""
    args = event.child("args") if event.has("args") else Fields({}, event.at("args"))
    if action in _SILENT:
        return None
    if action in ("message", "system"):
        text = args.optional("content") or event.optional("message") or ""
        speaker = "user" if event.raw.get("source") == "user" else "assistant"
        return {"role": "system" if action == "system" else speaker, "content": text}, "", ""
    thought = args.raw.get("thought")
    if isinstance(thought, dict):
        thought = "\n".join(str(v) for v in thought.values() if isinstance(v, str) and v)
    left = {k: v for k, v in args.raw.items() if k not in ("thought", "is_confirmed", "hidden")}
    facts = event.child("tool_call_metadata") if event.has("tool_call_metadata") else Fields({})
    function = {"name": facts.optional("function_name") or action or "action",
                "arguments": json.dumps(left, ensure_ascii=False)}  # fmt: skip
    call = {"id": _call_id(event) or f"event_{event.raw.get('id')}", "function": function}
    response = facts.raw.get("model_response")
    told = response.get("id") if isinstance(response, dict) else None
    shown = {"role": "assistant", "content": thought if isinstance(thought, str) else "",
             "tool_calls": [call]}  # fmt: skip
    return shown, told if isinstance(told, str) else "", ""


def _call_id(event: Fields) -> str:
    facts = event.child("tool_call_metadata") if event.has("tool_call_metadata") else Fields({})
    return facts.optional("tool_call_id") or ""


def sdk_version(event: Fields) -> Found | None:
    """Return an event of the agent SDK as a message, or None for what no model was shown.

    Raises
    ------
    DataError
        With the field at fault.

    Examples
    --------
    >>> said = {"role": "user", "content": "Hi"}
    >>> sdk_version(Fields({"kind": "MessageEvent", "llm_message": said}))[0]
    {'role': 'user', 'content': 'Hi'}
    """
    kind = event.text("kind")
    response = event.optional("llm_response_id") or ""
    if kind == "SystemPromptEvent":
        prompt = event.raw.get("system_prompt")
        text = _text(prompt.get("text") if isinstance(prompt, dict) else prompt)
        tools = event.raw.get("tools")
        named = f"{text}\n{json.dumps(tools, ensure_ascii=False)}" if tools else text
        return {"role": "system", "content": named}, "", ""
    if kind == "MessageEvent":
        message = event.child("llm_message")
        return {"role": message.text("role"), "content": _text(message.raw.get("content"))}, "", ""
    if kind == "ActionEvent":
        parts = [_text(event.raw.get(name)) for name in ("reasoning_content", "thought")]
        call = {"id": event.text("tool_call_id"), "function": _function(event)}
        shown = {"role": "assistant", "content": "\n".join(filter(None, parts)),
                 "tool_calls": [call]}  # fmt: skip
        return shown, response, ""
    if kind in ("ObservationEvent", "AgentErrorEvent", "UserRejectObservation"):
        held = event.raw.get(
            "observation", event.raw.get("error", event.raw.get("rejection_reason"))
        )
        if isinstance(held, dict):
            held = held.get("content", held.get("output", held))
        return {"role": "tool", "tool_call_id": event.text("tool_call_id"),
                "content": _text(held)}, "", ""  # fmt: skip
    return None


def _function(event: Fields) -> dict[str, Any]:
    call = event.child("tool_call") if event.has("tool_call") else Fields({})
    inner = call.child("function") if call.has("function") else call
    arguments = inner.raw.get("arguments", event.raw.get("action", {}))
    name = event.optional("tool_name") or inner.optional("name") or "action"
    return {"name": name, "arguments": _text(arguments)}


def _text(value: object) -> str:
    """Return what an event says: a text, the texts of parts, or JSON."""
    if isinstance(value, list) and all(isinstance(one, dict) and "text" in one for one in value):
        return "\n".join(str(one["text"]) for one in value)
    if value is None:
        return ""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
