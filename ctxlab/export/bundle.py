"""A bundle: every target in one folder, with a manifest of what it holds and where it is from."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

from ctxlab.errors import DataError
from ctxlab.export.chosen_schemas import StepSchema
from ctxlab.export.export_options import ExportOptions
from ctxlab.store.tables import PRODUCTION

MANIFEST = "manifest.json"
"""The file that describes a bundle."""


def manifest(
    schemas: Sequence[StepSchema],
    texts: Mapping[str, str],
    options: ExportOptions,
    origin: Mapping[str, Any] | None = None,
) -> str:
    """Return the manifest of a bundle: what, which versions, from what, and hashes.

    Parameters
    ----------
    schemas : sequence of StepSchema
        What was exported.
    texts : mapping of str to str
        The files.
    options : ExportOptions
        With the recipe, if there is one.
    origin : mapping, optional
        The experiment and the figures by which it was chosen.

    Examples
    --------
    >>> found = json.loads(manifest([], {"a.txt": "x"}, ExportOptions()))
    >>> found["files"]["a.txt"][:8]
    '2d711642'
    """
    recipe = options.recipe.to_dict() if options.recipe else None
    found = {
        "format": "ctxlab-bundle",
        "ctxlab": version("ctxlab"),
        "schemas": [
            {
                "protocol": one.protocol,
                "step": one.step,
                "version": one.version,
                "sha256": sha256(one.text),
                "schema": json.loads(one.text),
                "migration": json.loads(one.migration) if one.migration else None,
            }
            for one in schemas
        ],
        "recipe": recipe,
        "chosen": dict(origin) if origin else None,
        "tables": {name: list(table.names) for name, table in PRODUCTION.items()},
        "files": {name: sha256(text) for name, text in sorted(texts.items())},
    }
    return json.dumps(found, indent=2, ensure_ascii=False) + "\n"


def sha256(text: str) -> str:
    """Return the digest of a text's UTF-8.

    Examples
    --------
    >>> sha256("")[:8]
    'e3b0c442'
    """
    return hashlib.sha256(text.encode()).hexdigest()


def read_manifest(folder: str | Path) -> dict[str, Any]:
    """Return the manifest of a bundle that was written before.

    Raises
    ------
    DataError
        When there is none, or a file of the bundle is not what it was.

    Examples
    --------
    >>> read_manifest("nowhere")
    Traceback (most recent call last):
    ctxlab.errors.DataError: nowhere: is no bundle: ...
    """
    place = Path(folder)
    try:
        found: dict[str, Any] = json.loads((place / MANIFEST).read_text(encoding="utf-8"))
        if found.get("format") != "ctxlab-bundle":
            raise ValueError("its manifest is not one of ctxlab's")
        for name, digest in found["files"].items():
            if sha256((place / name).read_bytes().decode()) != digest:
                raise ValueError(f"{name} was changed after it was written")
    except (OSError, ValueError, KeyError) as error:
        raise DataError(f"is no bundle: {error}", str(folder)) from error
    return found
