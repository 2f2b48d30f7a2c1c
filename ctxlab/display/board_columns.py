"""The leaderboard's columns, described once: the terminal, notebooks and the report draw these."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from ctxlab.bench.board_rows import BoardRow
from ctxlab.bench.leaderboard import Leaderboard
from ctxlab.core.metric import MetricTraits, Unit
from ctxlab.display.numbers import difference, estimate, p_text, percent, signed


@dataclass(frozen=True)
class BoardColumn:
    """One column: how it is headed, what stands in it, what it sorts by, what it means.

    Parameters
    ----------
    title : str
        The heading.
    text : callable
        What a row shows, as plain text.
    key : callable
        What rows are sorted by; None comes last.
    meaning : str
        For whoever does not know the word.
    weight : int
        How soon it goes where there is no room for all: the greatest first.
    strong : bool
        It is what the ranking goes by.

    Examples
    --------
    >>> from ctxlab.testing import sample_results
    >>> board = sample_results().leaderboard()
    >>> [column.title for column in columns(board)][:4]
    ['all evidence kept, %', 'lead', 'p', 'skill']
    """

    title: str
    text: Callable[[BoardRow], str]
    key: Callable[[BoardRow], float | None]
    meaning: str
    weight: int
    strong: bool = False


def columns(board: Leaderboard) -> list[BoardColumn]:
    """Return the columns of a leaderboard, the strategy's own aside: the ranking metric first.

    Examples
    --------
    >>> from ctxlab.testing import sample_results
    >>> columns(sample_results().leaderboard())[0].text(sample_results().rows()[0])
    '100.0'
    """
    metrics = board.measured.metrics
    return [
        _metric(board.metric, metrics[board.metric], strong=True),
        *_against(board.metric, metrics[board.metric].unit, board.baseline),
        *_by_seed(board),
        *(_metric(name, metrics[name]) for name in metrics if name != board.metric),
        BoardColumn(
            "kept", lambda r: percent(r.rate), lambda r: r.rate, "tokens after over before", 4
        ),
        BoardColumn(
            "ms", lambda r: f"{r.latency_ms:.1f}", lambda r: r.latency_ms,
            "mean time of one compression", 6,
        ),
    ]  # fmt: skip


def _metric(name: str, traits: MetricTraits, *, strong: bool = False) -> BoardColumn:
    def text(row: BoardRow) -> str:
        found = row.metrics[name]
        return estimate(found.mean, found.low, found.high, traits.unit)

    return BoardColumn(
        f"{traits.title}, %" if traits.unit == "share" else traits.title,
        text,
        lambda row: row.metrics[name].mean,
        f"mean over the questions that it applies to, with its 95 % interval over conversations "
        f"(none with fewer than two); {traits.better} is better",
        0 if strong else 5,
        strong,
    )


def _against(name: str, unit: Unit, baseline: str) -> Iterator[BoardColumn]:
    def lead(row: BoardRow) -> str:
        found = row.metrics[name]
        return difference(found.lead, found.lead_low, found.lead_high, unit)

    yield BoardColumn(
        "lead",
        lead,
        lambda r: r.metrics[name].lead,
        f"difference to {baseline} on the same questions"
        + (", in points" if unit == "share" else "")
        + ", with its 95 % interval",
        1,
    )
    yield BoardColumn(
        "p",
        lambda r: p_text(r.metrics[name].p_value),
        lambda r: r.metrics[name].p_value,
        f"paired test against {baseline}, adjusted for all strategies and budgets shown",
        2,
    )
    yield BoardColumn(
        "skill",
        lambda r: "–" if r.skill is None else f"{r.skill:.2f}",
        lambda r: r.skill,
        "where it stands between random dropping (0) and the gold-evidence oracle (1)",
        3,
    )
    yield BoardColumn("n", lambda r: f"{r.probes:,}", lambda r: r.probes, "questions measured", 3)


def _by_seed(board: Leaderboard) -> Iterator[BoardColumn]:
    """Yield a column of what another seed would change, where something ran with several."""
    if all(row.shown.seed_deviation is None for row in board.rows()):
        return
    unit = board.measured.metrics[board.metric].unit
    yield BoardColumn(
        "± by seed",
        lambda row: signed(row.shown.seed_deviation, unit).lstrip("+"),
        lambda row: row.shown.seed_deviation,
        "standard deviation of the mean from seed to seed" + (", in points" * (unit == "share")),
        5,
    )


def fitting(
    shown: Sequence[BoardColumn], rows: Sequence[BoardRow], width: int
) -> list[BoardColumn]:
    """Return the columns that fit into so many characters beside the strategies' names.

    Examples
    --------
    >>> from ctxlab.testing import sample_results
    >>> board = sample_results().leaderboard()
    >>> [column.title for column in fitting(columns(board), board.rows(), 60)]
    ['all evidence kept, %', 'lead', 'p', 'n']
    """
    left = list(shown)
    names = max(
        *(len(title) + 4 for title, _ in GROUPS),
        *(len(row.strategy) + len(", ".join(marks(row))) + 6 for row in rows),
    )
    while len(left) > 1 and names + sum(_width(column, rows) + 3 for column in left) > width:
        left.remove(max(left, key=lambda column: column.weight))
    return left


def _width(column: BoardColumn, rows: Sequence[BoardRow]) -> int:
    words = max(map(len, column.title.split()))
    return max(words, max((len(column.text(row)) for row in rows), default=0))


GROUPS: tuple[tuple[str, Callable[[BoardRow], bool]], ...] = (
    (
        "does not see the question",
        lambda row: not row.control and not row.over_budget and not row.query_aware,
    ),
    (
        "sees the question: retrieval",
        lambda row: not row.control and not row.over_budget and row.query_aware,
    ),
    ("over budget: not compared", lambda row: not row.control and row.over_budget),
    ("controls: floor and ceiling", lambda row: row.control),
)
"""Rows that are compared with each other, apart from those that are not."""


def groups(rows: Iterable[BoardRow]) -> Iterator[tuple[str, list[BoardRow]]]:
    """Yield the rows in groups, each with its title; empty groups are left out.

    Examples
    --------
    >>> from ctxlab.testing import sample_results
    >>> [title for title, _ in groups(sample_results().rows())][0]
    'does not see the question'
    """
    all_rows = list(rows)
    for title, belongs in GROUPS:
        if members := [row for row in all_rows if belongs(row)]:
            yield title, members


def by_budget(rows: Sequence[BoardRow]) -> Iterator[tuple[str, list[BoardRow]]]:
    """Yield the rows of each budget, in order.

    Examples
    --------
    >>> from ctxlab.testing import sample_results
    >>> [budget for budget, _ in by_budget(sample_results().rows())]
    ['40%']
    """
    for budget in dict.fromkeys(row.budget for row in rows):
        yield budget, [row for row in rows if row.budget == budget]


def marks(row: BoardRow) -> list[str]:
    """Return what has to be said of a row besides its figures.

    Examples
    --------
    >>> from ctxlab.testing import sample_results
    >>> [marks(row) for row in sample_results().rows()][-1]
    ['baseline']
    """
    found = ["baseline"] if row.baseline else []
    if row.over_budget:
        found.append(f"{percent(row.budget_error)} over budget")
    if row.failed:
        found.append(f"{row.failed} failed")
    found += [f"below {control}" for control in row.below]
    return found
