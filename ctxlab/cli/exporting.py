"""``ctxlab export``: tables and artifact schemas for production."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from ctxlab.cli.options import DEFAULT_STORE, AllowImport, AsJSON, StorePath
from ctxlab.cli.output import put, put_json
from ctxlab.errors import DataError, SpecError
from ctxlab.export import TARGETS, export


def export_(
    target: Annotated[str, typer.Option(help=f"One of {', '.join(TARGETS)}, or all.")],
    out: Annotated[Path, typer.Option(help="The folder to write to.")],
    steps: Annotated[
        list[str] | None,
        typer.Option(
            "--step", help="A step, or a step and its schema version as persona=2; again for more."
        ),
    ] = None,
    protocol: Annotated[
        str | None, typer.Option("--protocol", help="Only the steps of this protocol.")
    ] = None,
    recipe: Annotated[
        Path | None, typer.Option("--recipe", help="A recipe, for the target recipe or all.")
    ] = None,
    like: Annotated[
        Path | None,
        typer.Option("--like", help="SQL of tables that exist: only what they lack is written."),
    ] = None,
    strict_rewrite: Annotated[
        bool,
        typer.Option("--strict-rewrite", help="Make optional fields nullable for strict tools."),
    ] = False,
    since: Annotated[
        Path | None,
        typer.Option("--since", help="An earlier bundle; the way from it is written, too."),
    ] = None,
    allow_import: AllowImport = False,
    store: StorePath = DEFAULT_STORE,
    as_json: AsJSON = False,
) -> None:
    """Write the tables and artifact schemas for a target, byte for byte the same each time.

    For example:

      ctxlab export --target postgres --out db/

      ctxlab export --target pydantic --out models/ --step persona=2 --step concept

      ctxlab export --target all --out release/ --recipe winner.toml --since release-1/
    """
    from ctxlab.core.recipe import Recipe
    from ctxlab.store import Store

    names, versions = _chosen(steps or ())
    wishes: dict[str, Any] = {
        "recipe": Recipe.load(recipe, allow_import=allow_import) if recipe else None,
        "like": _text(like) if like else None,
        "strict_rewrite": strict_rewrite,
        "since": since,
    }
    if store.exists():
        with Store(store) as lab:
            files = export(lab, target, out, names or None, versions, protocol, **wishes)
    else:
        files = export(None, target, out, names or None, versions, protocol, **wishes)
    if as_json:
        put_json({"schema": 1, "target": target, "files": [str(path) for path in files]})
        return
    for path in files:
        put(str(path))


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"cannot be read: {error}", str(path)) from error


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
