"""The one abstraction: a strategy is a frozen value that maps a context to a smaller one."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from time import perf_counter
from typing import ClassVar

from pydantic import SerializeAsAny

from ctxlab.core.context import Context
from ctxlab.core.named import NamedValue
from ctxlab.core.packing import Ranking, group_scores, newest, pack
from ctxlab.core.segments import Note
from ctxlab.core.task import Task
from ctxlab.core.views import view


@dataclass(frozen=True, kw_only=True)
class Traits:
    """What the catalogue says of a strategy.

    Parameters
    ----------
    family : str
        The kind of strategy: ``control``, ``window``, ``ranking``, ``tool traffic``, …
    source : str
        The paper or specification that defines it.
    query_aware : bool
        It reads the query: such a strategy is retrieval, and reported apart.
    needs : str
        What it cannot do without: an encoder, a causal model, a token classifier.
    honours_budget : bool
        Its result never exceeds the budget.
    seeded : bool
        The task's seed changes its result.
    gold : bool
        It reads the gold evidence, as only a ceiling may.
    lossless : bool
        What went in can be computed from what comes out.
    cost : str
        How its time grows with the number of segments n.

    Examples
    --------
    >>> Traits(family="window", source="folklore").query_aware
    False
    """

    family: str
    source: str
    query_aware: bool = False
    needs: str = ""
    honours_budget: bool = True
    seeded: bool = False
    gold: bool = False
    lossless: bool = False
    cost: str = "n"


class Strategy(NamedValue, ABC):
    """Compresses a context. Its fields are its parameters, each with a default.

    Examples
    --------
    >>> from ctxlab.core.segments import Segment
    >>> class Newest(Strategy):
    ...     '''Keeps the newest segment.'''
    ...     def compress(self, context, task):
    ...         return context.keep(context.segments[-1:])
    >>> context = Context((Segment.of("a", "x"), Segment.of("b", "y")))
    >>> Newest().compress(context, Task(budget=9)).text
    'y'
    """

    TRAITS: ClassVar[Traits] = Traits(family="custom", source="", honours_budget=False)

    @abstractmethod
    def compress(self, context: Context, task: Task) -> Context:
        """Return what to keep of `context`, aiming at ``task.budget``."""

    @property
    def traits(self) -> Traits:
        """What the catalogue says of this very value; composites answer for their parts.

        Examples
        --------
        >>> Pipeline().traits.family
        'composition'
        """
        return self.TRAITS

    @property
    def stages(self) -> tuple[Strategy, ...]:
        """The strategies that run in series.

        Examples
        --------
        >>> Pipeline().stages
        ()
        """
        return (self,)

    def ranking(self, context: Context, task: Task) -> Sequence[int] | None:
        """Return the positions of the groups of `context`, the best first; None without a ranking.

        Examples
        --------
        >>> Pipeline().ranking(Context(), Task(budget=1)) is None
        True
        """
        return None

    def _repr_html_(self) -> str:
        return str(view("strategy_html", self))

    def __rshift__(self, other: Strategy) -> Pipeline:
        return Pipeline(steps=self.stages + other.stages)


class Pipeline(Strategy):
    """Strategies one after another: what ``>>`` makes. Pipelines in pipelines flatten.

    Examples
    --------
    >>> Pipeline().compress(Context(), Task(budget=1))
    Context(0 segments, 0 characters)
    """

    steps: tuple[SerializeAsAny[Strategy], ...] = ()

    def model_post_init(self, _: object, /) -> None:
        """Flatten pipelines given as steps, so that composition is associative.

        Examples
        --------
        >>> Pipeline(steps=(Pipeline(),)) == Pipeline()
        True
        """
        flat = tuple(stage for step in self.steps for stage in step.stages)
        object.__setattr__(self, "steps", flat)

    @property
    def traits(self) -> Traits:
        """Query-aware if a step is; within the budget if the last step that sees to it is."""
        parts = [step.traits for step in self.steps]
        return Traits(
            family="composition",
            source="; ".join(dict.fromkeys(part.source for part in parts)),
            query_aware=any(part.query_aware for part in parts),
            needs=", ".join(dict.fromkeys(part.needs for part in parts if part.needs)),
            honours_budget=bool(parts) and parts[-1].honours_budget,
            seeded=any(part.seeded for part in parts),
            gold=any(part.gold for part in parts),
            lossless=all(part.lossless for part in parts),
        )

    @property
    def stages(self) -> tuple[Strategy, ...]:
        """The steps."""
        return self.steps

    def ranking(self, context: Context, task: Task) -> Sequence[int] | None:
        """Return the ranking of the first step, which alone sees the whole context.

        Examples
        --------
        >>> from ctxlab.strategies import BM25, KeepLast
        >>> (BM25() >> KeepLast()).ranking(Context(), Task(budget=1))
        []
        """
        return self.steps[0].ranking(context, task) if self.steps else None

    def compress(self, context: Context, task: Task) -> Context:
        """Run every step on what the one before it left."""
        for step in self.steps:
            context = step.compress(context, task)
        return context

    def __str__(self) -> str:
        return " >> ".join(map(str, self.steps)) or "Pipeline()"

    __repr__ = __str__


class Select(Strategy):
    """Keeps the best groups that fit, in their own order. Subclasses only score.

    Pinned groups are kept first. The others are tried from the highest score down (ties in
    order); one that does not fit is skipped and the next is tried. A ranking that found nothing
    to rank by says so, and keeps the newest.

    Examples
    --------
    >>> from ctxlab.core.segments import Segment
    >>> from ctxlab.core.tools import Tools
    >>> class Longest(Select):
    ...     '''Keeps the longest segments.'''
    ...     def score(self, context, task):
    ...         return [len(segment.text) for segment in context]
    >>> context = Context((Segment.of("a", "xx"), Segment.of("b", "yyyy"), Segment.of("c", "z")))
    >>> Longest().compress(context, Task(budget=5, tools=Tools(count=len))).text
    'yyyyz'
    """

    @abstractmethod
    def score(self, context: Context, task: Task) -> Sequence[float]:
        """Return one number a segment of `context`; the highest are kept."""

    def order(self, scores: Sequence[float]) -> Iterable[int]:
        """Return the positions of groups in the order in which they are tried.

        Examples
        --------
        >>> from ctxlab.strategies import ShortestFirst
        >>> list(ShortestFirst().order([1.0, 3.0]))
        [1, 0]
        """
        return sorted(range(len(scores)), key=lambda group: -scores[group])

    def ranking(self, context: Context, task: Task) -> Sequence[int] | None:
        """Return the positions of the groups in the order in which they are tried.

        Where the scores say nothing, that is from the newest to the oldest.

        Examples
        --------
        >>> from ctxlab.core.segments import Segment
        >>> from ctxlab.strategies import ShortestFirst
        >>> context = Context((Segment.of("a", "a long text"), Segment.of("b", "short")))
        >>> ShortestFirst().ranking(context, Task(budget=1))
        [1, 0]
        """
        scores = group_scores(context, self.score(context, task))
        if self.unmatched(context, task, scores):
            return list(range(len(scores) - 1, -1, -1))
        return list(self.order(scores))

    def unmatched(self, context: Context, task: Task, scores: Sequence[float]) -> str:
        """Return why nothing is ranked, such as a question whose words stand nowhere, or "".

        Parameters
        ----------
        context, task
            What is ranked, and for which question.
        scores : sequence of float
            One for each group.

        Examples
        --------
        >>> from ctxlab.core.segments import Segment
        >>> from ctxlab.strategies import BM25
        >>> context = Context((Segment.of("a", "fish"),))
        >>> BM25().unmatched(context, Task(budget=1, query="Bread?"), [0.0])
        'no message shares a word with the question'
        """
        return ""

    def compress(self, context: Context, task: Task) -> Context:
        """Keep the groups that score highest and fit."""
        if task.fits(context):
            return context
        scores = group_scores(context, self.score(context, task))
        if silence := self.unmatched(context, task, scores):
            note = Note(f"{silence}; the newest are kept", 0.0)
            return context.keep_groups(newest(context, task), lambda _: note)
        order = list(self.order(scores))
        packed = pack(context, task, order)
        ranking = Ranking(context, order, scores, packed.kept, packed.refused)
        return context.keep_groups(packed.kept, ranking.why, ranking.standing)


@dataclass(frozen=True, slots=True)
class Outcome:
    """One stage of one run: sizes in tokens, time in seconds, and the context it left.

    Examples
    --------
    >>> [outcome.after for outcome in run(Pipeline(), Context(), Task(budget=1))]
    [0]
    """

    stage: Strategy
    before: int
    after: int
    fits: bool
    seconds: float
    context: Context


def run(strategy: Strategy, context: Context, task: Task) -> Iterator[Outcome]:
    """Compress, reporting every stage; the last outcome is the answer.

    Examples
    --------
    >>> from ctxlab.core.segments import Segment
    >>> from ctxlab.core.tools import Tools
    >>> context = Context((Segment.of("a", "x"),))
    >>> *_, last = run(Pipeline(), context, Task(budget=9, tools=Tools(count=len)))
    >>> last.context == context
    True
    """
    for stage in strategy.stages or (strategy,):
        before, start = task.size(context), perf_counter()
        context = stage.compress(context, task)
        seconds = perf_counter() - start
        yield Outcome(stage, before, task.size(context), task.fits(context), seconds, context)
