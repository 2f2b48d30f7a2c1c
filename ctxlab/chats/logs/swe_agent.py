"""SWE-agent and mini-swe-agent: trajectories, which hold a run twice; its history is read."""

from __future__ import annotations

from collections.abc import Iterator

from ctxlab.chats.any_chat import chat_of
from ctxlab.chats.case_building import build_case
from ctxlab.chats.fields import Fields
from ctxlab.chats.file_format import Format
from ctxlab.core.cases import Case

_KEYS = ("role", "content", "tool_calls", "name", "thinking_blocks")


def is_swe_agent(raw: object) -> bool:
    """Say whether a record is a trajectory.

    Examples
    --------
    >>> is_swe_agent({"trajectory": [], "history": [], "info": {}})
    True
    """
    if not isinstance(raw, dict):
        return False
    mini = str(raw.get("trajectory_format", "")).startswith("mini-swe-agent")
    return mini or (isinstance(raw.get("trajectory"), list) and "history" in raw)


def read_swe_agent(raw: object, name: str) -> Iterator[Case]:
    """Yield the conversation of a run.

    Raises
    ------
    DataError
        With the field at fault.

    Examples
    --------
    >>> turn = {"role": "user", "content": "Fix the bug", "message_type": "observation"}
    >>> next(read_swe_agent({"trajectory": [], "history": [turn]}, "run")).messages[0].content
    'Fix the bug'
    """
    fields = Fields(raw)
    column = "history" if "history" in fields.raw else "messages"
    found: list[object] = []
    for turn in fields.objects(column):
        shown = {key: turn.raw[key] for key in _KEYS if key in turn.raw}
        answers = turn.raw.get("tool_call_ids")
        shown["tool_call_id"] = turn.raw.get("tool_call_id")
        if isinstance(answers, list) and answers and isinstance(answers[0], str):
            shown["tool_call_id"] = answers[0]
        found.append({key: value for key, value in shown.items() if value is not None})
    info = fields.raw.get("info")
    given = info.get("instance_id") if isinstance(info, dict) else None
    given = fields.raw.get("instance_id", given)
    messages = chat_of(found, column)
    yield build_case(given if isinstance(given, str) else name, "swe-agent", messages)


FORMAT = Format(
    name="swe-agent",
    description="SWE-agent and mini-swe-agent, trajectory",
    recognises=is_swe_agent,
    read=read_swe_agent,
    priority=1,
    example={
        "trajectory": [],
        "history": [
            {"role": "user", "content": "Fix the bug", "message_type": "observation"},
            {
                "role": "assistant",
                "content": "Look.",
                "tool_calls": [
                    {"id": "c1", "function": {"name": "bash", "arguments": '{"command": "ls"}'}}
                ],
            },
            {"role": "tool", "content": "a.py", "tool_call_ids": ["c1"]},
        ],
        "info": {"exit_status": "submitted"},
    },
)
