"""Simulates the statistics: do intervals cover, does «decisive» err, what is found.

``python tests/benchmarks/simulate_statistics.py`` prints the tables, always the same;
``--runs 300`` is a quick look.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator

import numpy as np

from ctxlab.stats import PairedSample, cluster_interval, holm

CORRELATION = 0.05
KINDS = ("equal", "unequal", "lognormal")


def sizes(kind: str, clusters: int, random: np.random.Generator, mean: int = 10) -> np.ndarray:
    """Return the number of questions of every conversation."""
    if kind == "equal":
        return np.full(clusters, mean)
    if kind == "unequal":
        return random.integers(2, 2 * mean - 1, clusters)
    drawn = np.exp(random.normal(np.log(0.8 * mean), 0.8, clusters))
    return np.maximum(1, np.round(drawn)).astype(int)


def answers(counts: np.ndarray, share: float, random: np.random.Generator) -> np.ndarray:
    """Return 0 and 1 for every question, correlated within conversations."""
    concentration = 1 / CORRELATION - 1
    own = random.beta(share * concentration, (1 - share) * concentration, len(counts))
    return random.binomial(1, np.repeat(own, counts)).astype(float)


def coverage(runs: int, clusters: int, kind: str, share: float, seed: int = 1) -> float:
    """Return how often the 95 % interval holds the true share."""
    random = np.random.default_rng(seed)
    held = 0
    for _ in range(runs):
        counts = sizes(kind, clusters, random)
        found = cluster_interval(
            answers(counts, share, random), np.repeat(np.arange(clusters), counts)
        )
        held += found.low <= share <= found.high
    return held / runs


def paired_coverage(runs: int, clusters: int, kind: str, lead: float, seed: int = 2) -> float:
    """Return how often the interval of a paired difference holds the true one."""
    random = np.random.default_rng(seed)
    held = 0
    for _ in range(runs):
        counts = sizes(kind, clusters, random)
        a, b = pair(counts, lead, random)
        found = PairedSample(a, b, np.repeat(np.arange(clusters), counts)).interval()
        held += found.low <= lead <= found.high
    return held / runs


def pair(
    counts: np.ndarray, lead: float, random: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Return two strategies that agree on most questions; a leads by so much on average."""
    own = random.normal(0, 0.5, len(counts))
    tilt = 1 / (1 + np.exp(-np.repeat(own, counts)))
    differ = random.random(counts.sum())
    a_only = differ < 0.2 * tilt + lead / 2
    b_only = ~a_only & (differ < 0.2 * tilt + lead / 2 + 0.2 * (1 - tilt) - lead / 2)
    both = random.random(counts.sum()) < 0.6
    return np.where(a_only, 1.0, np.where(b_only, 0.0, both)), np.where(
        b_only, 1.0, np.where(a_only, 0.0, both)
    )


def null(
    kind: str, counts: np.ndarray, random: np.random.Generator, shared: np.ndarray
) -> np.ndarray:
    """Return differences of a strategy that is no better: symmetric, skewed, or tied to size."""
    n = counts.sum()
    noise = random.normal(0, 0.7, n) + shared
    wins, losses = (noise > 1.4).astype(float), (noise < -1.4).astype(float)
    base = wins - losses
    if kind == "symmetric":
        return base
    if kind == "skewed":
        lean = np.minimum(random.exponential(1.0, len(counts)), 5) - (1 - np.exp(-5))
        effect = np.repeat(0.08 * lean, counts)
    else:
        # Large conversations lose what small ones win, so that the mean over questions is none.
        effect = 0.01 * (counts - (counts.astype(float) ** 2).sum() / counts.sum())
        effect = np.repeat(np.clip(effect, -0.3, 0.3), counts)
        effect = effect - effect.mean()
    more = random.random(n) < np.abs(effect)
    return np.where(more, np.sign(effect), base)


def false_decisions(
    runs: int, clusters: int, rivals: int, budgets: int, kind: str, seed: int = 3
) -> float:
    """Return how often any of the rivals at any budget is called decisive, where none is better."""
    random = np.random.default_rng(seed)
    wrong = 0
    for _ in range(runs):
        counts = sizes("unequal", clusters, random)
        codes = np.repeat(np.arange(clusters), counts)
        ps = []
        for _ in range(rivals):
            shared = random.normal(0, 0.7, counts.sum())
            for _ in range(budgets):
                values = null(kind, counts, random, shared)
                ps.append(PairedSample(values, np.zeros(len(values)), codes).p_value())
        wrong += min(holm(ps)) < 0.05
    return wrong / runs


def false_non_inferiority(runs: int, clusters: int, margin: float = 0.05, seed: int = 4) -> float:
    """Return how often a strategy that is worse by just the margin is called not inferior."""
    random = np.random.default_rng(seed)
    wrong = 0
    for _ in range(runs):
        counts = sizes("unequal", clusters, random)
        a, b = pair(counts, -margin, random)
        low = PairedSample(a, b, np.repeat(np.arange(clusters), counts)).lower_bound()
        wrong += low > -margin
    return wrong / runs


def found(runs: int, clusters: int, lead: float, seed: int = 5) -> float:
    """Return how often a true lead is called decisive."""
    random = np.random.default_rng(seed)
    right = 0
    for _ in range(runs):
        counts = sizes("unequal", clusters, random)
        a, b = pair(counts, lead, random)
        right += PairedSample(a, b, np.repeat(np.arange(clusters), counts)).p_value() < 0.05
    return right / runs


def tables(runs: int) -> Iterator[str]:
    """Yield the lines of all tables."""
    yield "coverage of the 95 % interval, %: conversations, sizes, p = .1, p = .7, paired"
    for clusters in (4, 6, 10, 30, 60):
        for kind in KINDS:
            shares = (coverage(runs, clusters, kind, p) for p in (0.1, 0.7))
            paired = paired_coverage(runs, clusters, kind, 0.05)
            row = " ".join(f"{100 * x:6.1f}" for x in (*shares, paired))
            yield f"{clusters:4} {kind:10} {row}"
    yield "any false «decisive», %: conversations, null, rivals x budgets"
    for clusters in (4, 10, 30, 60):
        for kind in ("symmetric", "skewed", "tied to size"):
            cells = [(r, b) for r in (2, 8) for b in (1, 3, 6)]
            rates = (false_decisions(runs, clusters, r, b, kind) for r, b in cells)
            row = " ".join(
                f"{r}x{b} {100 * x:4.1f}" for (r, b), x in zip(cells, rates, strict=True)
            )
            yield f"{clusters:4} {kind:12} {row}"
    yield "false non-inferiority at a margin of 5 points, %"
    for clusters in (4, 6, 10, 30, 60):
        yield f"{clusters:4} {100 * false_non_inferiority(runs, clusters):5.1f}"
    yield "power, %: conversations, a lead of 2, 5, 10 and 20 points"
    for clusters in (10, 30, 60, 200):
        row = " ".join(f"{100 * found(runs, clusters, x):5.1f}" for x in (0.02, 0.05, 0.1, 0.2))
        yield f"{clusters:4} {row}"


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=2000)
    for line in tables(parser.parse_args().runs):
        print(line)
