"""inspect_ai: evaluation logs, as JSON or as the zip with a file for every sample.

A case is a sample at an epoch. Texts that stand once among a sample's attachments are put back
where they are referred to.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from ctxlab.chats.any_chat import chat_of
from ctxlab.chats.case_building import build_case
from ctxlab.chats.entries import compacted
from ctxlab.chats.fields import Fields, expect
from ctxlab.chats.file_format import Format
from ctxlab.core.cases import Case
from ctxlab.core.segments import About, Message
from ctxlab.errors import DataError

_ATTACHED = ("attachment://", "tc://")


def is_inspect(raw: object) -> bool:
    """Say whether a record is a log, a sample of one, or the list of a sample's messages.

    Examples
    --------
    >>> is_inspect({"eval": {}, "samples": []}), is_inspect({"id": 1, "epoch": 1, "messages": []})
    (True, True)
    """
    if isinstance(raw, dict):
        log = isinstance(raw.get("eval"), dict) and isinstance(raw.get("samples"), list)
        return log or ("epoch" in raw and isinstance(raw.get("messages"), list))
    return isinstance(raw, list) and any(
        isinstance(call, dict) and isinstance(call.get("function"), str) and "arguments" in call
        for one in raw
        if isinstance(one, dict) and isinstance(one.get("tool_calls"), list)
        for call in one["tool_calls"]
    )


def read_inspect(raw: object, name: str) -> Iterator[Case]:
    """Yield a case for every sample and epoch; those of one sample are of one cluster.

    Raises
    ------
    DataError
        With the field at fault.

    Examples
    --------
    >>> sample = {"id": 1, "epoch": 2, "messages": [{"role": "user", "content": "Hi"}]}
    >>> [case.id for case in read_inspect({"eval": {"task": "t"}, "samples": [sample]}, "log")]
    ['1/2']
    """
    if isinstance(raw, list):
        yield build_case(name, "inspect", _messages(Fields({"messages": raw}), {}))
        return
    fields = Fields(raw)
    samples = list(fields.objects("samples")) if "samples" in fields.raw else [fields]
    if not samples:
        raise DataError("holds no sample; expected at least one", field="samples")
    for sample in samples:
        given = sample.scalar("id") if sample.has("id") else name
        epoch = sample.scalar("epoch") if sample.has("epoch") else "1"
        held = sample.raw.get("attachments")
        messages = _messages(sample, held if isinstance(held, dict) else {})
        case = build_case(f"{given}/{epoch}", "inspect", _told(sample, messages))
        yield replace(case, cluster=given)


def _messages(sample: Fields, attachments: Mapping[str, Any]) -> tuple[Message, ...]:
    whole = _resolved(expect(sample.raw.get("messages"), list, sample.at("messages")), attachments)
    found: list[object] = []
    for at, value in enumerate(whole):
        message = Fields(value, f"{sample.at('messages')}[{at}]")
        shown = {k: v for k, v in message.raw.items() if k in ("role", "content", "tool_call_id")}
        if message.raw.get("role") == "tool" and not message.raw.get("content"):
            error = message.raw.get("error")
            shown["content"] = error.get("message", "") if isinstance(error, dict) else ""
        if isinstance(shown.get("content"), list):
            shown["content"] = [_part(part) for part in shown["content"]]
        if message.has("tool_calls"):
            shown["tool_calls"] = [_call(call) for call in message.objects("tool_calls")]
        found.append(shown)
    return chat_of(found, sample.at("messages"))


def _part(part: object) -> object:
    if isinstance(part, dict) and part.get("type") == "reasoning":
        held = part.get("reasoning") or part.get("summary") or ""
        return {"type": "text", "text": held}
    return part


def _call(call: Fields) -> dict[str, Any]:
    function = call.raw.get("function")
    if isinstance(function, dict):
        return call.raw
    return {
        "id": call.text("id"),
        "function": {"name": call.text("function"), "arguments": call.raw.get("arguments", {})},
    }


def _resolved(value: Any, attachments: Mapping[str, Any], depth: int = 40) -> Any:  # noqa: ANN401
    if isinstance(value, str):
        for scheme in _ATTACHED:
            if value.startswith(scheme):
                found = attachments.get(value.removeprefix(scheme))
                return found if isinstance(found, str) else value
    elif depth and isinstance(value, list):
        return [_resolved(one, attachments, depth - 1) for one in value]
    elif depth and isinstance(value, dict):
        return {key: _resolved(one, attachments, depth - 1) for key, one in value.items()}
    return value


def _told(sample: Fields, messages: tuple[Message, ...]) -> tuple[Message, ...]:
    """Say with the last message what the log's compactions took away; their place is not told."""
    events = sample.raw.get("events")
    found = [
        event
        for event in (events if isinstance(events, list) else ())
        if isinstance(event, dict) and event.get("event") == "compaction"
    ]
    if not found or not messages:
        return messages
    # A sample's messages are the last context: a compaction stands before the first after it.
    last = found[-1]
    told = compacted(last.get("type"), last.get("tokens_before"), last.get("tokens_after"))
    first = messages[0]
    kind = first.about.kind if first.about else ""
    return (replace(first, about=About(kind, told)), *messages[1:])


FORMAT = Format(
    name="inspect",
    description="inspect_ai, evaluation log (.json or .eval)",
    recognises=is_inspect,
    read=read_inspect,
    whole=True,
    priority=1,
    example={
        "version": 2,
        "status": "success",
        "eval": {"task": "t", "model": "openai/gpt-4o"},
        "samples": [
            {
                "id": 1,
                "epoch": 1,
                "messages": [
                    {"role": "user", "content": "attachment://a1"},
                    {
                        "role": "assistant",
                        "content": "Calling.",
                        "tool_calls": [
                            {"id": "c1", "function": "bash", "arguments": {"cmd": "ls"}}
                        ],
                    },
                    {"role": "tool", "content": "a.py", "tool_call_id": "c1", "function": "bash"},
                ],
                "attachments": {"a1": "What is there?"},
            }
        ],
    },
)
