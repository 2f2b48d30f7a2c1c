"""Conversations with questions: cases and their probes."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass, fields
from functools import cache, cached_property
from operator import attrgetter
from typing import Any, Literal

from ctxlab.core.context import Context
from ctxlab.core.segments import Message


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

    @cached_property
    def digest(self) -> str:
        """SHA-256 of everything in the case, field by field: what a trial can see of it.

        Examples
        --------
        >>> Case("c", "d", ()).digest == Case("c", "d", ()).digest
        True
        """
        text = json.dumps(self, default=_values, check_circular=False)
        return hashlib.sha256(text.encode()).hexdigest()

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


def _values(record: Any) -> Any:  # noqa: ANN401 - whatever its fields hold
    return _getter(record.__class__)(record)


@cache
def _getter(cls: Any) -> Callable[[object], Any]:  # noqa: ANN401 - the class of a record
    return attrgetter(*(field.name for field in fields(cls)))
