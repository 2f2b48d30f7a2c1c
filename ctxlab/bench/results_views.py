"""How results are looked at: charts, the choice, the inspector, the report."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import polars as pl

from ctxlab.bench.breakdowns import breakdown, labels_by, labels_by_age, leads
from ctxlab.bench.choosing import Choices, chosen
from ctxlab.bench.inspecting import Inspection, stored_frames
from ctxlab.bench.leaderboard import Leaderboard
from ctxlab.bench.losses import LostProbe
from ctxlab.core.cases import Case
from ctxlab.core.ledger import billed
from ctxlab.core.strategy import Strategy, Traits
from ctxlab.core.task import Task
from ctxlab.core.tokens import shared_counter
from ctxlab.core.tools import Tools
from ctxlab.core.views import view
from ctxlab.errors import UnknownNameError

Named = str | Strategy | None


class ResultsViews(ABC):
    """What results are shown as. The results themselves say what was measured.

    Examples
    --------
    >>> from ctxlab.testing import sample_results
    >>> isinstance(sample_results(), ResultsViews)
    True
    """

    @abstractmethod
    def leaderboard(self, metric: str | None = None, baseline: Named = None) -> Leaderboard:
        """Return the leaderboard by one metric, against one baseline."""

    @abstractmethod
    def lost(self, strategy: Named = None, budget: str | None = None) -> Iterator[LostProbe]:
        """Yield every probe whose evidence was lost."""

    @abstractmethod
    def strategy_named(self, strategy: str | Strategy) -> str:
        """Return the text of one of the strategies, however it is written."""

    @property
    @abstractmethod
    def trials(self) -> pl.DataFrame:
        """One row a trial."""

    @property
    @abstractmethod
    def manifest(self) -> Mapping[str, Any]:
        """Versions, digests, encoding, seeds, command and machine."""

    @property
    @abstractmethod
    def ledger(self) -> Callable[[str], str]:
        """The compact ledger of a trial, by its hash."""

    cases: Any
    """The conversations, by dataset and id."""
    traits: Any
    """The traits of every strategy."""

    @property
    def encoding(self) -> str:
        """The encoding whose tokens were counted.

        Examples
        --------
        >>> from ctxlab.testing import sample_results
        >>> sample_results().encoding
        'o200k_base'
        """
        return str(self.manifest.get("encoding", ""))

    def choose(
        self, baseline: Named = None, metric: str | None = None, margin: float = 0.02
    ) -> Choices:
        """Say which strategy to take at which budget, and whether that is decisive.

        Of the budgets, the smallest is taken at which the best strategy gives up no more than
        `margin` of the best value; once without the question, once for retrieval.

        Parameters
        ----------
        baseline : str or Strategy, optional
            What is done today; a window, where there is one, when not given.
        metric : str, optional
            What counts; the first when not given.
        margin : float
            How much of the best value may be given up for fewer tokens, in the metric's unit.

        Examples
        --------
        >>> from ctxlab.testing import sample_results
        >>> sample_results().choose(baseline="KeepLast()").recipe().strategy
        BM25()
        """
        board = self.leaderboard(metric, baseline)
        specs = dict(self.trials.select("strategy", "spec").iter_rows())
        seed = int(next(iter(self.manifest.get("seeds") or [0])))
        found = chosen(board, margin)
        return Choices(found, board.baseline, board.metric, self.encoding, margin, specs, seed)

    def inspect(
        self, case: str | None = None, strategies: Sequence[str | Strategy] = ()
    ) -> Inspection:
        """Return a conversation under the strategies at the budgets as they were stored.

        Nothing is compressed again: neither the classes nor the machine need to be those of then.

        Parameters
        ----------
        case : str, optional
            The conversation's id; the first when not given.
        strategies : sequence of str or Strategy, optional
            Those to show; the first four that are no controls when not given.

        Raises
        ------
        UnknownNameError
            When there is no such conversation or strategy.

        Examples
        --------
        >>> from ctxlab.testing import sample_results
        >>> sample_results().inspect("market")
        Inspection('market': 2 strategies at 1 budgets, 3 probes)
        """
        cases: Mapping[tuple[str, str], Case] = self.cases
        traits: Mapping[str, Traits] = self.traits
        ids = [found.id for found in cases.values()]
        if case is not None and case not in ids:
            raise UnknownNameError("conversation of this experiment", case, ids)
        one = next(found for found in cases.values() if case in (None, found.id))
        names = [self.strategy_named(name) for name in strategies]
        names = names or [n for n, t in traits.items() if t.family != "control"][:4]
        tools = Tools.of(shared_counter(self.encoding))
        mine = self.trials.filter(
            (pl.col("dataset") == one.dataset)
            & (pl.col("case_id") == one.id)
            & pl.col("strategy").is_in(names)
            & pl.col("error").is_null()
        ).unique(["strategy", "budget"], keep="first", maintain_order=True)
        frames = {}
        for key, name, budget in mine.select("trial_hash", "strategy", "budget").iter_rows():
            frames.update(stored_frames(one, name, budget, self.ledger(key), tools))
        context = one.context()
        return Inspection(
            one,
            context,
            billed(context, Task(budget=1, tools=tools)),
            {name: traits[name].query_aware and bool(one.probes) for name in names},
            self.trials["budget"].unique(maintain_order=True).to_list(),
            frames,
            one.probes,
        )

    def report(
        self,
        path: str | Path,
        *,
        title: str = "Context compression, compared",
        metric: str | None = None,
        baseline: Named = None,
        inspect: Sequence[str] | None = None,
    ) -> Path:
        """Write one self-contained HTML file: the answer, curves, table, losses, inspector.

        Parameters
        ----------
        path : str or Path
            The file; one of that name is replaced.
        title : str
            The report's heading.
        metric, baseline : str
            As for `leaderboard`.
        inspect : sequence of str, optional
            Ids of conversations to look into; the first when not given.

        Examples
        --------
        >>> import tempfile
        >>> from ctxlab.testing import sample_results
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     sample_results().report(f"{folder}/report.html").exists()
        True
        """
        return Path(
            view("write_report", self, path, title=title, metric=metric, baseline=baseline,
                 inspect=inspect)
        )  # fmt: skip

    def curve(self, metric: str | None = None, baseline: Named = None) -> Any:  # noqa: ANN401 - a chart
        """Return a chart: a metric against the share of tokens kept, with intervals.

        Every chart has the `frame` that it is drawn from, and is written with `save`.

        Examples
        --------
        >>> from ctxlab.testing import sample_results
        >>> sample_results().curve().to_dict()["encoding"]["y"]["title"]
        'all evidence kept'
        """
        return view("availability_curve", self.leaderboard(metric, baseline), self.encoding)

    def pareto(self, metric: str | None = None) -> Any:  # noqa: ANN401 - a chart
        """Return a chart: every strategy at every budget, with the frontier.

        Examples
        --------
        >>> from ctxlab.testing import sample_results
        >>> sample_results().pareto("answer").to_dict()["encoding"]["y"]["title"]
        'answer kept'
        """
        return view("pareto", self.leaderboard(metric), self.encoding)

    def heatmap(self, by: str = "category", metric: str | None = None) -> Any:  # noqa: ANN401 - a chart
        """Return a chart: a metric of every strategy by category, case or dataset.

        Examples
        --------
        >>> from ctxlab.testing import sample_results
        >>> sample_results().heatmap().frame["group"].unique().sort().to_list()
        ['correction', 'number', 'person']
        """
        board = self.leaderboard(metric)
        return view("heatmap", board, breakdown(board, labels_by(board, by)), by)

    def by_age(self, metric: str | None = None) -> Any:  # noqa: ANN401 - a chart
        """Return a chart: a metric by how far back the oldest evidence stands.

        Examples
        --------
        >>> from ctxlab.testing import sample_results
        >>> sample_results().by_age().frame.height
        8
        """
        board = self.leaderboard(metric)
        return view("by_age", board, breakdown(board, labels_by_age(board, self.cases)))

    def forest(self, baseline: Named = None, metric: str | None = None) -> Any:  # noqa: ANN401 - a chart
        """Return a chart: leads over a baseline with their intervals.

        Examples
        --------
        >>> from ctxlab.testing import sample_results
        >>> sample_results().forest(baseline="BM25()").frame["strategy"].to_list()
        ['Oracle()', 'RandomDrop()', 'KeepLast()']
        """
        board = self.leaderboard(metric, baseline)
        return view("forest", board, leads(board))

    def transfer(self, metric: str | None = None) -> Any:  # noqa: ANN401 - a chart
        """Return a chart: whether the order of strategies carries over from dataset to dataset.

        Where there is one dataset, from conversation to conversation.

        Examples
        --------
        >>> from ctxlab.testing import sample_results
        >>> sample_results().transfer().frame.height
        4
        """
        board = self.leaderboard(metric)
        by = "dataset" if board.measured.probes["dataset"].n_unique() > 1 else "case"
        return view("transfer", board, breakdown(board, labels_by(board, by)), by)

    def _repr_html_(self) -> str:
        return str(view("results_html", self))
