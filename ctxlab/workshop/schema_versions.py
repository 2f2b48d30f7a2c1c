"""Artifact schemas with versions: registered, compared, and used to validate and migrate."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from pydantic import BaseModel

from ctxlab.errors import ConflictError, InvalidArtifactError, NotFoundError
from ctxlab.store.connection import Database
from ctxlab.store.records import fetch
from ctxlab.store.tables import ARTIFACT_SCHEMAS, STEP_ARTIFACTS
from ctxlab.workshop.artifact_schema import ArtifactSchema

Fault = tuple[str, str]
Migrate = Callable[[dict[str, Any], int], dict[str, Any]]


def register_schema(
    db: Database,
    step_id: str,
    version: int,
    schema: type[BaseModel] | Mapping[str, Any] | ArtifactSchema,
    migration: str | None = None,
) -> None:
    """Store a version of a step's artifact schema; the same again changes nothing.

    Raises
    ------
    ConflictError
        When another schema is registered under that version.

    Examples
    --------
    >>> from ctxlab.workshop import ARTIFACT_SCHEMAS
    >>> with Database() as db:
    ...     register_schema(db, "persona", 1, ARTIFACT_SCHEMAS["persona"])
    ...     versions(db, "persona")
    [1]
    """
    text = ArtifactSchema.of(schema).text
    with db.write() as connection:
        db.schemas.clear()
        known = connection.execute(
            "SELECT json_schema FROM artifact_schemas WHERE step_id = ? AND schema_version = ?",
            [step_id, version],
        ).fetchone()
        if known is None:
            row = {"step_id": step_id, "schema_version": version, "json_schema": text}
            values = {**row, "migration": migration}
            connection.execute(ARTIFACT_SCHEMAS.insert(values), values)
        elif json.loads(known[0]) != json.loads(text):
            raise ConflictError(
                f"schema version {version} of step {step_id!r} is registered already and differs; "
                f"register the change as version {max(versions(db, step_id)) + 1}"
            )


def versions(db: Database, step_id: str) -> list[int]:
    """Return the registered schema versions of a step, ascending.

    Examples
    --------
    >>> versions(Database(), "persona")
    []
    """
    where = "WHERE step_id = ? ORDER BY schema_version"
    return list(fetch(db, ARTIFACT_SCHEMAS, ["schema_version"], where, [step_id])["schema_version"])


def schema_of(db: Database, step_id: str, version: int | None = None) -> tuple[int, str]:
    """Return the number and the JSON text of a schema version, the latest when none is named.

    Raises
    ------
    NotFoundError
        When there is none.

    Examples
    --------
    >>> schema_of(Database(), "persona")
    Traceback (most recent call last):
    ctxlab.errors.NotFoundError: step 'persona' has no registered schema; ...
    """
    if (step_id, version) in db.schemas:
        return db.schemas[step_id, version]
    latest = fetch(
        db,
        ARTIFACT_SCHEMAS,
        ["schema_version", "json_schema"],
        "WHERE step_id = $step AND ($version IS NULL OR schema_version = $version) "
        "ORDER BY schema_version DESC LIMIT 1",
        {"step": step_id, "version": version},
    )
    for found in zip(latest["schema_version"], latest["json_schema"], strict=True):
        db.schemas[step_id, version] = found
        return found
    known = versions(db, step_id)
    which = f" in version {version}; there are {known}" if known else "; register_schema adds one"
    raise NotFoundError(f"step {step_id!r} has no registered schema{which}")


def faults(schema: str, artifact: object) -> list[Fault]:
    """Return the JSON path and the problem of everything in an artifact that a schema refuses.

    Source: JSON Schema, draft 2020-12.

    Examples
    --------
    >>> faults('{"required": ["name"]}', {})
    [('$', "'name' is a required property")]
    """
    found = sorted(_validator(schema).iter_errors(artifact), key=lambda e: (e.json_path, e.message))
    return [(error.json_path, _short(error.message)) for error in found]


@lru_cache(maxsize=256)
def _validator(schema: str) -> Any:  # noqa: ANN401 - the library is untyped
    from jsonschema import Draft202012Validator

    return Draft202012Validator(json.loads(schema))


def _short(message: str) -> str:
    return message if len(message) <= 200 else message[:197] + "..."


def check(db: Database, step_id: str, version: int, artifact: object) -> list[Fault]:
    """Return what the registered schema refuses in an artifact.

    Examples
    --------
    >>> with Database() as db:
    ...     register_schema(db, "note", 1, {"type": "object", "required": ["text"]})
    ...     check(db, "note", 1, {"text": "x"})
    []
    """
    return faults(schema_of(db, step_id, version)[1], artifact)


@dataclass(frozen=True, slots=True)
class Migrated:
    """What became of one artifact in a migration.

    Examples
    --------
    >>> Migrated("wst_1", 3, ()).ok
    True
    """

    workshop_step: str
    version: int
    faults: tuple[Fault, ...]

    @property
    def ok(self) -> bool:
        """Whether the migrated artifact obeys the new schema.

        Examples
        --------
        >>> Migrated("wst_1", 3, (("$.name", "is missing"),)).ok
        False
        """
        return not self.faults


def migrate_artifacts(
    db: Database,
    step_id: str,
    migrate: Migrate,
    to: int,
    save: Callable[[str, int, dict[str, Any]], None],
    *,
    dry_run: bool = True,
) -> list[Migrated]:
    """Bring every artifact of a step to a schema version, all or nothing.

    Parameters
    ----------
    db : Database
        The store's database.
    step_id : str
        Whose artifacts.
    migrate : callable
        Turns an artifact, given with its schema version, into one of the new version.
    to : int
        The new schema version.
    save : callable
        Saves an artifact: step row, version found, artifact.
    dry_run : bool
        Only report.

    Raises
    ------
    InvalidArtifactError
        When one does not obey the new schema, or its migration fails; then none is changed.

    Examples
    --------
    >>> with Database() as db:
    ...     register_schema(db, "note", 2, {"type": "object"})
    ...     migrate_artifacts(db, "note", lambda old, _: old, 2, lambda *_: None)
    []
    """
    schema = schema_of(db, step_id, to)[1]
    with db.write():
        report = []
        for row, version, schema_version, artifact in _older(db, step_id, to):
            try:
                new = migrate(artifact, schema_version)
                found = faults(schema, new)
            except Exception as error:  # noqa: BLE001 - the migration is the caller's code
                new, found = artifact, [("$", f"{type(error).__name__}: {error}")]
            report.append(Migrated(row, version, tuple(found)))
            if not dry_run and not found:
                save(row, version, new)
        bad = [one for one in report if not one.ok]
        if bad and not dry_run:
            where = (
                (f"{one.workshop_step} {path}", what) for one in bad for path, what in one.faults
            )
            raise InvalidArtifactError(f"migration of {step_id!r} to version {to}", where)
    return report


def _older(db: Database, step_id: str, to: int) -> Iterator[tuple[str, int, int, dict[str, Any]]]:
    found = fetch(
        db,
        STEP_ARTIFACTS,
        ["workshop_step_id", "version", "schema_version", "artifact"],
        "WHERE workshop_step_id IN (SELECT id FROM workshop_steps WHERE step_id = ?) "
        "AND schema_version < ? ORDER BY workshop_step_id",
        [step_id, to],
    )
    for at, row in enumerate(found["workshop_step_id"]):
        artifact = json.loads(found["artifact"][at])
        yield row, found["version"][at], found["schema_version"][at], artifact
