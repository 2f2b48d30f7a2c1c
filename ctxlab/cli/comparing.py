"""``ctxlab compare`` and ``ctxlab demo``: strategies against each other on real conversations."""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ctxlab.cli import completing
from ctxlab.cli.grouped import Grouping, Weighed, put_groups
from ctxlab.cli.options import (
    DEFAULT_STORE,
    AllowImport,
    AsJSON,
    Categories,
    EncoderName,
    Encoding,
    FormatName,
    Paths,
    SkipBad,
    StorePath,
    choose_clusters,
    choose_probes,
    read_inputs,
    say,
)
from ctxlab.cli.output import put, put_json, put_leaderboard
from ctxlab.cli.patience import phase
from ctxlab.core.tokens import DEFAULT_ENCODING
from ctxlab.errors import CtxlabError, FailedTrialsWarning, SpecError, StatisticsError

if TYPE_CHECKING:
    from ctxlab.bench.grid import Grid
    from ctxlab.bench.leaderboard import Leaderboard
    from ctxlab.bench.limits import Limits
    from ctxlab.bench.results import Results
    from ctxlab.core.metric import Metric
    from ctxlab.store import Store

DEMO = (
    "KeepLast()", "HeadTail()", "MaskObservations() >> KeepLast()", "IDFDensity()", "LexRank()",
    "BM25()", "BM25(neighbours=2)", "MMR()", "Substance()", "PassageBM25()", "RandomDrop()",
    "ShortestFirst()", "LongestFirst()", "UserMessages()", "Oracle()",
)  # fmt: skip
"""What the demo compares."""


def compare(
    paths: Paths,
    strategy: Annotated[
        list[str] | None,
        typer.Option(
            help="A strategy as in Python; again for more. All core ones when not given.",
            autocompletion=completing.strategies,
        ),
    ] = None,
    budget: Annotated[
        list[str] | None, typer.Option(help="8000, 8k or 10%; again for more. 10% and 25% if none.")
    ] = None,
    category: Categories = None,
    cluster_by: Annotated[
        str | None,
        typer.Option(help="What is independent: a pattern whose group names it in an id."),
    ] = None,
    seed: Annotated[
        list[int] | None,
        typer.Option(help="Seed of what is random; again for more. Five when not given."),
    ] = None,
    encoding: Encoding = DEFAULT_ENCODING,
    encoder: EncoderName = None,
    store: StorePath = DEFAULT_STORE,
    out: Annotated[Path | None, typer.Option(help="Write the HTML report here.")] = None,
    baseline: Annotated[
        str | None, typer.Option(help="The strategy that p-values compare with.")
    ] = None,
    metric: Annotated[
        list[str] | None,
        typer.Option(
            help="What is measured; again for more, the first ranks. See ctxlab metrics.",
            autocompletion=completing.metrics,
        ),
    ] = None,
    measure: Annotated[
        str | None, typer.Option(help="Rank by this metric; by the first when not given.")
    ] = None,
    weights: Annotated[
        Weighed, typer.Option(help="What counts once: every question, or every conversation.")
    ] = Weighed.QUESTION,
    by: Annotated[
        list[Grouping] | None,
        typer.Option(help="Tell results apart by this, too; again for more."),
    ] = None,
    fail_under: Annotated[
        float | None,
        typer.Option(help="Exit with 3 when the best strategy keeps less than this share."),
    ] = None,
    non_inferior_to: Annotated[
        str | None,
        typer.Option(help="Exit with 3 unless every other strategy is not worse than this one."),
    ] = None,
    margin: Annotated[
        float, typer.Option(help="By how much a strategy may be worse: points, for shares.", min=0)
    ] = 2.0,
    summary: Annotated[
        Path | None, typer.Option(help="Append a summary in Markdown to this file, as CI shows it.")
    ] = None,
    save_recipe: Annotated[
        Path | None,
        typer.Option(
            help="Write the recipe of the strategy that is decisively better than all others, as "
            ".toml, .json or .py; exit with 3 when there is none. Takes one budget."
        ),
    ] = None,
    trial_timeout: Annotated[
        float, typer.Option(help="Seconds that one trial may take.", min=0.1)
    ] = 300.0,
    trial_memory: Annotated[
        str | None, typer.Option(help="Memory that one trial may take, such as 4g or 500m.")
    ] = None,
    allow_import: AllowImport = False,
    format_name: FormatName = None,
    skip_bad: SkipBad = False,
    as_json: AsJSON = False,
) -> None:
    """Compare strategies on conversations with probes, at matched budgets.

    For example:

      ctxlab compare talk.jsonl --budget 10% --budget 4k

      ctxlab compare locomo --category 1,2,3,4 --strategy BM25 --strategy KeepLast --out a.html

      ctxlab compare runs.json --strategy 'MaskObservations(keep=3) >> KeepLast()' --json

      ctxlab compare talk.jsonl --strategy BM25 --strategy Fusion --encoder onnx:models/minilm

      ctxlab compare talk.jsonl --metric AllEvidence --metric mymetrics:commas --allow-import

      ctxlab compare locomo:dev --by category --by age --weights conversation
    """
    from ctxlab.bench.grid import DEFAULT_SEEDS, Grid
    from ctxlab.bench.limits import Limits
    from ctxlab.core.specs import parse
    from ctxlab.store import Store
    from ctxlab.strategies import CORE

    chosen = [parse(text, allow_import=allow_import) for text in strategy or ()]
    ranks = _metric(measure, allow_import) if measure else None
    metrics = _metrics(metric, ranks, allow_import)
    with phase("reading"):
        read = list(read_inputs(paths, format_name, skip_bad=skip_bad))
    cases = choose_probes(read, category)
    cases = choose_clusters(cases, cluster_by)
    if not any(case.probes for case in cases):
        say(
            "these conversations have no questions, so only sizes and times are measured; "
            "add probes with their evidence, in the case format, to measure what is lost"
        )
    ranked = ranks.name if ranks else None
    grid = Grid(
        chosen or CORE,
        budget or ["10%", "25%"],
        cases,
        metrics=metrics,
        seeds=seed or DEFAULT_SEEDS,
        encoding=encoding,
        encoder=encoder,
        name="compare",
        inputs={
            "paths": paths,
            "format": format_name,
            "category": category,
            "cluster_by": cluster_by,
        },
    )
    with Store(store) as lab:
        results = _run(grid, lab, Limits(trial_timeout, _bytes(trial_memory)))
        kept = f"the trials are kept in {store}; the same command goes on from there"
        with phase("statistics", kept):
            board = results.leaderboard(ranked, baseline, weights.value)
            board.verdicts()
            groups = {
                one.value: results.by(one.value, board.metric, weights.value) for one in by or ()
            }
        if as_json:
            rows = [row.as_dict() for row in board.rows()]
            told = {name: frame.to_dicts() for name, frame in groups.items()}
            shown = {"schema": 1, "encoding": grid.encoding, "rows": rows}
            put_json(shown | ({"by": told} if told else {}))
        else:
            _put_results(board)
            for name, frame in groups.items():
                put_groups(name, frame, board)
        if out:
            title = _title(paths)
            with phase("report", kept):
                path = results.report(out, title=title, metric=ranked, baseline=baseline)
            say(f"report: {path}")
        _say_failures(results)
        if save_recipe:
            _save_recipe(results, save_recipe, ranked)
        against = non_inferior_to and results.strategy_named(non_inferior_to)
    if summary:
        _summarise(board, summary, _title(paths))
    _gate(board, fail_under)
    if against:
        _not_inferior(board, against, margin)


def _run(grid: Grid, store: Store, limits: Limits) -> Results:
    try:
        with warnings.catch_warnings():
            # The command lists what failed itself.
            warnings.simplefilter("ignore", FailedTrialsWarning)
            return grid.run(store, limits=limits)
    except KeyboardInterrupt as stop:
        say(str(stop))
        raise typer.Exit(130) from None


def _bytes(text: str | None) -> int | None:
    """Return a size such as ``4g`` or ``500m`` in bytes."""
    if text is None:
        return None
    found = re.fullmatch(r"\s*(\d{1,9}(?:\.\d+)?)\s*([kmgt]?)i?b?\s*", text.lower())
    if found is None or not float(found[1]):
        raise SpecError(f"memory {text!r} is not understood; write 4g or 500m")
    return int(float(found[1]) * 1024 ** "_kmgt".index(found[2] or "_"))


def _metric(text: str, allow_import: bool) -> Metric:
    from ctxlab.core.specs import parse_metric

    return parse_metric(text, allow_import=allow_import)


def _metrics(
    chosen: Sequence[str] | None, ranks: Metric | None, allow_import: bool
) -> list[Metric]:
    """Return what is measured: what was chosen, and what the ranking goes by."""
    from ctxlab.bench.grid import DEFAULT_METRICS

    found = [_metric(text, allow_import) for text in chosen or DEFAULT_METRICS]
    return list(dict.fromkeys([*found, *([ranks] if ranks else [])]))


def _title(paths: Sequence[str]) -> str:
    return "Context compression on " + ", ".join(Path(path).name for path in paths)


def _put_results(board: Leaderboard) -> None:
    put_leaderboard(board)
    for sentence in _sentences(board):
        put(sentence)


def _sentences(board: Leaderboard) -> Iterator[str]:
    """Yield what the table comes to: who leads, and who lies below a control."""
    from ctxlab.bench.floors import floor_sentences

    yield from (comparison.sentence for _, comparison in board.verdicts())
    yield from floor_sentences(board.rows())


def _say_failures(results: Results) -> None:
    failures = results.failures()
    for strategy, case, error in failures[:5]:
        say(f"failed: {strategy} on {case}: {error}")
    if len(failures) > 5:
        say(f"… and {len(failures) - 5} more failed trials; they are in the store")


def _save_recipe(results: Results, path: Path, metric: str | None) -> None:
    try:
        say(f"recipe: {results.recipe(metric=metric).save(path)}")
    except StatisticsError as error:
        say(f"no recipe is written: {error}")
        raise typer.Exit(3) from None


def _gate(board: Leaderboard, fail_under: float | None) -> None:
    if fail_under is None:
        return
    if all(row.shown.mean is None for row in board.rows()):
        say("no questions: there is nothing to hold against --fail-under; add probes, or leave it")
        raise typer.Exit(2)
    best = max((row.shown.mean or 0.0 for row in board.rows() if row.comparable), default=0.0)
    if best < fail_under:
        say(f"the best strategy keeps {best:.3f}, under the gate of {fail_under:g}")
        raise typer.Exit(3)


def _not_inferior(board: Leaderboard, against: str, margin: float) -> None:
    """Exit with 3 unless every strategy is not worse than one by more than a margin."""
    unit = board.measured.metrics[board.metric].unit
    limit = margin / 100 if unit == "share" else margin
    short = [
        row
        for row in board.rows()
        if row.comparable and row.strategy != against
        and not board.compare(row.strategy, against, row.budget, margin=limit).not_inferior
    ]  # fmt: skip
    for row in short:
        say(
            f"{row.strategy} at {row.budget} is not shown to be within {margin:g} "
            f"{'points' if unit == 'share' else unit} of {against}"
        )
    if short:
        raise typer.Exit(3)


def _summarise(board: Leaderboard, path: Path, title: str) -> None:
    from ctxlab.display.board_columns import by_budget, columns, marks

    shown = columns(board)
    lines = [f"## {title}", ""]
    for budget, rows in by_budget(board.rows()):
        lines += [f"| Budget {budget} | {' | '.join(column.title for column in shown)} |"]
        lines += ["|---|" + "---:|" * len(shown)]
        for row in rows:
            name = " ".join([f"`{row.strategy}`", *(f"({mark})" for mark in marks(row))])
            cells = [name.replace("|", "\\|"), *(column.text(row) for column in shown)]
            lines.append(f"| {' | '.join(cells)} |")
        lines.append("")
    lines += [f"- {sentence}" for sentence in _sentences(board)]
    with path.open("a", encoding="utf-8") as file:
        file.write("\n".join(lines) + "\n")


def demo(
    out: Annotated[Path, typer.Option(help="Write the HTML report here.")] = Path(
        "ctxlab-demo.html"
    ),
    store: StorePath = Path("ctxlab-demo.duckdb"),
    as_json: AsJSON = False,
) -> None:
    """Run the whole journey on bundled data: import, compress, compare, report.

    For example:

      ctxlab demo

      ctxlab demo --out report.html --store lab.duckdb
    """
    from ctxlab.bench.grid import Grid
    from ctxlab.bench.limits import Limits
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
        grid = Grid(DEMO, ["10%", "25%", "50%"], cases, name="demo", inputs={"paths": bundled})
        results = _run(grid, lab, Limits())
        kept = f"the trials are kept in {store}; the same command goes on from there"
        with phase("statistics", kept):
            board = results.leaderboard()
            board.verdicts()
        if as_json:
            put_json({"schema": 1, "rows": [row.as_dict() for row in board.rows()]})
        else:
            _put_results(board)
        with phase("report", kept):
            path = results.report(out, title="Context compression on the bundled conversations")
    say(f"report: {path}")
    say("next: ctxlab compare YOUR_FILE, ctxlab strategies, or ctxlab lab for the notebooks")
