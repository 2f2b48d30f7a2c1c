"""``ctxlab compare`` and ``ctxlab demo``: strategies against each other on real conversations."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ctxlab.cli.options import (
    DEFAULT_STORE,
    Categories,
    EncoderName,
    Encoding,
    FormatName,
    Json,
    Paths,
    SkipBad,
    StorePath,
    choose_probes,
    read_inputs,
    say,
)
from ctxlab.cli.output import put, put_json, put_leaderboard
from ctxlab.core.tokens import DEFAULT_ENCODING
from ctxlab.errors import CtxlabError

if TYPE_CHECKING:
    from ctxlab.bench.leaderboard import Leaderboard, MeasureName, Row
    from ctxlab.bench.results import Results

JSON_FIELDS = (
    "strategy", "budget", "cases", "probes", "all_evidence", "all_evidence_low",
    "all_evidence_high", "evidence_tokens", "answer", "rate", "skill", "p_value", "latency_ms",
    "failed",
)  # fmt: skip
"""Fields of a row of ``ctxlab compare --json``."""

DEMO = (
    "KeepLast()", "HeadTail()", "MaskObservations() >> KeepLast()", "IDFDensity()", "LexRank()",
    "BM25()", "BM25(neighbours=2)", "MMR()", "RandomDrop()", "ShortestFirst()", "Oracle()",
)  # fmt: skip
"""What the demo compares."""


def compare(
    paths: Paths,
    strategy: Annotated[
        list[str] | None,
        typer.Option(help="A strategy as in Python; again for more. All core ones when not given."),
    ] = None,
    budget: Annotated[
        list[str] | None, typer.Option(help="8000, 8k or 10%; again for more. 10% and 25% if none.")
    ] = None,
    category: Categories = None,
    seed: Annotated[
        list[int] | None, typer.Option(help="Seed of what is random; again for more.")
    ] = None,
    encoding: Encoding = DEFAULT_ENCODING,
    encoder: EncoderName = None,
    store: StorePath = DEFAULT_STORE,
    out: Annotated[Path | None, typer.Option(help="Write the HTML report here.")] = None,
    baseline: Annotated[
        str | None, typer.Option(help="The strategy that p-values compare with.")
    ] = None,
    measure: Annotated[
        str, typer.Option(help="Rank by all_evidence, evidence_tokens or answer.")
    ] = "all_evidence",
    fail_under: Annotated[
        float | None,
        typer.Option(help="Exit with 3 when the best strategy keeps less than this share."),
    ] = None,
    format_name: FormatName = None,
    skip_bad: SkipBad = False,
    as_json: Json = False,
) -> None:
    """Compare strategies on conversations with probes, at matched budgets.

    For example:

      ctxlab compare talk.jsonl --budget 10% --budget 4k

      ctxlab compare locomo --category 1,2,3,4 --strategy BM25 --strategy KeepLast --out a.html

      ctxlab compare runs.json --strategy 'MaskObservations(keep=3) >> KeepLast()' --json

      ctxlab compare talk.jsonl --strategy BM25 --strategy Fusion --encoder onnx:models/minilm
    """
    from ctxlab.bench.grid import Grid
    from ctxlab.store import Store
    from ctxlab.strategies import CORE

    name = _measure(measure)
    cases = choose_probes(list(read_inputs(paths, format_name, skip_bad=skip_bad)), category)
    if not any(case.probes for case in cases):
        say(
            "these conversations have no questions, so only sizes and times are measured; "
            "add probes with their evidence, in the case format, to measure what is lost"
        )
    grid = Grid(
        strategy or CORE,
        budget or ["10%", "25%"],
        cases,
        seeds=seed or (0,),
        encoding=encoding,
        encoder=encoder,
        name="compare",
    )
    with Store(store) as lab:
        results = grid.run(lab)
        board = results.leaderboard(name, baseline)
        rows = board.rows()
        if as_json:
            picked = [{f: v for f, v in asdict(row).items() if f in JSON_FIELDS} for row in rows]
            put_json({"schema": 1, "encoding": grid.encoding, "rows": picked})
        else:
            _put_results(rows, board)
        if out:
            command = shlex.join(["ctxlab", *sys.argv[1:]])
            path = results.report(
                out, title=_title(paths), measure=name, baseline=baseline,
                reproduce={"command": command},
            )  # fmt: skip
            say(f"report: {path}")
        _say_failures(results)
    _gate(rows, name, fail_under)


def _measure(name: str) -> MeasureName:
    from typing import get_args

    from ctxlab.bench.leaderboard import MeasureName
    from ctxlab.errors import UnknownNameError

    for known in get_args(MeasureName):
        if name == known:
            found: MeasureName = known
            return found
    raise UnknownNameError("measure", name, get_args(MeasureName))


def _title(paths: Sequence[str]) -> str:
    return "Context compression on " + ", ".join(Path(path).name for path in paths)


def _put_results(rows: Sequence[Row], board: Leaderboard) -> None:
    put_leaderboard(rows)
    for budget, comparison in board.verdicts():
        put(f"At {budget}, {comparison.sentence}")


def _say_failures(results: Results) -> None:
    failures = results.failures()
    for strategy, case, error in failures[:5]:
        say(f"failed: {strategy} on {case}: {error}")
    if len(failures) > 5:
        say(f"… and {len(failures) - 5} more failed trials; they are in the store")


def _gate(rows: Sequence[Row], measure: MeasureName, fail_under: float | None) -> None:
    if fail_under is None:
        return
    best = max((getattr(row, measure) or 0.0 for row in rows if row.comparable), default=0.0)
    if best < fail_under:
        say(f"the best strategy keeps {best:.3f}, under the gate of {fail_under:g}")
        raise typer.Exit(3)


def demo(
    out: Annotated[Path, typer.Option(help="Write the HTML report here.")] = Path(
        "ctxlab-demo.html"
    ),
    store: StorePath = Path("ctxlab-demo.duckdb"),
    as_json: Json = False,
) -> None:
    """Run the whole journey on bundled data: import, compress, compare, report.

    For example:

      ctxlab demo

      ctxlab demo --out report.html --store lab.duckdb
    """
    from ctxlab.bench.grid import Grid
    from ctxlab.datasets import bundled_dir, sources
    from ctxlab.store import Store

    bundled = [name for name, source in sources().items() if source.bundled]
    cases = list(read_inputs(bundled))
    if not cases:
        raise CtxlabError(f"there is no bundled data in {bundled_dir()}; install ctxlab again")
    say(f"{len(cases)} bundled conversations with {sum(len(c.probes) for c in cases)} questions")
    with Store(store) as lab:
        new = lab.add_cases(cases, on_conflict="skip")
        say(f"store: {store} ({new} new conversations)")
        results = Grid(DEMO, ["10%", "25%", "50%"], cases, name="demo").run(lab)
        board = results.leaderboard()
        rows = board.rows()
        if as_json:
            put_json({"schema": 1, "rows": [asdict(row) for row in rows]})
        else:
            _put_results(rows, board)
        path = results.report(
            out, title="Context compression on the bundled conversations",
            reproduce={"command": "ctxlab demo"},
        )  # fmt: skip
    say(f"report: {path}")
    say("next: ctxlab compare YOUR_FILE, ctxlab strategies, or notebooks/01_first_look.ipynb")
