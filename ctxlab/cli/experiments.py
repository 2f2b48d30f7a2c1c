"""``ctxlab experiments``, ``reproduce``, ``diff`` and ``metrics``: what was run, and run again."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ctxlab.cli.options import (
    DEFAULT_STORE,
    AllowImport,
    AsJSON,
    EncoderName,
    StorePath,
    choose_clusters,
    choose_probes,
    read_inputs,
)
from ctxlab.cli.output import put, put_json, put_table
from ctxlab.errors import StoreError

if TYPE_CHECKING:
    from ctxlab.core.metric import Metric


def experiments(store: StorePath = DEFAULT_STORE, as_json: AsJSON = False) -> None:
    """List the experiments of a store, the newest first.

    For example:

      ctxlab experiments --store lab.duckdb
    """
    from ctxlab.store import Store

    with Store(_existing(store)) as lab:
        frame = lab.runs.frame()
    rows = frame.with_columns(frame["created_at"].dt.strftime("%Y-%m-%d %H:%M")).rows(named=True)
    if as_json:
        put_json({"schema": 1, "rows": rows})
        return
    left = ("id", "name", "created_at", "ctxlab")
    heads = {name: "left" if name in left else "right" for name in frame.columns}
    put_table((list(row.values()) for row in rows), heads)


def _existing(store: Path) -> Path:
    if not store.exists():
        raise StoreError(f"there is no store {store}; name an existing one with --store")
    return store


def reproduce(
    experiment: Annotated[str, typer.Argument(help="An experiment's id or name, or a report.")],
    store: StorePath = DEFAULT_STORE,
    encoder: EncoderName = None,
    allow_import: AllowImport = False,
    as_json: AsJSON = False,
) -> None:
    """Run an experiment again from nothing, and report every figure that is not the same.

    Exits with 3 where one differs.

    For example:

      ctxlab reproduce compare --store lab.duckdb

      ctxlab reproduce report.html
    """
    from ctxlab.bench import reproducing
    from ctxlab.store import Store

    if Path(experiment).suffix == ".html":
        done = reproducing.reproduce_report(experiment, _inputs, encoder, allow_import=allow_import)
    else:
        with Store(_existing(store)) as lab:
            done = reproducing.reproduce(lab, experiment, encoder, allow_import=allow_import)
    if as_json:
        put_json({
            "schema": 1,
            "same": done.same,
            "figures": len(done.figures),
            "conditions": {name: list(pair) for name, pair in done.conditions.items()},
            "different": [asdict(figure) for figure in done.different],
        })  # fmt: skip
    else:
        for name, (then, now) in done.conditions.items():
            put(f"{name} was {then}, is {now}")
        for one in done.different:
            put(f"{one.strategy} at {one.budget}: {one.metric} was {one.then}, is {one.now}")
        count = len(done.figures) - len(done.different)
        put(f"{count:,} of {len(done.figures):,} figures are the same")
    if not done.same:
        raise typer.Exit(3)


def _inputs(named: Mapping[str, Any]) -> list[Any]:
    cases = list(read_inputs(named["paths"], named.get("format")))
    cases = choose_probes(cases, named.get("category"))
    return choose_clusters(cases, named.get("cluster_by"))


def diff(
    before: Annotated[str, typer.Argument(help="An experiment: id or name.")],
    after: Annotated[str, typer.Argument(help="Another, on the same conversations.")],
    store: StorePath = DEFAULT_STORE,
    as_json: AsJSON = False,
) -> None:
    """Say what changed between two experiments: figure by figure, with significance.

    Exits with 3 where a figure is decisively worse.

    For example:

      ctxlab diff exp_18b2c5 exp_18b2d9 --store lab.duckdb
    """
    from ctxlab.bench.differences import differences
    from ctxlab.bench.results import Results
    from ctxlab.display.numbers import interval, number, p_text, signed
    from ctxlab.store import Store

    with Store(_existing(store)) as lab:
        old, new = Results.open(lab, before), Results.open(lab, after)
        found = list(differences(old, new))
        metrics = old.measured.metrics
    if as_json:
        rows = [{**asdict(one), "verdict": one.verdict} for one in found]
        put_json({"schema": 1, "rows": rows})
    else:
        changed = [one for one in found if one.verdict != "same"]
        sides = {"strategy": "left", "budget": "left", "metric": "left", "before": "right",
                 "after": "right", "change": "right", "95 % interval": "right", "p": "right",
                 "verdict": "left"}  # fmt: skip
        cells = []
        for one in changed:
            unit = metrics[one.metric].unit
            cells.append([
                one.strategy, one.budget, metrics[one.metric].title, number(one.before, unit),
                number(one.after, unit), signed(one.change.estimate, unit),
                interval(one.change.low, one.change.high, unit), p_text(one.p_value), one.verdict,
            ])  # fmt: skip
        if changed:
            put_table(cells, sides)
        put(f"{len(found) - len(changed):,} of {len(found):,} shared figures are the same")
    if any(one.verdict == "worse" for one in found):
        raise typer.Exit(3)


def _metric_row(metric: Metric) -> dict[str, Any]:
    """Return what a metric is; a plain function's words are those of its docstring."""
    from ctxlab.core.metric import FunctionMetric

    of_function = isinstance(metric, FunctionMetric)
    words = metric.function.__doc__ if isinstance(metric, FunctionMetric) else metric.__doc__
    fields = {} if of_function else type(metric).model_fields
    return {
        "metric": metric.name if of_function else type(metric).__name__,
        **asdict(metric.traits),
        "parameters": {
            field: {"default": info.get_default(), "meaning": info.description or ""}
            for field, info in fields.items()
        },
        "summary": next(iter((words or "").strip().splitlines()), ""),
    }


def metrics(
    name: Annotated[str | None, typer.Argument(help="One metric, with its parameters.")] = None,
    allow_import: AllowImport = False,
    as_json: AsJSON = False,
) -> None:
    """List what can be measured, or the parameters of one metric.

    For example:

      ctxlab metrics

      ctxlab metrics AllEvidence --json
    """
    from ctxlab.core.specs import METRICS, parse_metric

    if name is None:
        chosen = [cls() for cls in METRICS.classes().values()]
    else:
        chosen = [parse_metric(name, allow_import=allow_import)]
    rows = list(map(_metric_row, chosen))
    rows.sort(key=lambda row: (str(row["family"]), str(row["metric"])))
    if as_json:
        put_json({"schema": 1, "rows": rows})
        return
    if name is not None:
        [row] = rows
        put(f"{row['metric']}: {row['summary']}")
        put(f"{row['unit']}, {row['better']} is better, for each {row['per']}; {row['source']}")
        for field, facts in row["parameters"].items():
            put(f"  {field} = {facts['default']!r}: {facts['meaning']}")
        return
    heads = ("metric", "family", "unit", "better", "per", "needs", "summary")
    put_table(([row[head] for head in heads] for row in rows), dict.fromkeys(heads, "left"))
