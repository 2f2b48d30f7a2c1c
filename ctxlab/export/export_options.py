"""What an export can be asked for beside the schemas."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ctxlab.core.recipe import Recipe


@dataclass(frozen=True)
class ExportOptions:
    """What some targets take.

    Parameters
    ----------
    recipe : Recipe, optional
        For the target ``recipe``.
    like : str, optional
        SQL of tables that exist: ``postgres`` and ``drizzle`` then write what they lack.
    strict_rewrite : bool
        Let ``openai-tools`` change schemas until the strict subset takes them.

    Examples
    --------
    >>> ExportOptions().strict_rewrite
    False
    """

    recipe: Recipe | None = None
    like: str | None = None
    strict_rewrite: bool = False


PLAIN = ExportOptions()
"""Nothing special."""
