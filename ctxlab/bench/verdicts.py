"""Comparisons at several budgets: read together, each its own sentence."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import overload

from ctxlab.core.views import view
from ctxlab.stats import Comparison


@dataclass(frozen=True)
class Verdicts(Sequence[Comparison]):
    """Two strategies compared at one budget after the other.

    Parameters
    ----------
    budgets : tuple of str
        Where they were compared.
    comparisons : tuple of Comparison
        One for each budget.

    Examples
    --------
    >>> from ctxlab.testing import sample_results
    >>> verdicts = sample_results().compare("BM25()", "KeepLast()")
    >>> verdicts.decisive, len(verdicts)
    (False, 1)
    """

    budgets: tuple[str, ...]
    comparisons: tuple[Comparison, ...]

    @property
    def decisive(self) -> bool:
        """Whether the difference is decisive at every budget."""
        return all(comparison.decisive for comparison in self.comparisons)

    @property
    def sentence(self) -> str:
        """What was seen, a sentence for each budget."""
        return " ".join(comparison.sentence for comparison in self.comparisons)

    def at(self, budget: str) -> Comparison:
        """Return the comparison at one budget."""
        return self.comparisons[self.budgets.index(budget)]

    @overload
    def __getitem__(self, index: int) -> Comparison: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[Comparison]: ...
    def __getitem__(self, index: int | slice) -> Comparison | Sequence[Comparison]:
        return self.comparisons[index]

    def __len__(self) -> int:
        return len(self.comparisons)

    def __iter__(self) -> Iterator[Comparison]:
        return iter(self.comparisons)

    def __str__(self) -> str:
        return self.sentence

    def _repr_html_(self) -> str:
        told = [(each.sentence, each.verdict) for each in self.comparisons]
        return str(view("verdicts_html", self.budgets, *zip(*told, strict=True)))
