"""Text that remembers where it came from: messages, spans and segments.

Hot values are slotted dataclasses; whatever is configured or stored is a `Value`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any, Literal, get_args

from pydantic import BaseModel, ConfigDict

from ctxlab.errors import DataError, UnknownNameError

Role = Literal["system", "user", "assistant", "tool"]
ROLES: tuple[Role, ...] = get_args(Role)
_OTHER_ROLES: dict[str, Role] = {
    "human": "user", "ai": "assistant", "model": "assistant", "gpt": "assistant",
    "developer": "system", "function": "tool",
}  # fmt: skip


def role_named(name: str) -> Role:
    """Return a role by any of its common names, whatever their case.

    Raises
    ------
    UnknownNameError
        When it is none; the message offers the nearest.

    Examples
    --------
    >>> role_named("human"), role_named("Assistant")
    ('user', 'assistant')
    """
    lowered = str(name).lower()
    for role in ROLES:
        if role == lowered:
            return role
    if lowered not in _OTHER_ROLES:
        raise UnknownNameError("role", str(name), [*ROLES, *_OTHER_ROLES])
    return _OTHER_ROLES[lowered]


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
class Compaction:
    """A place where an agent's context was compacted, as its log tells it.

    Parameters
    ----------
    trigger : str
        Who asked for it, such as ``"auto"`` or ``"manual"``; empty where the log does not say.
    tokens_before, tokens_after : int, optional
        What the log reports, not what was counted.
    kept : tuple of str
        Ids of the earlier messages that stay in the context as they are.

    Examples
    --------
    >>> Compaction("auto", 155_000, kept=("m41",)).tokens_after is None
    True
    """

    trigger: str = ""
    tokens_before: int | None = None
    tokens_after: int | None = None
    kept: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class About:
    """What a log says of a message beside its content.

    Parameters
    ----------
    kind : str
        ``"summary"`` for what a compaction wrote, ``"injected"`` for what a harness says in a
        user's voice, ``"replayed"`` for what another session's log holds too, ``"thinking"`` for
        reasoning that is a message of its own; empty otherwise.
    compaction : Compaction, optional
        What took place right before the message: later prompts hold none of the messages before
        it but those that were kept, and the system's.

    Examples
    --------
    >>> Message("m1", "user", "Hi", about=About("injected")).about.kind
    'injected'
    """

    kind: str = ""
    compaction: Compaction | None = None


@dataclass(frozen=True, slots=True)
class Payload:
    """What a message carries beside its text and is billed: thinking, an image, a definition.

    It goes where its message goes and is never cut. `text` is what is counted, with `tokens` on
    top for what is no text: an image has its size by a formula, and no text.

    Examples
    --------
    >>> Payload("image", tokens=765).tokens
    765
    """

    kind: str
    text: str = ""
    tokens: int = 0

    @property
    def defines(self) -> bool:
        """Whether it stands outside the chat: a tool's definition, or a schema of the answer.

        Examples
        --------
        >>> Payload("tools", '{"name": "clock"}').defines
        True
        """
        return self.kind in ("tools", "schema")


@dataclass(frozen=True, slots=True)
class Message:
    """One message of a conversation, as it was sent.

    Roles go by their common other names, too: ``human`` is ``user``, ``ai`` and ``model`` are
    ``assistant``, ``developer`` is ``system``, ``function`` is ``tool``.

    Raises
    ------
    UnknownNameError
        When the role is none of these.
    DataError
        When the content is no text.

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
    payload: tuple[Payload, ...] = ()
    about: About | None = None

    def __post_init__(self) -> None:
        if not isinstance(self.content, str):
            raise DataError(
                f"of message {self.id!r} is a {type(self.content).__name__}; give text, '' where "
                "there is none, or read the chat with ctxlab.read",
                field="content",
            )
        if self.role not in ROLES:
            object.__setattr__(self, "role", role_named(self.role))


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
    writer, and `note` says why it was written. One that only marks what is missing says so by
    `placeholder`; one from whose text the source can be computed carries the `inverse`.

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
    payload: tuple[Payload, ...] = ()
    note: str = field(default="", compare=False)
    placeholder: bool = field(default=False, compare=False)
    inverse: Callable[[str], str] | None = field(default=None, compare=False, repr=False)

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
        return replace(self, text=self.text[start:end], spans=spans, inverse=None)

    def rewritten(
        self,
        text: str,
        note: str = "",
        *,
        placeholder: bool = False,
        inverse: Callable[[str], str] | None = None,
    ) -> Segment:
        """Put `text` in this segment's place; the spans stay, ``verbatim`` goes.

        Parameters
        ----------
        text : str
            What stands here now.
        note : str
            Why, in words that the ledger can show.
        placeholder : bool
            The text only says that something is missing: nothing of the source stands in it.
        inverse : callable, optional
            Computes from `text` what stood here, as far as it matters: declares that the
            rewriting lost nothing. A function of a module, so that segments pickle.

        Examples
        --------
        >>> Segment.of("message:m1", "long output").rewritten("(cleared)", "old").verbatim
        False
        """
        return replace(
            self, text=text, verbatim=False, note=note, placeholder=placeholder, inverse=inverse
        )

    @property
    def restored(self) -> str:
        """The text, or what its inverse computes from it.

        Examples
        --------
        >>> Segment.of("message:m1", "HELLO").rewritten("hello", inverse=str.upper).restored
        'HELLO'
        """
        return self.inverse(self.text) if self.inverse else self.text


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


def spoken(segment: Segment) -> str:
    """Return a segment as it reads: the speaker's name, if any, and the text.

    Examples
    --------
    >>> spoken(Segment.of("message:m1", "Hello", name="Ada"))
    'Ada: Hello'
    """
    return f"{segment.name}: {segment.text}" if segment.name else segment.text


def spoken_group(group: Iterable[Segment]) -> str:
    """Return a group as it reads, one part a line: its segments, and the calls that they ask for.

    Examples
    --------
    >>> spoken_group([Segment.of("message:m1", "Hello", name="Ada")])
    'Ada: Hello'
    """
    parts: list[str] = []
    for segment in group:
        parts.append(spoken(segment))
        parts += (f"{call.name} {call.arguments}" for call in segment.tool_calls)
    return "\n".join(parts)
