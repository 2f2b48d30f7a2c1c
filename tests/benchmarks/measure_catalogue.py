"""Measure every strategy of the catalogue on the development sets, and renew the README's table.

Run ``CTXLAB_DATA_DIR=… python tests/benchmarks/measure_catalogue.py --encoder MODEL``, with MODEL
as ``ctxlab compare --encoder`` takes it (without it, strategies that need an encoder keep their
figures). A strategy that does not see to the budget is followed by `KeepLast`; one that needs a
language model is not measured, for its figure would be the model's.
"""

from __future__ import annotations

import argparse
import json
import os
import re
from importlib.metadata import version
from pathlib import Path

from train_salience import Source

from ctxlab.bench.grid import Grid
from ctxlab.bench.results import Results
from ctxlab.core.specs import STRATEGIES
from ctxlab.core.strategy import Strategy
from ctxlab.core.tokens import DEFAULT_ENCODING
from ctxlab.models import load_encoder
from ctxlab.store import Store
from ctxlab.strategies import KeepLast
from ctxlab.strategies.catalogue import MEASURED, catalogue, markdown

ROOT = Path(__file__).parents[2]
FIGURES = ROOT / "ctxlab" / MEASURED
BUDGET = "10%"
SEEDS = range(5)
SETS = {
    "LoCoMo": Source("locomo/locomo10.dev.json", ("1", "2", "3", "4"), BUDGET, "AllEvidence"),
    "ExplainMeetSum": Source(
        "explainmeetsum.dev.jsonl.gz", ("specific",), BUDGET, "EvidenceTokens"
    ),
    "tau-bench": Source("taubench_airline.dev.jsonl.gz", (), BUDGET, "AnswerKept(anywhere=True)"),
}


def measured(strategy: Strategy) -> Strategy:
    """Return what is run for a strategy: itself, or followed by what holds the budget."""
    return strategy if strategy.traits.honours_budget else strategy >> KeepLast()


def shares(encoder: str | None, root: Path, store: Store) -> tuple[dict, dict]:
    """Return the facts of every set, and the figures of every strategy on it."""
    can = {"", "encoder"} if encoder else {""}
    names = [entry.name for entry in catalogue() if entry.traits.needs in can]
    runs = {name: measured(STRATEGIES.classes()[name]()) for name in names if name != "Identity"}
    sets: dict[str, dict[str, object]] = {}
    figures: dict[str, dict[str, list[float | None]]] = {name: {} for name in runs}
    for name, source in SETS.items():
        cases = source.cases(root)
        grid = Grid(
            runs.values(), [BUDGET], cases, seeds=SEEDS, metrics=source.measure,
            encoder=load_encoder(encoder) if encoder else None,
        )  # fmt: skip
        results = grid.run(store)
        failures(results)
        board = results.leaderboard(source.measure)
        for strategy, run in runs.items():
            found = board.interval(str(run), BUDGET)
            figures[strategy][name] = [round(x, 4) for x in (found.estimate, found.low, found.high)]
        sets[name] = {
            "measure": source.measure,
            "budget": BUDGET,
            "conversations": len(cases),
            "questions": sum(len(case.probes) for case in cases),
        }
    return sets, figures


def _needy(name: str) -> bool:
    """Say whether a figure may be kept where there is no encoder to measure it again."""
    return name in STRATEGIES.classes() and bool(STRATEGIES.classes()[name]().traits.needs)


def failures(results: Results) -> None:
    """End where a trial failed: a figure of what is left would be another one."""
    for failure in results.failures():
        raise SystemExit(str(failure))


def options(description: str | None) -> argparse.Namespace:
    """Return what the command line asks for."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--encoder", help="as for ctxlab compare")
    parser.add_argument("--store", default=":memory:", help="keeps vectors and trials")
    return parser.parse_args()


def renew(name: str, text: str) -> None:
    """Put `text` between the marks `name` of the README."""
    readme = ROOT / "README.md"
    begin, end = f"<!-- {name} -->", f"<!-- /{name} -->"
    block = f"{begin}\n{text}\n{end}"
    old = readme.read_text(encoding="utf-8")
    readme.write_text(re.sub(f"{begin}.*{end}", lambda _: block, old, flags=re.DOTALL), "utf-8")


def main() -> None:
    """Write the figures into the package and the table into the README."""
    asked = options(__doc__)
    with Store(asked.store) as store:
        sets, figures = shares(asked.encoder, Path(os.environ["CTXLAB_DATA_DIR"]), store)
    known = json.loads(FIGURES.read_text("utf-8"))["shares"] if FIGURES.exists() else {}
    facts = {
        "version": version("ctxlab"),
        "encoding": DEFAULT_ENCODING,
        "sets": sets,
        "shares": {**{k: v for k, v in known.items() if _needy(k)}, **figures},
    }
    FIGURES.write_text(json.dumps(facts, indent=1) + "\n", "utf-8")
    renew("catalogue", markdown(catalogue()))


if __name__ == "__main__":
    main()
