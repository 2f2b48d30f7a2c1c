"""One compression of one context: what went in, every stage, what came out, and why."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from ctxlab.core.cases import Case
from ctxlab.core.context import Context
from ctxlab.core.ledger import LedgerEntry, ledger
from ctxlab.core.strategy import Outcome, Strategy, run
from ctxlab.core.task import Task


@dataclass(frozen=True)
class Run:
    """A strategy's run on a context: what metrics measure.

    Parameters
    ----------
    strategy : Strategy
        What compressed.
    before : Context
        What went in.
    task : Task
        The budget, in tokens, the query, and the tools that count.
    stages : tuple of Outcome
        Every stage of the run; the last one's context is the result. Empty where nothing ran.
    case : Case, optional
        The conversation that the context is of, where it is one.

    Examples
    --------
    >>> from ctxlab.strategies.windows import KeepLast
    >>> from ctxlab.testing import sample_case
    >>> done = Run.of(KeepLast(), sample_case().context(), Task(budget=60))
    >>> len(done.before), len(done.after), done.tokens_after
    (12, 3, 57)
    """

    strategy: Strategy
    before: Context
    task: Task
    stages: tuple[Outcome, ...]
    case: Case | None = None

    @classmethod
    def of(cls, strategy: Strategy, context: Context, task: Task, case: Case | None = None) -> Run:
        """Compress `context`, and keep every stage.

        Examples
        --------
        >>> from ctxlab.strategies.controls import Identity
        >>> Run.of(Identity(), Context(), Task(budget=9)).after
        Context(0 segments, 0 characters)
        """
        return cls(strategy, context, task, tuple(run(strategy, context, task)), case)

    @property
    def after(self) -> Context:
        """What came out."""
        return self.stages[-1].context if self.stages else self.before

    @property
    def tokens_before(self) -> int:
        """Tokens that went in, as they are billed as a chat."""
        return self.task.size(self.before)

    @property
    def tokens_after(self) -> int:
        """Tokens that came out, as they are billed as a chat."""
        return self.task.size(self.after)

    @property
    def seconds(self) -> float:
        """Seconds that the stages took."""
        return sum(outcome.seconds for outcome in self.stages)

    @cached_property
    def ledger(self) -> tuple[LedgerEntry, ...]:
        """What became of every segment that went in, at which stage, and why."""
        return tuple(ledger(self.before, self.stages, self.task))


class KnownRun(Run):
    """A run whose result is known from before; it is run again for its stages or ledger alone.

    Parameters
    ----------
    result : Context
        What came out.
    took : float
        Seconds that it took.

    Examples
    --------
    >>> from ctxlab.strategies.windows import KeepLast
    >>> from ctxlab.testing import sample_case
    >>> context, task = sample_case().context(), Task(budget=60)
    >>> result = KeepLast().compress(context, task)
    >>> known = KnownRun(KeepLast(), context, task, result, took=0.5)
    >>> known.after is result, known.seconds, len(known.stages)
    (True, 0.5, 1)
    """

    def __init__(
        self,
        strategy: Strategy,
        before: Context,
        task: Task,
        result: Context,
        took: float,
        case: Case | None = None,
    ) -> None:
        given = {"strategy": strategy, "before": before, "task": task, "case": case}
        for name, value in (given | {"_result": result, "_took": took}).items():
            object.__setattr__(self, name, value)

    @cached_property
    def stages(self) -> tuple[Outcome, ...]:
        """Every stage, run when somebody looks at it."""
        return tuple(run(self.strategy, self.before, self.task))

    @property
    def after(self) -> Context:
        """What came out, then."""
        result: Context = self.__dict__["_result"]
        return result

    @property
    def seconds(self) -> float:
        """Seconds that it took, then."""
        took: float = self.__dict__["_took"]
        return took
