"""Anthropic: a tool for every step, its input the artifact."""

from __future__ import annotations

from collections.abc import Sequence

from ctxlab.export.chosen_schemas import StepSchema
from ctxlab.export.export_options import PLAIN, ExportOptions
from ctxlab.export.openai_tools import about, dumped, tool_names
from ctxlab.export.schema_parts import parsed


def files(schemas: Sequence[StepSchema], options: ExportOptions = PLAIN) -> dict[str, str]:
    """Return the tools as JSON.

    Examples
    --------
    >>> made = files([StepSchema("p", 1, '{"type": "object"}')])
    >>> '"input_schema"' in made["anthropic-tools.json"]
    True
    """
    names = tool_names(schemas)
    tools = []
    for one in schemas:
        schema = parsed(one)
        schema.setdefault("type", "object")
        tools.append(
            {
                "name": names[one.step],
                "description": about(one, schema),
                "input_schema": schema,
            }
        )
    return {"anthropic-tools.json": dumped(tools)}
