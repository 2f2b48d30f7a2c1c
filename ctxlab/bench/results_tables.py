"""Tables of results that a leaderboard does not show: by group, what transfers, what is needed."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping

import polars as pl

from ctxlab.bench.breakdowns import breakdown, labels_by, labels_by_age
from ctxlab.bench.held_out import transfer_table
from ctxlab.bench.leaderboard import Leaderboard
from ctxlab.bench.places import labels_by_position
from ctxlab.bench.power_table import Power, power
from ctxlab.core.cases import Case
from ctxlab.core.strategy import Strategy
from ctxlab.errors import UnknownNameError
from ctxlab.stats import Weights

GROUPINGS = ("category", "age", "position", "conversation", "dataset")
"""What results are told apart by."""


class ResultsTables(ABC):
    """What `Results` says in tables, each a frame.

    Examples
    --------
    >>> from ctxlab.testing import sample_results
    >>> isinstance(sample_results(), ResultsTables)
    True
    """

    @property
    @abstractmethod
    def cases(self) -> Mapping[tuple[str, str], Case]:
        """The conversations, by dataset and id."""

    @abstractmethod
    def leaderboard(
        self,
        metric: str | None = None,
        baseline: str | Strategy | None = None,
        weights: Weights = "question",
    ) -> Leaderboard:
        """Return the leaderboard by one metric."""

    def by(
        self, grouping: str, metric: str | None = None, weights: Weights = "question"
    ) -> pl.DataFrame:
        """Return a metric of every strategy and budget by group, with intervals.

        Parameters
        ----------
        grouping : {"category", "age", "position", "conversation", "dataset"}
            Age and position are those of the oldest piece of evidence: in which fifth of what
            was said before the question, counted backwards, and of the whole conversation.
        metric : str, optional
            The name of one that was measured; the first when not given.
        weights : {"question", "conversation"}
            What counts once.

        Returns
        -------
        polars.DataFrame
            ``strategy, budget, group, value, low, high, n, conversations``.

        Raises
        ------
        UnknownNameError
            When it is none of these; the message offers the nearest.

        Examples
        --------
        >>> from ctxlab.testing import sample_results
        >>> found = sample_results().by("category").filter(strategy="BM25()")
        >>> found.select("group", "value", "n").rows()
        [('number', 1.0, 1), ('person', 0.0, 1), ('correction', 1.0, 1)]
        """
        if grouping not in GROUPINGS:
            raise UnknownNameError("grouping", grouping, GROUPINGS)
        board = self.leaderboard(metric, weights=weights)
        match grouping:
            case "age":
                labels = labels_by_age(board, self.cases)
            case "position":
                labels = labels_by_position(board, self.cases)
            case _:
                labels = labels_by(board, {"conversation": "case"}.get(grouping, grouping))
        return breakdown(board, labels)

    def held_out(self, metric: str | None = None) -> pl.DataFrame:
        """Return the transfer table: what some datasets would choose, and what it keeps elsewhere.

        For each dataset that is left out, ``chosen_on`` names another, or all the others; the
        strategy is the one that keeps most there.

        Raises
        ------
        StatisticsError
            When there is one dataset.

        Examples
        --------
        >>> from concurrent.futures import ThreadPoolExecutor
        >>> from dataclasses import replace
        >>> from ctxlab import Grid
        >>> from ctxlab.testing import sample_case
        >>> cases = [replace(sample_case(), dataset=name) for name in ("talks", "calls")]
        >>> with ThreadPoolExecutor(1) as threads:
        ...     results = Grid(["KeepLast()", "HeadTail()"], "60%", cases).run(executor=threads)
        >>> results.held_out().select("dataset", "chosen_on", "strategy").rows()[0]
        ('calls', 'the others', 'KeepLast()')
        """
        return transfer_table(self.leaderboard(metric))

    def power(
        self,
        difference: float = 0.05,
        metric: str | None = None,
        baseline: str | Strategy | None = None,
    ) -> list[Power]:
        """Return what these conversations can show, and how many a difference would need.

        Parameters
        ----------
        difference : float
            The true difference to find, in the metric's unit: 0.05 is 5 points of a share.
        metric, baseline
            As for `leaderboard`.

        Examples
        --------
        >>> from ctxlab.testing import sample_results
        >>> [row.conversations for row in sample_results().power(0.05)]
        [1]
        """
        return power(self.leaderboard(metric, baseline), difference)
