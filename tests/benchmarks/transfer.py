"""Measure whether the defaults hold on conversations that they were not chosen on.

``CTXLAB_DATA_DIR=… python tests/benchmarks/transfer.py`` compares `Substance` (which sees no
question) and `PassageBM25` (which does) with every control, at 10 and 25 % of the tokens, on every
set of conversations in that folder and on the bundled ones. It prints a table in Markdown: shares
with 95 % intervals over conversations, or runs of one task; and what does not lie above a control.
Sets whose evidence is a stretch of talk are measured by its tokens, others by all evidence kept.

``--vary Substance`` runs variants of a default beside it, and prints the transfer table: which of
them the other sets would have chosen, and what that keeps on the one that was left out.
``--readme`` renews the short table of the README, where its sets are among those that were
measured, and that of the docs, where all were. With ``--store FILE`` it goes on where it was
stopped.
"""

from __future__ import annotations

import argparse
import os
import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

from measure_catalogue import renew

from ctxlab.bench.grid import Grid
from ctxlab.bench.leaderboard import Leaderboard
from ctxlab.bench.results import Results
from ctxlab.core.cases import Case, Probe
from ctxlab.core.metric import Metric, MetricTraits
from ctxlab.core.run import Run
from ctxlab.core.specs import parse
from ctxlab.datasets import load, read, sources
from ctxlab.metrics.availability import AllEvidence, EvidenceTokens
from ctxlab.store import Store

BUDGETS = ("10%", "25%")
SEEDS = range(5)
CONTROLS = ("RandomDrop()", "ShortestFirst()", "LongestFirst()", "UserMessages()")
DEFAULTS = ("Substance()", "PassageBM25()")
IN_BRIEF = (*DEFAULTS, *CONTROLS, "Oracle()")
IN_SHORT = ("LoCoMo", "ExplainMeetSum", "tau-bench airline", "IRC support", "CrossWOZ (zh)")
"""One set of each kind, for the README: memory, meetings, tools, support, another script."""
OTHERS = ("KeepLast()", "IDFDensity()", "Salience()", "BM25()", "Oracle()")
VARIANTS = (
    "Substance(recency=0)", "Substance(tool=0)", "Substance(brevity=0)", "Substance(length=0)",
    "Substance(density=0.5)", "Substance(assisted=1.5)", "Substance(pleasantries=0)",
    "PassageBM25(passage=0)", "PassageBM25(speaker=0)", "PassageBM25(prior_weight=0)",
    "PassageBM25(brevity=0)",
)  # fmt: skip
"""One weight at a time: off, or far from what was chosen."""
TASK = re.compile(r"^(.*?)_r\d+$")
"""Runs of one task are not independent."""


@dataclass(frozen=True)
class Source:
    """A file of conversations, the categories that count, and whether tokens are measured."""

    path: str
    categories: tuple[str, ...] = ()
    by_tokens: bool = False


SETS = {
    "LoCoMo": Source("locomo/locomo10.dev.json", ("1", "2", "3", "4")),
    "ExplainMeetSum": Source("explainmeetsum.dev.jsonl.gz", ("specific",), True),
    "QMSum": Source("qmsum", (), True),
    "tau-bench airline": Source("taubench_airline.dev.jsonl.gz"),
    "tau-bench retail": Source("taubench_retail.dev.jsonl.gz"),
    "toolruns": Source("toolruns_luna.dev.jsonl.gz"),
    "LongMemEval": Source("longmemeval/longmemeval_sample.json"),
    "BEAM": Source("beam_100k.dev.jsonl.gz"),
    "FriendsQA": Source("friendsqa.dev.jsonl.gz"),
    "IRC support": Source("irc_support.dev.jsonl.gz"),
    "VCSum (zh)": Source("vcsum_zh.dev.jsonl.gz", (), True),
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


class Kept(Metric):
    """What a set is measured by: the tokens of the evidence, or whether all of it is kept."""

    TRAITS = MetricTraits(title="evidence kept", unit="share", per="probe", oracle=True)

    def measure(self, run: Run, probe: Probe | None) -> float | None:
        """Return that of the set that the conversation is from."""
        return (EvidenceTokens() if by_tokens(run.case.dataset) else AllEvidence()).measure(
            run, probe
        )


def by_tokens(name: str) -> bool:
    """Say whether a set is measured by the tokens of the evidence."""
    return name in SETS and SETS[name].by_tokens


def measured(cases: list[Case], strategies: tuple[str, ...], name: str, store: Store) -> Results:
    """Return the results on some conversations."""
    grid = Grid(strategies, BUDGETS, cases, seeds=SEEDS, metrics=Kept(), name=name)
    with ThreadPoolExecutor(1) as one:
        results = grid.run(store, executor=one)
    for failure in results.failures():
        raise SystemExit(str(failure))
    return results


def cell(board: Leaderboard, strategy: str, budgets: tuple[str, ...] = BUDGETS) -> str:
    """Return a strategy's shares at some budgets, with intervals."""
    found = [board.interval(strategy, budget) for budget in budgets]
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


def line(name: str, board: Leaderboard, strategies: tuple[str, ...]) -> str:
    """Return a set's line in Markdown."""
    row = board.rows()[0]
    what = "tokens of evidence" if by_tokens(name) else "all evidence"
    cells = " | ".join(cell(board, strategy) for strategy in strategies)
    return f"| {name} ({row.cases}, {row.probes}) | {what} | {cells} |"


def header(strategies: tuple[str, ...]) -> str:
    """Return the head of a table."""
    names = " | ".join(f"`{strategy}`" for strategy in strategies)
    lines = "|---" * (len(strategies) + 2)
    return f"| set (conversations, questions) | kept | {names} |\n{lines}|"


def short(boards: dict[str, Leaderboard]) -> str:
    """Return the table of the README: strategies down, a few sets across, at one budget."""
    budget = BUDGETS[0]

    def mean(strategy: str) -> float:
        found = [boards[name].interval(strategy, budget) for name in IN_SHORT]
        return sum(one.estimate for one in found if one) / len(found)

    lines = [
        f"| strategy | question | {' | '.join(IN_SHORT)} |",
        "|---" * (len(IN_SHORT) + 2) + "|",
    ]
    for strategy in sorted((*DEFAULTS, *CONTROLS, *OTHERS), key=mean, reverse=True):
        aware = "yes" if parse(strategy).traits.query_aware else ""
        name = f"**`{strategy}`**" if strategy in DEFAULTS else f"`{strategy}`"
        cells = [cell(boards[one], strategy, (budget,)) for one in IN_SHORT]
        lines.append(f"| {name} | {aware} | {' | '.join(cells)} |")
    return "\n".join(lines)


def chosen_elsewhere(results: Results) -> Iterator[str]:
    """Yield what the other sets would have chosen, and what it keeps on the one left out."""
    yield "| left out | budget | chosen on the others | keeps | best there | best control |"
    yield "|---|---|---|---|---|---|"
    table = results.held_out().filter(chosen_on="the others")
    for row in table.iter_rows(named=True):
        ends = "" if row["low"] is None else f" [{100 * row['low']:.0f}, {100 * row['high']:.0f}]"
        yield (
            f"| {row['dataset']} | {row['budget']} | `{row['strategy']}` | "
            f"{100 * row['value']:.1f}{ends} | {100 * row['best_value']:.1f} `{row['best']}` | "
            f"{100 * row['control_value']:.1f} `{row['control']}` |"
        )


def variants(default: str) -> tuple[str, ...]:
    """Return a default with its variants, and the controls."""
    name = default.partition("(")[0]
    return (f"{name}()", *(v for v in VARIANTS if v.startswith(f"{name}(")), *CONTROLS)


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--set", action="append", help="only this one; again for more")
    parser.add_argument("--store", default=":memory:", help="keeps the trials")
    parser.add_argument("--vary", help="variants of this default, and the transfer table")
    parser.add_argument(
        "--readme", action="store_true", help="renew the README's and the docs' table"
    )
    asked = parser.parse_args()
    folder = Path(os.environ["CTXLAB_DATA_DIR"])
    names = asked.set or [*SETS, BUNDLED]
    strategies = (*DEFAULTS, *CONTROLS, *OTHERS)
    print(header(strategies))
    said, brief, cases = list[str](), [header(IN_BRIEF)], list[Case]()
    boards = dict[str, Leaderboard]()
    with Store(asked.store) as store:
        for name in names:
            found = conversations(name, folder)
            cases += found
            board = measured(found, strategies, name, store).leaderboard(baseline="RandomDrop()")
            boards[name] = board
            print(line(name, board, strategies), flush=True)
            brief.append(line(name, board, IN_BRIEF))
            said += below(name, board)
        print("\nNot above a control:" if said else "\nAbove every control, everywhere.")
        for sentence in said:
            print(f"- {sentence}")
        if asked.vary:
            print("", *chosen_elsewhere(
                measured(cases, variants(asked.vary), "all sets", store)
            ), sep="\n")  # fmt: skip
    if asked.readme and boards.keys() >= {*IN_SHORT}:
        renew("shares", short(boards))
    if asked.readme and not asked.set:
        renew("transfer", "\n".join(brief))


if __name__ == "__main__":
    main()
