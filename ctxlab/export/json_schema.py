"""JSON Schema, draft 2020-12: one file per step, as Pydantic or the registering user wrote it."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Sequence

from ctxlab.export.chosen_schemas import StepSchema

DRAFT = "https://json-schema.org/draft/2020-12/schema"
"""The dialect that Pydantic writes, and that a schema is in when it names none."""
_LONGEST = 80
"""Characters of a name; file systems take 255 bytes."""


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
    names = _file_names([one.step for one in schemas])
    for one in schemas:
        comment = f"Artifact of step {one.step}, schema version {one.version}"
        whole = {"$schema": DRAFT, "$comment": comment} | json.loads(one.text)
        text = json.dumps(whole, indent=2, ensure_ascii=False)
        texts[f"{names[one.step]}.schema.json"] = f"{text}\n"
    return texts


def _file_names(steps: Iterable[str]) -> dict[str, str]:
    """Return a file's name for every step: none leads out of the folder, no two are one file.

    Where the letters that every file system takes do not tell two steps apart, or are too many,
    a digest of the step's id does.
    """
    plain = {step: _plain(step) for step in steps}
    # Some file systems do not tell capitals from small letters.
    often = Counter(name.casefold() for name in plain.values())
    return {
        step: name if often[name.casefold()] == 1 and len(name) <= _LONGEST else _told(step, name)
        for step, name in plain.items()
    }


def _plain(step: str) -> str:
    kept = "".join(c if (c.isascii() and c.isalnum()) or c in "-_" else "_" for c in step)
    return kept or "_"


def _told(step: str, name: str) -> str:
    digest = hashlib.sha256(step.encode("utf-8", "surrogatepass")).hexdigest()[:10]
    return f"{name[:_LONGEST]}-{digest}"
