"""Exports into production: tables and artifact schemas, one file per target.

A target is a module of this package with a function `files`, and a line in `TARGETS`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from importlib import import_module
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Protocol, cast

from ctxlab.core.unforeseen import on_files
from ctxlab.errors import StoreError, UnknownNameError
from ctxlab.export.chosen_schemas import StepSchema, chosen_schemas

if TYPE_CHECKING:
    from ctxlab.store import Store

__all__ = ["TARGETS", "StepSchema", "Target", "chosen_schemas", "export"]

TARGETS: Mapping[str, str] = MappingProxyType(
    {
        "postgres": "tables for PostgreSQL with their constraints, and the artifact schemas",
        "jsonschema": "one JSON Schema a step",
        "pydantic": "one Python module of Pydantic models",
        "duckdb": "the store's own tables and triggers, and the artifact schemas",
    }
)
"""What can be written, by name."""
_FILES = {
    "postgres": "postgres_ddl",
    "jsonschema": "json_schema",
    "pydantic": "pydantic_module",
    "duckdb": "duckdb_ddl",
}


class Target(Protocol):
    """What the module of a target offers.

    Examples
    --------
    >>> from ctxlab.export import json_schema
    >>> target: Target = json_schema
    """

    def files(self, schemas: Sequence[StepSchema]) -> Mapping[str, str]:
        """Return texts by file name; the same schemas give the same bytes."""


def export(
    store: Store | None,
    target: str,
    out: str | Path,
    steps: Sequence[str] | None = None,
    versions: Mapping[str, int] | None = None,
) -> list[Path]:
    """Write tables and artifact schemas for a target; return the files that were written.

    Parameters
    ----------
    store : Store, optional
        Where artifact schemas are registered; without one, or when it has none, the schemas of
        the design-thinking workshop are taken.
    target : str
        One of `TARGETS`.
    out : str or Path
        The folder to write to, made when absent.
    steps : sequence of str, optional
        Only the schemas of these steps.
    versions : mapping of str to int, optional
        The schema version of a step, where it is not to be the latest.

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
    if target not in TARGETS:
        raise UnknownNameError("export target", target, TARGETS)
    module = cast("Target", import_module(f"ctxlab.export.{_FILES[target]}"))
    texts = module.files(chosen_schemas(store, steps, versions))
    folder = Path(out)
    with on_files(StoreError):
        folder.mkdir(parents=True, exist_ok=True)
        for name, text in texts.items():
            (folder / name).write_bytes(text.encode())
    return [folder / name for name in texts]
