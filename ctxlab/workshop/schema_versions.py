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
from ctxlab.text.json_numbers import loads
from ctxlab.workshop.artifact_schema import ArtifactSchema

Fault = tuple[str, str]
Migrate = Callable[[dict[str, Any], int], dict[str, Any]]


@dataclass(frozen=True, slots=True)
class ProtocolStep:
    """A step of a protocol: two protocols may have steps of one id, with schemas of their own.

    Parameters
    ----------
    protocol, step : str
        Names of the protocol and of its step.
    version : int, optional
        The protocol's version: schemas that a later one brought do not count. All count without.

    Examples
    --------
    >>> str(ProtocolStep("design-thinking", "persona", 1))
    "step 'persona' of design-thinking"
    """

    protocol: str
    step: str
    version: int | None = None

    def __str__(self) -> str:
        return f"step {self.step!r} of {self.protocol}"


def register_schema(
    db: Database,
    step: ProtocolStep,
    version: int,
    schema: type[BaseModel] | Mapping[str, Any] | ArtifactSchema,
    migration: str | None = None,
) -> None:
    """Store a version of a step's artifact schema; the same again changes nothing.

    Parameters
    ----------
    db : Database
        The store's database.
    step : ProtocolStep
        Whose artifacts; its version is that of the protocol which brings the schema.
    version : int
        The schema's version, from 1.
    schema : Pydantic model, mapping or ArtifactSchema
        What artifacts obey.
    migration : str, optional
        The way from the version before, as JSON text; see `ctxlab.workshop.schema_migrations`.

    Raises
    ------
    ConflictError
        When another schema is registered under that version.

    Examples
    --------
    >>> from ctxlab.workshop import ARTIFACT_SCHEMAS
    >>> step = ProtocolStep("design-thinking", "persona")
    >>> with Database() as db:
    ...     register_schema(db, step, 1, ARTIFACT_SCHEMAS["persona"])
    ...     versions(db, step)
    [1]
    """
    text = ArtifactSchema.of(schema).text
    key = {"protocol": step.protocol, "step_id": step.step, "schema_version": version}
    with db.write() as connection:
        db.schemas.clear()
        known = connection.execute(
            f"SELECT json_schema FROM artifact_schemas WHERE {_KEY}",  # noqa: S608 - declared
            key,
        ).fetchone()
        if known is None:
            brought = {"protocol_version": step.version or 1, "json_schema": text}
            values = {**key, **brought, "migration": migration}
            connection.execute(ARTIFACT_SCHEMAS.insert(values), values)
        elif json.loads(known[0]) != json.loads(text):
            raise ConflictError(
                f"schema version {version} of {step} is registered already and differs; "
                f"register the change as version {max(versions(db, step)) + 1}"
            )
        elif migration is not None:
            connection.execute(
                f"UPDATE artifact_schemas SET migration = $migration WHERE {_KEY}",  # noqa: S608
                {**key, "migration": migration},
            )


_KEY = "protocol = $protocol AND step_id = $step_id AND schema_version = $schema_version"


def choose_schema(db: Database, step: ProtocolStep, version: int) -> None:
    """Mark the schema version that artifacts obey from now on, and that exports take.

    Raises
    ------
    NotFoundError
        When it is not registered.

    Examples
    --------
    >>> step = ProtocolStep("retro", "note")
    >>> with Database() as db:
    ...     for version in (1, 2):
    ...         register_schema(db, step, version, {"type": "object", "title": str(version)})
    ...     choose_schema(db, step, 1)
    ...     schema_of(db, step)[0]
    1
    """
    with db.write() as connection:
        db.schemas.clear()
        schema_of(db, step, version)
        connection.execute(
            "UPDATE artifact_schemas SET chosen = (schema_version = $version) "
            "WHERE protocol = $protocol AND step_id = $step",
            {"version": version, "protocol": step.protocol, "step": step.step},
        )


def versions(db: Database, step: ProtocolStep) -> list[int]:
    """Return the registered schema versions of a step, ascending.

    Examples
    --------
    >>> versions(Database(), ProtocolStep("design-thinking", "persona"))
    []
    """
    where = "WHERE protocol = ? AND step_id = ? ORDER BY schema_version"
    found = fetch(db, ARTIFACT_SCHEMAS, ["schema_version"], where, [step.protocol, step.step])
    return list(found["schema_version"])


def schema_of(db: Database, step: ProtocolStep, version: int | None = None) -> tuple[int, str]:
    """Return the number and the JSON text of a schema version.

    When none is named, it is the chosen one; without one, the latest that the protocol's version
    knows.

    Raises
    ------
    NotFoundError
        When there is none.

    Examples
    --------
    >>> schema_of(Database(), ProtocolStep("design-thinking", "persona"))
    Traceback (most recent call last):
    ctxlab.errors.NotFoundError: step 'persona' of design-thinking has no registered schema; ...
    """
    key = (step.protocol, step.step, step.version, version)
    if key in db.schemas:
        return db.schemas[key]
    latest = fetch(
        db,
        ARTIFACT_SCHEMAS,
        ["schema_version", "json_schema"],
        "WHERE protocol = $protocol AND step_id = $step AND CASE WHEN $version IS NULL "
        "THEN $of IS NULL OR protocol_version <= $of ELSE schema_version = $version END "
        "ORDER BY chosen DESC, schema_version DESC LIMIT 1",
        {"protocol": step.protocol, "step": step.step, "of": step.version, "version": version},
    )
    for found in zip(latest["schema_version"], latest["json_schema"], strict=True):
        db.schemas[key] = found
        return found
    known = versions(db, step)
    which = f" in version {version}; there are {known}" if known else "; register_schema adds one"
    raise NotFoundError(f"{step} has no registered schema{which}")


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


def check(db: Database, step: ProtocolStep, version: int, artifact: object) -> list[Fault]:
    """Return what the registered schema refuses in an artifact.

    Examples
    --------
    >>> step = ProtocolStep("retro", "note")
    >>> with Database() as db:
    ...     register_schema(db, step, 1, {"type": "object", "required": ["text"]})
    ...     check(db, step, 1, {"text": "x"})
    []
    """
    return faults(schema_of(db, step, version)[1], artifact)


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


STEP_ROWS = (
    "workshop_step_id IN (SELECT t.id FROM workshop_steps t JOIN workshops w "
    "ON w.id = t.workshop_id WHERE t.step_id = $step AND w.protocol = $protocol)"
)
"""What is of one step, in all workshops of its protocol."""


def migrate_artifacts(
    db: Database,
    step: ProtocolStep,
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
    step : ProtocolStep
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
    NotFoundError
        When a migration cannot be found; then none is changed.

    Examples
    --------
    >>> step = ProtocolStep("retro", "note")
    >>> with Database() as db:
    ...     register_schema(db, step, 2, {"type": "object"})
    ...     migrate_artifacts(db, step, lambda old, _: old, 2, lambda *_: None)
    []
    """
    schema = schema_of(db, step, to)[1]
    with db.write():
        report = []
        for row, version, schema_version, artifact in _older(db, step, to):
            try:
                new = migrate(artifact, schema_version)
                found = faults(schema, new)
            except NotFoundError:
                # The migration itself is missing: that is no fault of this artifact.
                raise
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
            raise InvalidArtifactError(f"migration of {step} to version {to}", where)
    return report


def _older(
    db: Database, step: ProtocolStep, to: int
) -> Iterator[tuple[str, int, int, dict[str, Any]]]:
    found = fetch(
        db,
        STEP_ARTIFACTS,
        ["workshop_step_id", "version", "schema_version", "artifact"],
        f"WHERE {STEP_ROWS} AND schema_version < $to ORDER BY workshop_step_id",
        {"protocol": step.protocol, "step": step.step, "to": to},
    )
    for at, row in enumerate(found["workshop_step_id"]):
        artifact = loads(found["artifact"][at])
        yield row, found["version"][at], found["schema_version"][at], artifact
