"""JSON Schema, draft 2020-12: one file per step, as Pydantic or the registering user wrote it."""

from __future__ import annotations

import json
from collections.abc import Sequence

from ctxlab.export.chosen_schemas import StepSchema
from ctxlab.export.export_options import PLAIN, ExportOptions
from ctxlab.export.schema_parts import file_names

DRAFT = "https://json-schema.org/draft/2020-12/schema"
"""The dialect that Pydantic writes, and that a schema is in when it names none."""


def files(schemas: Sequence[StepSchema], options: ExportOptions = PLAIN) -> dict[str, str]:
    """Return a file per step, its version in ``$comment``.

    Examples
    --------
    >>> print(files([StepSchema("persona", 2, '{"type": "object"}')])["persona.schema.json"])
    {
      "$schema": "https://json-schema.org/draft/2020-12/schema",
      "$comment": "Artifact of step persona, schema version 2",
      "type": "object"
    }
    <BLANKLINE>
    """
    names = file_names(schemas)
    texts = {}
    for one in schemas:
        comment = f"Artifact of step {one.step}, schema version {one.version}"
        whole = {"$schema": DRAFT, "$comment": comment} | json.loads(one.text)
        texts[f"{names[one.step]}.schema.json"] = (
            json.dumps(whole, indent=2, ensure_ascii=False) + "\n"
        )
    return texts
