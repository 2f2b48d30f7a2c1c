"""Measure the defaults beside the controls on every set at hand, and choose weights again.

Run ``CTXLAB_DATA_DIR=… uv run python tests/benchmarks/transfer.py``. One table a kind: what
sees no question, what sees it; all evidence kept, or, where evidence is a span of talk, evidence
tokens; 95 % intervals over what is independent. A figure below a control's is marked ↓ with the
control. The bundled conversations need no folder.

``--choose N`` draws N settings of `Substance` from a grid and leaves every set out in turn: the
setting that is best on all others, with its figures on the one left out. The aim is the mean over
sets and budgets of ln((figure + 1) / (best control + 1)), in per cent, a shortfall counting
2.5-fold and a lead no more than 0.35.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from random import Random

import numpy as np

from ctxlab.bench.grid import Grid
from ctxlab.bench.leaderboard import Leaderboard
from ctxlab.core.cases import Case
from ctxlab.core.strategy import Strategy
from ctxlab.datasets import load, read_all
from ctxlab.store import Store
from ctxlab.strategies import (
    BM25,
    IDFDensity,
    KeepLast,
    LongestFirst,
    PassageBM25,
    RandomDrop,
    Salience,
    ShortestFirst,
    Substance,
    UserMessages,
)

BUDGETS = ("10%", "25%")
SEEDS = range(5)
CONTROLS: list[Strategy] = [RandomDrop(), ShortestFirst(), LongestFirst(), UserMessages()]
WITHOUT: list[Strategy] = [KeepLast(), IDFDensity(), Salience(), Substance()]
WITH: list[Strategy] = [BM25(), BM25(neighbours=2), PassageBM25()]
GRID: dict[str, tuple[float, ...]] = {
    "density": (1.0, 1.5, 2.0), "assisted": (0.0, 0.5), "length": (0.0, 0.25, 0.5),
    "brevity": (0.5, 1.0, 1.5, 2.0), "tool": (0.0, 1.0, 2.0, 3.0), "question": (0.0, -0.5, -1.0),
    "reply": (0.0, 0.5), "recency": (0.0, 0.5, 1.0, 1.5), "pleasantries": (0.0, -1.0),
}  # fmt: skip
TOGETHER = {"explainmeetsum": "meetings", "qmsum": "meetings", "taubench": "tau", "retail": "tau"}
"""Sets that share conversations or a source: they are left out together."""


@dataclass(frozen=True)
class Set:
    """Conversations of one source, and what is measured on them."""

    name: str
    path: str
    measure: str = "AllEvidence"
    categories: tuple[str, ...] = ()

    def cases(self, folder: Path | None) -> list[Case]:
        """Return the conversations with the questions that have evidence."""
        found = list(read_all([folder / self.path])) if folder else load(self.path)
        return [
            replace(case, dataset=self.name, probes=tuple(p for p in case.probes if self._asks(p)))
            for case in found
        ]

    def _asks(self, probe) -> bool:
        return bool(probe.evidence) and (not self.categories or probe.category in self.categories)


SETS = (
    Set("locomo", "locomo/locomo10.dev.json", categories=("1", "2", "3", "4")),
    Set("explainmeetsum", "explainmeetsum.dev.jsonl.gz", "EvidenceTokens", ("specific",)),
    Set("qmsum", "qmsum", "EvidenceTokens"),
    Set("vcsum", "vcsum_zh.dev.jsonl.gz", "EvidenceTokens"),
    Set("friendsqa", "friendsqa.dev.jsonl.gz"),
    Set("irc", "irc_support.dev.jsonl.gz"),
    Set("beam", "beam_100k.dev.jsonl.gz"),
    Set("longmemeval", "longmemeval/longmemeval_sample.json"),
    Set("crosswoz", "crosswoz_zh.dev.jsonl.gz"),
    Set("taubench", "taubench_airline.dev.jsonl.gz"),
    Set("retail", "taubench_retail.dev.jsonl.gz"),
    Set("toolruns", "toolruns_luna.dev.jsonl.gz"),
)
BUNDLED = (Set("market-surplus", "market-surplus"), Set("night-discharge", "night-discharge"))


def sets(root: str | None) -> Iterator[tuple[Set, list[Case]]]:
    """Yield every set with its conversations; without a folder the bundled ones alone."""
    for one in BUNDLED:
        yield one, one.cases(None)
    for one in SETS if root else ():
        yield one, one.cases(Path(str(root)))


def boards(
    strategies: Sequence[Strategy], root: str | None, store: Store
) -> dict[str, Leaderboard]:
    """Return the leaderboard of every set."""
    found = {}
    for one, cases in sets(root):
        grid = Grid(strategies, BUDGETS, cases, seeds=SEEDS, metrics=one.measure)
        results = grid.run(store)
        for failure in results.failures():
            raise SystemExit(str(failure))
        found[one.name] = results.leaderboard(one.measure)
    return found


def table(strategies: Sequence[Strategy], found: Mapping[str, Leaderboard]) -> str:
    """Return a table in Markdown: a row per set, at both budgets."""
    heads = ["set", "best control", *(f"`{strategy}`" for strategy in strategies)]
    lines = [f"| {' | '.join(heads)} |", "|" + "---|" * len(heads)]
    for name, board in found.items():
        cells: list[list[str]] = [[] for _ in heads[1:]]
        for budget in BUDGETS:
            floors = {str(c): board.interval(str(c), budget).estimate for c in CONTROLS}
            best = max(floors, key=lambda c: floors[c])
            cells[0].append(f"{100 * floors[best]:.1f} {best.removesuffix('()')}")
            for at, strategy in enumerate(strategies, 1):
                share = board.interval(str(strategy), budget)
                mark = "" if share.estimate >= floors[best] else " ↓"
                between = (
                    "" if share.low is None else f" [{100 * share.low:.0f}, {100 * share.high:.0f}]"
                )
                cells[at].append(f"{100 * share.estimate:.1f}{between}{mark}")
        lines.append(f"| {name} | " + " | ".join(" · ".join(cell) for cell in cells) + " |")
    return "\n".join(lines)


def choose(draws: int, root: str | None, store: Store) -> str:
    """Return, for every set left out, the setting chosen on the others and its figures here."""
    random = Random(0)
    drawn = [{name: random.choice(values) for name, values in GRID.items()} for _ in range(draws)]
    settings = list(dict.fromkeys(Substance(**weights) for weights in drawn))
    found = boards([*settings, *CONTROLS], root, store)
    names = list(found)
    shares = np.array([[_figures(found[n], str(s)) for n in names] for s in settings])
    floors = np.array([np.max([_figures(found[n], str(c)) for c in CONTROLS], 0) for n in names])
    gain = np.log((shares + 1) / (floors + 1))
    utility = np.where(gain < 0, 2.5 * gain, np.minimum(gain, 0.35)).mean(2)
    lines = ["| left out | 10 % · 25 % | best control | setting |", "|---|---|---|---|"]
    for at, name in enumerate(names):
        others = [i for i, other in enumerate(names) if _kin(other) != _kin(name)]
        best = int(np.argmax(utility[:, others].mean(1)))
        here, floor = shares[best, at], floors[at]
        lines.append(
            f"| {name} | {here[0]:.1f} · {here[1]:.1f} | {floor[0]:.1f} · {floor[1]:.1f} | "
            f"`{settings[best]}` |"
        )
    best = int(np.argmax(utility.mean(1)))
    return "\n".join([*lines, "", f"Best on all: `{settings[best]}`"])


def _figures(board: Leaderboard, strategy: str) -> list[float]:
    return [100 * board.interval(strategy, budget).estimate for budget in BUDGETS]


def _kin(name: str) -> str:
    return TOGETHER.get(name, name)


def main() -> None:
    """Print the tables, or choose."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--store", default=":memory:", help="keeps trials")
    parser.add_argument("--choose", type=int, metavar="N", help="settings to draw")
    asked = parser.parse_args()
    root = os.environ.get("CTXLAB_DATA_DIR")
    with Store(asked.store) as store:
        if asked.choose:
            print(choose(asked.choose, root, store))
            return
        found = boards([*CONTROLS, *WITHOUT, *WITH], root, store)
        print(f"Without the question\n\n{table(WITHOUT, found)}\n")
        print(f"With the question\n\n{table(WITH, found)}")


if __name__ == "__main__":
    main()
