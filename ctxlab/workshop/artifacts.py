"""Artifacts: one a step, with an optimistic lock that raises and every version kept."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from pydantic import BaseModel

from ctxlab.core.steps import ArtifactRecord
from ctxlab.core.tokens import TokenCounter, shared_counter
from ctxlab.errors import InvalidArtifactError, NotFoundError, StaleVersionError
from ctxlab.store.connection import Database
from ctxlab.store.json_text import json_text
from ctxlab.store.records import Records
from ctxlab.store.storable import new_id
from ctxlab.store.tables import STEP_ARTIFACT_VERSIONS, STEP_ARTIFACTS
from ctxlab.workshop.schema_versions import ProtocolStep, check, schema_of

ARTIFACTS = Records(
    ArtifactRecord,
    STEP_ARTIFACTS,
    "JOIN workshop_steps ON workshop_steps.id = step_artifacts.workshop_step_id",
    {"step": "workshop_steps.step_id"},
)
"""Artifacts as they are stored, each with its step."""
_VERSIONS = Records(
    ArtifactRecord,
    STEP_ARTIFACT_VERSIONS,
    "LEFT JOIN step_artifacts USING (workshop_step_id) "
    "LEFT JOIN workshop_steps ON workshop_steps.id = step_artifact_versions.workshop_step_id",
    {"id": "step_artifacts.id", "step": "workshop_steps.step_id"},
)


@dataclass
class Artifacts:
    """The artifacts of a store, read through a cache that every write empties.

    Parameters
    ----------
    db : Database
        The store's database.
    counter : TokenCounter
        Counts an artifact's JSON text.

    Examples
    --------
    >>> Artifacts(Database()).counter.encoding
    'o200k_base'
    """

    db: Database
    counter: TokenCounter = field(default_factory=shared_counter)

    def __post_init__(self) -> None:
        self._cache: dict[str, ArtifactRecord] = {}
        self._generation = -1

    def save(
        self,
        row: str,
        step: ProtocolStep,
        artifact: Mapping[str, Any] | BaseModel,
        *,
        expected_version: int,
        schema_version: int | None = None,
        validate: bool = True,
    ) -> ArtifactRecord:
        """Save an artifact if nobody else has in the meantime, and keep the version before.

        Parameters
        ----------
        row : str
            The workshop step's id.
        step : ProtocolStep
            Which step of which protocol it is.
        artifact : mapping or Pydantic model
            A JSON object, or what becomes one.
        expected_version : int
            The version that was read; 0 for a first artifact.
        schema_version : int, optional
            The schema it obeys; the one that `schema_of` names when not given.
        validate : bool
            Refuse an artifact that its schema refuses; otherwise store it marked as not valid.

        Raises
        ------
        StaleVersionError
            When the stored version is another; nothing is written.
        InvalidArtifactError
            When the schema refuses it, with the JSON path of every fault, or it is no object.
        NotJSONError
            When it holds what JSON cannot, such as NaN or half a surrogate pair.

        Examples
        --------
        >>> from ctxlab import Store, Workshops
        >>> workshop = Workshops(Store(":memory:")).create("Retro")
        >>> workshop.save_artifact("persona", {"age": -1}, validate=False).valid
        False
        """
        step_id = step.step
        artifact = as_object(artifact, step_id)
        text = json_text(artifact, f"artifact of step {step_id!r}")
        schema = schema_of(self.db, step, schema_version)[0]
        found = check(self.db, step, schema, json.loads(text))
        if found and validate:
            raise InvalidArtifactError(f"artifact of step {step_id!r} (schema {schema})", found)
        tokens = self.counter.count(text)
        content = {"artifact": text, "schema_version": schema, "valid": not found}
        values = content | {"token_count": tokens, "encoding": self.counter.encoding}
        with self.db.write() as connection:
            if expected_version == 0:
                self._refuse_existing(row, step_id)
                values |= {"id": new_id("art"), "workshop_step_id": row, "version": 1}
                statement = STEP_ARTIFACTS.insert(values)
            else:
                statement = (
                    f"{STEP_ARTIFACTS.update(values)}, version = version + 1, "
                    "extracted_at = now() WHERE workshop_step_id = $row AND version = $expected"
                )
                values |= {"row": row, "expected": expected_version}
            saved = connection.execute(f"{statement} RETURNING id, version", values).fetchone()
            if saved is None:
                raise self._stale(row, step_id, expected_version)
            version = content | {"workshop_step_id": row, "version": saved[1]}
            connection.execute(STEP_ARTIFACT_VERSIONS.insert(version), version)
        return ArtifactRecord(saved[0], step_id, text, schema, saved[1], not found, tokens)

    def _refuse_existing(self, row: str, step_id: str) -> None:
        version = self._version(row)
        if version:
            raise StaleVersionError(f"artifact of step {step_id!r}", 0, version)

    def _stale(self, row: str, step_id: str, expected: int) -> Exception:
        version = self._version(row)
        if version:
            return StaleVersionError(f"artifact of step {step_id!r}", expected, version)
        return NotFoundError(
            f"step {step_id!r} has no artifact yet, so none of version {expected}; "
            "save the first one with expected_version=0"
        )

    def _version(self, row: str) -> int:
        rows = self.db.rows("SELECT version FROM step_artifacts WHERE workshop_step_id = ?", [row])
        return int(rows[0][0]) if rows else 0

    def read(self, row: str) -> ArtifactRecord | None:
        """Return the current artifact of a workshop step, or None.

        Examples
        --------
        >>> Artifacts(Database()).read("wst_none") is None
        True
        """
        if self._generation != self.db.generation:
            self._cache, self._generation = {}, self.db.generation
        known = self._cache.get(row)
        if known is not None:
            return known
        found = ARTIFACTS.read(self.db, "WHERE step_artifacts.workshop_step_id = ?", [row])
        if not found:
            return None
        [record] = found
        if not self.db.writing:
            # What an open write has changed may yet be rolled back.
            self._cache[row] = record
        return record

    def version(self, row: str, step_id: str, version: int) -> ArtifactRecord:
        """Return a version that the artifact once had.

        Raises
        ------
        NotFoundError
            When there was no such version; the message lists those there were.

        Examples
        --------
        >>> Artifacts(Database()).version("wst_none", "persona", 1)
        Traceback (most recent call last):
        ctxlab.errors.NotFoundError: step 'persona' has no artifact version 1; there are: none
        """
        for record in self.history(row, step_id):
            if record.version == version:
                return record
        there = ", ".join(str(r.version) for r in self.history(row, step_id)) or "none"
        raise NotFoundError(
            f"step {step_id!r} has no artifact version {version}; there are: {there}"
        )

    def history(self, row: str, step_id: str) -> list[ArtifactRecord]:
        """Return every version, the first one first.

        Examples
        --------
        >>> Artifacts(Database()).history("wst_none", "persona")
        []
        """
        found = _VERSIONS.fetch(
            self.db,
            "WHERE step_artifact_versions.workshop_step_id = ? "
            "ORDER BY step_artifact_versions.version",
            [row],
        )
        found["id"] = [key or "" for key in found["id"]]
        found["step"] = [step_id] * len(found["id"])
        return _VERSIONS.values(found)


def as_object(artifact: Mapping[str, Any] | BaseModel, step: str) -> Mapping[str, Any]:
    """Return an artifact as the JSON object that it is.

    Raises
    ------
    InvalidArtifactError
        When it is none.

    Examples
    --------
    >>> as_object(None, "persona")
    Traceback (most recent call last):
    ctxlab.errors.InvalidArtifactError: artifact of step 'persona' breaks its schema in 1 place:
    $: is a NoneType, not an object; pass a dict or a Pydantic model, {} for an empty one
    """
    found: object = artifact
    if isinstance(artifact, BaseModel):
        found = artifact.model_dump(mode="json", by_alias=True)
    if isinstance(found, Mapping):
        return found
    remedy = "pass a dict or a Pydantic model, {} for an empty one"
    problem = f"is a {type(found).__name__}, not an object; {remedy}"
    raise InvalidArtifactError(f"artifact of step {step!r}", [("$", problem)])


def merge_patch(old: object, new: object) -> Any:  # noqa: ANN401 - JSON
    """Return the JSON merge patch that turns `old` into `new`.

    Source: RFC 7396. In a merge patch null means removal, so a field that becomes null is
    removed by it.

    Examples
    --------
    >>> merge_patch({"a": 1, "b": {"c": 2, "d": 3}}, {"b": {"c": 4, "d": 3}})
    {'a': None, 'b': {'c': 4}}
    """
    if not isinstance(old, dict) or not isinstance(new, dict):
        return new
    patch: dict[str, Any] = {key: None for key in old if key not in new}
    for key, value in new.items():
        if key not in old:
            patch[key] = value
        elif value != old[key] or type(value) is not type(old[key]):
            patch[key] = merge_patch(old[key], value)
    return patch
