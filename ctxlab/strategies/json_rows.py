"""Samples of long arrays in JSON: the ends, and the rows that stand out."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from pydantic import Field

from ctxlab.core.context import Context
from ctxlab.core.segments import Role, Segment
from ctxlab.core.strategy import Strategy, Traits
from ctxlab.core.task import Task
from ctxlab.strategies.json_compact import json_of
from ctxlab.text.json_layout import minified
from ctxlab.text.json_tree import Number, Tree

_ERROR = re.compile(
    r"\b(?:error|errors|exception|traceback|fail(?:ed|ure|ing)?|fatal|panic|denied|refused|"
    r"timeout|timed out|critical|rejected|invalid)\b",
    re.IGNORECASE,
)
_STATUS = re.compile(r"status|code|exit", re.IGNORECASE)
_NOTHING = frozenset({"0", "false", "null", '""', "none", '"none"', '"ok"', "[]", "{}"})


class SampleRows(Strategy):
    """Keeps of long JSON arrays the head, the tail, the errors, the outliers, and the changes.

    An array longer than `rows` gives way to as many of its rows: the share `head` from its
    beginning, `tail` from its end, then rows that report an error, rows with a number more
    than `deviations` standard deviations from its column's mean, rows at which a column
    changes its level (the extreme of the cumulative sum, Page 1954) or a word its value, and
    at last rows at even distances. A string in the array says how many are left out, and the
    result is JSON again.

    Examples
    --------
    >>> from ctxlab.core.segments import Message
    >>> text = "[" + ",".join(['"all went well"'] * 9) + ',"error: disk full"]'
    >>> context = Context.of([Message("m1", "tool", text)])
    >>> SampleRows(rows=3).compress(context, Task(budget=1)).text
    '["all went well","(2 of 10 rows left out)",...,"error: disk full"]'
    """

    TRAITS = Traits(family="JSON", source="Page 1954 for changes", honours_budget=False, cost="n")

    rows: int = Field(20, ge=1, description="rows that an array keeps; errors may be more")
    head: float = Field(0.3, ge=0, le=1, description="share of them from the beginning")
    tail: float = Field(0.15, ge=0, le=1, description="share of them from the end")
    deviations: float = Field(2.0, gt=0, description="z-score from which a number is an outlier")
    roles: tuple[Role, ...] = Field(("tool",), description="whose messages are sampled")

    def compress(self, context: Context, task: Task) -> Context:
        """Sample the long arrays of every JSON text, where that is smaller."""
        return context.keep(self._sampled(segment, task) for segment in context)

    def _sampled(self, segment: Segment, task: Task) -> Segment:
        tree = None if segment.pinned else json_of(segment, self.roles)
        gone: list[int] = []
        smaller = None if tree is None else minified(self._thinned(tree, gone))
        if not gone or smaller is None or task.tools.count(smaller) >= task.tokens(segment):
            return segment
        return segment.rewritten(smaller, f"{sum(gone)} rows like the others left out")

    def _thinned(self, tree: Tree, gone: list[int]) -> Tree:
        """Return the tree with its long arrays sampled; `gone` collects how many rows went."""
        if isinstance(tree, dict):
            return {name: self._thinned(item, gone) for name, item in tree.items()}
        if not isinstance(tree, list):
            return tree
        if len(tree) <= self.rows:
            return [self._thinned(item, gone) for item in tree]
        kept = self._chosen(tree)
        gone.append(len(tree) - len(kept))
        thin: list[Tree] = []
        at = 0
        for row in [*kept, len(tree)]:
            if at < row:
                thin.append(f"({row - at} of {len(tree)} rows left out)")
            if row < len(tree):
                thin.append(self._thinned(tree[row], gone))
            at = row + 1
        return thin

    def _chosen(self, rows: Sequence[Tree]) -> list[int]:
        n = len(rows)
        head = round(self.head * self.rows)
        tail = min(round(self.tail * self.rows), self.rows - head)
        kept = {*range(head), *range(n - tail, n)}
        kept |= {i for i, row in enumerate(rows) if _reports_an_error(row)}
        for i in self._notable(rows):
            if len(kept) >= self.rows:
                break
            kept.add(i)
        return sorted(kept)

    def _notable(self, rows: Sequence[Tree]) -> Iterator[int]:
        """Yield the rows that stand out, the most telling first; then rows at even distances."""
        columns = list(_columns(rows))
        for column in columns:
            yield from column.outliers(self.deviations)
        for column in columns:
            yield from column.changes()
        steps = np.linspace(0, len(rows) - 1, self.rows + 1)
        yield from (int(i) for i in steps)


@dataclass(frozen=True)
class _Column:
    """One field of all rows: as numbers where all of them are, else as texts."""

    cells: list[str]
    numbers: np.ndarray | None

    def outliers(self, deviations: float) -> list[int]:
        """Return the rows whose number is far from the mean, the farthest first."""
        if self.numbers is None or not self.numbers.std():
            return []
        z = np.abs(self.numbers - self.numbers.mean()) / self.numbers.std()
        return [int(i) for i in np.argsort(-z, kind="stable") if z[i] > deviations]

    def changes(self) -> list[int]:
        """Return where the level of the numbers moves most, or where a word changes."""
        if self.numbers is None:
            new = [i for i in range(1, len(self.cells)) if self.cells[i] != self.cells[i - 1]]
            # A column that changes all the time tells nothing by changing.
            return new if len(new) <= len(self.cells) // 5 else []
        if not self.numbers.std():
            return []
        drift = np.abs(np.cumsum(self.numbers - self.numbers.mean())[:-1])
        # Of n equal steps drawn at random, the extreme stays below 1.36 √n deviations (95 %).
        found = int(np.argmax(drift))
        moved = drift[found] > 1.36 * self.numbers.std() * np.sqrt(len(self.numbers))
        return [found + 1] if moved else []


def _columns(rows: Sequence[Tree]) -> Iterator[_Column]:
    if not all(isinstance(row, dict) for row in rows):
        yield _column(list(rows))
        return
    objects = [row for row in rows if isinstance(row, dict)]
    for name in dict.fromkeys(name for row in objects for name in row):
        yield _column([row.get(name) for row in objects])


def _column(cells: list[Tree]) -> _Column:
    texts = [minified(cell) for cell in cells]
    if not all(isinstance(cell, Number) for cell in cells):
        return _Column(texts, None)
    numbers = np.array([float(text) for text in texts])
    return _Column(texts, numbers if np.isfinite(numbers).all() else None)


def _reports_an_error(row: Tree) -> bool:
    """Say whether a row names an error, or carries a status that is one."""
    if not isinstance(row, dict):
        return isinstance(row, str) and not isinstance(row, Number) and bool(_ERROR.search(row))
    for name, cell in row.items():
        text = minified(cell)
        if _ERROR.search(name) and text.lower() not in _NOTHING:
            return True
        if isinstance(cell, Number):
            bad = 400 <= float(text) < 600 or ("exit" in name.lower() and float(text) != 0)
            if _STATUS.search(name) and bad:
                return True
        elif isinstance(cell, str) and _ERROR.search(cell):
            return True
    return False
