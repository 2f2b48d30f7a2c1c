"""aider: its chat history in Markdown, and the log of what was sent to the model."""

from __future__ import annotations

import re
from collections.abc import Iterator

from ctxlab.chats.case_building import build_case
from ctxlab.chats.file_format import Format
from ctxlab.core.cases import Case
from ctxlab.core.segments import About, Message, Role
from ctxlab.errors import DataError

_CHAT = re.compile(r"^# aider chat started at (?P<when>.+)$", re.MULTILINE)
_SENT = re.compile(
    r"^(?P<role>TO LLM|LLM RESPONSE|SYSTEM|USER|ASSISTANT)\b:? *(?P<when>\d{4}-.*)?$"
)
_ROLES: dict[str, Role] = {"SYSTEM": "system", "USER": "user", "ASSISTANT": "assistant",
                           "TO LLM": "user", "LLM RESPONSE": "assistant"}  # fmt: skip


def is_aider(raw: object) -> bool:
    r"""Say whether a text is a history or a log of aider.

    Examples
    --------
    >>> is_aider("# aider chat started at 2031-01-01 10:00:00\n\n#### Fix it\n\nDone.")
    True
    """
    if not isinstance(raw, str):
        return False
    return bool(_CHAT.search(raw)) or bool(_SENT.match(raw.lstrip().partition("\n")[0]))


def read_aider(raw: object, name: str) -> Iterator[Case]:
    r"""Yield a case for every chat of a history, or one of a log.

    Raises
    ------
    DataError
        When it is no text of aider's.

    Examples
    --------
    >>> text = "# aider chat started at 2031-01-01 10:00:00\n\n#### Fix it\n\nDone."
    >>> [(m.role, m.content) for m in next(read_aider(text, "x")).messages]
    [('user', 'Fix it'), ('assistant', 'Done.')]
    """
    if not isinstance(raw, str):
        raise DataError("is no text; expected a history of aider", field="text")
    starts = list(_CHAT.finditer(raw))
    if not starts:
        yield build_case(name, "aider", _sent(raw))
        return
    ends = [match.start() for match in starts[1:]] + [len(raw)]
    for at, (start, end) in enumerate(zip(starts, ends, strict=True)):
        messages = _history(raw[start.end() : end], start["when"].strip())
        # A chat that was only opened holds nothing.
        if messages:
            yield build_case(f"{name}-{at + 1}" if len(starts) > 1 else name, "aider", messages)


def _history(text: str, when: str) -> list[Message]:
    """Return the messages of a chat: a user's lines are headings, the tool's are quoted."""
    parts: list[tuple[str, list[str]]] = []
    for line in text.splitlines():
        marks = {"#### ": "user", "> ": "tool"}
        mark = next((m for m in marks if line.startswith(m) or line == m.strip()), "")
        kind = marks.get(mark, "assistant")
        if kind == "assistant" and not line.strip() and (not parts or parts[-1][0] != kind):
            continue
        if not parts or parts[-1][0] != kind:
            parts.append((kind, []))
        parts[-1][1].append(line[len(mark) :])
    found: list[Message] = []
    for kind, lines in parts:
        content = "\n".join(lines).strip()
        if content:
            role: Role = "assistant" if kind == "assistant" else "user"
            about = About("injected") if kind == "tool" else None
            found.append(Message(f"m{len(found)}", role, content, created_at=when, about=about))
    return found


def _sent(text: str) -> list[Message]:
    parts: list[tuple[Role, str | None, list[str]]] = []
    for line in text.splitlines():
        match = _SENT.match(line)
        if match and (match["when"] or line.isupper()):
            parts.append((_ROLES[match["role"]], match["when"], []))
        elif parts:
            # In a log, every line of a message repeats its role.
            role = next((f"{r} " for r in _ROLES if line.startswith(f"{r} ")), "")
            parts[-1][2].append(line.removeprefix(role))
    return [
        Message(f"m{at}", role, "\n".join(lines).strip(), created_at=when)
        for at, (role, when, lines) in enumerate(parts)
    ]


FORMAT = Format(
    name="aider",
    description="aider, chat history (Markdown) or log",
    recognises=is_aider,
    read=read_aider,
    priority=1,
    example=(
        "# aider chat started at 2031-01-01 10:00:00\n\n> Added a.py to the chat\n\n"
        "#### Fix the parser\n\nThe loop ends too early.\n"
    ),
)
