"""Choose the parameters of Fusion by leave-one-conversation-out on the dev conversations.

Run ``CTXLAB_DATA_DIR=… uv run python tests/benchmarks/tune_fusion.py ENCODER [STORE]``, with an
encoder as ``ctxlab compare --encoder`` takes it. Every candidate answers every question at 10 %
of the tokens. The aim is the mean of two figures: all evidence on LoCoMo, categories 1 to 4, and
evidence tokens on the specific questions of ExplainMeetSum. Each conversation is then judged by
the candidate that is best on all the others. Vectors and trials stay in the store, so that a
second run goes on where the first ended; with vectors kept, the first takes some 5 minutes on
2 cores.
"""

from __future__ import annotations

import os
import sys
from collections import Counter
from collections.abc import Sequence
from itertools import product
from pathlib import Path

import numpy as np
import polars as pl

from ctxlab.bench.grid import Grid
from ctxlab.bench.results import Results
from ctxlab.cli.options import choose_probes
from ctxlab.core.cases import Case
from ctxlab.core.strategy import Strategy
from ctxlab.datasets import read_all
from ctxlab.store import Store
from ctxlab.strategies import BM25, EmbeddingTopK, Fusion

BUDGET = "10%"
BASELINES: list[Strategy] = [
    BM25(k1=1.2, b=0.5, neighbours=2, smoothing=0.7),
    EmbeddingTopK(),
    EmbeddingTopK(neighbours=2, smoothing=0.7),
    Fusion(method="rrf", smoothing=0, passage_weight=0, prior=None),
    Fusion(method="rrf", smoothing=1.5, passage_weight=0, prior=None),
    Fusion(method="rrf"),
    Fusion(smoothing=0, passage_weight=0, prior=None),
    Fusion(smoothing=1.5, passage_weight=0, prior=None),
    Fusion(smoothing=1.5, passage_weight=0),
    Fusion(prior=None),
    Fusion(neighbours=2),
    Fusion(weight=0.4),
    Fusion(weight=0.6),
    Fusion(),
]
CANDIDATES: list[Strategy] = [
    Fusion(smoothing=near, passage=wide, passage_weight=share, prior_weight=prior)
    for near, wide, share, prior in product(
        (0.3, 0.5, 0.7, 1.0), (6.0, 10.0, 15.0), (0.6, 1.0, 1.5, 2.0), (0.2, 0.3)
    )
]
AIMS = {"locomo": "all_evidence", "explainmeetsum": "evidence_tokens"}


def conversations(folder: Path) -> list[Case]:
    """Return the dev conversations, each named after its dataset."""
    locomo = choose_probes(list(read_all([folder / "locomo/locomo10.dev.json"])), ["1,2,3,4"])
    meetings = list(read_all([folder / "explainmeetsum.dev.jsonl.gz"]))
    return [*locomo, *choose_probes(meetings, ["specific"])]


def measured(results: Results) -> pl.DataFrame:
    """Return one row per strategy and conversation: its dataset, its figure, its questions."""
    rows = [
        results.outcomes.filter(pl.col("dataset") == dataset)
        .group_by("strategy", "case_id")
        .agg(figure=pl.col(measure).drop_nulls().mean(), questions=pl.col(measure).count())
        .with_columns(dataset=pl.lit(dataset))
        for dataset, measure in AIMS.items()
    ]
    return pl.concat(rows).filter(pl.col("questions") > 0)


def figures(table: pl.DataFrame, names: Sequence[str]) -> tuple[np.ndarray, np.ndarray, list[str]]:
    """Return figures by strategy and conversation, questions and dataset of each conversation."""
    wide = table.pivot("strategy", index=["dataset", "case_id", "questions"], values="figure")
    wide = wide.sort("dataset", "case_id")
    return wide.select(names).to_numpy().T, wide["questions"].to_numpy(), wide["dataset"].to_list()


def aim(scores: np.ndarray, questions: np.ndarray, datasets: list[str]) -> np.ndarray:
    """Return the mean over datasets of the mean over questions, for every strategy."""
    whole = []
    for dataset in AIMS:
        here = np.array([name == dataset for name in datasets])
        whole.append(np.average(scores[:, here], axis=1, weights=questions[here]))
    return np.mean(whole, axis=0)


def main() -> None:
    """Run the grid, choose, and print what was chosen for each fold and what it gives."""
    encoder = sys.argv[1]
    path = sys.argv[2] if len(sys.argv) > 2 else "tune-fusion.duckdb"
    cases = conversations(Path(os.environ["CTXLAB_DATA_DIR"]))
    with Store(path) as store:
        grid = Grid([*BASELINES, *CANDIDATES], [BUDGET], cases, encoder=encoder, name="fusion")
        table = measured(grid.run(store))
    everything = list(dict.fromkeys(map(str, [*BASELINES, *CANDIDATES])))
    scores, questions, datasets = figures(table, everything)
    print(f"{'LoCoMo':>8} {'EMS':>6}  at {BUDGET}: all evidence, evidence tokens, %")
    parts = [np.array([name == dataset for name in datasets]) for dataset in AIMS]
    for row in [*range(len(BASELINES)), *np.argsort(-aim(scores, questions, datasets))[:5]]:
        shown = [100 * np.average(scores[row, p], weights=questions[p]) for p in parts]
        print(f"{shown[0]:8.1f} {shown[1]:6.1f}  {everything[row]}")

    names = list(map(str, CANDIDATES))
    scores, questions, datasets = figures(table, names)
    n = len(datasets)
    chosen, held_out = Counter[str](), np.zeros(n)
    for fold in range(n):
        rest = np.arange(n) != fold
        left = [name for name, stays in zip(datasets, rest, strict=True) if stays]
        best = int(np.argmax(aim(scores[:, rest], questions[rest], left)))
        held_out[fold] = scores[best, fold]
        chosen[names[best]] += 1
        if datasets[fold] == "locomo":
            print(f"locomo fold {fold}: {names[best]} gives {100 * held_out[fold]:.1f}")
    for name, folds in chosen.most_common():
        print(f"chosen in {folds} of {n} folds: {name}")
    for dataset, part in zip(AIMS, parts, strict=True):
        share = 100 * np.average(held_out[part], weights=questions[part])
        print(f"held out, {dataset} {AIMS[dataset]}: {share:.1f} %")


if __name__ == "__main__":
    main()
