"""tau-bench: runs of a tool-calling agent, with probes for the values it had to remember.

Source: Yao et al., "τ-bench: A Benchmark for Tool-Agent-User Interaction in Real-World Domains",
2024. Its runs hold no questions. A probe is derived for every value with a digit in it that the
agent passes to a state-changing tool and that a user or a tool had said before: the evidence is
the messages that said it, any of which will do, and the value is needed at the call.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace

from ctxlab.chats.case_building import build_case
from ctxlab.chats.fields import Fields
from ctxlab.chats.file_format import Format
from ctxlab.chats.openai import messages_of
from ctxlab.core.cases import Case, Probe
from ctxlab.core.segments import Message, ToolCall

_CHANGES = ("book_", "cancel_", "exchange_", "modify_", "return_", "send_", "update_")


def is_taubench(raw: object) -> bool:
    """Say whether a record looks like a run of tau-bench.

    Examples
    --------
    >>> is_taubench({"task_id": 1, "traj": []})
    True
    """
    return isinstance(raw, dict) and "traj" in raw


def read_taubench(raw: object, name: str) -> Iterator[Case]:
    """Yield the case of one run.

    Raises
    ------
    DataError
        With the field at fault.

    Examples
    --------
    >>> raw = {"task_id": 6, "trial": 0, "traj": [{"role": "user", "content": "Hi"}]}
    >>> next(read_taubench(raw, "airline")).id
    't6_r0'
    """
    fields = Fields(raw)
    messages = messages_of(fields, "traj")
    case_id = f"t{fields.scalar('task_id')}_r{fields.scalar('trial') or 0}"
    case = build_case(case_id, "taubench", messages, needed_values(messages))
    # Runs of one task ask for the same values: they are not independent.
    yield replace(case, cluster=f"t{fields.scalar('task_id')}")


def needed_values(messages: tuple[Message, ...]) -> Iterator[Probe]:
    """Yield a probe for every value that a state-changing call takes from what was said before.

    Examples
    --------
    >>> call = ToolCall("c1", "cancel_order", '{"order": "W42"}')
    >>> order = Message("m0", "user", "Cancel W42.")
    >>> said = order, Message("m1", "assistant", "", tool_calls=(call,))
    >>> [(probe.answer, probe.evidence, probe.at) for probe in needed_values(said)]
    [('W42', ('m0',), 'm1')]
    """
    for index, message in enumerate(messages):
        for call in message.tool_calls:
            if call.name.startswith(_CHANGES):
                same = [other for other in message.tool_calls if other.name == call.name]
                label = call.name if call is same[0] else f"{call.name}_{call.id}"
                yield from _of_call(call, label, message.id, messages[:index])


def _of_call(call: ToolCall, label: str, at: str, before: tuple[Message, ...]) -> Iterator[Probe]:
    seen: set[str] = set()
    for path, value in _leaves(_arguments(call)):
        if value in seen or not any(character.isdigit() for character in value):
            continue
        seen.add(value)
        said = tuple(m.id for m in before if m.role in ("user", "tool") and value in m.content)
        if said:
            question = f"{call.name}: value of argument {path}"
            probe_id = f"{at}_{label}_{path}"
            yield Probe(probe_id, question, value, said, call.name, "any", at)


def _arguments(call: ToolCall) -> object:
    try:
        return json.loads(call.arguments)
    except (ValueError, RecursionError):
        return {}


def _leaves(value: object, path: str = "") -> Iterator[tuple[str, str]]:
    if isinstance(value, dict):
        for key, item in value.items():
            yield from _leaves(item, f"{path}.{key}" if path else str(key))
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _leaves(item, f"{path}[{index}]")
    elif isinstance(value, str):
        yield path, value


FORMAT = Format(
    name="taubench",
    description="tau-bench, original runs",
    recognises=is_taubench,
    read=read_taubench,
    example={
        "task_id": 1,
        "trial": 0,
        "traj": [
            {"role": "user", "content": "Cancel W1."},
            {
                "role": "assistant",
                "tool_calls": [
                    {"id": "c1", "function": {"name": "cancel_order", "arguments": '{"id": "W1"}'}}
                ],
            },
            {"role": "tool", "content": "ok"},
        ],
    },
)
