"""Conversations as documents: what an experiment keeps of its cases, so that it opens later."""

from __future__ import annotations

import json
from dataclasses import asdict

from ctxlab.core.cases import Case, Probe
from ctxlab.core.messages import about_of
from ctxlab.core.segments import Message, ToolCall


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
    messages = tuple(
        Message(
            **{
                **m,
                "tool_calls": tuple(ToolCall(**call) for call in m["tool_calls"]),
                "about": about_of(m.get("about")),
            }
        )
        for m in raw.pop("messages")
    )
    probes = tuple(Probe(**{**p, "evidence": tuple(p["evidence"])}) for p in raw.pop("probes"))
    return Case(**raw, messages=messages, probes=probes)
