"""The second abstraction: a metric is a frozen value that says one number of a run."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from inspect import signature
from math import inf
from typing import Any, ClassVar, Literal

from ctxlab.core.cases import Probe
from ctxlab.core.named import NamedValue
from ctxlab.core.run import Run
from ctxlab.core.views import view

Unit = Literal["share", "tokens", "count", "ratio", "seconds", "USD", "value"]
"""What a number counts. A share lies between 0 and 1; a value is whatever its author says."""
Better = Literal["higher", "lower"]
"""Which direction is better."""


@dataclass(frozen=True, kw_only=True)
class MetricTraits:
    """What every view needs to know of a metric to show it.

    Parameters
    ----------
    title : str
        A few words for a column or an axis: ``"all evidence kept"``.
    unit : str
        What the number counts: ``share``, ``tokens``, ``count``, ``ratio``, ``seconds``,
        ``USD`` or ``value``.
    better : {"higher", "lower"}
        Which direction is better.
    per : {"run", "probe"}
        Whether it is asked once for each run, or once for each probe of it.
    family : str
        What it looks at: ``availability``, ``retention``, ``invention``, ``cost``, …
    source : str
        The paper or specification that defines it.
    needs : str
        What it cannot do without, such as ``probes``, ``evidence``, ``language model``.
    oracle : bool
        No selection of whole messages scores higher than `Oracle`, which keeps the gold
        evidence: only then does a skill between the random draw and the oracle make sense.

    Examples
    --------
    >>> MetricTraits(title="tokens left", unit="tokens", better="lower", per="run").bounds
    (0.0, inf)
    """

    title: str
    unit: Unit = "value"
    better: Better = "higher"
    per: Literal["run", "probe"] = "run"
    family: str = "custom"
    source: str = ""
    needs: str = ""
    oracle: bool = False

    @property
    def bounds(self) -> tuple[float, float]:
        """The least and the most that the unit allows."""
        match self.unit:
            case "share":
                return 0.0, 1.0
            case "value":
                return -inf, inf
        return 0.0, inf


class Metric(NamedValue, ABC):
    """Says one number of a run, or of a run and a probe. Its fields are its parameters.

    Examples
    --------
    >>> class Questions(Metric):
    ...     '''Question marks that are left.'''
    ...     TRAITS = MetricTraits(title="question marks", unit="count")
    ...     def measure(self, run, probe):
    ...         return float(run.after.text.count("?"))
    >>> from ctxlab.testing import sample_run
    >>> Questions().measure(sample_run(), None)
    1.0
    """

    TRAITS: ClassVar[MetricTraits]

    @property
    def traits(self) -> MetricTraits:
        """What views need to know of this very value."""
        return self.TRAITS

    @property
    def name(self) -> str:
        """What rows, columns and files call it: its class, and the parameters that differ.

        Examples
        --------
        >>> from ctxlab.metrics.availability import AllEvidence
        >>> AllEvidence().name
        'AllEvidence'
        """
        return str(self).removesuffix("()")

    def _repr_html_(self) -> str:
        return str(view("metric_html", self))

    @abstractmethod
    def measure(self, run: Run, probe: Probe | None) -> float | None:
        """Return the number, or None where the metric does not apply.

        Parameters
        ----------
        run : Run
            What was compressed, and how.
        probe : Probe or None
            The question; None for a metric of the run alone.
        """


class FunctionMetric(Metric):
    """A plain function as a metric: ``f(run, probe)``, or ``f(run)`` for the run alone.

    Examples
    --------
    >>> def letters(run):
    ...     return len(run.after.text)
    >>> FunctionMetric(function=letters).name, FunctionMetric(function=letters).traits.per
    ('letters', 'run')
    """

    function: Callable[..., float | None]
    shown: MetricTraits | None = None

    @property
    def traits(self) -> MetricTraits:
        """Those that it was given; else its name in words, and that higher is better."""
        per: Literal["run", "probe"] = (
            "probe" if len(signature(self.function).parameters) > 1 else "run"
        )
        return self.shown or MetricTraits(title=self.name.replace("_", " "), per=per)

    @property
    def name(self) -> str:
        """The function's name."""
        return self.function.__name__

    def measure(self, run: Run, probe: Probe | None) -> float | None:
        """Call the function."""
        found = self.function(run, probe) if self.traits.per == "probe" else self.function(run)
        return None if found is None else float(found)

    def spec(self) -> dict[str, Any]:
        """Return the place of the function: enough to import it again."""
        return {str(self): {}}

    def __str__(self) -> str:
        return f"{self.function.__module__}:{self.function.__qualname__}"

    __repr__ = __str__


def as_metric(value: Metric | Callable[..., float | None]) -> Metric:
    """Return a metric: a plain function, or the class of one, becomes one.

    Examples
    --------
    >>> as_metric(lambda run: 1.0).traits.per
    'run'
    """
    if isinstance(value, Metric):
        return value
    if isinstance(value, type) and issubclass(value, Metric):
        return value()
    return FunctionMetric(function=value)
