"""``ctxlab schema`` and ``ctxlab protocol``: artifact schemas in versions, protocols in TOML."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from ctxlab.cli.options import DEFAULT_STORE, AsJSON, StorePath, say
from ctxlab.cli.output import put, put_json, put_table
from ctxlab.cli.workshop_editing import opened, read_json

schema_app = typer.Typer(no_args_is_help=True, help="Compare, infer and choose artifact schemas.")
protocol_app = typer.Typer(no_args_is_help=True, help="Check protocols of your own.")
Step = Annotated[str, typer.Argument(help="A step, such as persona.")]
ProtocolName = Annotated[
    str | None, typer.Option("--protocol", help="Whose step, where several have one of that id.")
]


@protocol_app.command()
def check(
    file: Annotated[Path, typer.Argument(help="A protocol in TOML.")], as_json: AsJSON = False
) -> None:
    """Read a protocol, and say what its steps need and leave.

    For example:

      ctxlab protocol check retro.toml
    """
    from ctxlab.workshop import Protocol

    protocol = Protocol.from_toml(file)
    rows = [
        {
            "step": step.id,
            "needs": list(step.depends_on),
            "fields": list(step.artifact_schema.get("properties", {})),
        }
        for step in protocol.steps
    ]
    if as_json:
        found = {"name": protocol.name, "version": protocol.version}
        put_json({"schema": 1, **found, "rows": rows})
        return
    cells = ([r["step"], ", ".join(r["needs"]), ", ".join(r["fields"])] for r in rows)
    title = f"{protocol.name}, version {protocol.version}: {len(rows)} steps"
    put_table(cells, {"step": "left", "needs": "left", "leaves": "left"}, title)


@schema_app.command("list")
def list_schemas(store: StorePath = DEFAULT_STORE, as_json: AsJSON = False) -> None:
    """List the registered schemas; the chosen ones are what exports take.

    For example:

      ctxlab schema list --store lab.duckdb
    """
    with opened(store) as lab:
        found = lab.db.rows(
            "SELECT protocol, step_id, schema_version, chosen, migration IS NOT NULL "
            "FROM artifact_schemas ORDER BY 1, 2, 3"
        )
    names = ("protocol", "step", "version", "chosen", "migration")
    if as_json:
        put_json({"schema": 1, "rows": [dict(zip(names, row, strict=True)) for row in found]})
        return
    sides = ("left", "left", "right", "left", "left")
    cells = ([*row[:3], "yes" if row[3] else "", "yes" if row[4] else ""] for row in found)
    put_table(cells, dict(zip(names, sides, strict=True)))


@schema_app.command()
def show(
    step: Step,
    version: Annotated[int | None, typer.Option(help="The chosen or latest when none.")] = None,
    protocol: ProtocolName = None,
    store: StorePath = DEFAULT_STORE,
) -> None:
    """Print a registered schema.

    For example:

      ctxlab schema show persona --version 2
    """
    from ctxlab.workshop.schema_versions import schema_of

    with opened(store) as lab:
        text = schema_of(lab.db, lab.schema_step(step, protocol), version)[1]
    put(json.dumps(json.loads(text), indent=2, ensure_ascii=False))


@schema_app.command()
def diff(
    step: Step,
    old: Annotated[int, typer.Argument(help="A version.")],
    new: Annotated[int, typer.Argument(help="A later one.")],
    protocol: ProtocolName = None,
    store: StorePath = DEFAULT_STORE,
    as_json: AsJSON = False,
) -> None:
    """Say what a new schema means for the artifacts of an old one, and replay those stored.

    For example:

      ctxlab schema diff persona 1 2
    """
    with opened(store) as lab:
        found = lab.compatibility(step, old, new, protocol)
    refused = {row: [f"{path}: {what}" for path, what in why] for row, why in found.refused.items()}
    if as_json:
        rows = [{"path": c.path, "kind": c.kind, "reason": c.reason} for c in found.changes]
        more = {"kind": found.kind, "replayed": found.replayed, "refused": refused}
        put_json({"schema": 1, **more, "rows": rows})
        return
    columns = dict.fromkeys(("path", "kind", "reason"), "left")
    put_table(([c.path, c.kind, c.reason] for c in found.changes), columns)
    put(f"{found.kind}; {len(refused)} of {found.replayed} stored artifacts are refused")
    for row, why in refused.items():
        say(f"{row}: {'; '.join(why)}")


@schema_app.command()
def infer(
    files: Annotated[list[Path], typer.Argument(help="JSON files: objects, or lists of them.")],
) -> None:
    """Print a schema that all samples obey, to begin from.

    For example:

      ctxlab schema infer samples/*.json > note.schema.json
    """
    from ctxlab.workshop.schema_inference import infer_schema

    samples = []
    for file in files:
        found = read_json(file)
        samples += found if isinstance(found, list) else [found]
    put(json.dumps(infer_schema(samples).as_dict(), indent=2, ensure_ascii=False))


@schema_app.command()
def choose(
    step: Step,
    version: Annotated[int, typer.Argument(help="Which version.")],
    protocol: ProtocolName = None,
    store: StorePath = DEFAULT_STORE,
) -> None:
    """Mark the schema that new artifacts obey and that exports take.

    For example:

      ctxlab schema choose persona 2
    """
    with opened(store) as lab:
        lab.choose_schema(step, version, protocol)
    say(f"{step}: schema version {version} is chosen")
