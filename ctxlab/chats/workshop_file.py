"""Workshop files: a whole workshop with its steps, summaries, artifacts and probes."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from ctxlab.chats.case_building import build_case
from ctxlab.chats.case_format import read_case
from ctxlab.chats.fields import Fields, expect
from ctxlab.chats.file_format import Format
from ctxlab.core.cases import Case, Probe
from ctxlab.core.segments import Message
from ctxlab.errors import DataError

KIND = "ctxlab-workshop"
"""What a workshop file says in its field `format`."""


@dataclass(frozen=True)
class StepRecord:
    """One step of a workshop file: its messages, summary and artifact.

    Examples
    --------
    >>> StepRecord("challenge", (), None, None).step
    'challenge'
    """

    step: str
    messages: tuple[Message, ...]
    summary: str | None
    artifact: dict[str, Any] | None


@dataclass(frozen=True)
class WorkshopFile:
    """A workshop as a file holds it.

    Examples
    --------
    >>> WorkshopFile("w", "A workshop", (), ()).steps
    ()
    """

    id: str
    title: str
    steps: tuple[StepRecord, ...]
    probes: tuple[Probe, ...]
    protocol: str = "design-thinking"

    def case(self) -> Case:
        """Return the whole workshop as one case; a message's session is its step.

        Examples
        --------
        >>> step = StepRecord("challenge", (Message("m1", "user", "Hi"),), None, None)
        >>> WorkshopFile("w", "A workshop", (step,), ()).case().messages[0].session
        'challenge'
        """
        messages = [
            replace(message, session=step.step) for step in self.steps for message in step.messages
        ]
        return build_case(self.id, KIND, messages, self.probes)


def is_workshop(raw: object) -> bool:
    """Say whether a record is a workshop file.

    Examples
    --------
    >>> is_workshop({"format": "ctxlab-workshop"})
    True
    """
    return isinstance(raw, dict) and raw.get("format") == KIND


def read_workshop(raw: object, name: str) -> Iterator[Case]:
    """Yield a workshop file as one case over all steps.

    Raises
    ------
    DataError
        With the field at fault.

    Examples
    --------
    >>> message = {"id": "m1", "role": "user", "content": "Hi"}
    >>> raw = {"id": "w", "title": "W", "steps": [{"step": "challenge", "messages": [message]}]}
    >>> next(read_workshop(raw, "w")).dataset
    'ctxlab-workshop'
    """
    yield workshop_of(raw).case()


def load_workshop(path: str | Path) -> WorkshopFile:
    """Read a workshop file with everything that it holds.

    Raises
    ------
    DataError
        With the file and the field at fault.

    Examples
    --------
    >>> load_workshop("/nowhere.json")
    Traceback (most recent call last):
    ctxlab.errors.DataError: /nowhere.json: cannot be opened ...
    """
    from ctxlab.chats.files import records

    try:
        record = next(records(Path(path)))
        if record.error:
            raise record.error
        return workshop_of(record.raw)
    except DataError as error:
        raise error.at(str(path)) from error


def workshop_of(raw: object) -> WorkshopFile:
    """Turn the JSON of a workshop file into a workshop.

    Raises
    ------
    DataError
        With the field at fault.

    Examples
    --------
    >>> workshop_of({"id": "w", "title": "W", "steps": []}).title
    'W'
    """
    fields = Fields(raw)
    steps = tuple(_step(step) for step in fields.objects("steps"))
    # The case reader checks probes; it needs no more of the messages than their ids.
    known = [{"id": m.id, "role": "user", "content": ""} for s in steps for m in s.messages]
    probes: tuple[Probe, ...] = ()
    if fields.has("probes") and known:
        whole = {"id": "w", "messages": known, "probes": fields.raw["probes"]}
        probes = next(read_case(whole, KIND)).probes
    protocol = fields.optional("protocol") or "design-thinking"
    return WorkshopFile(fields.text("id"), fields.text("title"), steps, probes, protocol)


def _step(fields: Fields) -> StepRecord:
    whole = {"id": "step", "messages": fields.raw.get("messages")}
    try:
        messages = next(read_case(whole, KIND)).messages
    except DataError as error:
        raise DataError(error.problem, field=f"{fields.path}.{error.field}") from error
    artifact = fields.raw.get("artifact")
    if artifact is not None:
        artifact = json.loads(json.dumps(expect(artifact, dict, fields.at("artifact"))))
    return StepRecord(fields.text("step"), messages, fields.optional("summary"), artifact)


FORMAT = Format(
    name="workshop",
    description="a ctxlab workshop with steps and artifacts",
    recognises=is_workshop,
    read=read_workshop,
    priority=1,
    example={
        "format": KIND,
        "id": "w",
        "title": "W",
        "steps": [
            {
                "step": "a",
                "messages": [
                    {"id": "m1", "role": "user", "name": "Ada", "content": "Hi", "session": "s"}
                ],
                "summary": "s",
                "artifact": {"a": 1},
            }
        ],
        "probes": [{"id": "p", "question": "?", "answer": "x", "evidence": ["m1"]}],
    },
)
