"""Lines of a Claude Code session that make one conversation: copies, branches, side chains.

A response stands on one line for each of its blocks, all with the id of its message; calls that
run at the same time make siblings, a later branch replaces an earlier one, and a resumed session
repeats lines. What is left here is what the model was shown, in the order of the file.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

CHAT = ("user", "assistant", "attachment")
"""Types of the lines that a model is shown."""


@dataclass(frozen=True, slots=True)
class Line:
    """A line of the file, and its position in the list of lines.

    Examples
    --------
    >>> Line(4, {"type": "user", "uuid": "u1"}).uuid
    'u1'
    """

    at: int
    raw: Mapping[str, Any]

    @property
    def uuid(self) -> str:
        """The line's id; one of its place where a line that counts has none."""
        named = _text(self.raw.get("uuid"))
        counts = self.raw.get("type") in CHAT or self.is_boundary
        return named or (f"#{self.at}" if counts else "")

    @property
    def parent(self) -> str:
        """The id of the line before it in its branch; over a compaction, the last before that."""
        return _text(self.raw.get("parentUuid")) or _text(self.raw.get("logicalParentUuid"))

    @property
    def is_boundary(self) -> bool:
        """Whether a compaction took place here."""
        return self.raw.get("subtype") == "compact_boundary"

    @property
    def is_summary(self) -> bool:
        """Whether it is what a compaction wrote."""
        return self.raw.get("isCompactSummary") is True

    @property
    def response(self) -> str:
        """What the blocks of one response share, empty for what is no response of a model."""
        message = self.raw.get("message")
        if self.raw.get("type") != "assistant" or not isinstance(message, dict):
            return ""
        return _text(message.get("id"))


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def chains(lines: Iterable[object]) -> dict[str, list[Line]]:
    """Return the lines of the main conversation, under ``""``, and of every side chain.

    A line that is written again under its id counts once, where it stood first.

    Examples
    --------
    >>> side = {"type": "user", "uuid": "b", "isSidechain": True, "agentId": "a1"}
    >>> list(chains([{"type": "user", "uuid": "a"}, side]))
    ['', 'a1']
    """
    seen: set[str] = set()
    agent_of: dict[str, str] = {}
    found: dict[str, list[Line]] = {}
    for at, raw in enumerate(lines):
        if not isinstance(raw, dict):
            continue
        line = Line(at, raw)
        if not line.uuid or line.uuid in seen:
            continue
        seen.add(line.uuid)
        agent = ""
        if raw.get("isSidechain") is True:
            # Older files name no agent: a side chain is then what hangs on one first line.
            agent = _text(raw.get("agentId")) or agent_of.get(line.parent, "") or line.uuid
        agent_of[line.uuid] = agent
        found.setdefault(agent, []).append(line)
    return found


def active(lines: Sequence[Line]) -> list[Line]:
    """Return the lines of the branch that was written last, with all of each response.

    Of several children the later is the one that the session went on with. Compactions and
    their summaries stay, for a branch leads past them where messages were preserved.

    Examples
    --------
    >>> first = {"type": "user", "uuid": "a"}
    >>> one, two = ({"type": "user", "uuid": name, "parentUuid": "a"} for name in "bc")
    >>> [line.uuid for line in active([Line(0, first), Line(1, one), Line(2, two)])]
    ['a', 'c']
    """
    by_id = {line.uuid: line for line in lines}
    chat = [line for line in lines if line.raw.get("type") in CHAT]
    walked: set[str] = set()
    current = chat[-1] if chat else None
    while current is not None and current.uuid not in walked:
        walked.add(current.uuid)
        current = by_id.get(current.parent) or _before(current, chat)
    kept = walked | {
        line.uuid
        for line in lines
        if line.is_boundary or line.is_summary or line.uuid.startswith("#")
    }
    responses = {line.response for line in lines if line.uuid in kept and line.response}
    for line in lines:
        whole = line.response in responses if line.response else False
        answers = _text(line.raw.get("sourceToolAssistantUUID")) or line.parent
        asked = by_id.get(answers)
        if whole or (_is_result(line) and asked is not None and asked.response in responses):
            kept.add(line.uuid)
    return [line for line in lines if line.uuid in kept]


def _before(line: Line, chat: Sequence[Line]) -> Line | None:
    """Return the last line before one whose parent is not in the file, or was compacted away."""
    lost = bool(line.parent) or line.is_boundary or line.is_summary
    return next((one for one in reversed(chat) if one.at < line.at), None) if lost else None


def _is_result(line: Line) -> bool:
    message = line.raw.get("message")
    content = message.get("content") if isinstance(message, dict) else None
    return isinstance(content, list) and any(
        isinstance(block, dict) and block.get("type") == "tool_result" for block in content
    )
