"""Measure every strategy of the catalogue on the development sets, and renew the docs' table.

Run ``uv run python tests/benchmarks/measure_catalogue.py --encoder MODEL``, with MODEL as ``ctxlab
compare --encoder`` takes it (without it, strategies that need an encoder keep their figures). The
sets are published files: they are fetched once, or found in ``CTXLAB_DATA_DIR``. A strategy that
does not see to the budget is followed by `KeepLast`; one that needs a language model is not
measured, for its figure would be the model's.

``--table`` only writes the table again, from the figures that there are.
"""

from __future__ import annotations

import argparse
import json
import re
from dataclasses import dataclass, replace
from importlib.metadata import version
from pathlib import Path

from ctxlab.bench.grid import Grid
from ctxlab.bench.results import Results
from ctxlab.core.cases import Case
from ctxlab.core.specs import STRATEGIES
from ctxlab.core.strategy import Strategy
from ctxlab.core.tokens import DEFAULT_ENCODING
from ctxlab.datasets import load
from ctxlab.models import load_encoder
from ctxlab.models.encoder_names import encoder_name
from ctxlab.store import Store
from ctxlab.strategies import KeepLast
from ctxlab.strategies.catalogue import MEASURED, catalogue, markdown, published

ROOT = Path(__file__).parents[2]
FIGURES = ROOT / "ctxlab" / MEASURED
PAGES = (ROOT / "README.md", ROOT / "docs" / "strategies.md")
"""Where tables of figures stand, each between marks of its name."""
COMMAND = (
    "uv run python tests/benchmarks/measure_catalogue.py "
    "--encoder sentence-transformers:all-MiniLM-L6-v2"
)
"""What the figures say that they are measured by."""
BUDGET = "10%"
SEEDS = range(5)


@dataclass(frozen=True)
class DevelopmentSet:
    """What figures are of: a split, the questions that count, and what is measured of them."""

    dataset: str
    categories: tuple[str, ...]
    measure: str

    def cases(self) -> list[Case]:
        """Return its conversations with the questions that count: those with evidence."""
        return [
            replace(case, probes=tuple(probe for probe in case.probes if self._counts(probe)))
            for case in load(self.dataset)
        ]

    def _counts(self, probe) -> bool:
        return bool(probe.evidence) and (not self.categories or probe.category in self.categories)


SETS = {
    "LoCoMo": DevelopmentSet("locomo:dev", ("1", "2", "3", "4"), "AllEvidence"),
    "ExplainMeetSum": DevelopmentSet("explainmeetsum:dev", ("specific",), "EvidenceTokens"),
    "tau-bench": DevelopmentSet("taubench:dev", (), "AnswerKept(anywhere=True)"),
}


def measured(strategy: Strategy) -> Strategy:
    """Return what is run for a strategy: itself, or followed by what holds the budget."""
    return strategy if strategy.traits.honours_budget else strategy >> KeepLast()


def shares(encoder: str | None, store: Store) -> tuple[dict, dict]:
    """Return the facts of every set, and the figures of every strategy on it."""
    can = {"", "encoder"} if encoder else {""}
    ours = [entry for entry in catalogue() if _is_ours(entry.name)]
    names = [e.name for e in ours if e.traits.needs in can and e.name != "Identity"]
    runs = {name: measured(STRATEGIES.find(name)()) for name in names}
    sets: dict[str, dict[str, object]] = {}
    figures: dict[str, dict[str, list[float | None]]] = {entry.name: {} for entry in ours}
    for name, source in SETS.items():
        cases = source.cases()
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
            "dataset": source.dataset,
            "categories": source.categories,
            "measure": source.measure,
            "budget": BUDGET,
            "encoding": DEFAULT_ENCODING,
            "seeds": [*SEEDS],
            "conversations": len(cases),
            "questions": sum(len(case.probes) for case in cases),
        }
    return sets, figures


def _is_ours(name: str) -> bool:
    return name in STRATEGIES and STRATEGIES.find(name).__module__.startswith("ctxlab.")


def failures(results: Results) -> None:
    """End where a trial failed: a figure of what is left would be another one."""
    for failure in results.failures():
        raise SystemExit(str(failure))


def options(description: str | None) -> argparse.ArgumentParser:
    """Return what reads the command line."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--encoder", help="as for ctxlab compare")
    parser.add_argument("--store", default=":memory:", help="keeps vectors and trials")
    return parser


def renew(name: str, text: str) -> None:
    """Put `text` between the marks `name`, on the page that has them."""
    begin, end = f"<!-- {name} -->", f"<!-- /{name} -->"
    block = f"{begin}\n{text}\n{end}"
    for page in PAGES:
        old = page.read_text(encoding="utf-8")
        if begin in old:
            page.write_text(
                re.sub(f"{begin}.*{end}", lambda _: block, old, flags=re.DOTALL), "utf-8"
            )
            return
    raise SystemExit(f"no page has the marks {begin} and {end}")


def write(facts: dict, figures: dict) -> None:
    """Write the figures, one strategy a line, so that a change of one is a change of a line."""
    rows = (f"  {json.dumps(name)}: {json.dumps(row)}" for name, row in figures.items())
    head = json.dumps(facts, indent=1).removesuffix("\n}")
    table = ",\n".join(rows)
    FIGURES.write_text(f'{head},\n "shares": {{\n{table}\n }}\n}}\n', "utf-8")


def main() -> None:
    """Write the figures into the package, and the table into the docs."""
    parser = options(__doc__)
    parser.add_argument("--table", action="store_true", help="write the docs' table alone")
    asked = parser.parse_args()
    if not asked.table:
        old = json.loads(FIGURES.read_text("utf-8"))
        with Store(asked.store) as store:
            sets, figures = shares(asked.encoder, store)
        facts = {
            "command": COMMAND,
            "encoder": encoder_name(load_encoder(asked.encoder))
            if asked.encoder
            else old["encoder"],
            "version": version("ctxlab"),
            "sets": sets,
        }
        write(facts, {name: row or old["shares"].get(name, {}) for name, row in figures.items()})
    renew("catalogue", markdown(published()))


if __name__ == "__main__":
    main()
