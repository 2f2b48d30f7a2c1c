"""Zod: a schema for every step, made from the JSON Schema itself, with its inferred type."""

from __future__ import annotations

import json
from collections.abc import Sequence

from ctxlab.export import typescript
from ctxlab.export.chosen_schemas import StepSchema
from ctxlab.export.export_options import PLAIN, ExportOptions
from ctxlab.export.schema_parts import parsed, type_names

_HEAD = """\
// Zod schemas of artifacts, written by ctxlab; zod 4.1 or later.
import { z } from "zod";
import type * as types from "./artifacts.types.js";

const made = <T>(schema: string): z.ZodType<T> =>
  z.fromJSONSchema(JSON.parse(schema) as never) as unknown as z.ZodType<T>;
"""


def files(schemas: Sequence[StepSchema], options: ExportOptions = PLAIN) -> dict[str, str]:
    """Return the module, and the module of types that it imports.

    Examples
    --------
    >>> list(files([StepSchema("persona", 1, '{"type": "object"}')]))
    ['artifacts.ts', 'artifacts.types.ts']
    """
    names = type_names(schemas)
    parts = [_HEAD]
    for one in schemas:
        name = names[one.step]
        # As a text: in an object literal a field "__proto__" would be no field.
        text = json.dumps(json.dumps(parsed(one)))
        parts.append(
            f"export const {name} = made<types.{name}>(\n  {text},\n);\n"
            f"export type {name} = z.infer<typeof {name}>;\n"
        )
    rows = "".join(f"  [{json.dumps(step)}]: {name},\n" for step, name in names.items())
    parts.append(
        f"/** The schema of every step. */\nexport const artifactSchemas = {{\n{rows}}};\n"
    )
    return {"artifacts.ts": "\n".join(parts), **typescript.files(schemas)}
