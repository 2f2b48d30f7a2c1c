"""Plain transcripts: who speaks and what, a line each, as chats are copied and exported.

Lines such as ``User: Hi``, and those of WhatsApp with a date before the speaker. A line without
a speaker goes on with the message before it.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator

from ctxlab.chats.case_building import build_case
from ctxlab.chats.file_format import Format
from ctxlab.core.cases import Case
from ctxlab.core.segments import Message, Role, role_named
from ctxlab.errors import DataError, UnknownNameError

_LINE = re.compile(
    r"^(?:\u200e?\[?(?P<when>\d{1,4}[./-]\d{1,2}[./-]\d{1,4},? \d{1,2}:\d{2}(?::\d{2})?"
    r"(?:\s?[apAP]\.?[mM]\.?)?)\]?(?: -)? )?(?P<who>[^\W\d_][\w .'’()~+-]{0,39}?): (?P<text>.*)$"
)
_SHARE = 0.5
_NOBODY = {"http", "https", "note", "todo", "warning", "error", "title", "date", "subject"}


def is_transcript(raw: object) -> bool:
    r"""Say whether a text is a transcript: two speakers or more, or a user, take turns.

    Examples
    --------
    >>> is_transcript("User: Hi\nAssistant: Hello"), is_transcript("role: user\ncontent: Hi")
    (True, False)
    """
    if not isinstance(raw, str):
        return False
    lines = [line for line in raw.splitlines() if line.strip()]
    found = [match for line in lines if (match := _LINE.match(line.strip()))]
    speakers = Counter(match["who"].strip().lower() for match in found)
    known = {"user", "assistant", "human", "ai"} & set(speakers)
    if not found or _NOBODY & set(speakers) or not _LINE.match(lines[0].strip()):
        return False
    if len(known) > 1:
        return True
    # Any list of "name: text" is no talk: people speak in turns, or the lines have times.
    turns = 2 <= len(speakers) <= len(found) / 2 or any(match["when"] for match in found)
    return turns and len(found) >= _SHARE * len(lines)


def read_transcript(raw: object, name: str) -> Iterator[Case]:
    r"""Yield the conversation of a transcript.

    A speaker that is no role is a person: the first is taken as the user, others answer.

    Raises
    ------
    DataError
        When it is no text, or no line of it has a speaker.

    Examples
    --------
    >>> [m.content for m in next(read_transcript("Ada: Hi\nthere\nBo: Hello", "x")).messages]
    ['Hi\nthere', 'Hello']
    """
    if not isinstance(raw, str):
        problem = "is no text; expected lines such as 'User: Hi'"
        raise DataError(problem, field="text")
    turns: list[tuple[str, str | None, list[str]]] = []
    for line in raw.splitlines():
        match = _LINE.match(line.strip())
        if match:
            turns.append((match["who"].strip(), match["when"], [match["text"]]))
        elif turns:
            turns[-1][2].append(line)
        elif line.strip():
            raise DataError("has no speaker; begin it with one, as in 'User: Hi'", line=1)
    people: dict[str, Role] = {}
    messages: list[Message] = []
    for at, (who, when, texts) in enumerate(turns):
        role, speaker = _role(who, people)
        content = "\n".join(texts).rstrip()
        messages.append(Message(f"m{at}", role, content, name=speaker, created_at=when))
    yield build_case(name, "transcript", messages)


def _role(who: str, people: dict[str, Role]) -> tuple[Role, str | None]:
    try:
        role = role_named(who)
        return (role, None) if role != "tool" else ("user", who)
    except UnknownNameError:
        return people.setdefault(who, "assistant" if people else "user"), who


FORMAT = Format(
    name="transcript",
    description="a plain transcript: speaker and text a line",
    recognises=is_transcript,
    read=read_transcript,
    priority=-6,
    example="User: How many stalls?\nAssistant: 314.\nUser: And fish?",
)
