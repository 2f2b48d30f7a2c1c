"""Conversations as documents: what an experiment keeps of its cases, so that it opens later."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Any

from ctxlab.core.cases import Case, Probe
from ctxlab.core.messages import about_of
from ctxlab.core.segments import Message, Payload, ToolCall


def to_document(case: Case) -> str:
    """Return a case as JSON, everything in it.

    Examples
    --------
    >>> from ctxlab.testing import sample_case
    >>> from_document(to_document(sample_case())) == sample_case()
    True
    """
    fields = {
        "id": case.id,
        "dataset": case.dataset,
        "cluster": case.cluster,
        "messages": [asdict(message) for message in case.messages],
        "probes": [asdict(probe) for probe in case.probes],
    }
    return json.dumps(fields)


def from_document(document: str) -> Case:
    """Return the case of a document that `to_document` wrote.

    Examples
    --------
    >>> from_document(to_document(Case("c", "d", ()))).dataset
    'd'
    """
    raw = json.loads(document)
    messages = tuple(map(_message, raw.pop("messages")))
    probes = tuple(Probe(**{**p, "evidence": tuple(p["evidence"])}) for p in raw.pop("probes"))
    return Case(**raw, messages=messages, probes=probes)


def _message(raw: dict[str, Any]) -> Message:
    calls = tuple(ToolCall(**call) for call in raw["tool_calls"])
    payload = tuple(Payload(**one) for one in raw.get("payload", ()))
    about = about_of(raw.get("about"))
    return Message(**{**raw, "tool_calls": calls, "payload": payload, "about": about})
