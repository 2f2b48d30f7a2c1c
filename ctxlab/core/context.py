"""The context: an ordered, immutable sequence of segments."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from itertools import pairwise
from typing import Any, Generic, TypeVar, cast

from ctxlab.core.messages import as_messages
from ctxlab.core.segments import Message, Note, Segment, Span
from ctxlab.core.views import view

T = TypeVar("T")


class Remembered(Generic[T]):
    """What can be remembered on a context: a frozen value that names it.

    Its fields are all that the thing depends on besides the context, so that no two things go by
    one key.

    Examples
    --------
    >>> @dataclass(frozen=True)
    ... class _Shouted(Remembered[str]):
    ...     '''The text of a context in capitals.'''
    >>> context = Context((Segment.of("a", "hi"),))
    >>> context.memo(_Shouted(), lambda: context.text.upper())
    'HI'
    """


Why = Callable[[Segment], Note | None]
"""Says why a segment that a context left out went; or how one that stayed was ranked."""


@dataclass(frozen=True)
class Context:
    """An ordered, immutable sequence of segments: what a strategy takes and gives back.

    `why` explains what the strategy that made this context left out, and `standing` gives score
    and rank of what it kept; both belong to the process that computed them and are dropped when
    the context is pickled.

    Examples
    --------
    >>> context = Context.of([Message("m1", "user", "Hi"), Message("m2", "assistant", "Hello")])
    >>> context.keep(context.segments[1:]).text
    'Hello'
    """

    segments: tuple[Segment, ...] = ()
    why: Why | None = field(default=None, compare=False, repr=False)
    standing: Why | None = field(default=None, compare=False, repr=False)

    @classmethod
    def of(
        cls, messages: Iterable[Message | Mapping[str, Any]], *, pin_system: bool = True
    ) -> Context:
        """Turn messages into segments: one each, tool calls grouped with their results.

        Parameters
        ----------
        messages : iterable of Message or mapping
            In the order in which they were sent.
        pin_system : bool
            Pin system messages, so that no strategy drops them.

        Examples
        --------
        >>> from ctxlab.core.segments import ToolCall
        >>> call = ToolCall("c1", "clock", "{}")
        >>> context = Context.of([
        ...     Message("m1", "assistant", "", tool_calls=(call,)),
        ...     Message("m2", "tool", "12:00", tool_call_id="c1"),
        ... ])
        >>> [segment.group for segment in context.segments]
        ['m1', 'm1']
        """
        return cls(tuple(_segments(as_messages(messages), pin_system)))

    @property
    def text(self) -> str:
        """All texts, one after the other.

        Examples
        --------
        >>> Context((Segment.of("a", "x"), Segment.of("b", "y"))).text
        'xy'
        """
        return "".join(segment.text for segment in self.segments)

    @cached_property
    def groups(self) -> tuple[tuple[int, ...], ...]:
        """Indices of the segments that stay or go as one, by first appearance.

        Examples
        --------
        >>> Context((Segment.of("a", "x", group="g"), Segment.of("b", "y", group="g"))).groups
        ((0, 1),)
        """
        order: list[list[int]] = []
        at: dict[str, int] = {}
        for index, segment in enumerate(self.segments):
            if segment.group is None:
                order.append([index])
            elif segment.group in at:
                order[at[segment.group]].append(index)
            else:
                at[segment.group] = len(order)
                order.append([index])
        return tuple(map(tuple, order))

    @cached_property
    def pinned_groups(self) -> frozenset[int]:
        """Positions in `groups` of those that hold a pinned segment.

        Examples
        --------
        >>> Context((Segment.of("a", "x"), Segment.of("b", "y", pinned=True))).pinned_groups
        frozenset({1})
        """
        pinned = {i for i, segment in enumerate(self.segments) if segment.pinned}
        if not pinned:
            return frozenset()
        return frozenset(
            g for g, members in enumerate(self.groups) if not pinned.isdisjoint(members)
        )

    @cached_property
    def pinned(self) -> Context:
        """The pinned groups alone.

        Examples
        --------
        >>> Context((Segment.of("a", "x"), Segment.of("b", "y", pinned=True))).pinned.text
        'y'
        """
        return self.keep_groups(self.pinned_groups)

    @cached_property
    def _group_of(self) -> dict[tuple[Span, ...], int]:
        return {self[i].spans: g for g, members in enumerate(self.groups) for i in members}

    def group_of(self, segment: Segment) -> int:
        """Return the position in `groups` of the group that `segment` belongs to.

        Examples
        --------
        >>> context = Context((Segment.of("a", "x"), Segment.of("b", "y")))
        >>> context.group_of(context[1])
        1
        """
        return self._group_of[segment.spans]

    @cached_property
    def _by_source(self) -> dict[str, tuple[Segment, ...]]:
        found: dict[str, list[Segment]] = {}
        for segment in self.segments:
            found.setdefault(segment.source, []).append(segment)
        return {source: tuple(segments) for source, segments in found.items()}

    def from_source(self, source: str) -> tuple[Segment, ...]:
        """Return the segments whose first span lies in `source`.

        Examples
        --------
        >>> Context((Segment.of("a", "x"),)).from_source("b")
        ()
        """
        return self._by_source.get(source, ())

    @cached_property
    def _memo(self) -> dict[Hashable, object]:
        return {}

    def memo(self, key: Remembered[T], build: Callable[[], T]) -> T:
        """Return what was built for `key` on this context, building it the first time.

        Indices and counts live and die with the context they describe.

        Parameters
        ----------
        key : Remembered
            What it is, with all that it depends on besides the context.
        build : callable
            Makes it.

        Examples
        --------
        >>> from ctxlab.core.indexing import term_index
        >>> context = Context((Segment.of("a", "two stalls"),))
        >>> term_index(context) is term_index(context)
        True
        """
        if key not in self._memo:
            self._memo[key] = build()
        return cast("T", self._memo[key])

    def keep(
        self, segments: Iterable[Segment], why: Why | None = None, standing: Why | None = None
    ) -> Context:
        """Keep `segments`, which come in the order they shall stand in.

        Parameters
        ----------
        segments : iterable of Segment
            What stays.
        why, standing : callable, optional
            Explain a segment that did not stay; give score and rank of one that did.

        Examples
        --------
        >>> Context((Segment.of("a", "x"),)).keep(()).segments
        ()
        """
        return Context(tuple(segments), why, standing)

    def keep_groups(
        self, groups: Iterable[int], why: Why | None = None, standing: Why | None = None
    ) -> Context:
        """Keep whole groups by their positions in `groups`, in the original order.

        Examples
        --------
        >>> Context((Segment.of("a", "x"), Segment.of("b", "y"))).keep_groups([1]).text
        'y'
        """
        indices = sorted(i for g in groups for i in self.groups[g])
        return Context(tuple(self.segments[i] for i in indices), why, standing)

    def messages(self) -> list[dict[str, Any]]:
        """Return a valid chat in OpenAI's shape: no orphan tool call, no orphan result.

        Neighbouring segments of one source become one message.

        Examples
        --------
        >>> Context.of([Message("m1", "user", "Hi", name="Ada")]).messages()
        [{'role': 'user', 'content': 'Hi', 'name': 'Ada'}]
        """
        merged = list(self.turns())
        answered = {turn[0].tool_call_id for turn in merged if turn[0].role == "tool"}
        called: set[str] = set()
        chat: list[dict[str, Any]] = []
        for turn in merged:
            first = turn[0]
            text = "".join(segment.text for segment in turn)
            if first.role == "tool":
                if first.tool_call_id in called:
                    chat.append(
                        {"role": "tool", "content": text, "tool_call_id": first.tool_call_id}
                    )
                continue
            calls = [call for call in first.tool_calls if call.id in answered]
            if first.tool_calls and not calls and not text:
                continue
            entry: dict[str, Any] = {"role": first.role, "content": text}
            if first.name:
                entry["name"] = first.name
            if calls:
                entry["tool_calls"] = [
                    {
                        "id": call.id,
                        "type": "function",
                        "function": {"name": call.name, "arguments": call.arguments},
                    }
                    for call in calls
                ]
                called.update(call.id for call in calls)
            chat.append(entry)
        return chat

    def turns(self) -> Iterator[tuple[Segment, ...]]:
        """Yield runs of neighbouring segments of one source and role: one run, one message.

        Examples
        --------
        >>> whole = Segment.of("message:m1", "one two")
        >>> len(list(Context((whole.cut(0, 4), whole.cut(4, 7))).turns()))
        1
        """
        starts = (*self.turn_starts, len(self.segments))
        for start, end in pairwise(starts):
            yield self.segments[start:end]

    @cached_property
    def turn_starts(self) -> tuple[int, ...]:
        """Positions of the segments that begin a message.

        Examples
        --------
        >>> Context((Segment.of("a", "x"), Segment.of("b", "y"))).turn_starts
        (0, 1)
        """
        starts: list[int] = []
        previous: tuple[str, str] | None = None
        for index, segment in enumerate(self.segments):
            turn = (segment.source, segment.role)
            if turn != previous:
                starts.append(index)
            previous = turn
        return tuple(starts)

    def __reduce__(self) -> tuple[type[Context], tuple[tuple[Segment, ...]]]:
        return Context, (self.segments,)

    def __repr__(self) -> str:
        count = f"{len(self)} segment{'' if len(self) == 1 else 's'}"
        return f"Context({count}, {sum(len(s.text) for s in self):,} characters)"

    def __len__(self) -> int:
        return len(self.segments)

    def __iter__(self) -> Iterator[Segment]:
        return iter(self.segments)

    def __getitem__(self, index: int) -> Segment:
        return self.segments[index]

    def __bool__(self) -> bool:
        return bool(self.segments)

    def _repr_html_(self) -> str:
        return str(view("context_html", self))


def _segments(messages: Iterable[Message], pin_system: bool) -> Iterator[Segment]:
    caller: dict[str, str] = {}
    last_call: str | None = None
    for message in messages:
        group = None
        if message.tool_calls:
            group = last_call = message.id
            caller.update((call.id, message.id) for call in message.tool_calls)
        elif message.role == "tool":
            group = caller.get(message.tool_call_id or "", last_call)
        yield Segment.of(
            f"message:{message.id}",
            message.content,
            role=message.role,
            name=message.name,
            step=message.session,
            group=group,
            pinned=message.pinned or (pin_system and message.role == "system"),
            tool_calls=message.tool_calls,
            tool_call_id=message.tool_call_id,
        )
