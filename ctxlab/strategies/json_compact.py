"""JSON in fewer tokens, with nothing lost."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from pydantic import Field

from ctxlab.core.context import Context
from ctxlab.core.segments import Role, Segment
from ctxlab.core.strategy import Strategy, Traits
from ctxlab.core.task import Task
from ctxlab.errors import DataError
from ctxlab.text.json_layout import minified, written
from ctxlab.text.json_layout_reader import restored
from ctxlab.text.json_tree import Number, Tree, parsed

Scalar = str | int | float | bool | None


class CompactJSON(Strategy):
    r"""Writes JSON with fewer tokens: no white space, tables for rows that are alike, few quotes.

    The smallest of four forms by tokens is taken, or the text as it was where none is smaller:
    JSON without white space, and that with tables, without quotes, or both, as
    `ctxlab.text.json_layout` defines them, whose `restored` gives back the same JSON.
    It is lossless as long as nothing is dropped on purpose. Tables in the place of records
    follow the columnar idea of Token-Oriented Object Notation (TOON, 2025).

    Examples
    --------
    >>> from ctxlab.core.segments import Message
    >>> text = '[{"day": "Mon", "kg": 12, "by": null}, {"day": "Tue", "kg": 9.50, "by": null}]'
    >>> context = Context.of([Message("m1", "tool", text)])
    >>> CompactJSON(drop_nulls=True).compress(context, Task(budget=1)).text
    '[{day,kg}\nMon,12\nTue,9.50]'
    """

    TRAITS = Traits(family="JSON", source="RFC 8259; TOON 2025", honours_budget=False, cost="n")

    roles: tuple[Role, ...] = Field(("tool",), description="whose messages are rewritten")
    drop_nulls: bool = Field(False, description="leave out fields that are null: this is lossy")
    defaults: tuple[tuple[str, Scalar], ...] = Field(
        (), description="fields left out where they have this value: this is lossy"
    )

    @property
    def traits(self) -> Traits:
        """Lossless unless something is dropped."""
        return replace(self.TRAITS, lossless=not (self.drop_nulls or self.defaults))

    def compress(self, context: Context, task: Task) -> Context:
        """Rewrite every JSON text that gets smaller."""
        return context.keep(self._shorter(segment, task) for segment in context)

    def _shorter(self, segment: Segment, task: Task) -> Segment:
        tree = None if segment.pinned else json_of(segment, self.roles)
        if tree is None:
            return segment
        if self.drop_nulls or self.defaults:
            tree = self._without(tree, {(k, minified_scalar(v)) for k, v in self.defaults})
        before = task.tokens(segment)
        count, text = min((task.tools.count(form), form) for form in _forms(tree))
        if count >= before:
            return segment
        note = f"the same JSON in {count} tokens instead of {before}"
        return segment.rewritten(text, note, inverse=restored if self.traits.lossless else None)

    def _without(self, tree: Tree, defaults: set[tuple[str, str]]) -> Tree:
        if isinstance(tree, list):
            return [self._without(item, defaults) for item in tree]
        if isinstance(tree, dict):
            return {
                name: self._without(item, defaults)
                for name, item in tree.items()
                if not (item is None and self.drop_nulls)
                and (name, minified_scalar(item)) not in defaults
            }
        return tree


def json_of(segment: Segment, roles: tuple[Role, ...]) -> Tree:
    """Return the array or object that a segment's text is; None where it is something else.

    Examples
    --------
    >>> json_of(Segment.of("m1", "[1]", role="tool"), ("tool",))
    ['1']
    """
    if segment.role not in roles or segment.text.lstrip()[:1] not in ("{", "["):
        return None
    try:
        return parsed(segment.text)
    except DataError:
        return None


def minified_scalar(value: object) -> str:
    """Return a scalar as JSON writes it; empty for anything else.

    Examples
    --------
    >>> minified_scalar(False), minified_scalar(Number("9.50")), minified_scalar([])
    ('false', '9.50', '')
    """
    if isinstance(value, int | float) and not isinstance(value, bool):
        value = Number(repr(value))
    return minified(value) if value is None or isinstance(value, str | bool) else ""


def _forms(tree: Tree) -> Iterator[str]:
    yield minified(tree)
    yield written(tree, bare=False)
    yield written(tree, tables=False)
    yield written(tree)
