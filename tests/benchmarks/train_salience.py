"""Train the default weights of `Salience` again, and cross-validate them over conversations.

Run ``uv run python tests/benchmarks/train_salience.py ../shared/data``.

One logistic regression over the development sets in which people talk, each set of the same
weight: is a message evidence of any probe? Every figure it prints was measured on conversations
that the weights it was measured with had not seen; `density` is the one with the best geometric
mean over the sets.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from scipy.optimize import minimize

from ctxlab.bench.grid import Grid
from ctxlab.core.cases import Case
from ctxlab.core.task import Task
from ctxlab.datasets import read
from ctxlab.strategies.salience import MARKS, Salience, marks

FOLDS = 4
RIDGE = 1e-4
"""Weight of the squares of the standardised weights, a message."""
DENSITIES = (0.2, 0.3, 0.4, 0.5, 0.6, 0.8, 1.0)


@dataclass(frozen=True)
class Source:
    """A development set: where it is, what is asked, at which budget, by which measure."""

    path: str
    categories: tuple[str, ...]
    budget: str
    measure: str

    def cases(self, root: Path) -> list[Case]:
        """Return its conversations with the probes that count."""
        return [
            replace(c, probes=tuple(filter(self._counts, c.probes)), cluster=_task(c.id))
            for c in read(root / self.path)
        ]

    def _counts(self, probe) -> bool:
        return bool(probe.evidence) and (not self.categories or probe.category in self.categories)


def _task(case: str) -> str | None:
    """Return the task of an agent's run: runs of one task are not independent."""
    found = re.search(r"(t\d+)_r\d+$", case)
    return found[1] if found else None


SOURCES = (
    Source("locomo/locomo10.dev.json", ("1", "2", "3", "4"), "10%", "AllEvidence"),
    Source("explainmeetsum.dev.jsonl.gz", ("specific",), "10%", "EvidenceTokens"),
)


@dataclass(frozen=True)
class Sample:
    """The messages of one conversation: marks, shape (n, marks); labels, shape (n,)."""

    marks: np.ndarray
    labels: np.ndarray


def sample(case: Case) -> Sample:
    """Return the marks and the labels of a conversation's messages, pinned ones left out."""
    context = case.context()
    costs = Task(budget=1).costs(context)
    tokens = np.maximum(np.asarray(costs.texts) + np.asarray(costs.overheads), 1)
    evidence = {f"message:{m}" for probe in case.probes for m in probe.evidence}
    free = np.array([not segment.pinned for segment in context], bool)
    labels = np.array([segment.source in evidence for segment in context], float)
    return Sample(marks(context, tokens)[free], labels[free])


def train(sets: Sequence[Sequence[Sample]]) -> dict[str, float]:
    """Return the weights of `Salience`, with every set of the same importance."""
    features = np.vstack([s.marks for samples in sets for s in samples])
    labels = np.concatenate([s.labels for samples in sets for s in samples])
    sizes = [sum(len(s.labels) for s in samples) for samples in sets]
    importance = np.concatenate([np.full(size, 1 / size) for size in sizes]) / len(sets)
    mean = importance @ features
    spread = np.sqrt(importance @ (features - mean) ** 2) + 1e-9
    # Sets differ in how much is evidence: each has a level of its own, so that no mark is taken
    # for it. The bias is the mean of the levels.
    levels = np.repeat(np.eye(len(sets)), sizes, axis=0)
    table = np.column_stack(((features - mean) / spread, levels))

    def loss(weights: np.ndarray) -> tuple[float, np.ndarray]:
        odds = table @ weights
        free = np.where(np.arange(len(weights)) < len(MARKS), weights, 0.0)
        value = importance @ (np.logaddexp(0, odds) - labels * odds) + RIDGE * free @ free
        slope = table.T @ (importance * (1 / (1 + np.exp(-odds)) - labels)) + 2 * RIDGE * free
        return value, slope

    found = minimize(loss, np.zeros(table.shape[1]), jac=True, tol=1e-10).x
    weights, bias = found[: len(MARKS)] / spread, float(found[len(MARKS) :].mean())
    named = {mark: round(float(w), 2) for mark, w in zip(MARKS, weights, strict=True)}
    return {**named, "bias": round(bias - float(weights @ mean), 2)}


def folds(n: int) -> Iterator[np.ndarray]:
    """Yield the positions that are held out, fold by fold."""
    order = np.random.default_rng(0).permutation(n)
    yield from np.array_split(order, min(FOLDS, n))


def measured(source: Source, strategies: Sequence[Salience], cases: Sequence[Case]) -> list[list]:
    """Return, for every strategy, the measure of each of its probes."""
    with ThreadPoolExecutor(1) as thread:
        grid = Grid(strategies, [source.budget], cases)
        results = grid.run(executor=thread, progress=lambda *_: nullcontext(lambda n=1: None))
    outcomes = results.outcomes
    return [
        outcomes.filter(strategy=str(strategy))[source.measure].drop_nulls().to_list()
        for strategy in strategies
    ]


def cross_validate(root: Path) -> dict[float, dict[str, float]]:
    """Return, for every density, the held-out measure of every set."""
    cases = [source.cases(root) for source in SOURCES]
    samples = [[sample(case) for case in found] for found in cases]
    table: dict[float, dict[str, float]] = {density: {} for density in DENSITIES}
    for position, source in enumerate(SOURCES):
        pooled: list[list[float]] = [[] for _ in DENSITIES]
        for held_out in folds(len(cases[position])):
            seen = [list(one) for one in samples]
            seen[position] = [s for i, s in enumerate(samples[position]) if i not in held_out]
            weights = train(seen)
            tried = [Salience(**weights, density=density) for density in DENSITIES]
            found = measured(source, tried, [cases[position][i] for i in held_out])
            for pool, values in zip(pooled, found, strict=True):
                pool += values
        for density, pool in zip(DENSITIES, pooled, strict=True):
            table[density][source.path] = float(np.mean(pool))
    return table


def final(root: Path) -> dict[str, float]:
    """Return the weights trained on all development sets."""
    return train([[sample(case) for case in source.cases(root)] for source in SOURCES])


def main() -> None:
    """Print the held-out figures and the weights."""
    root = Path(sys.argv[1])
    table = cross_validate(root)
    best = max(table, key=lambda density: np.prod(list(table[density].values())))
    for density, row in table.items():
        figures = "  ".join(f"{name} {100 * share:.1f} %" for name, share in row.items())
        print(f"density {density}{' *' if density == best else '  '}  {figures}")
    print(f"weights, with density={best}:")
    for name, weight in final(root).items():
        print(f"    {name}={weight}")


if __name__ == "__main__":
    main()
