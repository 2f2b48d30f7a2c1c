"""Results of an experiment: the leaderboard, paired comparisons, and what was lost."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any

import polars as pl

from ctxlab.bench.board_choices import checked_metric, default_baseline
from ctxlab.bench.board_rows import BoardRow
from ctxlab.bench.leaderboard import Leaderboard
from ctxlab.bench.losses import LostProbe, lost_probes
from ctxlab.bench.measured import Measured
from ctxlab.bench.results_tables import ResultsTables
from ctxlab.bench.results_views import ResultsViews
from ctxlab.bench.stored_results import Stored, stored_results
from ctxlab.bench.verdicts import Verdicts
from ctxlab.core.budgets import Budget
from ctxlab.core.cases import Case
from ctxlab.core.strategy import Strategy, Traits
from ctxlab.errors import UnknownNameError
from ctxlab.stats import Weights

if TYPE_CHECKING:
    from ctxlab.store import Store


class Results(ResultsTables, ResultsViews):
    """What an experiment measured: show it, ask it, compare with it, save it as a report.

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

    def __init__(self, stored: Stored) -> None:
        self.stored = stored
        """What was read: frames, metrics and the manifest."""

    @classmethod
    def open(cls, store: Store, experiment: str) -> Results:
        """Open a stored experiment: the newest of a name, or one by its id.

        Nothing but the store is needed: neither the conversations' files nor the classes of the
        strategies and metrics.

        Raises
        ------
        NotFoundError
            When the store holds no such experiment.

        Examples
        --------
        >>> from ctxlab.store import Store
        >>> Results.open(Store(":memory:"), "first")
        Traceback (most recent call last):
        ctxlab.errors.NotFoundError: no experiment 'first' in the store; ...
        """
        return cls.of(store, experiment)

    @classmethod
    def of(cls, store: Store, experiment: str, cases: Iterable[Case] = ()) -> Results:
        """Read the results of a stored experiment, with its conversations where they are at hand.

        Examples
        --------
        >>> from ctxlab.store import Store
        >>> Results.of(Store(":memory:"), "exp_none")
        Traceback (most recent call last):
        ctxlab.errors.NotFoundError: ...
        """
        return cls(stored_results(store, experiment, tuple(cases)))

    @property
    def trials(self) -> pl.DataFrame:
        """One row per trial, as the store keeps them."""
        return self.stored.trials

    @property
    def outcomes(self) -> pl.DataFrame:
        """One row per trial and probe: what it was asked of, sizes in tokens, seconds."""
        return self.stored.outcomes

    @property
    def manifest(self) -> Mapping[str, Any]:
        """Versions, digests, encoding, seeds, command and machine."""
        return self.stored.manifest

    @property
    def ledger(self) -> Callable[[str], str]:
        """The compact ledger of a trial, by its hash."""
        return self.stored.ledger

    @cached_property
    def measured(self) -> Measured:
        """All values as arrays."""
        stored = self.stored
        return Measured(stored.outcomes, stored.values, stored.metrics)

    @cached_property
    def cases(self) -> dict[tuple[str, str], Case]:
        """The conversations, by dataset and id."""
        return {(case.dataset, case.id): case for case in self.stored.cases()}

    @cached_property
    def traits(self) -> dict[str, Traits]:
        """The traits of every strategy, in the order in which they were asked for.

        Examples
        --------
        >>> from ctxlab.testing import sample_results
        >>> sample_results().traits["BM25()"].query_aware
        True
        """
        found = self.trials.unique("strategy", maintain_order=True).select("strategy", "traits")
        return {name: Traits(**json.loads(traits)) for name, traits in found.iter_rows()}

    def leaderboard(
        self,
        metric: str | None = None,
        baseline: str | Strategy | None = None,
        weights: Weights = "question",
    ) -> Leaderboard:
        """Return the leaderboard by one metric, with leads and tests against one baseline.

        Parameters
        ----------
        metric : str, optional
            The name of one that was measured; the first when not given.
        baseline : str or Strategy, optional
            A strategy of the experiment; a window, where there is one, when not given.
        weights : {"question", "conversation"}
            What counts once in means, intervals and tests.

        Raises
        ------
        UnknownNameError
            When there is no such metric, or the baseline is not one of the strategies.

        Examples
        --------
        >>> from ctxlab.testing import sample_results
        >>> sample_results().leaderboard(baseline="BM25()").baseline
        'BM25()'
        """
        metrics = self.measured.metrics
        chosen = checked_metric(metric or next(iter(metrics)), metrics)
        against = (
            self.strategy_named(baseline) if baseline is not None else default_baseline(self.traits)
        )
        bad = self.trials.filter(pl.col("error").is_not_null())
        counts = bad.group_by("strategy", "budget", maintain_order=True).len()
        failed = {(name, budget): count for name, budget, count in counts.iter_rows()}
        return Leaderboard(self.measured, failed, self.traits, chosen, against, weights)

    def strategy_named(self, strategy: str | Strategy) -> str:
        """Return the text of one of the experiment's strategies, however it is written.

        Raises
        ------
        UnknownNameError
            When it is none of them; the message offers the nearest.

        Examples
        --------
        >>> from ctxlab.testing import sample_results
        >>> sample_results().strategy_named("BM25")
        'BM25()'
        """
        text = str(strategy)
        for name in (text, f"{text}()"):
            if name in self.traits:
                return name
        squeezed = {"".join(name.split()): name for name in self.traits}
        found = squeezed.get("".join(text.split()))
        if found is None:
            raise UnknownNameError("strategy of this experiment", text, self.traits)
        return found

    def rows(
        self, metric: str | None = None, baseline: str | Strategy | None = None
    ) -> list[BoardRow]:
        """Return the leaderboard's rows: budget by budget, the best first.

        Examples
        --------
        >>> from ctxlab.testing import sample_results
        >>> sample_results().rows(metric="answer")[0].strategy
        'Oracle()'
        """
        return self.leaderboard(metric, baseline).rows()

    def frame(self, metric: str | None = None) -> pl.DataFrame:
        """Return the leaderboard as a frame: one row per strategy and budget.

        Every metric has columns ``NAME``, ``NAME_low``, ``NAME_high``, ``NAME_p`` and ``NAME_n``.

        Examples
        --------
        >>> from ctxlab.testing import sample_results
        >>> sample_results().frame()["EvidenceTokens_n"].to_list()
        [3, 3, 3, 3]
        """
        rows = []
        for row in self.rows(metric):
            fields = row.as_dict()
            for name, found in fields.pop("metrics").items():
                fields[name] = found["mean"]
                fields |= {f"{name}_{end}": found[end] for end in ("low", "high", "n")}
                fields[f"{name}_p"] = found["p_value"]
            rows.append(fields)
        return pl.DataFrame(rows, infer_schema_length=None)

    def compare(
        self,
        a: str | Strategy,
        b: str | Strategy,
        *,
        budget: str | int | Budget | None = None,
        metric: str | None = None,
        margin: float = 0.02,
    ) -> Verdicts:
        """Compare two strategies, paired by probe; `sentence` says whether it is decisive.

        Parameters
        ----------
        a, b : str or Strategy
            Two of the experiment's strategies.
        budget : str, int or Budget, optional
            One of the experiment's; every one when not given.
        metric : str, optional
            What they are compared by; the first when not given.
        margin : float
            How much worse `a` may be and still count as not inferior.

        Examples
        --------
        >>> from ctxlab.testing import sample_results
        >>> sample_results().compare("BM25()", "KeepLast()").decisive
        False
        """
        board = self.leaderboard(metric)
        first, second = self.strategy_named(a), self.strategy_named(b)
        budgets = self.trials["budget"].unique(maintain_order=True).to_list()
        at = budgets if budget is None else [str(Budget.parse(budget))]
        if at[0] not in budgets:
            raise UnknownNameError("budget of this experiment", at[0], budgets)
        found = (board.compare(first, second, each, margin=margin) for each in at)
        return Verdicts(tuple(at), tuple(found))

    def failures(self) -> list[tuple[str, str, str]]:
        """Return strategy, conversation and error of every trial, and every metric, that failed.

        Examples
        --------
        >>> from ctxlab.testing import sample_results
        >>> sample_results().failures()
        []
        """
        bad = self.trials.filter(pl.col("error").is_not_null())
        metrics = [
            (strategy, case, f"metric {metric}: {error}")
            for strategy, case, metric, error in self.stored.metric_failures
        ]
        return bad.select("strategy", "case_id", "error").rows() + metrics

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
        keys = [key for key, (name, _) in self.stored.metrics.items() if name == "AllEvidence"]
        short = self.stored.values.filter(
            pl.col("metric_key").is_in(keys) & (pl.col("value") < 1)
        ).select("trial_hash", "position")
        wanted = self.outcomes.join(
            short, on=["trial_hash", "position"], how="semi", maintain_order="left"
        )
        if strategy is not None:
            wanted = wanted.filter(pl.col("strategy") == self.strategy_named(strategy))
        if budget is not None:
            wanted = wanted.filter(pl.col("budget") == str(Budget.parse(budget)))
        return lost_probes(wanted, self.stored.ledger, self.cases)

    def __repr__(self) -> str:
        asked = f"{self.outcomes.height} probes asked"
        return f"Results({self.trials.height} trials, {asked}, {len(self.stored.metrics)} metrics)"
