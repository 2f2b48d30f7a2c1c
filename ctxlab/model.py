"""The words of ctxlab as types: conversations and their probes, contexts, artifacts.

`ctxlab.segments` and `ctxlab.context` define the parts; this module is where to import from.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

from ctxlab.context import Context, Why
from ctxlab.segments import ContextTier, Message, Note, Role, Segment, Span, ToolCall, Value

__all__ = [
    "ArtifactRecord",
    "Case",
    "Context",
    "ContextTier",
    "Message",
    "Note",
    "Probe",
    "Role",
    "Segment",
    "Span",
    "StepContext",
    "ToolCall",
    "Value",
    "Why",
]


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
    """One version of one step's artifact, as stored: JSON text, read anew at every access.

    Examples
    --------
    >>> record = ArtifactRecord("art_1", "persona", '{"name": "Mira"}', schema_version=1, version=1)
    >>> record.artifact
    {'name': 'Mira'}
    """

    id: str
    step: str
    text: str
    schema_version: int
    version: int
    valid: bool = True
    token_count: int = 0

    @property
    def artifact(self) -> dict[str, Any]:
        """The artifact; changing what comes back changes nothing that is stored.

        Examples
        --------
        >>> ArtifactRecord("art_1", "persona", "{}", 1, 1).artifact
        {}
        """
        found: dict[str, Any] = json.loads(self.text)
        return found


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
