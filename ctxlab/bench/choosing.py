"""Choosing a strategy: which one at which budget, by how much, and whether that is decisive."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import overload

import numpy as np

from ctxlab.bench.board_rows import BoardRow
from ctxlab.bench.breakdowns import labels_by
from ctxlab.bench.leaderboard import Leaderboard
from ctxlab.core.metric import MetricTraits
from ctxlab.core.recipe import Recipe
from ctxlab.core.specs import from_spec
from ctxlab.core.views import view
from ctxlab.stats import Comparison, compare_paired, holm


@dataclass(frozen=True)
class Choice:
    """One answer: a strategy at a budget, against the baseline.

    Parameters
    ----------
    row : BoardRow
        The strategy at the budget, with its figures.
    against : Comparison
        With the baseline at the same budget.
    traits : MetricTraits
        What it was chosen by.
    open : mapping of str to Comparison
        The categories in which the same comparison is not decisive.
    categories : int
        Categories that were compared.

    Examples
    --------
    >>> from ctxlab.testing import sample_results
    >>> sample_results().choose()[0].strategy
    'BM25()'
    """

    row: BoardRow
    against: Comparison
    traits: MetricTraits
    open: Mapping[str, Comparison]
    categories: int

    @property
    def strategy(self) -> str:
        """The strategy, as it is written."""
        return self.row.strategy

    @property
    def budget(self) -> str:
        """The budget, as it was asked for."""
        return self.row.budget

    @property
    def decisive(self) -> bool:
        """Whether its lead over the baseline is decisive."""
        return self.against.decisive

    @property
    def sentences(self) -> list[str]:
        """The answer in plain words: the lead, the cost, and where it is open."""
        row = self.row
        sees = "sees the question" if row.query_aware else "does not see the question"
        cost = (
            f"It {sees}, sends {row.tokens:,.0f} tokens on average, {100 * row.rate:.0f} % of "
            f"what there is, and takes {row.latency_ms:.1f} ms."
        )
        told = [self.against.sentence, cost]
        if self.open:
            names = ", ".join(
                f"{name or '(none)'} ({found.probes})" for name, found in self.open.items()
            )
            which = "any category" if len(self.open) == self.categories else names
            told.append(f"It is not decisive for {which}.")
        return told

    def __str__(self) -> str:
        return " ".join(self.sentences)


@dataclass(frozen=True, repr=False)
class Choices(Sequence[Choice]):
    """The answers: what to take without the question, and what where the question is known.

    Parameters
    ----------
    choices : tuple of Choice
        The best of each kind.
    baseline, metric, encoding : str
        What they were compared with, by what, and whose tokens count.
    margin : float
        How much of the best value may be given up for fewer tokens.
    specs : mapping of str to str
        The specs of the strategies, as JSON.
    seed : int
        That of the experiment.

    Examples
    --------
    >>> from ctxlab.testing import sample_results
    >>> print(sample_results().choose())
    Where the question is known: nothing is decisive yet; the best so far is BM25() at 40%. ...
    """

    choices: tuple[Choice, ...]
    baseline: str
    metric: str
    encoding: str
    margin: float
    specs: Mapping[str, str]
    seed: int = 0

    def save_recipe(self, path: str | Path, choice: int = 0) -> Path:
        """Write the recipe of one answer, the first when not said: JSON, TOML or Python.

        Raises
        ------
        IndexError
            When there is no such answer.

        Examples
        --------
        >>> import tempfile
        >>> from ctxlab.testing import sample_results
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     path = sample_results().choose().save_recipe(f"{folder}/best.toml")
        ...     Recipe.load(path).strategy
        BM25()
        """
        return self.recipe(choice).save(path)

    def recipe(self, choice: int = 0) -> Recipe:
        """Return the recipe of one answer.

        Examples
        --------
        >>> from ctxlab.testing import sample_results
        >>> sample_results().choose().recipe().budget
        '40%'
        """
        chosen = self.choices[choice]
        return Recipe(
            strategy=from_spec(json.loads(self.specs[chosen.strategy])),
            budget=chosen.budget,
            encoding=self.encoding,
            seed=self.seed,
        )

    @property
    def sentences(self) -> list[str]:
        """Every answer as one paragraph."""
        if not self.choices:
            return [f"Nothing here beats {self.baseline}: there is no rival within its budget."]
        told = []
        for each in self.choices:
            sees = "where the question is known" if each.row.query_aware else "without the question"
            take = "take" if each.decisive else "nothing is decisive yet; the best so far is"
            told.append(f"{sees.capitalize()}: {take} {each.strategy} at {each.budget}. {each}")
        return told

    def __str__(self) -> str:
        return "\n".join(self.sentences)

    __repr__ = __str__

    def _repr_html_(self) -> str:
        return str(view("choices_html", self))

    @overload
    def __getitem__(self, index: int) -> Choice: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[Choice]: ...
    def __getitem__(self, index: int | slice) -> Choice | Sequence[Choice]:
        return self.choices[index]

    def __len__(self) -> int:
        return len(self.choices)

    def __iter__(self) -> Iterator[Choice]:
        return iter(self.choices)


def chosen(board: Leaderboard, margin: float) -> tuple[Choice, ...]:
    """Return the best strategy without the question, and the best with it.

    Of the budgets, the smallest is taken at which the best strategy gives up no more than
    `margin` of the best value at any budget. Controls and overruns are not chosen.

    Examples
    --------
    >>> from ctxlab.testing import sample_results
    >>> [choice.budget for choice in chosen(sample_results().leaderboard(), 0.02)]
    ['40%']
    """
    found = []
    for aware in (False, True):
        rivals = [
            row
            for row in board.rows()
            if row.comparable
            and not row.baseline
            and row.query_aware is aware
            and row.shown.mean is not None
            and (board.baseline, row.budget) in board.measured.cells
        ]
        if rivals:
            found.append(_choice(board, _thrifty(rivals, board, margin), margin))
    return tuple(found)


def _thrifty(rivals: Sequence[BoardRow], board: Leaderboard, margin: float) -> BoardRow:
    sign = 1 if board.measured.metrics[board.metric].better == "higher" else -1

    def value(row: BoardRow) -> float:
        return sign * (row.shown.mean or 0.0)

    best = max(map(value, rivals))
    good = [row for row in rivals if value(row) >= best - margin]
    least = min(row.tokens for row in good)
    return max((row for row in good if row.tokens <= 1.02 * least), key=value)


def _choice(board: Leaderboard, row: BoardRow, margin: float) -> Choice:
    against = board.compare(row.strategy, board.baseline, row.budget, margin=margin)
    open_ones, count = _open(board, row, margin)
    return Choice(row, against, board.measured.metrics[board.metric], open_ones, count)


def _open(board: Leaderboard, row: BoardRow, margin: float) -> tuple[dict[str, Comparison], int]:
    """Return the categories whose comparison is not decisive, and how many were compared."""
    measured, traits = board.measured, board.measured.metrics[board.metric]
    values = measured.of(board.metric)
    ours, theirs = (values[measured.cells[n, row.budget]] for n in (row.strategy, board.baseline))
    labels = np.array([name or "" for name in labels_by(board, "category")])
    both = ~np.isnan(ours) & ~np.isnan(theirs)
    names = [name for name in dict.fromkeys(labels.tolist()) if (both & (labels == name)).any()]
    if len(names) < 2:
        return {}, len(names)
    compared = [
        compare_paired(
            ours[there],
            theirs[there],
            measured.clusters[there],
            names=(row.strategy, board.baseline),
            measure=traits.title,
            unit=traits.unit,
            better=traits.better,
            margin=margin,
            bounds=board.bounds(board.metric),
            budget=row.budget,
            tests=len(names),
        )
        for name in names
        for there in [both & (labels == name)]
    ]
    adjusted = holm([each.test.p_value for each in compared])
    told = [replace(each, adjusted_p=p) for each, p in zip(compared, adjusted, strict=True)]
    return {n: each for n, each in zip(names, told, strict=True) if not each.decisive}, len(names)
