"""τ²-bench: runs in which the user, too, has tools, with probes for the values to remember.

Source: Barres et al., "τ²-Bench: Evaluating Conversational Agents in a Dual-Control Environment",
2025. A case is what the agent was shown: the user's own calls and their results are not.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from ctxlab.chats.case_building import build_case
from ctxlab.chats.entries import Entry, compacted, converted
from ctxlab.chats.fields import Fields
from ctxlab.chats.file_format import Format
from ctxlab.chats.openai_reader import messages_from_openai
from ctxlab.core.cases import Case
from ctxlab.datasets.taubench import needed_values
from ctxlab.errors import DataError


def is_tau2(raw: object) -> bool:
    """Say whether a record is a file of runs, or one run, of τ²-bench.

    Examples
    --------
    >>> is_tau2({"simulations": [], "tasks": []})
    True
    """
    if not isinstance(raw, dict):
        return False
    run = "task_id" in raw and "messages" in raw and "termination_reason" in raw
    return run or isinstance(raw.get("simulations"), list)


def read_tau2(raw: object, name: str) -> Iterator[Case]:
    """Yield the case of every run; those of one task are of one cluster.

    Raises
    ------
    DataError
        With the field at fault.

    Examples
    --------
    >>> run = {"task_id": "7", "trial": 0, "messages": [{"role": "user", "content": "Hi"}]}
    >>> next(read_tau2({"simulations": [run]}, "airline")).id
    't7_r0'
    """
    fields = Fields(raw)
    runs = list(fields.objects("simulations")) if "simulations" in fields.raw else [fields]
    if not runs:
        raise DataError("holds no run; expected at least one", field="simulations")
    for run in runs:
        task = run.scalar("task_id")
        trial = run.scalar("trial") if run.has("trial") else "0"
        entries: list[Entry] = []
        for message in run.objects("messages"):
            entries += _entries(message)
        messages = converted(entries, messages_from_openai)
        case = build_case(f"t{task}_r{trial}", "tau2bench", messages, needed_values(messages))
        yield replace(case, cluster=f"t{task}")


def _entries(message: Fields) -> Iterator[Entry]:
    if message.has("tool_messages"):
        for one in message.objects("tool_messages"):
            yield from _entries(one)
        return
    role = message.text("role")
    if role == "tool":
        if message.raw.get("requestor") != "user":
            shown = {"role": "tool", "tool_call_id": message.text("id"),
                     "content": message.raw.get("content") or ""}  # fmt: skip
            yield _entry(shown, message)
        return
    shown = {"role": role, "content": message.raw.get("content") or ""}
    every = list(message.objects("tool_calls")) if message.has("tool_calls") else []
    calls = [call for call in every if call.raw.get("requestor", role) == "assistant"]
    if calls:
        shown["tool_calls"] = [
            {
                "id": call.text("id"),
                "function": {"name": call.text("name"), "arguments": call.raw.get("arguments", {})},
            }
            for call in calls
        ]
    if shown["content"] or calls or not every:
        yield _entry(shown, message)


def _entry(shown: dict[str, Any], message: Fields) -> Entry:
    cut = message.raw.get("context_truncation")
    told = None
    if isinstance(cut, dict):
        told = compacted("truncation", cut.get("tokens_before"), cut.get("tokens_after"))
    when = message.raw.get("timestamp")
    at = when if isinstance(when, str) else None
    return Entry(shown, message.path, compaction=told, created_at=at)


FORMAT = Format(
    name="tau2bench",
    description="τ²-bench, file of runs",
    recognises=is_tau2,
    read=read_tau2,
    priority=1,
    example={
        "simulations": [
            {
                "task_id": "7",
                "trial": 0,
                "messages": [
                    {"role": "user", "content": "Cancel W1."},
                    {
                        "role": "user",
                        "tool_calls": [
                            {"id": "u1", "name": "reboot", "arguments": {}, "requestor": "user"}
                        ],
                    },
                    {"role": "tool", "id": "u1", "content": "ok", "requestor": "user"},
                    {
                        "role": "assistant",
                        "tool_calls": [
                            {
                                "id": "c1",
                                "name": "cancel_order",
                                "arguments": {"id": "W1"},
                                "requestor": "assistant",
                            }
                        ],
                    },
                    {"role": "tool", "id": "c1", "content": "ok", "requestor": "assistant"},
                ],
            }
        ]
    },
)
