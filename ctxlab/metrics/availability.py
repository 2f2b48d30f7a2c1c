"""Availability: whether the evidence, or the answer, is still in the compressed context.

Offline, this is what can be said without a reader model; it is never quality. Keywords that
survive do not prove that a model recalls them.
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass

from ctxlab.core.cases import Probe
from ctxlab.core.context import Context
from ctxlab.core.ledger import Traces
from ctxlab.core.metric import Metric, MetricTraits
from ctxlab.core.run import Run
from ctxlab.core.segments import Segment
from ctxlab.core.task import Task


@dataclass(frozen=True, slots=True)
class Availability:
    """What of a probe's evidence and answer is left; shares from 0 to 1.

    Parameters
    ----------
    all_evidence : float or None
        1 when the evidence is there (all of it, or any for a probe of mode ``any``), else 0;
        None for a probe without evidence.
    evidence_tokens : float or None
        Share of the evidence's tokens that stand verbatim; the best message's for mode ``any``.
    answer : float or None
        1 when the answer's text stands somewhere, else 0; None when it never stood there.

    Examples
    --------
    >>> Availability(1.0, 1.0, None).all_evidence
    1.0
    """

    all_evidence: float | None
    evidence_tokens: float | None
    answer: float | None


def availability(probe: Probe, before: Context, after: Context, task: Task) -> Availability:
    """Measure what `after`, compressed from `before`, still holds for `probe`.

    A message of the evidence counts as kept when all of its text stands verbatim, or when it
    held the answer and what is left of it, verbatim or rewritten, still does.

    Examples
    --------
    >>> segment = Segment.of("message:m1", "There are 314 stalls. It rained.")
    >>> probe = Probe("p1", "How many stalls?", "314", ("m1",))
    >>> availability(probe, Context((segment,)), Context((segment.cut(0, 21),)), Task(budget=99))
    Availability(all_evidence=1.0, evidence_tokens=0.6, answer=1.0)
    """
    traces = Traces.of(after)
    answer = plain(probe.answer)
    kept: list[bool] = []
    left: list[int] = []
    whole: list[int] = []
    for message in probe.evidence:
        segments = before.from_source(f"message:{message}")
        pieces = [piece for segment in segments for piece in traces.pieces(segment)]
        whole.append(sum(map(task.tokens, segments)))
        left.append(min(whole[-1], sum(map(task.tokens, pieces))))
        kept.append(_stands(segments, pieces, traces, answer))
    return Availability(
        _all_evidence(probe, kept), _token_share(probe, left, whole), _answer(before, after, answer)
    )


class AllEvidence(Metric):
    """Whether the evidence of a probe is there: all of it, or any for a probe of mode ``any``.

    Examples
    --------
    >>> from ctxlab.testing import sample_case, sample_run
    >>> [AllEvidence().measure(sample_run(), probe) for probe in sample_case().probes]
    [0.0, 0.0, 0.0]
    """

    TRAITS = MetricTraits(
        title="all evidence kept", unit="share", per="probe", family="availability",
        source="gold evidence", needs="evidence",
    )  # fmt: skip

    def measure(self, run: Run, probe: Probe | None) -> float | None:
        """Return 1 when it is, 0 when it is not, None for a probe without evidence."""
        return availability(probe, run.before, run.after, run.task).all_evidence if probe else None


class EvidenceTokens(Metric):
    """Share of the tokens of a probe's evidence that stand verbatim.

    Of a probe of mode ``any`` the best message counts.

    Examples
    --------
    >>> from ctxlab.testing import sample_case, sample_run
    >>> EvidenceTokens().measure(sample_run(), sample_case().probes[2])
    0.5526315789473685
    """

    TRAITS = MetricTraits(
        title="evidence tokens kept", unit="share", per="probe", family="availability",
        source="gold evidence", needs="evidence",
    )  # fmt: skip

    def measure(self, run: Run, probe: Probe | None) -> float | None:
        """Return the share, None for a probe without evidence."""
        return (
            availability(probe, run.before, run.after, run.task).evidence_tokens if probe else None
        )


class AnswerKept(Metric):
    """Whether the answer's text stands somewhere; None when it never stood there.

    Examples
    --------
    >>> from ctxlab.testing import sample_case, sample_run
    >>> AnswerKept().measure(sample_run(), sample_case().probes[2])
    1.0
    """

    TRAITS = MetricTraits(
        title="answer kept", unit="share", per="probe", family="availability",
        source="Kwiatkowski et al. 2019, answer strings", needs="answers",
    )  # fmt: skip

    def measure(self, run: Run, probe: Probe | None) -> float | None:
        """Return 1 when it does, 0 when it is gone."""
        return availability(probe, run.before, run.after, run.task).answer if probe else None


def plain(text: str) -> str:
    r"""Return `text` as it is compared: compatible forms, case and white space made equal.

    Examples
    --------
    >>> plain("  Forty\n Euros ")
    'forty euros'
    """
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split())


def _stands(
    segments: tuple[Segment, ...], pieces: list[Segment], traces: Traces, answer: str
) -> bool:
    length = sum(len(segment.text) for segment in segments)
    if segments and sum(len(piece.text) for piece in pieces) >= length and pieces:
        return True
    if not answer or not any(answer in plain(segment.text) for segment in segments):
        return False
    written = {id(w): w for segment in segments for w in traces.rewritten(segment)}
    remains = (*pieces, *written.values())
    return any(answer in plain(piece.text) for piece in remains)


def _all_evidence(probe: Probe, kept: list[bool]) -> float | None:
    if not kept:
        return None
    return float(any(kept) if probe.evidence_mode == "any" else all(kept))


def _token_share(probe: Probe, left: list[int], whole: list[int]) -> float | None:
    if not sum(whole):
        return None
    if probe.evidence_mode == "any":
        return max(part / total for part, total in zip(left, whole, strict=True) if total)
    return sum(left) / sum(whole)


def _answer(before: Context, after: Context, answer: str) -> float | None:
    if not answer:
        return None
    holders = before.memo(("holders", answer), lambda: _holders(before, answer))
    if not holders:
        return None
    same = after.memo("identities", lambda: set(map(id, after)))
    if any(id(segment) in same for segment in holders):
        return 1.0
    origin = before.memo("identities", lambda: set(map(id, before)))
    new = after.memo(("new", id(before)), lambda: _new_texts(after, origin))
    return float(any(answer in text for text in new))


def _holders(context: Context, answer: str) -> list[Segment]:
    texts = context.memo("plain texts", lambda: [plain(_sent(segment)) for segment in context])
    return [segment for segment, text in zip(context, texts, strict=True) if answer in text]


def _new_texts(after: Context, origin: set[int]) -> list[str]:
    return [plain(_sent(segment)) for segment in after if id(segment) not in origin]


def _sent(segment: Segment) -> str:
    """Return all that a model reads of a segment: its text, and what its calls pass."""
    return " ".join((segment.text, *(call.arguments for call in segment.tool_calls)))
