"""OpenAI: a tool for every step, strict where the strict subset takes the schema."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from ctxlab.export.chosen_schemas import StepSchema
from ctxlab.export.export_options import PLAIN, ExportOptions
from ctxlab.export.schema_parts import distinct, parsed
from ctxlab.export.strict_schemas import strict_problems, strict_rewrite


def files(schemas: Sequence[StepSchema], options: ExportOptions = PLAIN) -> dict[str, str]:
    """Return the tools, and a report of what the strict subset forbids, with the change it needs.

    Examples
    --------
    >>> made = files([StepSchema("persona", 1, '{"type": "object"}')])
    >>> print(made["openai-tools.report.txt"], end="")
    persona $: takes fields that are not listed; list its fields, or make it a list of keys ...
    """
    names, tools, report = tool_names(schemas), [], []
    for one in schemas:
        schema = parsed(one)
        if options.strict_rewrite:
            schema = strict_rewrite(schema, one.step)
        problems = strict_problems(schema)
        report += [f"{_line(one.step)} {_line(str(problem))}" for problem in problems]
        function = {
            "name": names[one.step],
            "description": about(one, schema),
            "strict": not problems,
            "parameters": schema,
        }
        tools.append({"type": "function", "function": function})
    text = "\n".join(report) or "every schema is within the strict subset"
    return {"openai-tools.json": dumped(tools), "openai-tools.report.txt": text + "\n"}


def tool_names(schemas: Sequence[StepSchema]) -> dict[str, str]:
    """Return the name of the tool that saves each step's artifact.

    Examples
    --------
    >>> tool_names([StepSchema("stakeholder mapping", 1, "{}")])
    {'stakeholder mapping': 'save_stakeholder_mapping'}
    """

    def name(step: str) -> str:
        kept = "".join(c if c.isascii() and (c.isalnum() or c in "-_") else "_" for c in step)
        return f"save_{kept}"[:60]

    return distinct((one.step for one in schemas), name, "_")


def about(one: StepSchema, schema: dict[str, Any]) -> str:
    """Return what a tool is for.

    Examples
    --------
    >>> about(StepSchema("persona", 1, "{}"), {"description": "A person."})
    'Save the artifact of step persona. A person.'
    """
    return f"Save the artifact of step {one.step}. {schema.get('description', '')}".strip()


def dumped(value: object) -> str:
    r"""Return JSON for a file.

    Examples
    --------
    >>> dumped([])
    '[]\n'
    """
    return json.dumps(value, indent=2, ensure_ascii=False) + "\n"


def _line(text: str) -> str:
    return " ".join(text.split())
