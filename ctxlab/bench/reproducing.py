"""Running an experiment again: the same conversations, strategies and seeds, figure by figure."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ctxlab.bench.case_documents import from_document
from ctxlab.bench.grid import Grid
from ctxlab.bench.manifest import conditions
from ctxlab.bench.results import Results
from ctxlab.core.cases import Case
from ctxlab.core.specs import from_spec, metric_from_spec
from ctxlab.errors import DataError

if TYPE_CHECKING:
    from ctxlab.core.tools import Encoder
    from ctxlab.store import Store

_TIMES = {"Latency"}
"""Metrics that no two runs agree on: they are not compared."""
_NOTED = re.compile(r'<script type="application/json" id="(manifest|rows)">(.*?)</script>', re.S)


@dataclass(frozen=True)
class Recomputed:
    """One figure, as it was and as it is now.

    Examples
    --------
    >>> Recomputed("KeepLast()", "10%", "AllEvidence", 0.5, 0.5).same
    True
    """

    strategy: str
    budget: str
    metric: str
    then: float | None
    now: float | None

    @property
    def same(self) -> bool:
        """Whether both are equal, to nine digits."""
        if self.then is None or self.now is None:
            return self.then is self.now
        return abs(self.then - self.now) <= 1e-9 * max(1.0, abs(self.then))


@dataclass(frozen=True)
class Reproduction:
    """An experiment that was run again: every figure, and what is different about the conditions.

    Parameters
    ----------
    figures : tuple of Recomputed
        One for each strategy, budget and metric.
    conditions : mapping of str to (str, str)
        What differs between the two runs, then and now: versions, digests.

    Examples
    --------
    >>> Reproduction((), {}).same
    True
    """

    figures: tuple[Recomputed, ...]
    conditions: Mapping[str, tuple[str, str]]

    @property
    def different(self) -> list[Recomputed]:
        """The figures that are not the same."""
        return [figure for figure in self.figures if not figure.same]

    @property
    def same(self) -> bool:
        """Whether every figure is the same."""
        return not self.different


def reproduce(
    store: Store,
    experiment: str,
    encoder: Encoder | str | None = None,
    *,
    allow_import: bool = False,
) -> Reproduction:
    """Run a stored experiment again from nothing, and compare every figure.

    Parameters
    ----------
    store : Store
        Where the experiment is kept, with its conversations.
    experiment : str
        Its id, or its name.
    encoder : Encoder or str, optional
        The one that it named, where it needs one.
    allow_import : bool
        Import the strategies and metrics that it names from outside ctxlab.

    Raises
    ------
    NotFoundError
        When there is no such experiment.
    SpecError
        When it names code that may not be imported.

    Examples
    --------
    >>> from ctxlab.store import Store
    >>> from ctxlab.testing import sample_case
    >>> store = Store(":memory:")
    >>> _ = Grid(["KeepLast()"], ["40%"], [sample_case()], name="first").run(store)
    >>> reproduce(store, "first").same
    True
    """
    found = store.runs.experiment(experiment)
    cases = list(map(from_document, store.runs.cases(found.id)))
    then = Results.open(store, found.id)
    now = _again(found.spec, cases, encoder, allow_import)
    return _compared(_figures(then), now, found.manifest)


def reproduce_report(
    path: str | Path,
    cases: Callable[[Mapping[str, Any]], Iterable[Case]],
    encoder: Encoder | str | None = None,
    *,
    allow_import: bool = False,
) -> Reproduction:
    """Run what a report shows again, from the inputs that it names, and compare every figure.

    Parameters
    ----------
    path : str or Path
        A report, as `Results.report` writes it.
    cases : callable
        Reads the conversations of the inputs that the report names.
    encoder : Encoder or str, optional
        The one that it named, where it needs one.
    allow_import : bool
        Import the strategies and metrics that it names from outside ctxlab.

    Raises
    ------
    DataError
        When the file is not a report, or does not say where its conversations came from.

    Examples
    --------
    >>> reproduce_report("/nowhere.html", lambda inputs: [])
    Traceback (most recent call last):
    ctxlab.errors.DataError: /nowhere.html: cannot be read ...
    """
    try:
        noted = dict(_NOTED.findall(Path(path).read_text(encoding="utf-8")))
    except OSError as error:
        problem = f"cannot be read ({error.strerror}); name a report or an experiment"
        raise DataError(problem, str(path)) from error
    if set(noted) != {"manifest", "rows"}:
        raise DataError("is not a report of ctxlab's; name one, or an experiment", str(path))
    then = json.loads(noted["manifest"])
    if not then.get("inputs"):
        raise DataError(
            "does not say where its conversations came from: they were given in Python; "
            "name the experiment and its --store instead",
            str(path),
        )
    now = _again(then["spec"], cases(then["inputs"]), encoder, allow_import)
    figures = {
        (row["strategy"], row["budget"], metric): estimate["mean"]
        for row in json.loads(noted["rows"])
        for metric, estimate in row["metrics"].items()
    }
    return _compared(figures, now, then)


def _again(
    spec: Mapping[str, Any],
    cases: Iterable[Case],
    encoder: Encoder | str | None,
    allow_import: bool,
) -> Results:
    grid = Grid(
        [from_spec(one, allow_import=allow_import) for one in spec["strategies"]],
        spec["budgets"],
        cases,
        metrics=[metric_from_spec(one, allow_import=allow_import) for one in spec["metrics"]],
        seeds=spec["seeds"],
        encoding=spec["encoding"],
        encoder=encoder,
    )
    return grid.run()


def _figures(results: Results) -> dict[tuple[str, str, str], float | None]:
    measured = results.measured
    return {
        (strategy, budget, metric): measured.mean(metric, cell)
        for (strategy, budget), cell in measured.cells.items()
        for metric in measured.metrics
    }


def _compared(
    then: Mapping[tuple[str, str, str], float | None], now: Results, manifest: Mapping[str, Any]
) -> Reproduction:
    again = _figures(now)
    figures = tuple(
        Recomputed(*key, value, again.get(key))
        for key, value in then.items()
        if key[2] not in _TIMES
    )
    return Reproduction(figures, dict(_changed(manifest, {**now.manifest, **conditions()})))


def _changed(
    then: Mapping[str, Any], now: Mapping[str, Any]
) -> Iterator[tuple[str, tuple[str, str]]]:
    for name in ("ctxlab", "python", "cases", "trials", "metrics"):
        if then.get(name) != now.get(name):
            yield name, (str(then.get(name)), str(now.get(name)))
    libraries = then.get("libraries", {}), now["libraries"]
    for name in sorted({*libraries[0], *libraries[1]}):
        old, new = (found.get(name) for found in libraries)
        if old != new:
            yield name, (str(old), str(new))
