"""Protocols and whole workshop files, in and out of the store."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from ctxlab.core.tokens import TokenCounter
from ctxlab.errors import ConflictError, NotFoundError
from ctxlab.store.connection import Database
from ctxlab.store.conversations import Conversation, add_conversations
from ctxlab.store.json_text import json_text
from ctxlab.store.records import fetch
from ctxlab.store.tables import ARTIFACT_SCHEMAS, STEP_DEFINITIONS
from ctxlab.workshop.prompts import step_prompt
from ctxlab.workshop.protocol import Protocol, StepDefinition
from ctxlab.workshop.schema_migrations import MigrateOne
from ctxlab.workshop.schema_migrations import read as read_migration
from ctxlab.workshop.schema_versions import (
    Migrate,
    ProtocolStep,
    register_schema,
    schema_of,
    versions,
)
from ctxlab.workshop.steps import DESIGN_THINKING

if TYPE_CHECKING:
    from ctxlab.chats.workshop_file import WorkshopFile

InProcess = Mapping[tuple[str, str, int], MigrateOne]
"""Migrations of this process, by protocol, step and schema version."""


def define(db: Database, protocol: Protocol) -> None:
    """Store a version of a protocol, and its schemas where they are new.

    Every version stays, for the workshops that follow it.

    Raises
    ------
    ConflictError
        When that version is stored with other steps, and workshops follow it.

    Examples
    --------
    >>> from ctxlab.workshop import DESIGN_THINKING
    >>> with Database() as db:
    ...     define(db, DESIGN_THINKING)
    ...     db.rows("SELECT count(*) FROM step_definitions")
    [(10,)]
    """
    key = [protocol.name, protocol.version]
    with db.write() as connection:
        known = _definitions(db, protocol.name, protocol.version)
        if known == protocol.steps:
            return
        followed = db.rows(f"SELECT count(*) FROM workshops WHERE {_VERSION}", key)[0][0]  # noqa: S608
        if known and followed:
            newest = db.rows(
                "SELECT max(protocol_version) FROM step_definitions WHERE protocol = ?", key[:1]
            )
            raise ConflictError(
                f"protocol {protocol.name!r} is stored in version {protocol.version} with other "
                f"steps, which {followed} workshops follow; give the change version "
                f"{newest[0][0] + 1}"
            )
        connection.execute(f"DELETE FROM step_definitions WHERE {_VERSION}", key)  # noqa: S608
        rows = [
            {
                "protocol": protocol.name,
                "protocol_version": protocol.version,
                "step_id": step.id,
                "position": step.order,
                "name": step.name,
                "description": step.description,
                "depends_on": json_text(step.depends_on, f"depends_on of step {step.id!r}"),
                "prompt_template": step_prompt(step, protocol),
                "definition": json_text(step.model_dump(mode="json"), f"step {step.id!r}"),
            }
            for step in protocol.steps
        ]
        db.insert(STEP_DEFINITIONS.name, STEP_DEFINITIONS.frame(rows))
        for step in protocol.steps:
            _register(db, protocol, step)


_VERSION = "protocol = ? AND protocol_version = ?"


def _definitions(db: Database, protocol: str, version: int) -> tuple[StepDefinition, ...]:
    where = f"WHERE {_VERSION} ORDER BY position"
    found = fetch(db, STEP_DEFINITIONS, ["definition"], where, [protocol, version])
    return tuple(map(StepDefinition.model_validate_json, found["definition"]))


def _register(db: Database, protocol: Protocol, step: StepDefinition) -> None:
    key = ProtocolStep(protocol.name, step.id, protocol.version)
    known = versions(db, key)
    if any(json.loads(schema_of(db, key, v)[1]) == step.artifact_schema for v in known):
        return
    register_schema(db, key, max(known, default=0) + 1, step.artifact)


def read(db: Database, name: str, version: int | None = None) -> Protocol:
    """Return a version of a stored protocol, the newest when none is named.

    Raises
    ------
    NotFoundError
        When there is none of that name and version.

    Examples
    --------
    >>> read(Database(), "retro")
    Traceback (most recent call last):
    ctxlab.errors.NotFoundError: no protocol 'retro' in the store; Workshops.create stores one
    """
    there = db.rows(
        "SELECT DISTINCT protocol_version FROM step_definitions WHERE protocol = ? ORDER BY 1",
        [name],
    )
    known = [number for (number,) in there]
    chosen = version or max(known, default=1)
    if chosen not in known:
        which = f"version {chosen} of protocol {name!r}" if known else f"protocol {name!r}"
        hint = f"there are {known}" if known else "Workshops.create stores one"
        raise NotFoundError(f"no {which} in the store; {hint}")
    return Protocol(name=name, version=chosen, steps=_definitions(db, name, chosen))


def protocol_of(db: Database, step_id: str) -> ProtocolStep:
    """Return the step of that id, in the newest version of the protocol that has it.

    Raises
    ------
    NotFoundError
        When several protocols have such a step: then one has to be named.

    Examples
    --------
    >>> protocol_of(Database(), "note").protocol
    'design-thinking'
    """
    found = db.rows(
        "SELECT protocol, max(protocol_version) FROM step_definitions WHERE step_id = ? "
        "GROUP BY protocol ORDER BY protocol",
        [step_id],
    ) or db.rows(
        "SELECT protocol, max(protocol_version) FROM artifact_schemas WHERE step_id = ? "
        "GROUP BY protocol ORDER BY protocol",
        [step_id],
    )
    if len(found) > 1:
        names = ", ".join(repr(name) for name, _ in found)
        raise NotFoundError(
            f"step {step_id!r} is in several protocols; name one with protocol=: {names}"
        )
    name, version = found[0] if found else (DESIGN_THINKING.name, 1)
    return ProtocolStep(name, step_id, version)


def add_file(db: Database, file: WorkshopFile, protocol: Protocol, counter: TokenCounter) -> str:
    """Store the messages and probes of a workshop file; return the workshop's id.

    Examples
    --------
    >>> from ctxlab.chats.workshop_file import WorkshopFile
    >>> from ctxlab.workshop import DESIGN_THINKING
    >>> with Database() as db:
    ...     file = WorkshopFile("w", "Empty", (), ())
    ...     add_file(db, file, DESIGN_THINKING, TokenCounter())[:4]
    'wks_'
    """
    said = {
        step.step: tuple(replace(message, session=step.step) for message in step.messages)
        for step in file.steps
    }
    for name in said:
        protocol.step(name)
    steps = tuple((step.id, said.get(step.id, ())) for step in protocol.steps)
    case = file.case() if any(said.values()) else None
    chat = Conversation(file.title, protocol.name, steps, case, protocol.version)
    return add_conversations(db, [chat], counter)[0]


def mark_complete(db: Database, workshop: str) -> None:
    """Mark the steps of a finished workshop that have an artifact and a summary as complete.

    Examples
    --------
    >>> mark_complete(Database(), "wks_none")
    """
    with db.write() as connection:
        connection.execute(
            "UPDATE workshop_steps SET status = 'complete', arc_phase = 'complete', "
            "started_at = now(), completed_at = now() WHERE workshop_id = ? "
            "AND id IN (SELECT workshop_step_id FROM step_artifacts WHERE valid) "
            "AND id IN (SELECT workshop_step_id FROM step_summaries)",
            [workshop],
        )


def chain(db: Database, step: ProtocolStep, to: int, here: InProcess) -> Migrate:
    """Return the migration that leads from any earlier schema version to `to`, one by one.

    Parameters
    ----------
    db : Database
        Where the migrations stand.
    step : ProtocolStep
        Whose artifacts.
    to : int
        The schema version to reach.
    here : mapping
        Functions of this process, by protocol, step and version, which need no import.

    Raises
    ------
    NotFoundError
        When a version came with a function that is nowhere to be found.

    Examples
    --------
    >>> step = ProtocolStep("retro", "note")
    >>> migrate = chain(Database(), step, 2, {("retro", "note", 2): lambda old: {**old, "b": 1}})
    >>> migrate({"a": 1}, 1)
    {'a': 1, 'b': 1}
    """
    kept = fetch(
        db,
        ARTIFACT_SCHEMAS,
        ["schema_version", "migration"],
        "WHERE protocol = ? AND step_id = ? AND schema_version <= ?",
        [step.protocol, step.step, to],
    )
    stored = dict(zip(kept["schema_version"], kept["migration"], strict=True))
    found: dict[int, MigrateOne] = {}

    def one(number: int) -> MigrateOne | None:
        function = here.get((step.protocol, step.step, number))
        if function is not None or not stored.get(number):
            return function
        if number not in found:
            found[number] = read_migration(stored[number], f"{step}, version {number}")
        return found[number]

    def migrate(artifact: dict[str, Any], version: int) -> dict[str, Any]:
        for number in range(version + 1, to + 1):
            step_up = one(number)
            artifact = step_up(artifact) if step_up else artifact
        return artifact

    return migrate
