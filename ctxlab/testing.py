"""For tests of strategies, ours and yours: the laws, sample builders, and a fake model.

One line in a test runs all laws on a strategy::

    check_laws(MyStrategy())

The laws hold for every context and every task that hypothesis can think of: output spans lie
within input spans, verbatim text equals its source slice, the same input gives the same output,
the budget holds, groups stay whole, pins stay, and the input is left unchanged.

Metrics, classes and plain functions, have laws as well::

    check_metric_laws(MyMetric())
"""

from __future__ import annotations

import pickle
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import cache
from math import isfinite
from typing import TYPE_CHECKING, Any

from ctxlab.core.cases import Case, Probe
from ctxlab.core.context import Context
from ctxlab.core.laws import broken_laws
from ctxlab.core.metric import FunctionMetric, Metric, as_metric
from ctxlab.core.run import Run
from ctxlab.core.segments import Message, ToolCall
from ctxlab.core.specs import from_spec, metric_from_spec, parse, parse_metric
from ctxlab.core.strategy import Pipeline, Strategy
from ctxlab.core.task import Task
from ctxlab.core.tools import TokenScore, Tools
from ctxlab.errors import PinnedOverBudgetError
from ctxlab.strategies.units import words

if TYPE_CHECKING:
    from hypothesis.strategies import SearchStrategy

    from ctxlab.bench.results import Results


class LawError(AssertionError):
    """A strategy broke a law; the message names the law and what broke it.

    Examples
    --------
    >>> issubclass(LawError, AssertionError)
    True
    """


@dataclass
class FakeModel:
    """A language model for tests: gives scripted answers and remembers what it was asked.

    Parameters
    ----------
    answers : sequence of str
        Given in turn, the last one again and again; without any, the prompt's first words.

    Examples
    --------
    >>> model = FakeModel(["A summary."])
    >>> model("Summarise this.", max_tokens=9), model.prompts
    ('A summary.', ['Summarise this.'])
    """

    answers: Sequence[str] = ()

    def __post_init__(self) -> None:
        self.prompts: list[str] = []

    def __call__(self, prompt: str, /, *, max_tokens: int) -> str:
        """Return the next answer, cut to `max_tokens` words."""
        turn = min(len(self.prompts), len(self.answers) - 1)
        self.prompts.append(prompt)
        answer = self.answers[turn] if self.answers else prompt
        return " ".join(answer.split()[:max_tokens])


def word_tools(**others: Any) -> Tools:  # noqa: ANN401
    """Return tools that count words, two a message for overhead: easy to reckon with.

    Examples
    --------
    >>> word_tools().count("three short words")
    3
    """
    return Tools(count=lambda text: len(text.split()), overhead=lambda _: 2, reply=1, **others)


def chats(max_messages: int = 12) -> SearchStrategy[tuple[Message, ...]]:
    """Generate chats: system prompts, names, pins, tool calls with results, odd characters.

    Examples
    --------
    >>> isinstance(chats().example(), tuple)  # doctest: +SKIP
    True
    """
    import hypothesis.strategies as st

    words = st.sampled_from(
        ["fish", "bread", "stall", "17", "Ada", "€40", "no", "the", "price", "error", "{}", "\n"]
    )
    sentence = st.lists(words, max_size=12).map(" ".join) | st.text(max_size=20)
    data = st.sampled_from(
        ['{"stall": 17, "fish": [1, 2]}', '[{"a": 1, "b": "x"}, {"a": 2, "b": "y"}]', "[]"]
    )
    kinds = st.sampled_from(["user", "user", "assistant", "assistant", "system", "tools"])
    turn = st.tuples(
        kinds,
        sentence,
        st.lists(sentence | data, min_size=1, max_size=3),
        st.sampled_from([None, "Ada", "Bo"]),
        st.integers(0, 9).map(lambda n: n == 0),
    )
    return st.lists(turn, max_size=max_messages).map(_chat)


def _chat(turns: Sequence[tuple[str, str, list[str], str | None, bool]]) -> tuple[Message, ...]:
    messages: list[Message] = []
    for kind, text, results, name, pinned in turns:
        at = f"m{len(messages)}"
        if kind == "tools":
            calls = tuple(
                ToolCall(f"{at}c{i}", f"tool{i}", '{"q": 1}') for i in range(len(results))
            )
            messages.append(Message(at, "assistant", text, tool_calls=calls, pinned=pinned))
            messages += [
                Message(f"{at}r{i}", "tool", result, tool_call_id=call.id)
                for i, (call, result) in enumerate(zip(calls, results, strict=True))
            ]
        elif kind == "system":
            messages.append(Message(at, "system", text))
        elif kind == "user":
            messages.append(Message(at, "user", text, name=name, pinned=pinned))
        else:
            messages.append(Message(at, "assistant", text))
    return tuple(messages)


def check_laws(strategy: Strategy, *, examples: int = 100, tools: Tools | None = None) -> None:
    """Run every law on `strategy` with hypothesis.

    Parameters
    ----------
    strategy : Strategy
        Yours or ours, registered or not.
    examples : int
        Contexts to try.
    tools : Tools, optional
        Those it needs; by default words are counted and a fake model answers.

    Raises
    ------
    LawError
        When a law is broken, with the smallest context that breaks it.

    Examples
    --------
    >>> from ctxlab.strategies import KeepLast
    >>> check_laws(KeepLast(), examples=5)
    """
    import hypothesis.strategies as st
    from hypothesis import HealthCheck, Phase, given, settings

    used = tools or word_tools(
        llm=FakeModel(), encode=_letters, surprisal=_word_lengths, classify=_capitals
    )
    queries = st.sampled_from(["", "fish price", "What does stall 17 pay?"])

    @settings(
        max_examples=examples,
        deadline=None,
        database=None,
        derandomize=True,
        suppress_health_check=list(HealthCheck),
        phases=(Phase.generate, Phase.shrink),
    )
    @given(chats(), st.integers(1, 80), queries, st.integers(0, 3))
    def laws(messages: tuple[Message, ...], budget: int, query: str, seed: int) -> None:
        task = Task(budget=budget, tools=used, query=query, seed=seed)
        check_laws_on(strategy, Context.of(messages), task)

    check_value(strategy)
    laws()


def _letters(texts: Sequence[str], /) -> list[list[float]]:
    return [[float(text.count(letter)) + 0.1 for letter in "aeioust17"] for text in texts]


def _word_lengths(text: str, prefix: str = "", /) -> list[TokenScore]:
    said = set(prefix.split())
    return [
        TokenScore(a, b, float(b - a) * (text[a:b].strip() not in said)) for a, b in words(text)
    ]


def _capitals(text: str, /) -> list[TokenScore]:
    return [TokenScore(a, b, float(text[a:b].istitle())) for a, b in words(text)]


def check_value(strategy: Strategy) -> None:
    """Check that `strategy` is a value: equal to its copy, hashable, rebuilt by spec and text.

    Examples
    --------
    >>> from ctxlab.strategies import BM25
    >>> check_value(BM25(neighbours=2))
    """
    copy = strategy.model_copy()
    _law(copy == strategy and hash(copy) == hash(strategy), "equals its copy", strategy)
    if type(strategy).__module__.startswith("ctxlab."):
        _law(from_spec(strategy.spec()) == strategy, "its spec rebuilds it", strategy.spec())
        _law(parse(str(strategy)) == strategy, "its text rebuilds it", str(strategy))
    ends = Pipeline() >> strategy, strategy >> Pipeline()
    _law(ends[0] == ends[1], ">> is associative", ends)


def check_laws_on(strategy: Strategy, context: Context, task: Task) -> None:
    """Check the laws of compression on one context and task.

    Examples
    --------
    >>> from ctxlab.strategies import KeepLast
    >>> check_laws_on(KeepLast(), Context(), Task(budget=9))
    """
    before = context.segments
    honours = strategy.traits.honours_budget
    try:
        result = strategy.compress(context, task)
    except PinnedOverBudgetError:
        # A strategy that pins more may find its own pins too large.
        pins_more = "'Pin'" in repr(strategy.spec())
        over = pins_more or task.pinned(context) > task.budget
        _law(over, "pins are too large only when they are", task)
        return
    _law(context.segments == before, "the input is unchanged", context)
    _law(strategy.compress(context, task) == result, "same input, same output", result)
    fresh = Context(context.segments)
    _law(strategy.compress(fresh, task) == result, "nothing remembered changes it", result)
    for law, witness in broken_laws(context, result, task, honours_budget=honours):
        _law(False, law, witness)


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
    tools = word_tools(llm=FakeModel(), encode=_letters)
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
    _law(copy == metric and hash(copy) == hash(metric), "equals its copy", metric)
    if not isinstance(metric, FunctionMetric):  # a function goes to a worker by its code
        _law(_pickles(metric), "pickles; a class stands in a module", metric)
    if type(metric).__module__.startswith("ctxlab.metrics"):
        _law(metric_from_spec(metric.spec()) == metric, "its spec rebuilds it", metric.spec())
        _law(parse_metric(str(metric)) == metric, "its text rebuilds it", str(metric))


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
    >>> check_metric_on(Rate(), sample_run(), None)
    """
    given = (run.before.segments, run.after.segments, run.task, probe)
    found = metric.measure(run, probe)
    least, most = metric.traits.bounds
    _law(found is None or isfinite(found), "a number is finite, or None", found)
    _law(found is None or least <= found <= most, f"{metric.traits.unit} is in bounds", found)
    _law(metric.measure(run, probe) == found, "same run, same number", found)
    _law(metric.measure(_fresh(run), probe) == found, "nothing remembered changes it", found)
    now = (run.before.segments, run.after.segments, run.task, probe)
    _law(now == given, "what is given stays unchanged", run)
    if metric.traits.per == "probe":
        _law(metric.measure(run, None) is None, "without a probe it says None", metric)


def _fresh(run: Run) -> Run:
    """Return the same run on contexts that remember nothing."""
    stages = tuple(
        replace(stage, context=Context(stage.context.segments, stage.context.why))
        for stage in run.stages
    )
    return replace(run, before=Context(run.before.segments), stages=stages)


def _law(holds: bool, law: str, witness: object) -> None:
    if not holds:
        raise LawError(f"law broken: {law}; {witness!r}")


def sample_case() -> Case:
    """Return a small conversation with probes of its own, the same every time.

    Examples
    --------
    >>> len(sample_case().messages), len(sample_case().probes)
    (12, 3)
    """
    lines = [
        ("Mira", "Good morning. The covered market has 63 stalls, and 14 of them sell fish."),
        ("Jonas", "Coffee first, please."),
        ("Mira", "At closing time the fish goes into the cold store behind gate 4."),
        ("Jonas", "Who has the key?"),
        ("Mira", "Ilse has it, since the break-in last March."),
        ("Jonas", "It rains again. My bicycle is outside."),
        ("Mira", "The bread stalls give away what is left, about 90 loaves a day."),
        ("Jonas", "I counted 40 yesterday."),
        ("Mira", "Then I was wrong: 40 loaves, not 90. The 90 was before Easter."),
        ("Jonas", "Could a courier take them at six?"),
        ("Mira", "Only if the lift works. It is broken on Tuesdays, do not ask me why."),
        ("Jonas", "Let us meet again on Thursday."),
    ]
    messages = tuple(
        Message(f"m{i}", "user", text, name=name) for i, (name, text) in enumerate(lines)
    )
    probes = (
        Probe("p0", "How many stalls sell fish?", "14", ("m0",), "number"),
        Probe("p1", "Who keeps the key of the cold store?", "Ilse", ("m4",), "person"),
        Probe("p2", "How many loaves are left a day?", "40 loaves", ("m6", "m8"), "correction"),
    )
    return Case("market", "sample", messages, probes)


def sample_run() -> Run:
    """Return a run of `KeepLast` on `sample_case`, of which the newest half is left.

    Examples
    --------
    >>> sample_run().tokens_before, sample_run().tokens_after
    (229, 98)
    """
    from ctxlab.strategies.windows import KeepLast

    case = sample_case()
    return Run.of(KeepLast(), case.context(), Task(budget=115), case)


@cache
def sample_results() -> Results:
    """Return the results of a small experiment on `sample_case`, the same every time.

    Examples
    --------
    >>> sample_results()
    Results(4 trials, 12 probes asked, 3 metrics)
    """
    from ctxlab.bench.grid import Grid

    strategies = ["KeepLast()", "BM25()", "Oracle()", "RandomDrop()"]
    with ThreadPoolExecutor(1) as threads:
        return Grid(strategies, ["40%"], [sample_case()]).run(executor=threads)
