"""Conversations with questions: cases and their probes."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, fields
from functools import cached_property
from typing import Any, Literal

from ctxlab.core.context import Context
from ctxlab.core.messages import as_messages
from ctxlab.core.segments import Message
from ctxlab.core.views import view
from ctxlab.errors import DataError


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

    def _repr_html_(self) -> str:
        return str(view("probe_html", self))


def check_probes(messages: Sequence[Message], probes: Sequence[Probe]) -> None:
    """Check that probes can be asked of a conversation.

    Raises
    ------
    DataError
        When the id of a probe stands twice, its evidence or its place names no message, or its
        evidence comes only after the place where it is asked; with the field at fault.

    Examples
    --------
    >>> check_probes([Message("m1", "user", "Hi")], [Probe("p", "?", "Hi", ("m2",))])
    Traceback (most recent call last):
    ctxlab.errors.DataError: field probes[0].evidence: evidence 'm2' names no message; ...
    """
    places = {message.id: at for at, message in enumerate(messages)}
    seen: set[str] = set()
    for at, probe in enumerate(probes):
        field = f"probes[{at}]"
        if probe.id in seen:
            raise DataError(f"probe id {probe.id!r} stands twice; give each its own", field=field)
        seen.add(probe.id)
        if probe.at is not None and probe.at not in places:
            problem = f"{probe.at!r} names no message; name the one that is about to be written"
            raise DataError(problem, field=f"{field}.at")
        for name in probe.evidence:
            if name not in places:
                problem = f"evidence {name!r} names no message; give the ids of messages"
                raise DataError(problem, field=f"{field}.evidence")
            if probe.at is not None and places[name] >= places[probe.at]:
                problem = (
                    f"evidence {name!r} does not come before {probe.at!r}, where the probe is "
                    "asked; leave it out, or ask later"
                )
                raise DataError(problem, field=f"{field}.evidence")


@dataclass(frozen=True)
class Case:
    """A conversation with its probes.

    Messages and probes are checked: ids that stand twice and evidence that names nobody are
    errors. `cluster` names what is independent of other conversations, where that is not the
    conversation itself: five runs of one task are one cluster.

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
    cluster: str | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "messages", as_messages(self.messages))
        object.__setattr__(self, "probes", tuple(self.probes))
        check_probes(self.messages, self.probes)

    @cached_property
    def digest(self) -> str:
        """A digest of everything in it, taken once.

        Examples
        --------
        >>> Case("c", "d", ()).digest == Case("c", "d", ()).digest
        True
        """
        parts = [getattr(self, one.name) for one in fields(self)]
        return hashlib.sha256(json.dumps(parts, default=_fields).encode()).hexdigest()

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

    def __str__(self) -> str:
        head = f"Case {self.id!r} of {self.dataset!r}: {len(self.messages):,} messages"
        asked = f"{len(self.probes):,} probes" if self.probes else "no probes"
        first = self.messages[0].content[:60] if self.messages else ""
        return f"{head}, {asked}\n  begins: {first!r}"

    __repr__ = __str__

    def _repr_html_(self) -> str:
        return str(view("case_html", self))

    def __reduce__(self) -> tuple[type[Case], tuple[Any, ...]]:
        return Case, (self.id, self.dataset, self.messages, self.probes, self.cluster)


def _fields(value: Any) -> list[Any]:  # noqa: ANN401 - a dataclass
    # A message that carries nothing beside its text has the digest that it always had.
    absent = {"payload", "about"} if isinstance(value, Message) else set[str]()
    found = ((one.name, getattr(value, one.name)) for one in fields(value))
    kept = [(name, held) for name, held in found if held or name not in absent]
    return [{name: held} if name in absent else held for name, held in kept]
