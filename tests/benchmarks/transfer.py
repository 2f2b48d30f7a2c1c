"""Measure whether the defaults hold on conversations that they were not chosen on.

``CTXLAB_DATA_DIR=… python tests/benchmarks/transfer.py`` compares `Substance` (which sees no
question) and `PassageBM25` (which does) with every control, at 10 and 25 % of the tokens, on every
set of conversations in that folder and on the bundled ones. It prints a table in Markdown: shares
with 95 % intervals over conversations, or runs of one task; and what lies below a control. Sets
whose evidence is a stretch of talk are measured by its tokens, others by all evidence kept.

``--vary`` runs variants of each default beside it, and prints the transfer table: which variant the
other sets would have chosen, and what it keeps on the one left out.
"""

from __future__ import annotations

import argparse
import os
import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

from ctxlab.bench.grid import Grid
from ctxlab.bench.leaderboard import Leaderboard
from ctxlab.bench.results import Results
from ctxlab.core.cases import Case
from ctxlab.datasets import load, read, sources
from ctxlab.store import Store

BUDGETS = ("10%", "25%")
SEEDS = range(5)
CONTROLS = ("RandomDrop()", "ShortestFirst()", "LongestFirst()", "UserMessages()")
DEFAULTS = ("Substance()", "PassageBM25()")
OTHERS = ("KeepLast()", "IDFDensity()", "Salience()", "BM25()", "Oracle()")
VARIANTS = (
    "Substance(recency=0)", "Substance(tool=0)", "Substance(brevity=0)", "Substance(length=0)",
    "Substance(density=0.5)", "Substance(density=2.5)", "Substance(assisted=1.5)",
    "PassageBM25(passage=0)", "PassageBM25(speaker=0)", "PassageBM25(prior_weight=0)",
    "PassageBM25(prior_weight=0.5)", "PassageBM25(brevity=0)",
    "PassageBM25(smoothing=0, passage=0)",
)  # fmt: skip
"""One weight at a time: off, or far from what was chosen."""
TASK = re.compile(r"^(.*?)_r\d+$")
"""Runs of one task are not independent."""


@dataclass(frozen=True)
class Source:
    """A file of conversations, the categories that count, and what is measured."""

    path: str
    categories: tuple[str, ...] = ()
    metric: str = "AllEvidence"


SETS = {
    "LoCoMo": Source("locomo/locomo10.dev.json", ("1", "2", "3", "4")),
    "ExplainMeetSum": Source("explainmeetsum.dev.jsonl.gz", ("specific",), "EvidenceTokens"),
    "QMSum": Source("qmsum", (), "EvidenceTokens"),
    "tau-bench airline": Source("taubench_airline.dev.jsonl.gz"),
    "tau-bench retail": Source("taubench_retail.dev.jsonl.gz"),
    "toolruns": Source("toolruns_luna.dev.jsonl.gz"),
    "LongMemEval": Source("longmemeval/longmemeval_sample.json"),
    "BEAM": Source("beam_100k.dev.jsonl.gz"),
    "FriendsQA": Source("friendsqa.dev.jsonl.gz"),
    "IRC support": Source("irc_support.dev.jsonl.gz"),
    "VCSum (zh)": Source("vcsum_zh.dev.jsonl.gz", (), "EvidenceTokens"),
    "CrossWOZ (zh)": Source("crosswoz_zh.dev.jsonl.gz"),
}
BUNDLED = "bundled"


def conversations(name: str, folder: Path) -> list[Case]:
    """Return the conversations of a set, with the probes that have evidence and count."""
    if name == BUNDLED:
        found = [case for one, source in sources().items() if source.bundled for case in load(one)]
        source = Source("")
    else:
        source = SETS[name]
        place = folder / source.path
        files = sorted(place.iterdir()) if place.is_dir() else [place]
        found = [case for file in files for case in read(file)]
    return [
        replace(
            case,
            dataset=name,
            id=f"{case.dataset}/{case.id}",
            cluster=task[1] if (task := TASK.match(case.id)) else case.cluster,
            probes=tuple(
                probe
                for probe in case.probes
                if probe.evidence and (not source.categories or probe.category in source.categories)
            ),
        )
        for case in found
    ]


def metric_of(name: str) -> str:
    """Return what a set is measured by."""
    return SETS[name].metric if name in SETS else "AllEvidence"


def measured(
    names: list[str], strategies: tuple[str, ...], folder: Path, store: Store
) -> Iterator[tuple[str, Results]]:
    """Yield the results of every set."""
    for name in names:
        cases = conversations(name, folder)
        grid = Grid(strategies, BUDGETS, cases, seeds=SEEDS, metrics=metric_of(name), name=name)
        with ThreadPoolExecutor(1) as one:
            yield name, grid.run(store, executor=one)


def cell(board: Leaderboard, strategy: str) -> str:
    """Return a strategy's shares at both budgets, with intervals."""
    found = [board.interval(strategy, budget) for budget in BUDGETS]
    return " / ".join(
        "–"
        if one is None
        else f"{100 * one.estimate:.1f}"
        if one.low is None
        else f"{100 * one.estimate:.1f} [{100 * one.low:.0f}, {100 * one.high:.0f}]"
        for one in found
    )


def below(name: str, board: Leaderboard) -> Iterator[str]:
    """Yield what must be said of a default that a control keeps more than."""
    for strategy in DEFAULTS:
        for control in CONTROLS:
            for budget in BUDGETS:
                ours, theirs = (board.interval(one, budget) for one in (strategy, control))
                if ours and theirs and ours.estimate <= theirs.estimate:
                    gap = board.compare(control, strategy, budget).difference
                    yield (
                        f"{name} at {budget}: {strategy} {100 * ours.estimate:.1f}, {control} "
                        f"{100 * theirs.estimate:.1f} (lead {100 * gap.estimate:.1f}"
                        + (
                            ")"
                            if gap.low is None
                            else f" [{100 * gap.low:.1f}, {100 * gap.high:.1f}])"
                        )
                    )


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--set", action="append", help="only this one; again for more")
    parser.add_argument("--store", default=":memory:", help="keeps the trials")
    parser.add_argument("--vary", action="store_true", help="variants, and the transfer table")
    asked = parser.parse_args()
    folder = Path(os.environ["CTXLAB_DATA_DIR"])
    names = asked.set or [*SETS, BUNDLED]
    strategies = (*DEFAULTS, *CONTROLS, *OTHERS, *(VARIANTS if asked.vary else ()))
    print(f"| set (conversations, questions) | {' | '.join(strategies)} |")
    print("|---" * (len(strategies) + 1) + "|")
    said: list[str] = []
    with Store(asked.store) as store:
        for name, results in measured(names, strategies, folder, store):
            for failure in results.failures():
                print(failure)
            board = results.leaderboard(baseline="RandomDrop()")
            rows = board.rows()
            head = f"{name} ({rows[0].cases}, {rows[0].probes}; {metric_of(name)})"
            cells = " | ".join(cell(board, strategy) for strategy in strategies)
            print(f"| {head} | {cells} |", flush=True)
            said += below(name, board)
    print("\nNot above a control:" if said else "\nAbove every control, everywhere.")
    for line in said:
        print(f"- {line}")


if __name__ == "__main__":
    main()
