"""Structure: whether data is still data, and tool calls still have their results."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

from pydantic import Field, field_validator

from ctxlab.core.cases import Probe
from ctxlab.core.context import Context, Remembered
from ctxlab.core.metric import Metric, MetricTraits
from ctxlab.core.run import Run
from ctxlab.core.segments import Segment
from ctxlab.errors import DataError
from ctxlab.metrics.credit import restored
from ctxlab.text.json_layout import minified
from ctxlab.text.json_tree import Number, Tree, parsed
from ctxlab.text.normalised import normalised_number

Leaf = tuple[str, str, str]
"""The source of a JSON text, the path of a leaf in it, and the leaf's value."""


@dataclass(frozen=True)
class _LeavesKey(Remembered[Any]):
    """Finds the leaves of the JSON texts of a context."""


class LeafPathF1(Metric):
    """F1 of the leaves of JSON texts: each with its path, its value, and its source.

    Items of lists are counted without their positions, so that a list of which rows were left
    out still holds the others. A leaf that was written and never stood there costs precision.

    Examples
    --------
    >>> from ctxlab.core.segments import Message
    >>> from ctxlab.core.task import Task
    >>> from ctxlab.strategies.json_fields import PruneFields
    >>> text = '{"name": "Mira", "canvas": "' + "x " * 90 + '", "stall": 17, "day": "Mon"}'
    >>> context = Context.of([Message("m1", "user", text)])
    >>> run = Run.of(PruneFields(optional=("canvas",)), context, Task(budget=40))
    >>> round(LeafPathF1().measure(run, None), 2)
    0.86
    """

    TRAITS = MetricTraits(
        title="leaf-path F1", unit="share", family="structure",
        source="F1 over paths and values of leaves, as in table and slot filling evaluation",
        needs="JSON",
    )  # fmt: skip

    def measure(self, run: Run, probe: Probe | None) -> float | None:
        """Return the F1, None where nothing was JSON."""
        before, after = _leaves(run.before), _leaves(run.after)
        if not before:
            return None
        return 2 * (before & after).total() / (before.total() + after.total())


class SchemaValid(Metric):
    """Share of the valid JSON texts that are still valid, of those that are left.

    Valid is what is JSON, or what a JSON Schema accepts where one is given. An invertible
    rewriting is judged by what it restores.

    Examples
    --------
    >>> from ctxlab.core.segments import Message
    >>> from ctxlab.core.task import Task
    >>> from ctxlab.strategies.json_compact import CompactJSON
    >>> context = Context.of([Message("m1", "tool", '[{"kg": 12},  {"kg": 9}, {"kg": 14}]')])
    >>> SchemaValid().measure(Run.of(CompactJSON(), context, Task(budget=9)), None)
    1.0
    """

    TRAITS = MetricTraits(
        title="JSON still valid", unit="share", family="structure",
        source="RFC 8259; JSON Schema 2020-12", needs="JSON",
    )  # fmt: skip

    json_schema: str = Field("", description="a JSON Schema, as JSON; empty: any JSON is valid")

    @field_validator("json_schema")
    @classmethod
    def _is_a_schema(cls, text: str) -> str:
        if text:
            try:
                _validator(text)
            except ValueError as error:
                raise ValueError(f"{text!r} is no JSON Schema: {error}") from error
        return text

    def measure(self, run: Run, probe: Probe | None) -> float | None:
        """Return the share, None where nothing was valid or nothing of it is left."""
        valid = {turn[0].source for turn in run.before.turns() if self._holds(turn)}
        left = [turn for turn in run.after.turns() if turn[0].source in valid]
        return sum(map(self._holds, left)) / len(left) if left else None

    def _holds(self, turn: tuple[Segment, ...]) -> bool:
        tree = _tree("".join(map(restored, turn)))
        if tree is None or not self.json_schema:
            return tree is not None
        return bool(_validator(self.json_schema).is_valid(json.loads(minified(tree))))


class ToolPairsWhole(Metric):
    """Share of the tool calls and results left that still have each other.

    Only those that had each other before are counted. Providers refuse a chat with a call
    without its result, or a result without its call.

    Examples
    --------
    >>> from ctxlab.testing import sample_run
    >>> ToolPairsWhole().measure(sample_run(), None) is None
    True
    """

    TRAITS = MetricTraits(
        title="tool pairs whole", unit="share", family="structure",
        source="OpenAI 2024 and Anthropic 2024, tool use", needs="tool calls",
    )  # fmt: skip

    def measure(self, run: Run, probe: Probe | None) -> float | None:
        """Return the share, None where no call and no result is left."""
        calls_before, results_before = _calls(run.before)
        paired = calls_before & results_before
        calls, results = (side & paired for side in _calls(run.after))
        return len(calls & results) / len(calls | results) if calls | results else None


def _calls(context: Context) -> tuple[set[str], set[str]]:
    """Return the ids of the calls of a context, and of its results."""
    calls = {call.id for segment in context for call in segment.tool_calls}
    return calls, {s.tool_call_id for s in context if s.role == "tool" and s.tool_call_id}


def _leaves(context: Context) -> Counter[Leaf]:
    return context.memo(_LeavesKey(), lambda: Counter(_all_leaves(context)))


def _all_leaves(context: Context) -> Iterator[Leaf]:
    for turn in context.turns():
        tree = _tree("".join(map(restored, turn)))
        if tree is not None:
            yield from ((turn[0].source, path, value) for path, value in _walked(tree))


def _tree(text: str) -> dict[str, Tree] | list[Tree] | None:
    if text.lstrip()[:1] not in ("{", "["):
        return None
    try:
        found = parsed(text)
    except DataError:
        return None
    return found if isinstance(found, dict | list) else None


def _walked(tree: Tree) -> Iterator[tuple[str, str]]:
    """Yield the path and the value of every leaf; an empty object or list is one."""
    waiting: list[tuple[str, Tree]] = [("$", tree)]
    while waiting:
        path, node = waiting.pop()
        if isinstance(node, dict) and node:
            waiting += [(f"{path}.{json.dumps(name)}", item) for name, item in node.items()]
        elif isinstance(node, list) and node:
            waiting += [(f"{path}[]", item) for item in node]
        elif isinstance(node, Number):
            yield path, normalised_number(node) or node
        else:
            yield path, minified(node)


@cache
def _validator(text: str) -> Any:  # noqa: ANN401 - a validator of jsonschema's
    from jsonschema import Draft202012Validator
    from jsonschema.exceptions import SchemaError

    schema = json.loads(text)
    try:
        Draft202012Validator.check_schema(schema)
    except SchemaError as error:
        raise ValueError(error.message) from error
    return Draft202012Validator(schema)
