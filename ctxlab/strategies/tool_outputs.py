"""Tool traffic, closer: long outputs are cut, old exchanges become a line, values outlive both."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from typing import Literal

from pydantic import Field

from ctxlab.core.context import Context
from ctxlab.core.segments import Note, Segment
from ctxlab.core.strategy import Strategy, Traits
from ctxlab.core.task import Task
from ctxlab.strategies.tool_traffic import results
from ctxlab.text.clipping import clipped, clipped_end

Range = tuple[int, int]

_ERROR = re.compile(
    r"\b(?:error|exception|traceback|fail(?:ed|ure)|fatal|panic|denied|refused|timed out)\b",
    re.IGNORECASE,
)
# A word of any writing, with the signs that hold codes, dates, amounts and addresses together.
_WORD = re.compile(r"[#€$£+-]?\w(?:[\w@./:+~%€$£’'-]|(?<=\d),(?=\d{3}\b))*")
_CODE = re.compile(r"\d|^[A-Z]{3,}$|^\w+@|^[A-Z][\w’'-]+$")


class TruncateToolOutputs(Strategy):
    r"""Cuts tool results that are longer than a limit to their head, their tail and their errors.

    What stays is verbatim; a marker says how many tokens are left out where. Cutting the middle
    is what coding agents do with long command outputs (Yang et al., "SWE-agent", 2024).

    Examples
    --------
    >>> from ctxlab.core.tools import Tools
    >>> log = Segment.of("message:m1", "start\n" + "ok\n" * 99 + "done", role="tool")
    >>> task = Task(budget=999, tools=Tools(count=len))
    >>> TruncateToolOutputs(limit=50).compress(Context((log,)), task).text.split("\n")
    ['start', 'ok', 'ok', 'ok', '(283 tokens left out)', 'ok', 'ok', 'done']
    """

    TRAITS = Traits(family="tool traffic", source="Yang et al. 2024", honours_budget=False)

    limit: int = Field(500, ge=1, description="tokens that a tool result may take")
    head: float = Field(0.6, ge=0, le=1, description="share of the limit for the beginning")
    errors: float = Field(
        0.3, ge=0, le=1, description="share of the limit for lines that report an error"
    )
    marker: str = Field("\n({tokens} tokens left out)\n", description="what stands in a gap")

    def compress(self, context: Context, task: Task) -> Context:
        """Cut every tool result that is too long."""
        long = {
            id(segment): tuple(self._cut(segment, task))
            for segment in results(context)
            if segment.verbatim and task.tokens(segment) > self.limit
        }

        def why(segment: Segment) -> Note:
            return Note(f"beyond the {self.limit} tokens that a tool result may take")

        pieces = (piece for s in context for piece in long.get(id(s), (s,)))
        return context.keep(pieces, why)

    def _cut(self, segment: Segment, task: Task) -> Iterator[Segment]:
        text, count = segment.text, task.tools.count
        marker = count(self.marker.replace("{tokens}", str(task.tokens(segment))))
        room = self.limit - marker
        wrong = _error_ranges(text, int(self.errors * self.limit), marker, count)
        room -= sum(count(text[start:end]) + marker for start, end in wrong)
        head = len(_whole_lines(clipped(text, int(self.head * room), count)))
        tail = len(text) - len(_last_lines(clipped_end(text, room - int(self.head * room), count)))
        at = 0
        for start, end in _merged([(0, head), *wrong, (max(head, tail), len(text))]):
            if at < start:
                gap = segment.cut(at, start)
                left_out = self.marker.replace("{tokens}", str(task.tokens(gap)))
                note = f"a result may take {self.limit} tokens"
                yield gap.rewritten(left_out, note, placeholder=True)
            yield segment.cut(start, end)
            at = end


class CollapseToolUses(Strategy):
    """Puts one line per call in the place of older tool calls with their results.

    ``search({"q":"stalls"}) → 63 stalls, 14 of them sell …``: the model sees that it asked and
    what came of it, without the traffic (as agent frameworks compact tool results).

    Examples
    --------
    >>> from ctxlab.core.segments import Message, ToolCall
    >>> call = ToolCall("c1", "count", '{"of":"stalls"}')
    >>> messages = [
    ...     Message("m1", "assistant", "", tool_calls=(call,)),
    ...     Message("m2", "tool", "63 stalls " * 20, tool_call_id="c1"),
    ... ]
    >>> shorter = CollapseToolUses(keep=0, characters=60)
    >>> shorter.compress(Context.of(messages), Task(budget=99)).text
    'count({"of":"stalls"}) → 63 stalls 63 stalls 63 stalls 63 …'
    """

    TRAITS = Traits(
        family="tool traffic",
        source="Microsoft Agent Framework 2025, compaction",
        honours_budget=False,
    )

    keep: int = Field(3, ge=0, description="newest calls with results that stay as they are")
    characters: int = Field(4096, ge=1, description="longest line")

    def compress(self, context: Context, task: Task) -> Context:
        """Collapse the older groups of calls and results, where that is shorter."""
        uses = [
            group
            for group, members in enumerate(context.groups)
            if group not in context.pinned_groups
            and context[members[0]].tool_calls
            and len(members) > 1
        ]
        old = uses[: max(0, len(uses) - self.keep)]
        lines = {group: self._line(context, group, task) for group in old}
        first = {context.groups[g][0]: line for g, line in lines.items() if line}
        gone = {i for g, line in lines.items() if line for i in context.groups[g][1:]}
        return context.keep(first.get(i, s) for i, s in enumerate(context) if i not in gone)

    def _line(self, context: Context, group: int, task: Task) -> Segment | None:
        members = [context[i] for i in context.groups[group]]
        said, *found = members
        came = {result.tool_call_id: result.text for result in found}
        lines = [said.text] if said.text else []
        for call in said.tool_calls:
            result = " ".join(came.get(call.id, "(no result)").split())
            line = f"{call.name}({call.arguments}) → {result}"
            lines.append(
                line if len(line) <= self.characters else line[: self.characters - 2] + " …"
            )
        note = f"older than the last {self.keep} tool uses, a line per call"
        collapsed = Segment(
            "\n".join(lines),
            tuple(span for segment in members for span in segment.spans),
            tier=said.tier,
            role=said.role,
            name=said.name,
            step=said.step,
            verbatim=False,
            note=note,
        )
        shorter = task.size(Context((collapsed,))) < task.size(Context(tuple(members)))
        return collapsed if shorter else None


class KeepValues(Strategy):
    """Reduces the oldest tool results, then the oldest messages, to values not said elsewhere.

    Values are what a later call may need and nobody can guess: words with a digit, codes in
    capitals, addresses, and names. From the oldest on, and no further than the budget asks for,
    each text gives way to those of its values that nothing kept states; lines that report an
    error stay. What follows the need of agents for arguments of earlier calls (Yao et al.,
    "tau-bench", 2024).

    Examples
    --------
    >>> old = Segment.of("a", "I looked, and your booking is M05KNL for 40 euros.", role="tool")
    >>> new = Segment.of("b", "Then pay the 40 euros, please.")
    >>> KeepValues().compress(Context((old, new)), Task(budget=25)).text
    'M05KNLThen pay the 40 euros, please.'
    """

    TRAITS = Traits(family="tool traffic", source="Yao et al. 2024", honours_budget=False)

    order: tuple[Literal["tool", "assistant", "user"], ...] = Field(
        ("tool", "assistant", "user"), description="whose messages give way first"
    )
    empty: str = Field("(nothing new)", description="what stands for a tool result without any")

    def compress(self, context: Context, task: Task) -> Context:
        """Reduce texts in turn until the context fits."""
        excess = task.size(context) - task.budget
        if excess <= 0:
            return context
        found = [values(segment.text) for segment in context]
        said = Counter(value for one in found for value in one)
        said.update(v for s in context for call in s.tool_calls for v in values(call.arguments))
        costs = task.costs(context)
        new: dict[int, Segment | None] = {}
        for i in self._in_turn(context):
            if excess <= 0:
                break
            unique = [value for value in found[i] if said[value] == 1]
            text = self._reduced(context[i], unique)
            alone = context[i].group is None and not text
            cost = 0 if alone else task.tools.count(text or self.empty)
            won = costs.texts[i] - cost + (costs.overheads[i] if alone else 0)
            if won > 0:
                excess -= won
                said.subtract(value for value in found[i] if said[value] > 1)
                note = f"{len(unique)} values that are said nowhere else stay"
                new[i] = (
                    None
                    if alone
                    else context[i].rewritten(text or self.empty, note, placeholder=not text)
                )
        kept = (new.get(i, segment) for i, segment in enumerate(context))
        return context.keep((s for s in kept if s), lambda _: Note("no value of its own"))

    def _in_turn(self, context: Context) -> Iterator[int]:
        for role in self.order:
            for i, segment in enumerate(context):
                if segment.role == role and segment.text and not segment.pinned:
                    yield i

    def _reduced(self, segment: Segment, unique: Sequence[str]) -> str:
        wrong = [segment.text[start:end].strip() for start, end in _error_lines(segment.text)]
        return "\n".join(filter(None, (" ".join(unique), *(w for w in wrong if len(w) < 300))))


def values(text: str) -> list[str]:
    """Return the values in `text`, each once, in order: numbers, codes, addresses, names.

    Examples
    --------
    >>> values('{"id": "gift_card_8887175", "at": "14:00:00"} from Mira, who paid 40 euros.')
    ['gift_card_8887175', '14:00:00', 'Mira', '40']
    """
    words = (word.rstrip(".:/-'’+") for word in _WORD.findall(text))
    return list(dict.fromkeys(word for word in words if _CODE.search(word)))


def _error_lines(text: str) -> Iterator[Range]:
    start = 0
    for line in text.splitlines(keepends=True):
        if _ERROR.search(line):
            yield start, start + len(line)
        start += len(line)


def _error_ranges(text: str, room: int, marker: int, count: Callable[[str], int]) -> list[Range]:
    """Return the first lines that report an error and fit `room` with a marker each."""
    found: list[Range] = []
    for start, end in _error_lines(text):
        room -= count(text[start:end]) + marker
        if room < 0:
            break
        found.append((start, end))
    return found


def _merged(ranges: Sequence[Range]) -> list[Range]:
    """Return `ranges` in order, joined where they touch or overlap, empty ones left out."""
    merged: list[Range] = []
    for start, end in sorted(ranges):
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        elif start < end:
            merged.append((start, end))
    return merged


def _whole_lines(text: str) -> str:
    """Return `text` up to its last line break, if that leaves most of it."""
    end = text.rfind("\n")
    return text[:end] if end > len(text) // 2 else text


def _last_lines(text: str) -> str:
    start = text.find("\n")
    return text[start + 1 :] if 0 <= start < len(text) // 2 else text
