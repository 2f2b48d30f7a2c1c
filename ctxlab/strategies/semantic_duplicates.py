"""Duplicates in meaning: what is said again in other words."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from ctxlab.core.context import Context
from ctxlab.core.segments import Note, Segment, spoken_group
from ctxlab.core.strategy import Strategy, Traits
from ctxlab.core.task import Task
from ctxlab.models.matrices import Matrix, as_matrix, unit_rows

# Similarities are computed in blocks of so many groups: 16 MB at a time, whatever n is.
_BLOCK = 1024
_COLUMNS = 4096


class SemanticDeduplicate(Strategy):
    """Drops groups that mean nearly the same as another group that is kept.

    Two groups are near-duplicates when the cosine of their vectors reaches the threshold
    (semantic deduplication: Abbas et al., "SemDeDup", 2023). Groups are compared with those
    that stay, in turn, so that no chain of small changes carries a text away. Vectors tell
    numbers apart badly: "40 loaves" and "90 loaves" are near-duplicates to most models.

    Examples
    --------
    >>> from ctxlab.core.tools import Tools
    >>> def letters(texts): return [[text.count(letter) for letter in "abcdefgh"] for text in texts]
    >>> texts = "a bad cab had a bed", "had a bed a bad cab", "the fee had a edge"
    >>> context = Context(tuple(Segment.of(text, text) for text in texts))
    >>> result = SemanticDeduplicate().compress(context, Task(budget=1, tools=Tools(count=len,
    ...     encode=letters)))
    >>> [s.source for s in result], result.why(context[0]).reason
    (['had a bed a bad cab', 'the fee had a edge'],
     'near-duplicate of had a bed a bad cab (cosine 1.00)')
    """

    TRAITS = Traits(
        family="duplicates",
        source="Abbas et al. 2023, arXiv:2303.09540",
        needs="encoder",
        honours_budget=False,
        cost="n squared products, n encodings",
    )

    threshold: float = Field(0.9, gt=0, le=1, description="cosine of a near-duplicate")
    keep: Literal["newest", "first"] = Field("newest", description="which of the two stays")
    min_words: int = Field(5, ge=1, description="shorter texts, such as a yes, are left alone")

    def compress(self, context: Context, task: Task) -> Context:
        """Keep one of every set of near-duplicates, and whatever is pinned."""
        twins = {
            group: twin
            for group, twin in self._twins(context, task)
            if group not in context.pinned_groups
        }

        def why(segment: Segment) -> Note:
            twin, cosine = twins[context.group_of(segment)]
            source = context[context.groups[twin][0]].source.removeprefix("message:")
            return Note(f"near-duplicate of {source} (cosine {cosine:.2f})", cosine)

        return context.keep_groups(
            (g for g in range(len(context.groups)) if g not in twins), why if twins else None
        )

    def _twins(self, context: Context, task: Task) -> Iterator[tuple[int, tuple[int, float]]]:
        texts = [spoken_group(context[i] for i in members) for members in context.groups]
        long = [g for g, text in enumerate(texts) if len(text.split()) >= self.min_words]
        if not long:
            return
        order = long[::-1] if self.keep == "newest" else long
        rows = unit_rows(as_matrix(task.tools.encode([texts[g] for g in order]), len(order)))
        for row, twin, cosine in near_twins(rows, self.threshold):
            yield order[row], (order[twin], cosine)


def near_twins(rows: Matrix, threshold: float) -> Iterator[tuple[int, int, float]]:
    """Yield every row that resembles an earlier row that stays, with that row and the cosine.

    A row that is yielded goes, and is no twin of later ones. Of several that it resembles, the
    nearest is named. The work is n² products in blocks; the memory is that of the blocks.

    Parameters
    ----------
    rows : ndarray, shape (n, width)
        Vectors of unit length, or of zeros.
    threshold : float
        Cosine from which two rows are near-duplicates.

    Examples
    --------
    >>> rows = np.array([[1.0, 0.0], [0.0, 1.0], [1.0, 0.0]], np.float32)
    >>> list(near_twins(rows, 0.9))
    [(2, 0, 1.0)]
    """
    # Products of unit vectors in single precision are off by about 1e-7.
    least = threshold - 1e-6
    kept = np.zeros(0, np.int64)
    for start in range(0, len(rows), _BLOCK):
        block = rows[start : start + _BLOCK]
        best, twin = _nearest(block, rows, kept)
        within = block @ block.T
        stays: list[int] = []
        for i in range(len(block)):
            cosine, row = float(best[i]), int(twin[i])
            if stays:
                j = stays[int(np.argmax(within[i, stays]))]
                if within[i, j] > cosine:
                    cosine, row = float(within[i, j]), start + j
            if cosine >= least:
                yield start + i, row, min(cosine, 1.0)
            else:
                stays.append(i)
        kept = np.concatenate([kept, start + np.asarray(stays, np.int64)])


def _nearest(
    block: Matrix, rows: Matrix, kept: NDArray[np.int64]
) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """Return the greatest cosine of every row of `block` with a kept row, and that row."""
    best = np.full(len(block), -np.inf, np.float32)
    twin = np.full(len(block), -1, np.int64)
    for at in range(0, len(kept), _COLUMNS):
        columns = kept[at : at + _COLUMNS]
        cosines = block @ rows[columns].T
        nearest = np.argmax(cosines, axis=1)
        values = cosines[np.arange(len(block)), nearest]
        better = values > best
        best[better], twin[better] = values[better], columns[nearest[better]]
    return best, twin
