"""Exports into production: tables and artifact schemas, one file per target.

A target is a module of this package with a function `files`, and a line in `TARGETS`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from importlib import import_module
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Protocol, cast

from ctxlab.core.unforeseen import on_files
from ctxlab.errors import StoreError, UnknownNameError
from ctxlab.export.bundle import MANIFEST, manifest, read_manifest
from ctxlab.export.chosen_schemas import StepSchema, chosen_schemas
from ctxlab.export.export_options import PLAIN, ExportOptions

if TYPE_CHECKING:
    from ctxlab.core.recipe import Recipe
    from ctxlab.store import Store

__all__ = ["TARGETS", "ExportOptions", "StepSchema", "Target", "chosen_schemas", "export"]

TARGETS: Mapping[str, str] = MappingProxyType(
    {
        "postgres": "tables for PostgreSQL with their constraints, and the artifact schemas",
        "jsonschema": "one JSON Schema a step",
        "pydantic": "one Python module of Pydantic models",
        "duckdb": "the store's own tables and triggers, and the artifact schemas",
        "drizzle": "tables and relations for drizzle-orm, in TypeScript",
        "zod": "Zod schemas and their types, in TypeScript",
        "typescript": "types of the artifacts",
        "openai-tools": "tools for OpenAI, strict where the schema allows it, and a report",
        "anthropic-tools": "tools for Anthropic",
        "recipe": "a recipe as JSON, TOML and a Python module",
    }
)
"""What can be written, by name; ``all`` is every one of them, with a manifest."""
_FILES = {
    "postgres": "postgres_ddl",
    "jsonschema": "json_schema",
    "pydantic": "pydantic_module",
    "duckdb": "duckdb_ddl",
    "drizzle": "drizzle",
    "zod": "zod",
    "typescript": "typescript",
    "openai-tools": "openai_tools",
    "anthropic-tools": "anthropic_tools",
    "recipe": "recipe_files",
}


class Target(Protocol):
    """What the module of a target offers.

    Examples
    --------
    >>> from ctxlab.export import json_schema
    >>> target: Target = json_schema
    """

    def files(
        self, schemas: Sequence[StepSchema], options: ExportOptions = PLAIN
    ) -> Mapping[str, str]:
        """Return texts by file name; the same schemas give the same bytes."""


def export(
    store: Store | None,
    target: str,
    out: str | Path,
    steps: Sequence[str] | None = None,
    versions: Mapping[str, int] | None = None,
    protocol: str | None = None,
    *,
    recipe: Recipe | None = None,
    like: str | None = None,
    strict_rewrite: bool = False,
    since: str | Path | None = None,
    origin: Mapping[str, Any] | None = None,
) -> list[Path]:
    """Write tables and artifact schemas for a target; return the files that were written.

    Parameters
    ----------
    store : Store, optional
        Where artifact schemas are registered; without one, or when it has none, the schemas of
        the design-thinking workshop are taken.
    target : str
        One of `TARGETS`, or ``all`` for a bundle with a ``manifest.json``.
    out : str or Path
        The folder to write to, made when absent.
    steps : sequence of str, optional
        Only the schemas of these steps.
    versions : mapping of str to int, optional
        The schema version of a step, where it is not to be the chosen one or the latest.
    protocol : str, optional
        Only the steps of this protocol.
    recipe : Recipe, optional
        For the target ``recipe``, and for a bundle.
    like : str, optional
        SQL of tables that exist: ``postgres`` and ``drizzle`` write only what they lack.
    strict_rewrite : bool
        Change schemas until OpenAI's strict subset takes them: optional fields may be null.
    since : str or Path, optional
        The folder of an earlier bundle; the way from it is written beside the rest.
    origin : mapping, optional
        What a bundle's manifest says of the experiment and the figures behind it.

    Raises
    ------
    UnknownNameError
        When there is no such target, or no such step.
    NotFoundError
        When a step has no such schema version.
    MissingExtraError
        When the target needs a package that is not installed.
    StoreError
        When a file cannot be written.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     [path.name for path in export(None, "jsonschema", folder, steps=["persona"])]
    ['persona.schema.json']
    """
    if target != "all" and target not in TARGETS:
        raise UnknownNameError("export target", target, [*TARGETS, "all"])
    schemas = chosen_schemas(store, steps, versions, protocol)
    options = ExportOptions(recipe, like, strict_rewrite)
    names = (
        [name for name in TARGETS if name != "recipe" or recipe] if target == "all" else [target]
    )
    texts: dict[str, str] = {}
    for name in names:
        module = cast("Target", import_module(f"ctxlab.export.{_FILES[name]}"))
        texts |= module.files(schemas, options)
    if since is not None:
        from ctxlab.export.forward import forward

        texts |= forward(read_manifest(since), schemas)
    if target == "all":
        texts[MANIFEST] = manifest(schemas, texts, options, origin)
    folder = Path(out)
    with on_files(StoreError):
        folder.mkdir(parents=True, exist_ok=True)
        for name, text in texts.items():
            (folder / name).write_bytes(text.encode())
    return [folder / name for name in texts]
