"""Text that remembers where it came from: messages, segments, contexts, cases.

Hot values are slotted dataclasses; whatever is configured or stored is a `Value`.
This module imports nothing of ours.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from enum import StrEnum
from functools import cached_property
from typing import Any, Literal, TypeVar, cast

from pydantic import BaseModel, ConfigDict

T = TypeVar("T")
Role = Literal["system", "user", "assistant", "tool"]


class Value(BaseModel):
    """An immutable record: equal when its fields are, hashable, no unknown fields.

    Examples
    --------
    >>> class Point(Value):
    ...     x: int = 0
    >>> Point(x=1) == Point(x=1)
    True
    """

    model_config = ConfigDict(frozen=True, extra="forbid")


class ContextTier(StrEnum):
    """The three tiers of a step's context.

    Examples
    --------
    >>> ContextTier("long-term") is ContextTier.LONG_TERM
    True
    """

    SHORT_TERM = "short-term"
    LONG_TERM = "long-term"
    PERSISTENT = "persistent"


@dataclass(frozen=True, slots=True)
class ToolCall:
    """One call a model asked for: its id, the tool's name, the arguments as JSON text.

    Examples
    --------
    >>> ToolCall("call_1", "search", '{"q": "tea"}').name
    'search'
    """

    id: str
    name: str
    arguments: str


@dataclass(frozen=True, slots=True)
class Message:
    """One message of a conversation, as it was sent.

    Examples
    --------
    >>> Message("m1", "user", "Hello").role
    'user'
    """

    id: str
    role: Role
    content: str
    name: str | None = None
    created_at: str | None = None
    session: str | None = None
    tool_calls: tuple[ToolCall, ...] = ()
    tool_call_id: str | None = None
    pinned: bool = False


@dataclass(frozen=True, slots=True)
class Span:
    """A half-open range of characters of one source, such as ``message:m12``.

    Examples
    --------
    >>> Span("message:m1", 0, 9).covers(Span("message:m1", 2, 5))
    True
    """

    source: str
    start: int
    end: int

    def covers(self, other: Span) -> bool:
        """Say whether `other` lies within this span.

        Examples
        --------
        >>> Span("a", 0, 4).covers(Span("b", 0, 4))
        False
        """
        return self.source == other.source and self.start <= other.start and other.end <= self.end


@dataclass(frozen=True, slots=True)
class Segment:
    """A piece of context and the spans it came from.

    A verbatim segment has exactly one span and equals that slice of its source. A segment
    that is not verbatim was written by a strategy; its spans say what was shown to the
    writer, and `note` says why it was written.

    Examples
    --------
    >>> Segment.of("message:m1", "one two").cut(4, 7).spans
    (Span(source='message:m1', start=4, end=7),)
    """

    text: str
    spans: tuple[Span, ...]
    tier: ContextTier = ContextTier.SHORT_TERM
    role: Role = "user"
    name: str | None = None
    step: str | None = None
    group: str | None = None
    pinned: bool = False
    verbatim: bool = True
    tool_calls: tuple[ToolCall, ...] = ()
    tool_call_id: str | None = None
    note: str = field(default="", compare=False)

    @classmethod
    def of(cls, source: str, text: str, **fields: Any) -> Segment:  # noqa: ANN401
        """Make a verbatim segment of a whole source.

        Examples
        --------
        >>> Segment.of("message:m1", "Hi", role="assistant").source
        'message:m1'
        """
        return cls(text, (Span(source, 0, len(text)),), **fields)

    @property
    def source(self) -> str:
        """The source of the first span: segments of one source make one message.

        Examples
        --------
        >>> Segment.of("artifact:art_1", "{}").source
        'artifact:art_1'
        """
        return self.spans[0].source

    def cut(self, start: int, end: int) -> Segment:
        """Keep ``text[start:end]`` and narrow the span with it.

        Parameters
        ----------
        start, end : int
            Character offsets into `text`, ``0 <= start <= end <= len(text)``.

        Examples
        --------
        >>> Segment.of("message:m1", "one two").cut(0, 3).text
        'one'
        """
        spans = self.spans
        if self.verbatim:
            origin = spans[0]
            spans = (Span(origin.source, origin.start + start, origin.start + end),)
        return replace(self, text=self.text[start:end], spans=spans)

    def rewritten(self, text: str, note: str = "") -> Segment:
        """Put `text` in this segment's place; the spans stay, ``verbatim`` goes.

        Parameters
        ----------
        text : str
            What stands here now.
        note : str
            Why, in words that the ledger can show.

        Examples
        --------
        >>> Segment.of("message:m1", "long output").rewritten("(cleared)", "old").verbatim
        False
        """
        return replace(self, text=text, verbatim=False, note=note)


@dataclass(frozen=True, slots=True)
class Note:
    """Why a segment went: words, and the score and rank where there was a ranking.

    Examples
    --------
    >>> Note("older than what fits").reason
    'older than what fits'
    """

    reason: str
    score: float | None = None
    rank: int | None = None


Why = Callable[[Segment], Note | None]


@dataclass(frozen=True)
class Context:
    """An ordered, immutable sequence of segments: what a strategy takes and gives back.

    `why` explains what the strategy that made this context left out; it belongs to the
    process that computed it and is dropped when the context is pickled.

    Examples
    --------
    >>> context = Context.of([Message("m1", "user", "Hi"), Message("m2", "assistant", "Hello")])
    >>> context.keep(context.segments[1:]).text
    'Hello'
    """

    segments: tuple[Segment, ...] = ()
    why: Why | None = field(default=None, compare=False, repr=False)

    @classmethod
    def of(cls, messages: Iterable[Message], *, pin_system: bool = True) -> Context:
        """Turn messages into segments: one each, tool calls grouped with their results.

        Parameters
        ----------
        messages : iterable of Message
            In the order in which they were sent.
        pin_system : bool
            Pin system messages, so that no strategy drops them.

        Examples
        --------
        >>> call = ToolCall("c1", "clock", "{}")
        >>> context = Context.of([
        ...     Message("m1", "assistant", "", tool_calls=(call,)),
        ...     Message("m2", "tool", "12:00", tool_call_id="c1"),
        ... ])
        >>> [segment.group for segment in context.segments]
        ['m1', 'm1']
        """
        return cls(tuple(_segments(messages, pin_system)))

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
    def _memo(self) -> dict[Hashable, object]:
        return {}

    def memo(self, key: Hashable, build: Callable[[], T]) -> T:
        """Return what was built for `key` on this context, building it the first time.

        Indices and counts live and die with the context they describe.

        Examples
        --------
        >>> Context().memo("answer", lambda: 42)
        42
        """
        if key not in self._memo:
            self._memo[key] = build()
        return cast(T, self._memo[key])

    def keep(self, segments: Iterable[Segment], why: Why | None = None) -> Context:
        """Keep `segments`, which come in the order they shall stand in.

        Parameters
        ----------
        segments : iterable of Segment
            What stays.
        why : callable, optional
            Explains a segment that did not stay.

        Examples
        --------
        >>> Context((Segment.of("a", "x"),)).keep(()).segments
        ()
        """
        return Context(tuple(segments), why)

    def keep_groups(self, groups: Iterable[int], why: Why | None = None) -> Context:
        """Keep whole groups by their positions in `groups`, in the original order.

        Examples
        --------
        >>> Context((Segment.of("a", "x"), Segment.of("b", "y"))).keep_groups([1]).text
        'y'
        """
        indices = sorted(i for g in groups for i in self.groups[g])
        return Context(tuple(self.segments[i] for i in indices), why)

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
        """Yield runs of neighbouring segments of one source: one run, one message.

        Examples
        --------
        >>> whole = Segment.of("message:m1", "one two")
        >>> len(list(Context((whole.cut(0, 4), whole.cut(4, 7))).turns()))
        1
        """
        run: list[Segment] = []
        for segment in self.segments:
            if run and segment.source != run[0].source:
                yield tuple(run)
                run = []
            run.append(segment)
        if run:
            yield tuple(run)

    def __reduce__(self) -> tuple[type[Context], tuple[tuple[Segment, ...]]]:
        return Context, (self.segments,)

    def __len__(self) -> int:
        return len(self.segments)

    def _repr_html_(self) -> str:
        from ctxlab.display.html import context_html

        return context_html(self)


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


@dataclass(frozen=True, slots=True)
class Probe:
    """A question about a conversation, its answer, and the messages that prove it.

    `evidence_mode` says whether all of the evidence is needed or any one of it. A probe
    with `at` is asked when that message is about to be written: it sees only what is before.

    Examples
    --------
    >>> Probe("p1", "How many?", "314", ("m7",)).evidence_mode
    'all'
    """

    id: str
    question: str
    answer: str
    evidence: tuple[str, ...] = ()
    category: str = ""
    evidence_mode: Literal["all", "any"] = "all"
    at: str | None = None


@dataclass(frozen=True)
class Case:
    """A conversation with its probes.

    Examples
    --------
    >>> case = Case("c1", "mine", (Message("m1", "user", "314 stalls"),))
    >>> len(case.context())
    1
    """

    id: str
    dataset: str
    messages: tuple[Message, ...]
    probes: tuple[Probe, ...] = ()

    @cached_property
    def _contexts(self) -> dict[str | None, Context]:
        return {}

    def context(self, at: str | None = None) -> Context:
        """Return the conversation as a context, up to (without) the message `at`.

        The same object comes back each time, so that what was memoised on it stays.

        Examples
        --------
        >>> case = Case("c", "d", (Message("m1", "user", "a"), Message("m2", "user", "b")))
        >>> case.context(at="m2").text
        'a'
        """
        if at not in self._contexts:
            messages = self.messages
            if at is not None:
                end = next(i for i, message in enumerate(messages) if message.id == at)
                messages = messages[:end]
            self._contexts[at] = Context.of(messages)
        return self._contexts[at]

    def __reduce__(self) -> tuple[type[Case], tuple[Any, ...]]:
        return Case, (self.id, self.dataset, self.messages, self.probes)


@dataclass(frozen=True, slots=True)
class ArtifactRecord:
    """One version of one step's artifact, as stored.

    Examples
    --------
    >>> ArtifactRecord("art_1", "wks_1", "persona", {"name": "Mira"}, 1, 1).version
    1
    """

    id: str
    workshop: str
    step: str
    artifact: dict[str, Any]
    schema_version: int
    version: int
    valid: bool = True
    extracted_at: str | None = None


@dataclass(frozen=True)
class StepContext:
    """What one step of one workshop would be sent: three tiers, assembled.

    Examples
    --------
    >>> summary = Segment.of("summary:sum_1", "We chose bread.", tier=ContextTier.LONG_TERM)
    >>> StepContext("wks_1", "persona", Context((summary,))).tier(ContextTier.LONG_TERM).text
    'We chose bread.'
    """

    workshop: str
    step: str
    context: Context

    def tier(self, tier: ContextTier) -> Context:
        """Return the part of one tier.

        Examples
        --------
        >>> StepContext("w", "s", Context()).tier(ContextTier.SHORT_TERM).segments
        ()
        """
        return self.context.keep(s for s in self.context.segments if s.tier == tier)
