"""ExplainMeetSum: meetings of QMSum with the sentences that explain every summary.

Source: Kim et al., "ExplainMeetSum: A Dataset for Explainable Meeting Summarization Aligned with
Human Intent", 2023. Its evidence is sentences; here it is the turns that they stand in.
"""

from __future__ import annotations

from collections.abc import Iterator

from ctxlab.chats.case_building import build_case
from ctxlab.chats.fields import Fields, expect
from ctxlab.chats.file_format import Format
from ctxlab.core.cases import Case, Probe
from ctxlab.core.segments import Message
from ctxlab.errors import DataError


def is_explainmeetsum(raw: object) -> bool:
    """Say whether a record looks like a meeting of ExplainMeetSum.

    Examples
    --------
    >>> is_explainmeetsum({"meeting_transcripts": [], "explainable_qmsum": {}})
    True
    """
    return isinstance(raw, dict) and "explainable_qmsum" in raw


def read_explainmeetsum(raw: object, name: str) -> Iterator[Case]:
    """Yield the case of one meeting: general and specific queries, each with evidence.

    Raises
    ------
    DataError
        With the field at fault.

    Examples
    --------
    >>> case = next(read_explainmeetsum(FORMAT.example, "ES2011a"))
    >>> [(probe.id, probe.evidence) for probe in case.probes]
    [('ES2011a_g0', ('m0',)), ('ES2011a_s0', ('m1', 'm0'))]
    """
    fields = Fields(raw)
    messages = [
        Message(f"m{i}", "user", turn.text("content"), name=turn.text("speaker"))
        for i, turn in enumerate(fields.objects("meeting_transcripts"))
    ]
    asked = fields.child("explainable_qmsum")
    probes = [
        Probe(
            f"{name}_{kind[0]}{i}",
            query.text("query"),
            query.scalar("answer"),
            tuple(_evidence(query, len(messages))),
            kind,
        )
        for kind in ("general", "specific")
        if asked.has(f"{kind}_query_list")
        for i, query in enumerate(asked.objects(f"{kind}_query_list"))
    ]
    yield build_case(name, "explainmeetsum", messages, probes)


def _evidence(query: Fields, turns: int) -> dict[str, None]:
    """Return the messages that explain an answer, each once, in the order of its sentences."""
    found: dict[str, None] = {}
    for sentence in query.objects("explainable_answer"):
        for evidence in sentence.objects("evidence"):
            path = evidence.at("turn_index")
            turn = expect(evidence.raw.get("turn_index"), int, path)
            if not 0 <= turn < turns:
                raise DataError(f"is {turn}; expected a turn from 0 to {turns - 1}", field=path)
            found[f"m{turn}"] = None
    return found


FORMAT = Format(
    name="explainmeetsum",
    description="ExplainMeetSum, original files",
    recognises=is_explainmeetsum,
    read=read_explainmeetsum,
    priority=1,
    example={
        "meeting_transcripts": [
            {"speaker": "Ada", "content": "Good morning."},
            {"speaker": "Bo", "content": "63 stalls."},
        ],
        "explainable_qmsum": {
            "general_query_list": [
                {
                    "query": "Summarize the meeting.",
                    "answer": "Ada greets.",
                    "explainable_answer": [{"evidence": [{"turn_index": 0}]}],
                }
            ],
            "specific_query_list": [
                {
                    "query": "How many stalls?",
                    "answer": "63, after a greeting.",
                    "explainable_answer": [
                        {"evidence": [{"turn_index": 1}]},
                        {"evidence": [{"turn_index": 0}, {"turn_index": 1}]},
                    ],
                }
            ],
        },
    },
)
