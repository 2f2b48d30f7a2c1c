"""What a strategy is asked to do, and what that costs in tokens."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace

from ctxlab.core.context import Context, Remembered
from ctxlab.core.segments import Segment
from ctxlab.core.tokens import Billable
from ctxlab.core.tools import Tools
from ctxlab.errors import BudgetError


@dataclass(frozen=True, slots=True)
class Costs:
    """What every segment of a context costs, in tokens: its text, and its message's overhead.

    Examples
    --------
    >>> Costs([2], [4]).overheads
    [4]
    """

    texts: list[int]
    overheads: list[int]


@dataclass(frozen=True)
class _CostsOf(Remembered[Costs]):
    """The costs of segments, as they are counted."""

    count: Callable[[str], int]
    overhead: Callable[[Billable], int]


@dataclass(frozen=True)
class _SizeBy(Remembered[int]):
    """The size of a context as a chat, as it is counted."""

    count: Callable[[str], int]
    overhead: Callable[[Billable], int]
    reply: int


@dataclass(frozen=True, kw_only=True)
class Task:
    """What is wanted, and the tools to get it.

    Parameters
    ----------
    budget : int
        Tokens that the result may take as a chat, at least 1.
    tools : Tools
        How to count, encode and ask.
    query : str
        What the context will be asked; empty when it is not known.
    seed : int
        Seeds whatever is random.
    evidence : frozenset of str
        Sources that prove the answer: set by the bench, for `Oracle` alone.

    Raises
    ------
    BudgetError
        When the budget is not positive.

    Examples
    --------
    >>> from ctxlab.core.segments import Message
    >>> Task(budget=100).size(Context.of([Message("m1", "user", "Hi")]))
    8
    """

    budget: int
    tools: Tools = field(default_factory=Tools.of)
    query: str = ""
    seed: int = 0
    evidence: frozenset[str] = frozenset()

    def __post_init__(self) -> None:
        if self.budget < 1:
            raise BudgetError(f"budget {self.budget} is not positive; ask for at least 1 token")

    def tokens(self, segment: Segment) -> int:
        """Return the tokens of a segment's own text.

        Examples
        --------
        >>> Task(budget=1).tokens(Segment.of("a", "Hello world"))
        2
        """
        return self.tools.count(segment.text)

    def costs(self, context: Context) -> Costs:
        """Return what every segment of `context` costs, counted once for each context.

        Examples
        --------
        >>> Task(budget=1, tools=Tools(count=len)).costs(Context((Segment.of("a", "xy"),))).texts
        [2]
        """
        tools = self.tools

        def measure() -> Costs:
            texts = [segment.text for segment in context]
            counts = list(tools.count_many(texts) if tools.count_many else map(tools.count, texts))
            return Costs(counts, [tools.overhead(segment) for segment in context])

        return context.memo(_CostsOf(tools.count, tools.overhead), measure)

    def prime(self, context: Context, costs: Costs) -> None:
        """Take over the costs of a context that were counted before, as of the same segments.

        Examples
        --------
        >>> task, context = Task(budget=1), Context((Segment.of("a", "xy"),))
        >>> task.prime(context, Costs([1], [4]))
        >>> task.size(context)
        8
        """
        context.memo(_CostsOf(self.tools.count, self.tools.overhead), lambda: costs)

    def size(self, context: Context) -> int:
        """Return what `context` is billed as a chat; an empty one costs nothing.

        Counts add up segment by segment; neighbouring segments of one source are one message
        and pay its overhead once.

        Examples
        --------
        >>> Task(budget=1).size(Context())
        0
        """
        key = _SizeBy(self.tools.count, self.tools.overhead, self.tools.reply)
        return context.memo(key, lambda: self._measure(context))

    def _measure(self, context: Context) -> int:
        if not context:
            return 0
        costs = self.costs(context)
        return (
            self.tools.reply
            + sum(costs.texts)
            + sum(costs.overheads[start] for start in context.turn_starts)
        )

    def pinned(self, context: Context) -> int:
        """Return what the pinned groups of `context` are billed, the reply's priming included.

        Examples
        --------
        >>> Task(budget=9, tools=Tools(count=len)).pinned(Context((Segment.of("a", "hi"),)))
        0
        """
        return self.size(context.pinned) if context.pinned_groups else self.tools.reply

    def fits(self, context: Context) -> bool:
        """Say whether `context` is within the budget.

        Examples
        --------
        >>> Task(budget=1).fits(Context())
        True
        """
        return self.size(context) <= self.budget

    def within(self, budget: int) -> Task:
        """Return the same task with another budget.

        Examples
        --------
        >>> Task(budget=1).within(9).budget
        9
        """
        return replace(self, budget=budget)
