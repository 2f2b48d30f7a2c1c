"""Controls as floors: which strategies keep less than chance, or than the length alone, keeps."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from ctxlab.bench.board_rows import BoardRow
from ctxlab.core.strategy import Traits
from ctxlab.stats import PairedSample, holm

if TYPE_CHECKING:
    from ctxlab.bench.leaderboard import Leaderboard

_ALPHA = 0.05


def is_floor(traits: Traits) -> bool:
    """Say whether a strategy is a control to rise above: not the oracle, and not the whole.

    Examples
    --------
    >>> from ctxlab.strategies import Oracle, RandomDrop
    >>> is_floor(RandomDrop().traits), is_floor(Oracle().traits)
    (True, False)
    """
    return traits.family == "control" and not traits.gold and traits.honours_budget


def floors_missed(
    board: Leaderboard, rows: Sequence[BoardRow]
) -> dict[tuple[str, str], tuple[str, ...]]:
    """Return the controls that a strategy at a budget lies below, decisively.

    All these tests, of every strategy against every control at every budget, are one family,
    corrected by Holm, apart from that of the rivals against the baseline.

    Examples
    --------
    >>> from ctxlab.testing import sample_results
    >>> board = sample_results().leaderboard()
    >>> floors_missed(board, board.rows())
    {}
    """
    floors = [name for name, traits in board.traits.items() if is_floor(traits)]
    sign = 1.0 if board.measured.metrics[board.metric].better == "higher" else -1.0
    pairs: list[tuple[str, str, str]] = []
    samples: list[PairedSample] = []
    for row in (row for row in rows if row.comparable):
        for floor in floors:
            ours, theirs, clusters = board.paired(row.strategy, floor, row.budget)
            if ours.size:
                pairs.append((row.strategy, row.budget, floor))
                samples.append(
                    PairedSample(ours, theirs, clusters, board.weights, board.bounds(board.metric))
                )
    adjusted = holm([sample.p_value() for sample in samples])
    missed: dict[tuple[str, str], tuple[str, ...]] = {}
    for (strategy, budget, floor), sample, p_value in zip(pairs, samples, adjusted, strict=True):
        if sign * sample.mean < 0 and p_value is not None and p_value < _ALPHA:
            missed[strategy, budget] = (*missed.get((strategy, budget), ()), floor)
    return missed


def floor_sentences(rows: Iterable[BoardRow]) -> Iterator[str]:
    """Yield a sentence for each strategy that lies below controls, at each budget.

    Examples
    --------
    >>> from dataclasses import replace
    >>> from ctxlab.testing import sample_results
    >>> row = replace(sample_results().rows()[1], below=("RandomDrop()", "ShortestFirst()"))
    >>> next(floor_sentences([row]))
    'At 40%, BM25() lies below RandomDrop() and ShortestFirst(), decisively.'
    """
    for row in rows:
        if row.below:
            controls = " and ".join(filter(None, [", ".join(row.below[:-1]), row.below[-1]]))
            yield f"At {row.budget}, {row.strategy} lies below {controls}, decisively."
