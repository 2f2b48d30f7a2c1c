"""Codex: the rollouts of the command-line agent, one record a line.

A model is shown the response items; the events mirror them for the screen. A compaction
replaces the context by what stands in its record, which repeats some of the messages before.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from ctxlab.chats.case_building import build_case
from ctxlab.chats.entries import Entry, compacted, converted, figure
from ctxlab.chats.fields import expect
from ctxlab.chats.file_format import Format
from ctxlab.chats.logs.codex_items import Record, as_chat, injected, records_of
from ctxlab.chats.openai_reader import messages_from_openai
from ctxlab.core.cases import Case
from ctxlab.core.segments import Compaction
from ctxlab.errors import DataError

_RECORDS = ("response_item", "event_msg", "session_meta", "turn_context", "compacted")
_MIRRORS = {"user_message": "user", "agent_message": "assistant", "agent_reasoning": "assistant"}
_COMPACTIONS = ("compaction", "compaction_summary", "context_compaction")


def is_codex(raw: object) -> bool:
    """Say whether lines look like a rollout of Codex.

    Examples
    --------
    >>> is_codex([{"timestamp": "t", "type": "session_meta", "payload": {"id": "x"}}])
    True
    """
    if not isinstance(raw, list):
        return False
    lines = [line for line in raw[:50] if isinstance(line, dict)]
    bare = bool(lines) and {"id", "timestamp", "instructions"} <= lines[0].keys()
    return bare or any(
        line.get("type") in _RECORDS and isinstance(line.get("payload"), dict) for line in lines
    )


def read_codex(raw: object, name: str) -> Iterator[Case]:
    """Yield the conversation of a rollout.

    What a parent's session replays at the start of a fork is marked ``replayed``; turns that
    were rolled back are left out; a compaction keeps what it keeps, and its figures are the
    usage that the log reports of the requests before and after it.

    Raises
    ------
    DataError
        With the line and the field at fault.

    Examples
    --------
    >>> item = {"type": "message", "role": "user", "content": [{"type": "input_text",
    ...         "text": "Fix it"}]}
    >>> line = {"timestamp": "t", "type": "response_item", "payload": item}
    >>> next(read_codex([line], "rollout")).messages[0].content
    'Fix it'
    """
    records = list(records_of(expect(raw, list, "")))
    items = any(
        one.type == "response_item" and one.payload.get("type") == "message" for one in records
    )
    rollout = _Rollout(mirrors=not items)
    for record in records:
        rollout.take(record)
    messages = converted(rollout.finished(), messages_from_openai)
    if not messages:
        raise DataError("holds no message; expected records of type response_item", field="type")
    # A fork and its parent say much the same: they are not independent.
    yield replace(build_case(name, "codex", messages), cluster=rollout.family or None)


@dataclass
class _Rollout:
    """What a model was shown so far, record by record."""

    mirrors: bool
    entries: list[Entry] = field(default_factory=list)
    keys: list[str] = field(default_factory=list)
    turns: list[int] = field(default_factory=list)
    family: str = ""
    own: bool = False
    replaying: bool = False
    used: int | None = None
    waiting: list[int] = field(default_factory=list)
    pending: Compaction | None = None

    def take(self, record: Record) -> None:
        payload, kind = record.payload, record.payload.get("type")
        if record.type == "session_meta":
            self._begin(record)
        elif record.type == "response_item":
            if kind in _COMPACTIONS:
                self._compact(record, [payload], "")
            elif kind not in ("ghost_snapshot", "compaction_trigger"):
                self._add(payload, record)
        elif record.type == "compacted":
            history = payload.get("replacement_history")
            message = payload.get("message") or payload.get("summary")
            items = history if isinstance(history, list) else []
            self._compact(record, items, message if isinstance(message, str) else "")
        elif record.type == "event_msg":
            self._event(record, kind)

    def finished(self) -> list[Entry]:
        return self.entries

    def _begin(self, record: Record) -> None:
        payload = record.payload
        if self.own:
            self.replaying = True
            return
        self.own = True
        source = payload.get("source")
        spawned = source.get("subagent") if isinstance(source, dict) else None
        spawn = spawned.get("thread_spawn") if isinstance(spawned, dict) else None
        parent = spawn.get("parent_thread_id") if isinstance(spawn, dict) else None
        names = (payload.get("forked_from_id"), payload.get("parent_thread_id"), parent)
        self.family = next((n for n in (*names, payload.get("id")) if isinstance(n, str)), "")
        prompt = payload.get("base_instructions", payload.get("instructions"))
        text = prompt.get("text") if isinstance(prompt, dict) else prompt
        if isinstance(text, str) and text:
            shown = {"role": "system", "content": text}
            self._put(Entry(shown, record.path, created_at=record.created_at), "")

    def _event(self, record: Record, kind: object) -> None:
        payload = record.payload
        if kind == "task_started":
            self.replaying = False
        elif kind == "thread_rolled_back":
            turns = figure(payload.get("num_turns")) or 0
            if 0 < turns <= len(self.turns):
                start = self.turns[-turns]
                del self.entries[start:], self.keys[start:], self.turns[-turns:]
        elif kind == "token_count":
            info = payload.get("info")
            last = info.get("last_token_usage") if isinstance(info, dict) else None
            self._count(last if isinstance(last, dict) else {})
        elif self.mirrors and isinstance(kind, str) and kind in _MIRRORS:
            text = payload.get("message", payload.get("text"))
            self._add({"type": "message", "role": _MIRRORS[kind], "content": text}, record)

    def _count(self, usage: Mapping[str, Any]) -> None:
        # Right after a compaction a count may say the total alone.
        total = figure(usage.get("total_tokens"))
        after = figure(usage.get("input_tokens")) or total
        self.used = total or after or self.used
        for at in self.waiting if after else ():
            if at < len(self.entries) and self.entries[at].compaction:
                told = replace(self.entries[at].compaction, tokens_after=after)  # type: ignore[type-var]
                self.entries[at] = replace(self.entries[at], compaction=told)
        if after:
            self.waiting = []

    def _add(self, item: Mapping[str, Any], record: Record, kind: str = "") -> None:
        if item.get("role") == "user" and not injected(item) and not kind:
            self.turns.append(len(self.entries))
        told = kind or ("injected" if injected(item) else "")
        told = told or ("thinking" if item.get("type") == "reasoning" else "")
        if self.replaying and told in ("", "thinking"):
            told = "replayed"
        shown = as_chat(item, record.path)
        self._put(Entry(shown, record.path, told, created_at=record.created_at), _key(item))

    def _put(self, entry: Entry, key: str) -> None:
        if self.pending is not None:
            self.waiting.append(len(self.entries))
            entry, self.pending = replace(entry, compaction=self.pending), None
        self.entries.append(entry)
        self.keys.append(key)

    def _compact(self, record: Record, items: list[Any], summary: str) -> None:
        """Put in what a compaction wrote, and what it put in anew; say what it kept."""
        known = {key: f"m{at}" for at, key in enumerate(self.keys) if key}
        kept: list[str] = []
        new: list[tuple[Mapping[str, Any], str]] = []
        for at, item in enumerate(items):
            place = f"{record.path}.replacement_history[{at}]"
            if not isinstance(item, dict):
                raise DataError("is no item; expected an object", field=place)
            if _key(item) in known:
                kept.append(known[_key(item)])
                continue
            said = item.get("type") in _COMPACTIONS or (summary and summary in _key(item, False))
            new.append((item, "summary" if said else "injected"))
        if summary and not any(kind == "summary" for _, kind in new):
            new.append(({"type": "message", "role": "user", "content": summary}, "summary"))
        told, before = record.payload, figure(record.payload.get("tokens_before"))
        self.pending = compacted(told.get("trigger"), before or self.used, None, kept)
        for item, kind in sorted(new, key=lambda one: one[1] != "summary"):
            self._add(item, record, kind)


def _key(item: Mapping[str, Any], whole: bool = True) -> str:
    """Return what an item says, by which it is known where it is repeated."""
    content = item.get("content")
    if isinstance(content, list):
        texts = [part.get("text") for part in content if isinstance(part, dict)]
        content = "\n".join(text for text in texts if isinstance(text, str))
    if not whole:
        return content if isinstance(content, str) else ""
    names = ("role", "call_id", "encrypted_content", "arguments", "input", "output")
    kind = item.get("type", "message")
    return json.dumps([kind, *(item.get(name) for name in names), content], default=str)


FORMAT = Format(
    name="codex",
    description="Codex, rollout of a session",
    recognises=is_codex,
    read=read_codex,
    lines=True,
    example=[
        {
            "timestamp": "2031-01-01T00:00:00Z",
            "type": "session_meta",
            "payload": {"id": "x", "base_instructions": {"text": "You write code."}},
        },
        {
            "timestamp": "2031-01-01T00:00:01Z",
            "type": "response_item",
            "payload": {
                "type": "message",
                "role": "user",
                "content": [{"type": "input_text", "text": "Fix it"}],
            },
        },
        {
            "timestamp": "2031-01-01T00:00:02Z",
            "type": "response_item",
            "payload": {
                "type": "function_call",
                "name": "shell",
                "arguments": '{"command": ["ls"]}',
                "call_id": "c1",
            },
        },
        {
            "timestamp": "2031-01-01T00:00:03Z",
            "type": "response_item",
            "payload": {"type": "function_call_output", "call_id": "c1", "output": "p.py"},
        },
    ],
)
