"""Recipes: the compression that was chosen, as JSON, TOML and a Python module."""

from __future__ import annotations

from collections.abc import Sequence

from ctxlab.errors import SpecError
from ctxlab.export.chosen_schemas import StepSchema
from ctxlab.export.export_options import PLAIN, ExportOptions


def files(schemas: Sequence[StepSchema], options: ExportOptions = PLAIN) -> dict[str, str]:
    """Return the recipe in its three forms.

    Raises
    ------
    SpecError
        When no recipe is given.

    Examples
    --------
    >>> files([])
    Traceback (most recent call last):
    ctxlab.errors.SpecError: the target 'recipe' needs a recipe; give a file with --recipe
    """
    if options.recipe is None:
        raise SpecError("the target 'recipe' needs a recipe; give a file with --recipe")
    return {
        "recipe.json": options.recipe.to_json(),
        "recipe.toml": options.recipe.to_toml(),
        "recipe.py": options.recipe.to_python(),
    }
