"""QMSum: meetings with queries and the spans of turns that answer them.

Source: Zhong et al., "QMSum: A New Benchmark for Query-based Multi-domain Meeting
Summarization", 2021.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace

from ctxlab.chats.case_building import build_case
from ctxlab.chats.fields import Fields, expect
from ctxlab.chats.file_format import Format
from ctxlab.core.cases import Case, Probe
from ctxlab.core.segments import Message
from ctxlab.errors import DataError

_SERIES = re.compile(r"(?P<ami>[EIT]S\d{4})[a-d]|(?P<icsi>B[a-z]{2})\d{3}")


def is_qmsum(raw: object) -> bool:
    """Say whether a record looks like a meeting of QMSum.

    Examples
    --------
    >>> is_qmsum({"meeting_transcripts": []})
    True
    """
    return isinstance(raw, dict) and "meeting_transcripts" in raw


def read_qmsum(raw: object, name: str) -> Iterator[Case]:
    """Yield the case of one meeting: specific queries with evidence, general ones without.

    Raises
    ------
    DataError
        With the field at fault.

    Examples
    --------
    >>> turn = {"speaker": "Ada", "content": "Hi"}
    >>> next(read_qmsum({"meeting_transcripts": [turn]}, "m")).messages[0].id
    't0'
    """
    fields = Fields(raw)
    messages = [
        Message(f"t{i}", "user", turn.text("content"), name=turn.text("speaker"))
        for i, turn in enumerate(fields.objects("meeting_transcripts"))
    ]
    probes = [
        _probe(query, f"{kind[0]}{i}", kind, len(messages))
        for kind in ("general", "specific")
        if fields.has(f"{kind}_query_list")
        for i, query in enumerate(fields.objects(f"{kind}_query_list"))
    ]
    yield replace(build_case(name, "qmsum", messages, probes), cluster=_series(name))


def _series(meeting: str) -> str:
    """Return the series of a meeting: the same people over several of them.

    AMI's meetings are ``ES2011a`` to ``ES2011d``, ICSI's ``Bmr001`` and so on.
    """
    found = _SERIES.fullmatch(meeting)
    return (found["ami"] or found["icsi"]) if found else meeting


def _probe(query: Fields, probe_id: str, kind: str, turns: int) -> Probe:
    evidence: dict[str, None] = {}
    for path, span in query.items("relevant_text_span") if query.has("relevant_text_span") else ():
        try:
            first, last = (int(bound) for bound in expect(span, list, path))
        except (TypeError, ValueError) as error:
            raise DataError(f"is {span!r}; expected first and last turn", field=path) from error
        if not 0 <= first <= last < turns:
            raise DataError(f"is {span!r}; expected turns from 0 to {turns - 1}", field=path)
        evidence.update((f"t{turn}", None) for turn in range(first, last + 1))
    return Probe(probe_id, query.text("query"), query.scalar("answer"), tuple(evidence), kind)


FORMAT = Format(
    name="qmsum",
    description="QMSum, original files",
    recognises=is_qmsum,
    read=read_qmsum,
    example={
        "meeting_transcripts": [{"speaker": "Ada", "content": "Hi"}],
        "general_query_list": [{"query": "What was it about?", "answer": "Greetings."}],
        "specific_query_list": [
            {"query": "Who spoke?", "answer": "Ada.", "relevant_text_span": [["0", "0"]]}
        ],
    },
)
