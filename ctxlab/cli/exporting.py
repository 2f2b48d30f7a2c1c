"""``ctxlab export``: tables and artifact schemas for production."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ctxlab.cli.options import DEFAULT_STORE, AsJSON, StorePath
from ctxlab.cli.output import put, put_json
from ctxlab.errors import SpecError
from ctxlab.export import TARGETS, export


def export_(
    target: Annotated[str, typer.Option(help=f"One of {', '.join(TARGETS)}.")],
    out: Annotated[Path, typer.Option(help="The folder to write to.")],
    steps: Annotated[
        list[str] | None,
        typer.Option(
            "--step", help="A step, or a step and its schema version as persona=2; again for more."
        ),
    ] = None,
    store: StorePath = DEFAULT_STORE,
    as_json: AsJSON = False,
) -> None:
    """Write the tables and artifact schemas for a target, byte for byte the same each time.

    For example:

      ctxlab export --target postgres --out db/

      ctxlab export --target pydantic --out models/ --step persona=2 --step concept
    """
    from ctxlab.store import Store

    names, versions = _chosen(steps or ())
    if store.exists():
        with Store(store) as lab:
            files = export(lab, target, out, names or None, versions)
    else:
        files = export(None, target, out, names or None, versions)
    if as_json:
        put_json({"schema": 1, "target": target, "files": [str(path) for path in files]})
        return
    for path in files:
        put(str(path))


def _chosen(steps: list[str] | tuple[str, ...]) -> tuple[list[str], dict[str, int]]:
    names: list[str] = []
    versions: dict[str, int] = {}
    for text in steps:
        name, equals, version = text.partition("=")
        names.append(name)
        if equals and not version.isdecimal():
            raise SpecError(f"--step {text} is not understood; write it as persona or persona=2")
        if equals:
            versions[name] = int(version)
    return names, versions
