"""Availability: whether the evidence, or the answer, is still in the compressed context.

Offline, this is what can be said without a reader model; it is never quality. Keywords that
survive do not prove that a model recalls them.
"""

from __future__ import annotations

from dataclasses import dataclass

from pydantic import Field

from ctxlab.core.cases import Probe
from ctxlab.core.context import Context
from ctxlab.core.metric import Metric, MetricTraits
from ctxlab.core.run import Run
from ctxlab.core.segments import Segment
from ctxlab.core.task import Task
from ctxlab.metrics.credit import Credit


class AllEvidence(Metric):
    """Whether the evidence of a probe is there: all of it, or any for a probe of mode ``any``.

    A message of the evidence is there when all of its text is left, or when it held the answer
    and what is left of it still does. A selection of whole messages can do no better than to
    keep the evidence, the shortest first: the gold-evidence oracle is its ceiling.

    Examples
    --------
    >>> from ctxlab.testing import sample_case, sample_run
    >>> [AllEvidence().measure(sample_run(), probe) for probe in sample_case().probes]
    [0.0, 0.0, 0.0]
    """

    TRAITS = MetricTraits(
        title="all evidence kept", unit="share", per="probe", family="availability",
        source="gold evidence", needs="evidence", oracle=True,
    )  # fmt: skip

    def measure(self, run: Run, probe: Probe | None) -> float | None:
        """Return 1 when it is, 0 when it is not, None for a probe without evidence."""
        return _all_evidence(probe, Credit.of(run.before, run.after)) if probe else None


class EvidenceTokens(Metric):
    """Share of the tokens of a probe's evidence that are left.

    Of a probe of mode ``any`` the best message counts. What a rewriting carried over counts,
    what it says in other words does not. The oracle is no ceiling where the evidence exceeds
    the budget: it keeps the shortest messages, which hold the fewest tokens.

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
        credit = Credit.of(run.before, run.after)
        return _evidence_tokens(probe, credit, run.task) if probe else None


class AnswerKept(Metric):
    """Whether the answer's words are left where they stood; None when they never stood there.

    Where the evidence holds the answer, what is left of the evidence is searched; otherwise
    what is left of every message that held it. Numbers, dates, case, forms and white space are
    made equal, and words are whole (`ctxlab.text.normalised`). An answer may stand outside the
    evidence, which the oracle need not keep: it is no ceiling.

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

    anywhere: bool = Field(
        False, description="every message that held the answer counts, of the evidence or not"
    )

    def measure(self, run: Run, probe: Probe | None) -> float | None:
        """Return 1 when they are, 0 when they are gone."""
        credit = Credit.of(run.before, run.after)
        return _answer(probe, credit, anywhere=self.anywhere) if probe else None


class PinnedEvidence(Metric):
    """Share of a probe's evidence that is pinned, which every strategy keeps.

    The larger it is, the less the probe tells of a strategy.

    Examples
    --------
    >>> from ctxlab.testing import sample_case, sample_run
    >>> PinnedEvidence().measure(sample_run(), sample_case().probes[0])
    0.0
    """

    TRAITS = MetricTraits(
        title="pinned evidence", unit="share", better="lower", per="probe",
        family="availability", source="gold evidence, pins", needs="evidence",
    )  # fmt: skip

    def measure(self, run: Run, probe: Probe | None) -> float | None:
        """Return the share, None for a probe without evidence."""
        found = Credit.of(run.before, run.after).evidence(probe) if probe else []
        before = run.before
        pinned = [bool(s) and all(map(before.pinned_groups.__contains__, _groups(before, s)))
                  for s in found]  # fmt: skip
        return sum(pinned) / len(pinned) if pinned else None


@dataclass(frozen=True, slots=True)
class Availability:
    """What of a probe's evidence and answer is left; shares from 0 to 1.

    Parameters
    ----------
    all_evidence, evidence_tokens, answer : float or None
        What `AllEvidence`, `EvidenceTokens` and `AnswerKept` say.

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

    Examples
    --------
    >>> segment = Segment.of("message:m1", "There are 314 stalls. It rained.")
    >>> probe = Probe("p1", "How many stalls?", "314", ("m1",))
    >>> availability(probe, Context((segment,)), Context((segment.cut(0, 21),)), Task(budget=99))
    Availability(all_evidence=1.0, evidence_tokens=0.6, answer=1.0)
    """
    credit = Credit.of(before, after)
    return Availability(
        _all_evidence(probe, credit), _evidence_tokens(probe, credit, task), _answer(probe, credit)
    )


def answer_holders(probe: Probe, credit: Credit) -> list[Segment]:
    """Return the segments in which a probe's answer counts: of the evidence, or else anywhere.

    Examples
    --------
    >>> before = Context((Segment.of("message:m1", "14 stalls"), Segment.of("message:m2", "14")))
    >>> probe = Probe("p1", "How many stalls?", "14", ("m1",))
    >>> [s.source for s in answer_holders(probe, Credit(before, before))]
    ['message:m1']
    """
    needle = credit.normal(probe.answer)
    if not needle:
        return []
    evidence = (segment for segments in credit.evidence(probe) for segment in segments)
    return credit.holders(needle, evidence) or credit.holders(needle)


def _answer(probe: Probe, credit: Credit, *, anywhere: bool = False) -> float | None:
    needle = credit.normal(probe.answer)
    if anywhere:
        holders = credit.holders(needle) if needle else []
    else:
        holders = answer_holders(probe, credit)
    return float(any(credit.keeps(one, needle) for one in holders)) if holders else None


def _all_evidence(probe: Probe, credit: Credit) -> float | None:
    needle = credit.normal(probe.answer)
    kept = [_stands(segments, credit, needle) for segments in credit.evidence(probe)]
    if not kept:
        return None
    return float(any(kept) if probe.evidence_mode == "any" else all(kept))


def _stands(segments: tuple[Segment, ...], credit: Credit, needle: str) -> bool:
    if segments and all(map(credit.whole, segments)):
        return True
    holders = credit.holders(needle, segments) if needle else []
    return any(credit.keeps(one, needle) for one in holders)


def _evidence_tokens(probe: Probe, credit: Credit, task: Task) -> float | None:
    evidence = credit.evidence(probe)
    whole = [sum(map(task.tokens, segments)) for segments in evidence]
    if not sum(whole):
        return None
    left = [sum(credit.tokens_left(one, task) for one in segments) for segments in evidence]
    if probe.evidence_mode == "any":
        return max(part / total for part, total in zip(left, whole, strict=True) if total)
    return sum(left) / sum(whole)


def _groups(context: Context, segments: tuple[Segment, ...]) -> list[int]:
    return [context.group_of(segment) for segment in segments]
