"""JSON Schema, draft 2020-12: one file per step, as Pydantic or the registering user wrote it."""

from __future__ import annotations

import json
from collections.abc import Sequence

from ctxlab.export.chosen_schemas import StepSchema

DRAFT = "https://json-schema.org/draft/2020-12/schema"
"""The dialect that Pydantic writes, and that a schema is in when it names none."""


def files(schemas: Sequence[StepSchema]) -> dict[str, str]:
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
    texts = {}
    for one in schemas:
        comment = f"Artifact of step {one.step}, schema version {one.version}"
        whole = {"$schema": DRAFT, "$comment": comment} | json.loads(one.text)
        name = f"{_file_name(one.step)}.schema.json"
        texts[name] = json.dumps(whole, indent=2, ensure_ascii=False) + "\n"
    return texts


def _file_name(step: str) -> str:
    # A step's id comes from users: it must not lead out of the folder.
    return "".join(char if char.isalnum() or char in "-_" else "_" for char in step)
