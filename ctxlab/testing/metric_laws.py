"""The laws of metrics, run by hypothesis on yours and on ours."""

from __future__ import annotations

import pickle
from collections.abc import Callable, Sequence
from dataclasses import replace
from math import isfinite
from typing import Any

from ctxlab.core.cases import Probe
from ctxlab.core.context import Context
from ctxlab.core.metric import FunctionMetric, Metric, as_metric
from ctxlab.core.run import Run
from ctxlab.core.segments import Message
from ctxlab.core.specs import metric_from_spec, parse, parse_metric
from ctxlab.core.strategy import Strategy
from ctxlab.core.task import Task
from ctxlab.errors import PinnedOverBudgetError
from ctxlab.testing.broken import must
from ctxlab.testing.fakes import FakeModel, chats, letters, word_tools


def check_metric_laws(
    metric: Metric | Callable[..., float | None],
    *,
    examples: int = 100,
    strategies: Sequence[Strategy] | None = None,
) -> None:
    """Run every law on a metric with hypothesis.

    The same run gives the same number, remembered or not; the number is None or finite and
    within the bounds of its unit; a metric of probes says None without one; nothing that it is
    given changes; it is a value that pickles, is hashable, and that its spec and its text
    rebuild.

    Parameters
    ----------
    metric : Metric or callable
        Yours or ours; a plain function ``f(run)`` or ``f(run, probe)`` is one.
    examples : int
        Runs to try.
    strategies : sequence of Strategy, optional
        Which compress; by default some that drop, cut, rank, mask, rewrite and restore.

    Raises
    ------
    LawError
        When a law is broken, with what breaks it.

    Examples
    --------
    >>> def letters_left(run): return len(run.after.text)
    >>> check_metric_laws(letters_left, examples=5)
    """
    import hypothesis.strategies as st
    from hypothesis import HealthCheck, Phase, given, settings

    used = as_metric(metric)
    tools = word_tools(llm=FakeModel(), encode=letters)
    compressors = list(strategies or _compressors())

    @settings(
        max_examples=examples,
        deadline=None,
        database=None,
        derandomize=True,
        suppress_health_check=list(HealthCheck),
        phases=(Phase.generate, Phase.shrink),
    )
    @given(
        chats(),
        st.integers(1, 80),
        st.sampled_from(compressors),
        st.lists(st.integers(0, 12), max_size=4),
        st.sampled_from(["", "17", "€40", "the price", "error", "1", "no"]),
        st.sampled_from(["all", "any"]),
    )
    def laws(
        messages: tuple[Message, ...],
        budget: int,
        strategy: Strategy,
        evidence: list[int],
        answer: str,
        mode: Any,  # noqa: ANN401
    ) -> None:
        task = Task(budget=budget, tools=tools, query="fish price")
        ids = tuple(f"m{number}" for number in evidence)
        probe = Probe("p", "What is the fish price?", answer, ids, evidence_mode=mode)
        try:
            run = Run.of(strategy, Context.of(messages), task)
        except PinnedOverBudgetError:
            return
        check_metric_on(used, run, probe if used.traits.per == "probe" else None)

    check_metric_value(used)
    laws()


def _compressors() -> list[Strategy]:
    names = (
        "Identity()", "KeepLast()", "BM25()", "Sentences()", "HeadTail()", "Deduplicate()",
        "MaskObservations(keep=0)", "TruncateToolOutputs(limit=3)", "CollapseToolUses(keep=0)",
        "KeepValues()", "CompactJSON()", "CompactJSON(roles=('user', 'tool')) >> KeepLast()",
        "PruneFields()", "Oracle()",
    )  # fmt: skip
    return [parse(name) for name in names]


def check_metric_value(metric: Metric) -> None:
    """Check that `metric` is a value: equal to its copy, hashable, pickled, rebuilt by its text.

    Examples
    --------
    >>> from ctxlab.metrics import AllEvidence
    >>> check_metric_value(AllEvidence())
    """
    copy = metric.model_copy()
    must(copy == metric and hash(copy) == hash(metric), "equals its copy", metric)
    if not isinstance(metric, FunctionMetric):  # a function goes to a worker by its code
        must(_pickles(metric), "pickles; a class stands in a module", metric)
    if type(metric).__module__.startswith("ctxlab.metrics"):
        must(metric_from_spec(metric.spec()) == metric, "its spec rebuilds it", metric.spec())
        must(parse_metric(str(metric)) == metric, "its text rebuilds it", str(metric))


def _pickles(metric: Metric) -> bool:
    try:
        return bool(pickle.loads(pickle.dumps(metric)) == metric)  # noqa: S301 - our own bytes
    except (pickle.PicklingError, AttributeError):
        return False


def check_metric_on(metric: Metric, run: Run, probe: Probe | None) -> None:
    """Check the laws of measuring on one run and probe.

    Examples
    --------
    >>> from ctxlab.metrics import Rate
    >>> from ctxlab.testing import sample_run
    >>> check_metric_on(Rate(), sample_run(), None)
    """
    given = (run.before.segments, run.after.segments, run.task, probe)
    found = metric.measure(run, probe)
    least, most = metric.traits.bounds
    must(found is None or isfinite(found), "a number is finite, or None", found)
    must(found is None or least <= found <= most, f"{metric.traits.unit} is in bounds", found)
    must(metric.measure(run, probe) == found, "same run, same number", found)
    must(metric.measure(_fresh(run), probe) == found, "nothing remembered changes it", found)
    now = (run.before.segments, run.after.segments, run.task, probe)
    must(now == given, "what is given stays unchanged", run)
    if metric.traits.per == "probe":
        must(metric.measure(run, None) is None, "without a probe it says None", metric)


def _fresh(run: Run) -> Run:
    """Return the same run on contexts that remember nothing."""
    stages = tuple(
        replace(stage, context=Context(stage.context.segments, stage.context.why))
        for stage in run.stages
    )
    return replace(run, before=Context(run.before.segments), stages=stages)
