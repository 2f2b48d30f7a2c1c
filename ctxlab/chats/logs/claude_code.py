"""Claude Code: the session logs of the command-line agent, a line each block and event.

The system prompt and the definitions of the tools are not in them: what is counted is the chat.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

from ctxlab.chats.anthropic_reader import messages_from_anthropic
from ctxlab.chats.case_building import build_case
from ctxlab.chats.entries import Entry, compacted, converted
from ctxlab.chats.fields import Fields, expect
from ctxlab.chats.file_format import Format
from ctxlab.chats.logs.claude_code_lines import CHAT, Line, active, chains
from ctxlab.core.cases import Case
from ctxlab.core.segments import About, Message
from ctxlab.errors import DataError

_HARNESS = ("<command-", "<local-command-", "<system-reminder>", "<user-prompt-submit-hook>")


def is_claude_code(raw: object) -> bool:
    """Say whether lines look like a session of Claude Code; its first are often of other kinds.

    Examples
    --------
    >>> line = {"type": "user", "sessionId": "s", "uuid": "u", "message": {"content": "Hi"}}
    >>> is_claude_code([{"type": "summary", "summary": "A title"}, line])
    True
    """
    return isinstance(raw, list) and any(
        isinstance(line, dict)
        and {"sessionId", "uuid", "type"} <= line.keys()
        and ("message" in line or "parentUuid" in line)
        for line in raw
    )


def read_claude_code(raw: object, name: str) -> Iterator[Case]:
    """Yield the conversation of a session, and every side chain in its file as a case of its own.

    The blocks of a response are one message. Of several branches the one written last is read.
    A summary keeps what the log says of the compaction before it. Lines that no model was shown
    (titles, snapshots, queue operations, errors of the API) are left out.

    Raises
    ------
    DataError
        With the line and the field at fault.

    Examples
    --------
    >>> line = {"type": "user", "sessionId": "s", "uuid": "u", "message": {"role": "user",
    ...         "content": "Fix the parser"}}
    >>> next(read_claude_code([line], "s")).messages[0].content
    'Fix the parser'
    """
    lines = expect(raw, list, "")
    found = False
    every = chains(lines)
    for agent, chain in every.items():
        shown = active(chain)
        messages = _messages(shown)
        if not messages:
            continue
        found = True
        session = next((s for line in shown if isinstance(s := line.raw.get("sessionId"), str)), "")
        whole = agent == "" or len(every) == 1
        case = build_case(name if whole else f"{name}/{agent}", "claude-code", messages)
        # A side chain works on what the session works on: they are not independent.
        yield replace(case, cluster=session or None)
    if not found:
        problem = "holds no message of a session; expected lines of type user or assistant"
        raise DataError(problem, field="type")


def _messages(lines: Sequence[Line]) -> tuple[Message, ...]:
    entries: list[Entry] = []
    places: dict[str, int] = {}
    responses: dict[str, tuple[int, list[Any]]] = {}
    preserved: list[tuple[int, list[str]]] = []
    boundary: Line | None = None
    for line in lines:
        if line.is_boundary:
            boundary = line
            continue
        if line.raw.get("type") not in CHAT or _is_no_reply(line):
            continue
        blocks = _blocks(line) if line.response else None
        if blocks is not None and line.response in responses:
            places[line.uuid], known = responses[line.response]
            known += [block for block in blocks if block not in known]
            continue
        entry = _entry(line)
        if blocks is not None:
            responses[line.response] = len(entries), blocks
            entry = replace(entry, raw={"role": "assistant", "content": blocks})
        if boundary or line.is_summary:
            entry = replace(entry, compaction=_compaction(boundary))
            preserved.append((len(entries), _preserved(boundary, lines)))
            boundary = None
        places[line.uuid] = len(entries)
        entries.append(entry)
    return _with_kept(converted(entries, messages_from_anthropic), preserved, places)


def _blocks(line: Line) -> list[Any]:
    content = Fields(line.raw, f"[{line.at}]").child("message").raw.get("content")
    if isinstance(content, list):
        return list(content)
    return [{"type": "text", "text": content}]


def _is_no_reply(line: Line) -> bool:
    message = line.raw.get("message")
    model = message.get("model") if isinstance(message, dict) else None
    return line.raw.get("isApiErrorMessage") is True or model == "<synthetic>"


def _entry(line: Line) -> Entry:
    fields = Fields(line.raw, f"[{line.at}]")
    when = fields.raw.get("timestamp")
    created_at = when if isinstance(when, str) else None
    if fields.raw.get("type") == "attachment":
        text = json.dumps(fields.raw.get("attachment"), ensure_ascii=False)
        attached = {"role": "user", "content": text}
        return Entry(attached, fields.at("attachment"), "injected", created_at=created_at)
    message = fields.child("message")
    kind = "summary" if line.is_summary else ""
    if not kind and fields.raw.get("type") == "user" and _is_injected(fields, message):
        kind = "injected"
    shown = {"role": fields.text("type"), "content": message.raw.get("content")}
    return Entry(shown, message.path, kind, created_at=created_at)


def _is_injected(fields: Fields, message: Fields) -> bool:
    content = message.raw.get("content")
    if isinstance(content, list) and len(content) == 1 and isinstance(content[0], dict):
        content = content[0].get("text")
    says = isinstance(content, str) and content.lstrip().startswith(_HARNESS)
    return fields.raw.get("isMeta") is True or says


def _facts(boundary: Line | None, name: str) -> dict[str, Any]:
    held = boundary.raw.get("compactMetadata") if boundary else None
    found = held if name == "" else held.get(name) if isinstance(held, dict) else None
    return found if isinstance(found, dict) else {}


def _compaction(boundary: Line | None) -> Any:  # noqa: ANN401
    facts = _facts(boundary, "")
    return compacted(facts.get("trigger"), facts.get("preTokens"), facts.get("postTokens"))


def _preserved(boundary: Line | None, lines: Sequence[Line]) -> list[str]:
    """Return the ids of the lines before a compaction that stay in the context."""
    named = _facts(boundary, "preservedMessages").get("uuids")
    if isinstance(named, list):
        return [uuid for uuid in named if isinstance(uuid, str)]
    segment = _facts(boundary, "preservedSegment")
    ids = [line.uuid for line in lines]
    head, tail = segment.get("headUuid"), segment.get("tailUuid")
    if head in ids and tail in ids:
        return ids[ids.index(head) : ids.index(tail) + 1]
    return []


def _with_kept(
    messages: tuple[Message, ...],
    preserved: Sequence[tuple[int, list[str]]],
    places: dict[str, int],
) -> tuple[Message, ...]:
    """Name, in every compaction, the messages that it kept."""
    ids: dict[int, list[str]] = {}
    for message in messages:
        ids.setdefault(int(message.id[1:].split(".")[0].split("~")[0]), []).append(message.id)
    kept = {
        at: [name for place in dict.fromkeys(places[u] for u in uuids if u in places)
             for name in ids.get(place, ())]
        for at, uuids in preserved
    }  # fmt: skip
    done = iter(kept.values())
    return tuple(
        replace(m, about=About(m.about.kind, replace(m.about.compaction, kept=tuple(next(done)))))
        if m.about and m.about.compaction
        else m
        for m in messages
    )


FORMAT = Format(
    name="claude-code",
    description="Claude Code, session log",
    recognises=is_claude_code,
    read=read_claude_code,
    lines=True,
    example=[
        {"type": "summary", "summary": "Fix the parser", "leafUuid": "u3"},
        {
            "type": "user",
            "sessionId": "s1",
            "uuid": "u1",
            "parentUuid": None,
            "isSidechain": False,
            "timestamp": "2031-01-01T00:00:00Z",
            "message": {"role": "user", "content": "Fix the parser"},
        },
        {
            "type": "assistant",
            "sessionId": "s1",
            "uuid": "u2",
            "parentUuid": "u1",
            "message": {
                "id": "msg_1",
                "role": "assistant",
                "content": [
                    {"type": "tool_use", "id": "t1", "name": "Read", "input": {"file_path": "p.py"}}
                ],
            },
        },
        {
            "type": "user",
            "sessionId": "s1",
            "uuid": "u3",
            "parentUuid": "u2",
            "message": {
                "role": "user",
                "content": [{"type": "tool_result", "tool_use_id": "t1", "content": "def p(): …"}],
            },
        },
    ],
)
