"""Results of an experiment: the leaderboard, paired comparisons, and what was lost."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

import polars as pl

from ctxlab.bench.leaderboard import Leaderboard, MeasureName, Row
from ctxlab.core.budgets import Budget
from ctxlab.core.cases import Case
from ctxlab.core.specs import from_spec, parse
from ctxlab.core.strategy import Strategy, Traits
from ctxlab.core.views import view
from ctxlab.errors import UnknownNameError
from ctxlab.stats import Comparison

if TYPE_CHECKING:
    from ctxlab.store import Store

Lost = Mapping[str, tuple[str, str, float | None, int | None]]


@dataclass(frozen=True)
class LostEvidence:
    """A message of the evidence that did not come through whole, and why.

    Examples
    --------
    >>> LostEvidence("m1", "314 stalls", "KeepLast()", "too old").reason
    'too old'
    """

    id: str
    text: str
    stage: str
    reason: str


@dataclass(frozen=True)
class LostProbe:
    """A probe whose evidence was lost under one strategy at one budget.

    Examples
    --------
    >>> LostProbe("c", "p", "How many?", "314", "number", "KeepLast()", "10%", ()).case
    'c'
    """

    case: str
    probe: str
    question: str
    answer: str
    category: str
    strategy: str
    budget: str
    evidence: tuple[LostEvidence, ...]


class Results:
    """What an experiment measured: show it, ask it, compare with it, save it as a report.

    Parameters
    ----------
    trials : polars.DataFrame
        One row a trial, as the store keeps them.
    outcomes : polars.DataFrame
        One row a trial and probe.
    ledger : callable
        The compact ledger of a trial, by its hash.
    cases : iterable of Case
        The conversations, for the texts of what was lost.

    Examples
    --------
    >>> from ctxlab.testing import sample_results
    >>> for row in sample_results().rows():
    ...     print(row.strategy, row.all_evidence)
    Oracle() 1.0
    BM25() 0.6666666666666666
    RandomDrop() 0.3333333333333333
    KeepLast() 0.0
    """

    def __init__(
        self,
        trials: pl.DataFrame,
        outcomes: pl.DataFrame,
        ledger: Callable[[str], str],
        cases: Iterable[Case],
    ) -> None:
        self.trials, self.outcomes = trials, outcomes
        self._ledger = ledger
        self._cases = {(case.dataset, case.id): case for case in cases}

    @classmethod
    def of(cls, store: Store, experiment: str, cases: Iterable[Case] = ()) -> Results:
        """Read the results of a stored experiment.

        Raises
        ------
        NotFoundError
            When the store holds no such experiment.

        Examples
        --------
        >>> from ctxlab.store import Store
        >>> Results.of(Store(":memory:"), "exp_none")
        Traceback (most recent call last):
        ctxlab.errors.NotFoundError: ...
        """
        return cls(
            store.trials_frame(experiment),
            store.outcomes_frame(experiment),
            store.ledger_of,
            cases or store.cases(),
        )

    @cached_property
    def traits(self) -> dict[str, Traits]:
        """The traits of every strategy, in the order in which they were asked for.

        Examples
        --------
        >>> from ctxlab.testing import sample_results
        >>> sample_results().traits["BM25()"].query_aware
        True
        """
        specs = self.trials.unique("strategy", maintain_order=True).select("strategy", "spec")
        return {name: from_spec(json.loads(spec)).traits for name, spec in specs.iter_rows()}

    def leaderboard(
        self, measure: MeasureName = "all_evidence", baseline: str | Strategy | None = None
    ) -> Leaderboard:
        """Return the leaderboard by one measure, with tests against one baseline.

        Raises
        ------
        UnknownNameError
            When the baseline is not one of the strategies, or there is no such measure.

        Examples
        --------
        >>> from ctxlab.testing import sample_results
        >>> sample_results().leaderboard(baseline="BM25()").baseline
        'BM25()'
        """
        if measure not in get_args(MeasureName):
            raise UnknownNameError("measure", measure, get_args(MeasureName))
        against = None if baseline is None else str(parse(baseline))
        if against is not None and against not in self.traits:
            raise UnknownNameError("baseline", against, self.traits)
        bad = self.trials.filter(pl.col("error").is_not_null())
        counts = bad.group_by("strategy", "budget", maintain_order=True).len()
        failed = {(name, budget): count for name, budget, count in counts.iter_rows()}
        return Leaderboard(self.outcomes, failed, self.traits, measure, against)

    def rows(
        self, measure: MeasureName = "all_evidence", baseline: str | Strategy | None = None
    ) -> list[Row]:
        """Return the leaderboard's rows: budget by budget, the best first.

        Examples
        --------
        >>> from ctxlab.testing import sample_results
        >>> sample_results().rows(measure="answer")[0].strategy
        'Oracle()'
        """
        return self.leaderboard(measure, baseline).rows()

    def frame(self, measure: MeasureName = "all_evidence") -> pl.DataFrame:
        """Return the leaderboard as a frame: one row a strategy and budget.

        Examples
        --------
        >>> from ctxlab.testing import sample_results
        >>> sample_results().frame().shape[0]
        4
        """
        return pl.DataFrame([asdict(row) for row in self.rows(measure)], infer_schema_length=None)

    def compare(
        self,
        a: str | Strategy,
        b: str | Strategy,
        *,
        budget: str | int | Budget | None = None,
        measure: MeasureName = "all_evidence",
        margin: float = 0.02,
    ) -> Comparison:
        """Compare two strategies, paired by probe; its `sentence` says whether it is decisive.

        Parameters
        ----------
        a, b : str or Strategy
            Two of the experiment's strategies.
        budget : str, int or Budget, optional
            One of the experiment's; the first when not given.
        measure : str
            What they are compared by.
        margin : float
            How much worse `a` may be and still count as not inferior.

        Examples
        --------
        >>> from ctxlab.testing import sample_results
        >>> comparison = sample_results().compare("BM25()", "KeepLast()")
        >>> comparison.decisive
        False
        """
        board = self.leaderboard(measure)
        names = [str(parse(x)) for x in (a, b)]
        for name in names:
            if name not in self.traits:
                raise UnknownNameError("strategy of this experiment", name, self.traits)
        budgets = self.trials["budget"].unique(maintain_order=True).to_list()
        at = budgets[0] if budget is None else str(Budget.parse(budget))
        if at not in budgets:
            raise UnknownNameError("budget of this experiment", at, budgets)
        return board.compare(names[0], names[1], at, margin=margin)

    def failures(self) -> list[tuple[str, str, str]]:
        """Return strategy, conversation and error of every trial that failed.

        Examples
        --------
        >>> from ctxlab.testing import sample_results
        >>> sample_results().failures()
        []
        """
        bad = self.trials.filter(pl.col("error").is_not_null())
        return bad.select("strategy", "case_id", "error").rows()

    def lost(
        self, strategy: str | Strategy | None = None, budget: str | None = None
    ) -> Iterator[LostProbe]:
        """Yield every probe whose evidence was lost, with the messages and the reasons.

        Examples
        --------
        >>> from ctxlab.testing import sample_results
        >>> next(sample_results().lost("KeepLast()")).evidence[0].reason
        'older than the newest messages that fit'
        """
        wanted = self.outcomes.filter(pl.col("all_evidence") < 1)
        if strategy is not None:
            wanted = wanted.filter(pl.col("strategy") == str(parse(strategy)))
        if budget is not None:
            wanted = wanted.filter(pl.col("budget") == str(Budget.parse(budget)))
        for (key,), rows in wanted.group_by("trial_hash", maintain_order=True):
            runs = json.loads(self._ledger(str(key)))["runs"]
            lost = {(run["probe"], run["at"]): run["lost"] for run in runs}
            for row in rows.iter_rows(named=True):
                yield self._lost_probe(row, lost)

    def _lost_probe(
        self, row: Mapping[str, Any], lost: Mapping[tuple[str | None, str | None], Lost]
    ) -> LostProbe:
        case = self._cases[row["dataset"], row["case_id"]]
        probe = next(probe for probe in case.probes if probe.id == row["probe_id"])
        asked = probe.id if (probe.id, probe.at) in lost else None
        gone = lost[asked, probe.at]
        evidence = tuple(
            LostEvidence(message.id, message.content, stage, reason)
            for message in case.messages
            if message.id in probe.evidence and f"message:{message.id}" in gone
            for stage, reason, *_ in [gone[f"message:{message.id}"]]
        )
        where = f"{case.dataset} {case.id}"
        return LostProbe(
            where,
            probe.id,
            probe.question,
            probe.answer,
            probe.category,
            row["strategy"],
            row["budget"],
            evidence,
        )

    def report(
        self,
        path: str | Path,
        *,
        title: str = "Context compression, compared",
        measure: MeasureName = "all_evidence",
        baseline: str | Strategy | None = None,
        reproduce: Mapping[str, str] | None = None,
    ) -> Path:
        """Write one self-contained HTML file: curves, frontier, table, verdicts, what was lost.

        Parameters
        ----------
        path : str or Path
            The file; one of that name is replaced.
        title : str
            The report's heading.
        measure, baseline : str
            As for `leaderboard`.
        reproduce : mapping of str to str, optional
            What else tells a reader how to run it again, such as the command.

        Examples
        --------
        >>> import tempfile
        >>> from ctxlab.testing import sample_results
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     sample_results().report(f"{folder}/report.html").exists()
        True
        """
        board = self.leaderboard(measure, baseline)
        verdicts = [(budget, comparison.sentence) for budget, comparison in board.verdicts()]
        facts = dict(reproduce or {}) | self._facts()
        lost = list(self.lost())
        return Path(
            view(
                "write_report",
                path,
                title=title,
                rows=board.rows(),
                verdicts=verdicts,
                lost=lost,
                reproduce=facts,
                measure=measure,
            )
        )

    def _facts(self) -> dict[str, str]:
        def listed(column: str) -> str:
            return ", ".join(map(str, self.trials[column].unique(maintain_order=True).to_list()))

        return {
            "ctxlab": listed("version"),
            "encoding": listed("encoding"),
            "seeds": listed("seed"),
            "budgets": listed("budget"),
            "conversations": str(self.trials.select("dataset", "case_id").n_unique()),
            "trials": hashlib.sha256("".join(self.trials["trial_hash"]).encode()).hexdigest(),
        }

    def _repr_html_(self) -> str:
        return str(view("leaderboard_html", [asdict(row) for row in self.rows()]))

    def __repr__(self) -> str:
        return f"Results({self.trials.height} trials, {self.outcomes.height} probes asked)"
