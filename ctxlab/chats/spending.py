"""Where the tokens of a conversation go: by tool, by file, by turn, between its compactions."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate
from typing import Any, Literal

from ctxlab.core.cases import Case
from ctxlab.core.segments import Message, ToolCall
from ctxlab.core.tokens import TokenCounter
from ctxlab.errors import UnknownNameError
from ctxlab.text.kinds import values

By = Literal["tool", "file", "turn", "kind"]
"""What tokens can be put down to."""

_PATHS = ("file_path", "path", "filename", "file", "notebook_path", "target_file", "absolute_path",
          "relative_path", "filePath", "uri")  # fmt: skip
_PATCHED = re.compile(r"^\*\*\* (?:Add|Update|Delete) File: (.+)$", re.MULTILINE)
_NO_FILE, _PROMPT = "(no file)", "(before the first turn)"


@dataclass(frozen=True, slots=True)
class Spent:
    """What one tool, file, turn or kind of message takes.

    Parameters
    ----------
    what : str
        The tool, the file, the turn by its number and first words, or the kind.
    tokens : tuple of int
        As billed, in each window: before the first compaction, after it, and so on.
    messages, calls : int
        Messages and calls of tools that it takes them with.

    Examples
    --------
    >>> Spent("Read", (900, 20), 2, 2).total
    920
    """

    what: str
    tokens: tuple[int, ...]
    messages: int
    calls: int

    @property
    def total(self) -> int:
        """Tokens in all windows.

        Examples
        --------
        >>> Spent("Read", (900, 20), 2, 2).total
        920
        """
        return sum(self.tokens)


@dataclass(frozen=True, slots=True)
class Window:
    """What stood in an agent's context between two compactions.

    Parameters
    ----------
    messages : int
        Messages that came in it, a summary included.
    start, end : int
        Tokens in the context when it began and before it was compacted, counted here: what was
        kept, the summary and all that came. Tool definitions and prompts that a log does not
        hold are not among them.
    summary : int
        Tokens of what the compaction before it wrote.
    trigger : str
        Who asked for the compaction before it.
    reported_before, reported_after : int, optional
        Tokens around the compaction before it, as the log reports.

    Examples
    --------
    >>> Window(12, 0, 5_000, 0).end
    5000
    """

    messages: int
    start: int
    end: int
    summary: int
    trigger: str = ""
    reported_before: int | None = None
    reported_after: int | None = None


def spent_by(case: Case, by: By, counter: TokenCounter) -> list[Spent]:
    """Return what takes the tokens of a conversation, the most first; turns in their order.

    A call's name and arguments, and its results, are put down to its tool and to the file that
    it names; what a person or a model says to the kind of its message. The sum is what the
    conversation is billed without the reply.

    Raises
    ------
    UnknownNameError
        When tokens cannot be put down to that.

    Examples
    --------
    >>> from ctxlab.core.segments import ToolCall
    >>> call = ToolCall("c1", "Read", '{"file_path": "p.py"}')
    >>> case = Case("c", "d", (Message("m0", "assistant", "", tool_calls=(call,)),
    ...                        Message("m1", "tool", "def p(): ...", tool_call_id="c1")))
    >>> [spent.what for spent in spent_by(case, "file", TokenCounter())]
    ['p.py', 'assistant']
    """
    kinds: dict[str, Callable[[Case], _Name]] = {"tool": _tools, "file": _files, "kind": _kinds}
    if by == "turn":
        return _turns(case, counter)
    if by not in kinds:
        raise UnknownNameError("breakdown", by, [*kinds, "turn"])
    windows = _windows(case.messages)
    rows: dict[str, _Row] = {}
    name = kinds[by](case)
    for message, window in zip(case.messages, windows, strict=True):
        for call, tokens in _parts(message, counter):
            row = rows.setdefault(name(message, call), _Row([0] * (windows[-1] + 1)))
            row.take(window, tokens, message, call)
    found = [row.spent(what) for what, row in rows.items()]
    return sorted(found, key=lambda spent: (-spent.total, spent.what))


_Name = Callable[[Message, ToolCall | None], str]


@dataclass
class _Row:
    tokens: list[int]
    messages: int = 0
    calls: int = 0

    def take(self, window: int, tokens: int, message: Message, call: ToolCall | None) -> None:
        self.tokens[window] += tokens
        result = message.role == "tool"
        self.messages += call is None or result
        self.calls += call is not None and not result

    def spent(self, what: str) -> Spent:
        return Spent(what, tuple(self.tokens), self.messages, self.calls)


def _parts(message: Message, counter: TokenCounter) -> Iterator[tuple[ToolCall | None, int]]:
    """Yield what each call of a message costs, and what is left of it, which may be nothing."""
    bare = replace(message, tool_calls=())
    plain = counter.overhead(bare)
    for call in message.tool_calls:
        yield call, counter.overhead(replace(bare, tool_calls=(call,))) - plain
    yield None, plain + counter.count(message.content)


def _windows(messages: Sequence[Message]) -> list[int]:
    """Return, for each message, how many compactions came before it."""
    return list(accumulate(int(bool(m.about and m.about.compaction)) for m in messages))


def _called(case: Case) -> Mapping[str, ToolCall]:
    return {call.id: call for message in case.messages for call in message.tool_calls}


def _kind(message: Message) -> str:
    told = message.about.kind if message.about else ""
    return f"{message.role}, {told}" if told else message.role


def _kinds(case: Case) -> _Name:
    return lambda message, call: "calls" if call else _kind(message)


def _tools(case: Case) -> _Name:
    called = _called(case)

    def name(message: Message, call: ToolCall | None) -> str:
        asked = call or called.get(message.tool_call_id or "")
        return asked.name if asked else _kind(message)

    return name


def _files(case: Case) -> _Name:
    called = _called(case)
    known = {key: file_of(call) or _NO_FILE for key, call in called.items()}

    def name(message: Message, call: ToolCall | None) -> str:
        key = call.id if call else message.tool_call_id or ""
        return known[key] if key in known else _kind(message)

    return name


def file_of(call: ToolCall) -> str:
    """Return the file that a call names: an argument for it, a patch, or a path in a command.

    Examples
    --------
    >>> file_of(ToolCall("c1", "Bash", '{"command": "head -5 src/parser.py"}'))
    'src/parser.py'
    >>> file_of(ToolCall("c2", "clock", "{}"))
    ''
    """
    try:
        held: Any = json.loads(call.arguments)
    except (ValueError, RecursionError):
        held = {}
    given = held if isinstance(held, dict) else {}
    named = next((given[key] for key in _PATHS if isinstance(given.get(key), str)), "")
    if named and named not in (".", "/"):
        return named
    text = "\n".join(_strings(given)) or call.arguments
    patched = _PATCHED.search(text)
    if patched:
        return patched[1].strip()
    return next((found.text for found in values(text[:5_000], "path")), "")


def _strings(value: object, depth: int = 4) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif depth and isinstance(value, dict | list):
        # The words of a command that is a list stand in one line.
        inner = list(value.values()) if isinstance(value, dict) else value
        yield " ".join(text for one in inner for text in _strings(one, depth - 1))


def _turns(case: Case, counter: TokenCounter) -> list[Spent]:
    windows = _windows(case.messages)
    found: list[tuple[str, _Row]] = []
    for message, window in zip(case.messages, windows, strict=True):
        told = message.about.kind if message.about else ""
        if message.role == "user" and told in ("", "replayed"):
            words = " ".join(message.content.split())
            shown = words if len(words) <= 50 else f"{words[:49]}…"
            number = sum(what != _PROMPT for what, _ in found) + 1
            found.append((f"{number}. {shown}", _Row([0] * (windows[-1] + 1))))
        elif not found:
            found.append((_PROMPT, _Row([0] * (windows[-1] + 1))))
        for call, tokens in _parts(message, counter):
            found[-1][1].take(window, tokens, message, call)
    return [row.spent(what) for what, row in found]


def windows_of(case: Case, counter: TokenCounter) -> list[Window]:
    """Return what stood in the context before, between and after the compactions of a log.

    Examples
    --------
    >>> from ctxlab.core.segments import About, Compaction
    >>> told = About("summary", Compaction("auto", 155_000))
    >>> case = Case("c", "d", (Message("m0", "user", "Fix it"),
    ...                        Message("m1", "user", "So far: …", about=told)))
    >>> [(window.messages, window.reported_before) for window in windows_of(case, TokenCounter())]
    [(1, None), (1, 155000)]
    """
    costs = {m.id: counter.overhead(m) + counter.count(m.content) for m in case.messages}
    found: list[Window] = []
    fixed = 0
    current = Window(0, 0, 0, 0)
    for message in case.messages:
        told = message.about.compaction if message.about else None
        cost = costs[message.id]
        if told is not None:
            found.append(current)
            kept = fixed + sum(costs.get(one, 0) for one in told.kept)
            before, after = told.tokens_before, told.tokens_after
            current = Window(0, kept, kept, 0, told.trigger, before, after)
        if message.about and message.about.kind == "summary":
            current = replace(current, summary=current.summary + cost, start=current.start + cost)
        if message.role == "system":
            fixed += cost
        current = replace(current, messages=current.messages + 1, end=current.end + cost)
    return [*found, current]
