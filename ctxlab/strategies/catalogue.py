"""The catalogue: what every strategy is, takes and promises, and what was measured of it."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from importlib.resources import files
from typing import Any

from ctxlab.core.specs import STRATEGIES, parse_metric
from ctxlab.core.strategy import Pipeline, Strategy, Traits
from ctxlab.errors import SpecError

MEASURED = "strategies/measured.json"
"""The figures, in the package, with what they are of and the command that measures them again."""
MISSING = "–"
"""What stands where nothing was measured."""


@dataclass(frozen=True, slots=True)
class Parameter:
    """One parameter of a strategy.

    Examples
    --------
    >>> Parameter("keep", "10", ">= 0", "newest tool results that stay").default
    '10'
    """

    name: str
    default: str
    bounds: str
    meaning: str


@dataclass(frozen=True, slots=True)
class Figure:
    """A measured share from 0 to 1 with its 95 % interval, which one conversation has not.

    Examples
    --------
    >>> str(Figure(0.7, 0.62, 0.78)), str(Figure(0.7, None, None))
    ('70.0 [62.0, 78.0]', '70.0')
    """

    share: float
    low: float | None
    high: float | None

    def __str__(self) -> str:
        if self.low is None or self.high is None:
            return f"{100 * self.share:.1f}"
        return f"{100 * self.share:.1f} [{100 * self.low:.1f}, {100 * self.high:.1f}]"


@dataclass(frozen=True, slots=True)
class CatalogueRow:
    """One strategy of the catalogue; `measured` maps the name of a set to its figure.

    Examples
    --------
    >>> row_of(STRATEGIES.classes()["KeepLast"]).guarantees
    'budget'
    """

    name: str
    summary: str
    traits: Traits
    parameters: tuple[Parameter, ...]
    measured: dict[str, Figure]

    @property
    def guarantees(self) -> str:
        """What it promises beyond what all do (whole groups, pins, order, provenance).

        Examples
        --------
        >>> row_of(STRATEGIES.classes()["Sentences"]).guarantees
        'lossless'
        """
        promises = {"budget": self.traits.honours_budget, "lossless": self.traits.lossless}
        return ", ".join(name for name, held in promises.items() if held)


@dataclass(frozen=True, slots=True)
class Measurement:
    """What the figures of one set are of: which data, how much of it, measured how.

    Parameters
    ----------
    dataset : str
        The name of the split, as `ctxlab.load` takes it.
    categories : tuple of str
        Those of the questions that count; none for all that have evidence.
    measure, budget, encoding : str
        What was measured, at which budget, in whose tokens.
    seeds : tuple of int
        Those of strategies that draw; a figure is the mean over them.
    conversations, questions : int
        How many there were.

    Examples
    --------
    >>> measurements()["LoCoMo"].dataset, measurements()["LoCoMo"].questions
    ('locomo:dev', 622)
    """

    dataset: str
    categories: tuple[str, ...]
    measure: str
    budget: str
    encoding: str
    seeds: tuple[int, ...]
    conversations: int
    questions: int

    def __str__(self) -> str:
        what = parse_metric(self.measure).traits.title
        drawn = f"mean of {len(self.seeds)} seeds"
        return (
            f"{what} at {self.budget}, % [95 % interval], {self.questions} questions on "
            f"{self.conversations} conversations of {self.dataset}, {self.encoding}, {drawn}"
        )


def catalogue() -> list[CatalogueRow]:
    """Return all strategies that there are, family by family.

    Examples
    --------
    >>> "BM25" in [entry.name for entry in catalogue()]
    True
    """
    entries = [row_of(cls) for cls in STRATEGIES.classes().values() if cls is not Pipeline]
    families = list(dict.fromkeys(("control", "window", *(e.traits.family for e in entries))))
    return sorted(entries, key=lambda e: (families.index(e.traits.family), e.name.lower()))


def published() -> list[CatalogueRow]:
    """Return the strategies that were there when the figures were measured, as the docs have it.

    A strategy that is newer has its row in the catalogue, and none in the docs, until then.

    Examples
    --------
    >>> {entry.name for entry in published()} <= {entry.name for entry in catalogue()}
    True
    """
    known = _measured()["shares"]
    return [entry for entry in catalogue() if entry.name in known]


def row_of(cls: type[Strategy]) -> CatalogueRow:
    """Return the entry of one strategy, with its default parameters.

    Examples
    --------
    >>> row_of(STRATEGIES.classes()["MaskObservations"]).parameters[0].name
    'keep'
    """
    ours = cls.__module__.startswith("ctxlab.")
    shares = _measured()["shares"].get(cls.__name__, {}) if ours else {}
    return CatalogueRow(
        cls.__name__,
        (cls.__doc__ or "").strip().partition("\n")[0],
        _traits(cls),
        tuple(_parameters(cls)),
        {name: Figure(*figure) for name, figure in shares.items()},
    )


def measurements() -> dict[str, Measurement]:
    """Return the sets on which the catalogue was measured, by name.

    Examples
    --------
    >>> sorted(measurements())
    ['ExplainMeetSum', 'LoCoMo', 'tau-bench']
    """
    found: dict[str, dict[str, Any]] = _measured()["sets"]
    lists = ("categories", "seeds")
    return {
        name: Measurement(**{**facts, **{key: tuple(facts[key]) for key in lists}})
        for name, facts in found.items()
    }


def command() -> str:
    """Return the command that measures the figures again, on data that anyone can have.

    Examples
    --------
    >>> command().split()[2:4]
    ['python', 'tests/benchmarks/measure_catalogue.py']
    """
    return str(_measured()["command"])


def markdown(entries: Iterable[CatalogueRow]) -> str:
    """Return entries as a table in Markdown, as the docs show it.

    Examples
    --------
    >>> print(markdown([row_of(STRATEGIES.classes()["KeepLast"])]).splitlines()[-1][:24])
    | `KeepLast` | window |
    """
    sets = measurements()
    heads = ["strategy", "family", "question", "needs", "guarantees", "cost", "source", *sets]
    lines = [f"| {' | '.join(heads)} |", "|" + "---|" * len(heads)]
    for entry in entries:
        traits = entry.traits
        cells = [
            f"`{entry.name}`",
            traits.family,
            "yes" if traits.query_aware else "",
            traits.needs,
            entry.guarantees,
            traits.cost,
            traits.source,
            *(str(entry.measured.get(name, MISSING)) for name in sets),
        ]
        lines.append(f"| {' | '.join(cell.replace('|', '/') for cell in cells)} |")
    return "\n".join(lines)


def _traits(cls: type[Strategy]) -> Traits:
    try:
        return cls().traits
    except SpecError:
        # One of somebody's own may have parameters without a default.
        return cls.TRAITS


def _parameters(cls: type[Strategy]) -> Iterable[Parameter]:
    for name, field in cls.model_fields.items():
        required = field.is_required()
        default = "" if required else repr(field.get_default(call_default_factory=True))
        bounds = ", ".join(filter(None, map(_bound, field.metadata)))
        yield Parameter(name, default, bounds, field.description or "")


def _bound(bound: object) -> str:
    signs = {"ge": ">=", "gt": ">", "le": "<=", "lt": "<"}
    return " ".join(f"{s} {getattr(bound, k)}" for k, s in signs.items() if hasattr(bound, k))


def _measured() -> dict[str, Any]:
    text = files("ctxlab").joinpath(MEASURED).read_text(encoding="utf-8")
    found: dict[str, Any] = json.loads(text)
    return found
