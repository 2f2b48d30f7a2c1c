"""The case format: one JSON object a line, a conversation with its probes."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterable, Iterator
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any, get_args

from ctxlab.chats.case_building import build_case
from ctxlab.chats.fields import Fields, expect
from ctxlab.chats.file_format import Format
from ctxlab.core.cases import Case, Probe
from ctxlab.core.messages import about_of
from ctxlab.core.segments import Message, Payload, Role, ToolCall
from ctxlab.errors import DataError

_MESSAGE_KEYS = frozenset(Message.__dataclass_fields__)


def is_case(raw: object) -> bool:
    """Say whether a record looks like a case.

    Examples
    --------
    >>> is_case({"id": "c1", "dataset": "mine", "messages": []})
    True
    >>> is_case({"id": "c1", "dataset": "tuning", "messages": [{"role": "user", "content": "Hi"}]})
    False
    """
    if not isinstance(raw, dict) or "messages" not in raw:
        return False
    # A chat for fine-tuning may name its dataset too; its messages have no ids, or no content.
    return "probes" in raw or ("dataset" in raw and not _is_plain_chat(raw["messages"]))


def _is_plain_chat(messages: object) -> bool:
    return isinstance(messages, list) and not all(map(_is_of_case, messages))


def _is_of_case(message: object) -> bool:
    if not isinstance(message, dict) or "id" not in message:
        return False
    # One that lacks its role is in no chat format; read as a case, the error names the field.
    return message.get("content") is not None or (
        "role" not in message and message.keys() <= _MESSAGE_KEYS
    )


def read_case(raw: object, name: str) -> Iterator[Case]:
    """Yield the case of a record.

    Parameters
    ----------
    raw : object
        ``{"id", "dataset", "messages": [{"id", "role", "name"?, "content", "created_at"?,
        "session"?, "tool_calls"?, "tool_call_id"?, "pinned"?}], "probes": [{"id", "question",
        "answer", "evidence", "category", "evidence_mode"?, "at"?}]}``
    name : str
        The dataset's name where the record gives none.

    Raises
    ------
    DataError
        With the field at fault.

    Examples
    --------
    >>> message = {"id": "m1", "role": "user", "content": "Hi"}
    >>> next(read_case({"id": "c1", "messages": [message]}, "mine")).dataset
    'mine'
    """
    fields = Fields(raw)
    messages = [_message(one) for one in fields.objects("messages")]
    probes = [_probe(one) for one in fields.objects("probes")] if fields.has("probes") else []
    case = build_case(fields.text("id"), fields.optional("dataset") or name, messages, probes)
    yield replace(case, cluster=fields.optional("cluster"))


def role_of(fields: Fields) -> Role:
    """Return a message's role.

    Raises
    ------
    DataError
        When it is none of system, user, assistant and tool.

    Examples
    --------
    >>> role_of(Fields({"role": "user"}))
    'user'
    """
    role = {"developer": "system"}.get(fields.text("role"), fields.text("role"))
    for known in get_args(Role):
        if role == known:
            found: Role = known
            return found
    raise DataError(
        f"is {role!r}; expected one of {', '.join(get_args(Role))}", field=fields.at("role")
    )


def _message(fields: Fields) -> Message:
    calls = fields.objects("tool_calls") if fields.has("tool_calls") else ()
    return Message(
        fields.text("id"),
        role_of(fields),
        fields.text("content"),
        name=fields.optional("name"),
        created_at=fields.optional("created_at"),
        session=fields.optional("session"),
        tool_calls=tuple(
            ToolCall(call.text("id"), call.text("name"), call.text("arguments"))
            if "function" not in call.raw
            else _openai_call(call)
            for call in calls
        ),
        tool_call_id=fields.optional("tool_call_id"),
        pinned=bool(fields.raw.get("pinned", False)),
        payload=tuple(map(_payload, fields.objects("payload"))) if fields.has("payload") else (),
        about=about_of(fields.raw.get("about"), fields.at("about")),
    )


def _payload(fields: Fields) -> Payload:
    tokens = expect(fields.raw.get("tokens", 0), int, fields.at("tokens"))
    return Payload(fields.text("kind"), fields.optional("text") or "", tokens)


def _openai_call(call: Fields) -> ToolCall:
    function = call.child("function")
    return ToolCall(call.text("id"), function.text("name"), function.text("arguments"))


def _probe(fields: Fields) -> Probe:
    mode = fields.optional("evidence_mode") or "all"
    if mode not in ("all", "any"):
        raise DataError(f"is {mode!r}; expected all or any", field=fields.at("evidence_mode"))
    return Probe(
        fields.text("id"),
        fields.text("question"),
        fields.scalar("answer"),
        tuple(expect(value, str, path) for path, value in fields.items("evidence")),
        fields.scalar("category"),
        "any" if mode == "any" else "all",
        fields.optional("at"),
    )


def write_cases(cases: Iterable[Case], path: str | Path) -> int:
    """Write cases as JSON lines, gzipped when the name ends in ``.gz``; return how many.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     write_cases([Case("c", "d", (Message("m1", "user", "Hi"),))], f"{folder}/c.jsonl.gz")
    1
    """
    target, count = Path(path), 0
    opened = gzip.open if target.suffix == ".gz" else open
    with opened(target, "wt", encoding="utf-8") as file:
        for case in cases:
            file.write(json.dumps(case_to_dict(case)) + "\n")
            count += 1
    return count


def case_to_dict(case: Case) -> dict[str, Any]:
    """Return a case as an object of the case format, without what is empty.

    Examples
    --------
    >>> case_to_dict(Case("c", "d", (Message("m1", "user", "Hi"),)))["messages"]
    [{'id': 'm1', 'role': 'user', 'content': 'Hi'}]
    """
    return {
        "id": case.id,
        "dataset": case.dataset,
        **({"cluster": case.cluster} if case.cluster else {}),
        "messages": [_lean(asdict(message), ("content",)) for message in case.messages],
        "probes": [_lean(asdict(p), ("answer", "evidence", "category")) for p in case.probes],
    }


def _lean(row: dict[str, Any], always: tuple[str, ...]) -> dict[str, Any]:
    return {
        key: value
        for key, value in row.items()
        if key in always
        or (value not in (None, (), False, "") and (key, value) != ("evidence_mode", "all"))
    }


FORMAT = Format(
    name="cases",
    description="the case format, one conversation with probes a line",
    recognises=is_case,
    read=read_case,
    priority=-1,
    example={
        "id": "c",
        "messages": [
            {
                "id": "m1",
                "role": "user",
                "name": "Ada",
                "content": "Hi",
                "session": "s",
                "tool_calls": [{"id": "c1", "name": "clock", "arguments": ""}],
            }
        ],
        "probes": [{"id": "p", "question": "?", "answer": "x", "evidence": ["m1"]}],
    },
)
