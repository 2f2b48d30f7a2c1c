"""OpenHands: the events of a run, of the first version and of the agent SDK."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ctxlab.chats.case_building import build_case
from ctxlab.chats.entries import Entry, compacted, converted
from ctxlab.chats.fields import Fields, expect
from ctxlab.chats.file_format import Format
from ctxlab.chats.logs.openhands_events import first_version, sdk_version
from ctxlab.chats.openai_reader import messages_from_openai
from ctxlab.core.cases import Case
from ctxlab.errors import DataError


def is_openhands(raw: object) -> bool:
    """Say whether a list, or the history of a result, holds events of OpenHands.

    Examples
    --------
    >>> is_openhands([{"id": 0, "source": "user", "action": "message", "args": {}}])
    True
    """
    events = raw.get("history") if isinstance(raw, dict) else raw
    return isinstance(events, list) and bool(events) and all(map(_is_event, events[:5]))


def _is_event(event: object) -> bool:
    if not isinstance(event, dict):
        return False
    first = "source" in event and ("action" in event or "observation" in event)
    kind = event.get("kind")
    return first or (isinstance(kind, str) and kind.endswith(("Event", "Condensation", "Action")))


def read_openhands(raw: object, name: str) -> Iterator[Case]:
    """Yield the conversation of a run's events.

    A condensation is a compaction: what it did not forget is kept, and its summary stands where
    it took place.

    Raises
    ------
    DataError
        With the field at fault.

    Examples
    --------
    >>> event = {"id": 0, "source": "user", "action": "message", "args": {"content": "Fix it"}}
    >>> next(read_openhands([event], "run")).messages[0].content
    'Fix it'
    """
    body = raw if isinstance(raw, dict) else {"history": raw}
    path = "history" if isinstance(raw, dict) else ""
    events = expect(body.get("history"), list, path)
    fields = [Fields(event, f"{path}[{at}]") for at, event in enumerate(events)]
    run = _Run()
    for event in fields:
        run.take(event)
    messages = converted(run.entries, messages_from_openai)
    given = Fields(body).raw.get("instance_id")
    yield build_case(given if isinstance(given, str) else name, "openhands", messages)


class _Run:
    """What a model was shown so far, and which event said it."""

    def __init__(self) -> None:
        self.entries: list[Entry] = []
        self.responses: dict[str, dict[str, Any]] = {}
        self.origin: list[str] = []
        self.waiting: Sequence[str] | None = None
        self.calls: dict[str, str] = {}

    def take(self, event: Fields) -> None:
        key = str(event.raw.get("id"))
        condensed = _condensation(event)
        if condensed is not None:
            self._condense(event, condensed, key)
            return
        sdk = isinstance(event.raw.get("kind"), str)
        found = sdk_version(event) if sdk else first_version(event)
        if found is None:
            return
        message, response, told = found
        for call in message.get("tool_calls", ()):
            self.calls[key] = call["id"]
        if message["role"] == "tool":
            # An observation names its action, which may alone know the id of the call.
            cause = str(event.raw.get("cause"))
            message["tool_call_id"] = self.calls.get(cause, message["tool_call_id"])
        known = self.responses.get(response) if response else None
        calls = message.get("tool_calls")
        if known is not None and calls:
            # Calls of one response run one after the other, an event each.
            known["tool_calls"] = [*(known.get("tool_calls") or ()), *calls]
            return
        if response and calls:
            self.responses[response] = message
        self._put(Entry(message, event.path, told, created_at=_when(event)), key)

    def _put(self, entry: Entry, key: str) -> None:
        if self.waiting is not None and not entry.compaction:
            told = compacted(kept=self.waiting)
            entry = Entry(entry.raw, entry.path, entry.kind, told, entry.created_at)
        self.waiting = None
        self.entries.append(entry)
        self.origin.append(key)

    def _condense(self, event: Fields, facts: Mapping[str, Any], key: str) -> None:
        forgotten = _forgotten(facts)
        kept = [f"m{at}" for at, one in enumerate(self.origin) if one not in forgotten]
        summary = facts.get("summary")
        if isinstance(summary, str) and summary:
            shown = {"role": "user", "content": summary}
            self._put(Entry(shown, event.path, "summary", compacted(kept=kept), _when(event)), key)
        else:
            self.waiting = kept


def _condensation(event: Fields) -> Mapping[str, Any] | None:
    if event.raw.get("action") == "condensation":
        return event.child("args").raw if event.has("args") else {}
    return event.raw if event.raw.get("kind") == "Condensation" else None


def _forgotten(facts: Mapping[str, Any]) -> set[str]:
    named = facts.get("forgotten_event_ids")
    if isinstance(named, list):
        return set(map(str, named))
    start, end = facts.get("forgotten_events_start_id"), facts.get("forgotten_events_end_id")
    if isinstance(start, int) and isinstance(end, int):
        if not 0 <= end - start <= 1_000_000:
            problem = f"forgets events {start} to {end}; expected a range of the run"
            raise DataError(problem, field="forgotten_events_end_id")
        return set(map(str, range(start, end + 1)))
    return set()


def _when(event: Fields) -> str | None:
    when = event.raw.get("timestamp")
    return when if isinstance(when, str) else None


FORMAT = Format(
    name="openhands",
    description="OpenHands, events of a run",
    recognises=is_openhands,
    read=read_openhands,
    whole=True,
    example=[
        {"id": 0, "source": "user", "action": "message", "args": {"content": "Fix it"}},
        {
            "id": 1,
            "source": "agent",
            "action": "run",
            "args": {"command": "ls", "thought": "Look first."},
            "tool_call_metadata": {
                "tool_call_id": "c1",
                "function_name": "execute_bash",
                "model_response": {"id": "r1"},
            },
        },
        {"id": 2, "source": "agent", "observation": "run", "content": "a.py", "cause": 1},
        {
            "id": 3,
            "source": "agent",
            "action": "condensation",
            "args": {"forgotten_event_ids": [1, 2], "summary": "There is a file, a.py."},
        },
    ],
)
