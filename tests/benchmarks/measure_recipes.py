"""Measure the recipes at four budgets on the development sets, and renew the docs' tables.

Run ``uv run python tests/benchmarks/measure_recipes.py --encoder MODEL``. The sets are published
files: they are fetched once, or found in ``CTXLAB_DATA_DIR``.
"""

from __future__ import annotations

from measure_catalogue import SEEDS, SETS, failures, options, renew

from ctxlab.bench.grid import Grid
from ctxlab.core.specs import parse
from ctxlab.models import load_encoder
from ctxlab.store import Store

BUDGETS = ("5%", "10%", "25%", "50%")
RECIPES = {
    "LoCoMo": (
        "Oracle()",
        "Fusion()",
        "PassageBM25()",
        "BM25(neighbours=2)",
        "BM25()",
        "MMR()",
        "Salience()",
        "Substance()",
        "IDFDensity()",
        "KeepLast()",
        "RandomDrop()",
        "LexRank()",
        "ShortestFirst()",
        "LongestFirst()",
    ),
    "ExplainMeetSum": (
        "Oracle()",
        "Fusion()",
        "PassageBM25()",
        "BM25(smoothing=10)",
        "BM25()",
        "Substance()",
        "LongestFirst()",
        "RandomDrop()",
    ),
    "tau-bench": (
        "Oracle()",
        "KeepValues() >> KeepLast()",
        "PassageBM25()",
        "Substance()",
        "IDFDensity()",
        "MaskObservations(keep=1) >> KeepLast()",
        "KeepLast()",
        "ShortestFirst()",
        "RandomDrop()",
    ),
}
WHAT = {
    "AllEvidence": "questions with all evidence kept, %",
    "EvidenceTokens": "evidence tokens kept, %",
    "AnswerKept(anywhere=True)": "values of later calls kept, %",
}


def table(name: str, encoder: str | None, store: Store) -> str:
    """Return the table of one set in Markdown, the best at 10 % first."""
    source = SETS[name]
    strategies = [parse(text) for text in RECIPES[name]]
    chosen = [s for s in strategies if encoder or not s.traits.needs]
    cases = source.cases()
    grid = Grid(
        chosen,
        BUDGETS,
        cases,
        seeds=SEEDS,
        metrics=source.measure,
        encoder=load_encoder(encoder) if encoder else None,
    )
    results = grid.run(store)
    failures(results)
    board = results.leaderboard(source.measure)
    figures = {s: [board.interval(str(s), budget) for budget in BUDGETS] for s in chosen}
    questions = sum(len(case.probes) for case in cases)
    lines = [
        f"**{name}** (`{source.dataset}`, {len(cases)} conversations, {questions} questions): "
        f"{WHAT[source.measure]}",
        "",
        f"| strategy | question | {' | '.join(BUDGETS)} |",
        "|---|---|" + "---|" * len(BUDGETS),
    ]
    for strategy in sorted(chosen, key=lambda s: -figures[s][1].estimate):
        cells = [
            f"{100 * f.estimate:.1f} [{100 * f.low:.1f}, {100 * f.high:.1f}]"
            for f in figures[strategy]
        ]
        aware = "yes" if strategy.traits.query_aware else ""
        lines.append(f"| `{strategy}` | {aware} | {' | '.join(cells)} |")
    return "\n".join(lines)


def main() -> None:
    """Write the tables into the docs."""
    asked = options(__doc__).parse_args()
    with Store(asked.store) as store:
        tables = [table(name, asked.encoder, store) for name in RECIPES]
    renew("recipes", "\n\n".join(tables))


if __name__ == "__main__":
    main()
