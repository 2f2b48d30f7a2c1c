"""The laws of metrics; a new one is tested by standing in a module of `ctxlab.metrics`."""

from __future__ import annotations

import pickle

import pytest
from hypothesis import settings

from ctxlab.core.metric import FunctionMetric, Metric, MetricTraits
from ctxlab.core.specs import METRICS, metric_from_spec, parse_metric
from ctxlab.testing import LawError, check_metric_laws, check_metric_value, sample_case, sample_run

VARIANTS = [
    "NumbersKept(normalised=False)",
    "QuotesKept(normalised=False)",
    "EvidenceRecall(k=1, unit='session', credit='all')",
    "EvidenceRecall(k=10, credit='any')",
    "RougeL(figure='recall', limit=10)",
    "TokenF1(figure='precision')",
    "Redundancy(n=1)",
    "AssociatedAnswer(share=1.0)",
    "AnswerKept(anywhere=True)",
    """SchemaValid(json_schema='{"type": "object"}')""",
]


@pytest.mark.parametrize("name", METRICS.names())
def test_every_registered_metric_keeps_the_laws(name):
    """Deterministic, in bounds, None where it does not apply, pickles, changes nothing."""
    check_metric_laws(METRICS.classes()[name](), examples=settings().max_examples)


@pytest.mark.parametrize("text", VARIANTS)
def test_other_parameters_keep_the_laws(text):
    """Not only defaults are lawful; text and spec rebuild each."""
    metric = parse_metric(text)
    assert parse_metric(str(metric)) == metric == metric_from_spec(metric.spec())
    check_metric_laws(metric, examples=settings().max_examples)


@pytest.mark.parametrize("cls", METRICS.classes().values(), ids=lambda cls: cls.__name__)
def test_every_metric_is_documented(cls):
    """Definition, source, example, title, family, and a description for every parameter."""
    traits = cls().traits
    assert "Examples" in cls.__doc__
    assert traits.title
    assert traits.source
    assert traits.family != "custom"
    assert all(field.description for field in cls.model_fields.values())


def test_the_first_set_is_there():
    """One module a family; nobody keeps a list."""
    assert {
        "AllEvidence", "EvidenceTokens", "AnswerKept", "AssociatedAnswer", "PinnedEvidence",
        "NumbersKept", "NamesKept", "DatesKept", "AmountsKept", "PathsKept", "UrlsKept",
        "IdentifiersKept", "QuotesKept", "SymbolsKept", "InventedNumbers", "InventedNames",
        "InventedDates", "LeafPathF1", "SchemaValid", "ToolPairsWhole", "RougeL", "TokenF1",
        "Redundancy", "PrefixStability", "BudgetDeviation", "Rate", "Latency", "EvidenceRecall",
    } == set(METRICS.names())  # fmt: skip


def letters_left(run, probe):
    """Return what a plain function may."""
    return len(run.after.text) if probe else None


def test_a_plain_function_is_a_metric():
    """It keeps the laws, pickles, and says its name."""
    check_metric_laws(letters_left, examples=20)
    metric = FunctionMetric(function=letters_left)
    assert pickle.loads(pickle.dumps(metric)) == metric
    assert metric.measure(sample_run(), sample_case().probes[0]) == len(sample_run().after.text)
    check_metric_laws(lambda run: run.tokens_after, examples=5)


class Boastful(Metric):
    """Says more than a share can be."""

    TRAITS = MetricTraits(title="boast", unit="share")

    def measure(self, run, probe):
        return 1.0 + len(run.after)


class Fickle(Metric):
    """Says another number each time."""

    TRAITS = MetricTraits(title="fickle")

    def measure(self, run, probe):
        Fickle.calls = getattr(Fickle, "calls", 0) + 1
        return float(Fickle.calls)


class Endless(Metric):
    """Says no number."""

    TRAITS = MetricTraits(title="endless")

    def measure(self, run, probe):
        return float("nan")


class Remembering(Metric):
    """Says what it remembers on a context."""

    TRAITS = MetricTraits(title="remembering")

    def measure(self, run, probe):
        return float(run.before.memo("turn", lambda: Remembering.next()))

    @staticmethod
    def next():
        Remembering.turn = getattr(Remembering, "turn", 0) + 1
        return Remembering.turn


class Asking(Metric):
    """Answers for a probe that it was not given."""

    TRAITS = MetricTraits(title="asking", per="probe")

    def measure(self, run, probe):
        return 1.0


class Tampering(Metric):
    """Changes what it is given."""

    TRAITS = MetricTraits(title="tampering")

    def measure(self, run, probe):
        object.__setattr__(run.before, "segments", run.before.segments[:-1])
        return 0.0


@pytest.mark.parametrize("planted", [Boastful, Fickle, Endless, Remembering, Asking, Tampering])
def test_the_laws_catch_a_planted_defect(planted):
    """A law that cannot be broken is no law."""
    with pytest.raises(LawError):
        check_metric_laws(planted(), examples=50)


def test_a_metric_that_is_no_value_is_caught():
    """What does not pickle cannot go to a worker."""

    class Local(Metric):
        """Lives in a function."""

        TRAITS = MetricTraits(title="local")

        def measure(self, run, probe):
            return 0.0

    check_metric_value(parse_metric("AllEvidence"))
    with pytest.raises(LawError, match="pickles"):
        check_metric_value(Local())
