"""The laws of strategies, run by hypothesis on yours and on ours."""

from __future__ import annotations

from ctxlab.core.context import Context
from ctxlab.core.laws import broken_laws
from ctxlab.core.segments import Message
from ctxlab.core.specs import from_spec, parse
from ctxlab.core.strategy import Pipeline, Strategy
from ctxlab.core.task import Task
from ctxlab.core.tools import Tools
from ctxlab.errors import PinnedOverBudgetError
from ctxlab.testing.broken import must
from ctxlab.testing.fakes import FakeModel, capitals, chats, letters, word_lengths, word_tools


def check_laws(
    strategy: Strategy | type[Strategy], *, examples: int = 100, tools: Tools | None = None
) -> None:
    """Run every law on `strategy` with hypothesis.

    Parameters
    ----------
    strategy : Strategy
        Yours or ours, registered or not; a class is made with its defaults.
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

    strategy = parse(strategy, allow_import=True)
    used = tools or word_tools(
        llm=FakeModel(), encode=letters, surprisal=word_lengths, classify=capitals
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


def check_value(strategy: Strategy) -> None:
    """Check that `strategy` is a value: equal to its copy, hashable, rebuilt by spec and text.

    Examples
    --------
    >>> from ctxlab.strategies import BM25
    >>> check_value(BM25(neighbours=2))
    """
    copy = strategy.model_copy()
    must(copy == strategy and hash(copy) == hash(strategy), "equals its copy", strategy)
    if type(strategy).__module__.startswith("ctxlab."):
        must(from_spec(strategy.spec()) == strategy, "its spec rebuilds it", strategy.spec())
        must(parse(str(strategy)) == strategy, "its text rebuilds it", str(strategy))
    ends = Pipeline() >> strategy, strategy >> Pipeline()
    must(ends[0] == ends[1], ">> is associative", ends)


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
        must(over, "pins are too large only when they are", task)
        return
    must(context.segments == before, "the input is unchanged", context)
    must(strategy.compress(context, task) == result, "same input, same output", result)
    fresh = Context(context.segments)
    must(strategy.compress(fresh, task) == result, "nothing remembered changes it", result)
    for law, witness in broken_laws(context, result, task, honours_budget=honours):
        must(False, law, witness)
