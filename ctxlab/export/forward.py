"""From an earlier bundle to this one: SQL that moves tables and data, and what a person writes."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ctxlab.export.chosen_schemas import StepSchema
from ctxlab.export.existing_tables import Lacking, added_columns
from ctxlab.export.seeds import quoted, schema_inserts
from ctxlab.store.tables import PRODUCTION
from ctxlab.workshop.production_ddl import statements

_STEPS = "SELECT t.id FROM workshop_steps t JOIN workshops w ON w.id = t.workshop_id"


def forward(old: Mapping[str, Any], schemas: Sequence[StepSchema]) -> dict[str, str]:
    r"""Return the migration from an earlier bundle, and a list of what it cannot do.

    Parameters
    ----------
    old : mapping
        The manifest of the earlier bundle.
    schemas : sequence of StepSchema
        The schemas of the new one, each with its migration.

    Returns
    -------
    dict of str to str
        ``forward.sql``, one transaction, and ``forward.txt``.

    Raises
    ------
    MissingExtraError
        When SQLAlchemy is not installed, and tables are new.

    Examples
    --------
    >>> old = {"tables": {n: t.names for n, t in PRODUCTION.items()}, "schemas": []}
    >>> forward(old, [])["forward.txt"]
    'nothing is left to write by hand\n'
    """
    known = old["tables"]
    columns = {
        name: missing
        for name, table in PRODUCTION.items()
        if name in known
        if (missing := tuple(c for c in table.columns if c.name not in known[name]))
    }
    lines = [f"{one};" for one in statements(n for n in PRODUCTION if n not in known)]
    lines += [f"{one};" for one in added_columns(Lacking((), columns))]
    left = [
        f"table {name}: fill {column.name}, which is not null in new databases"
        for name, missing in columns.items()
        for column in missing
        if not column.optional and column.default is None
    ]
    left += [
        f"table {name}: column {column} is no longer declared; drop it when nothing reads it"
        for name, names in known.items()
        for column in names
        if name in PRODUCTION and column not in PRODUCTION[name].names
    ]
    before = {(one["protocol"], one["step"]): one for one in old["schemas"]}
    for one in schemas:
        past = before.get((one.protocol, one.step))
        if past is None or past["version"] < one.version:
            lines += [text.strip() for text in schema_inserts([one])]
        if past is not None and past["version"] != one.version:
            lines += _data(one, past["version"], left)
    body = "\n".join(lines) or "-- nothing has changed"
    text = "\n".join(left) or "nothing is left to write by hand"
    return {"forward.sql": f"BEGIN;\n{body}\nCOMMIT;\n", "forward.txt": f"{text}\n"}


def _data(one: StepSchema, old: int, left: list[str]) -> Iterator[str]:
    """Yield what moves the artifacts of one step; note what cannot be said in SQL."""
    what = f"artifacts of step {one.step}, version {old} to {one.version}"
    if one.version != old + 1:
        left.append(f"{what}: several versions at once, or back; migrate them in the lab and push")
        return
    steps = json.loads(one.migration).get("steps") if one.migration else []
    if steps is None:
        left.append(f"{what}: the migration is a function; migrate them in the lab and push")
        return
    made = [_expression(step) for step in steps]
    for step, text in zip(steps, made, strict=True):
        if text is None:
            left.append(f"{what}: {json.dumps(step)}")
    if None in made:
        return
    step, protocol = quoted(one.step), quoted(one.protocol)
    of_step = f"t.step_id = {step} AND w.protocol = {protocol}"
    rows = f"schema_version = {old} AND workshop_step_id IN ({_STEPS} WHERE {of_step})"
    for text in made:
        yield f"UPDATE step_artifacts SET artifact = {text} WHERE {rows};"  # noqa: S608
    # The artifact is a new version, and its history goes on.
    new = f"schema_version = {one.version}, version = version + 1"
    yield f"UPDATE step_artifacts SET {new} WHERE {rows};"  # noqa: S608
    yield (
        "INSERT INTO step_artifact_versions (workshop_step_id, version, artifact, "
        "schema_version, valid) SELECT workshop_step_id, version, artifact, schema_version, valid "
        "FROM step_artifacts ON CONFLICT DO NOTHING;"
    )


def _expression(step: Mapping[str, Any]) -> str | None:
    """Return the new artifact as SQL; None for a path below the first level."""
    path = [part.replace("~1", "/").replace("~0", "~") for part in step["path"].split("/")[1:]]
    if len(path) != 1 or path == ["*"] or step["op"] == "move":
        return None
    key = quoted(path[0])
    there = f"artifact ? {key}"
    if step["op"] == "remove":
        return f"artifact - {key}"
    if step["op"] == "rename":
        new = f"(artifact - {key}) || jsonb_build_object({quoted(step['to'])}, artifact -> {key})"
        return f"CASE WHEN {there} THEN {new} ELSE artifact END"
    if step["op"] == "add":
        return f"artifact || jsonb_build_object({key}, {_json(step['value'])})"
    if step["op"] == "default":
        return f"jsonb_build_object({key}, {_json(step['value'])}) || artifact"
    if step["op"] == "scale":
        new = f"trim_scale((artifact ->> {key})::numeric * {step['factor']})"
        number = f"jsonb_typeof(artifact -> {key}) = 'number'"
    else:
        values = _json(step["values"])
        new, number = f"{values} -> (artifact ->> {key})", f"{values} ? (artifact ->> {key})"
    return f"CASE WHEN {number} THEN artifact || jsonb_build_object({key}, {new}) ELSE artifact END"


def _json(value: object) -> str:
    return f"{quoted(json.dumps(value, ensure_ascii=False))}::jsonb"
