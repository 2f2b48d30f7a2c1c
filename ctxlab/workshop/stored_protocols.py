"""Protocols and whole workshop files, in and out of the store."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from ctxlab.core.tokens import TokenCounter
from ctxlab.errors import NotFoundError
from ctxlab.store.connection import Database
from ctxlab.store.conversations import Conversation, add_conversations
from ctxlab.store.json_text import json_text
from ctxlab.store.records import fetch
from ctxlab.store.tables import STEP_DEFINITIONS
from ctxlab.workshop.prompts import step_prompt
from ctxlab.workshop.protocol import Protocol, StepDefinition
from ctxlab.workshop.schema_versions import Migrate, register_schema, schema_of, versions

if TYPE_CHECKING:
    from ctxlab.chats.workshop_file import WorkshopFile

MigrateOne = Callable[[dict[str, Any]], dict[str, Any]]
"""Turns an artifact of the schema version before into one of its own version."""


def define(db: Database, protocol: Protocol) -> None:
    """Store a protocol's steps, and its schemas where they are new; an older version is replaced.

    Examples
    --------
    >>> from ctxlab.workshop import DESIGN_THINKING
    >>> with Database() as db:
    ...     define(db, DESIGN_THINKING)
    ...     db.rows("SELECT count(*) FROM step_definitions")
    [(10,)]
    """
    with db.write() as connection:
        definitions = [step.model_dump(mode="json") for step in protocol.steps]
        if _definitions(db, protocol.name) == definitions:
            return
        connection.execute("DELETE FROM step_definitions WHERE protocol = ?", [protocol.name])
        rows = [
            {
                "protocol": protocol.name,
                "step_id": step.id,
                "position": step.order,
                "name": step.name,
                "description": step.description,
                "depends_on": json_text(step.depends_on, f"depends_on of step {step.id!r}"),
                "prompt_template": step_prompt(step, protocol),
                "definition": json_text(definition, f"step {step.id!r}"),
            }
            for step, definition in zip(protocol.steps, definitions, strict=True)
        ]
        db.insert(STEP_DEFINITIONS.name, STEP_DEFINITIONS.frame(rows))
        for step in protocol.steps:
            _register(db, step)


def _definitions(db: Database, protocol: str) -> list[Any]:
    where = "WHERE protocol = ? ORDER BY position"
    found = fetch(db, STEP_DEFINITIONS, ["definition"], where, [protocol])
    return [json.loads(text) for text in found["definition"]]


def _register(db: Database, step: StepDefinition) -> None:
    known = versions(db, step.id)
    if any(json.loads(schema_of(db, step.id, v)[1]) == step.artifact_schema for v in known):
        return
    register_schema(db, step.id, max(known, default=0) + 1, step.artifact)


def read(db: Database, name: str) -> Protocol:
    """Return a stored protocol.

    Raises
    ------
    NotFoundError
        When there is none of that name.

    Examples
    --------
    >>> read(Database(), "retro")
    Traceback (most recent call last):
    ctxlab.errors.NotFoundError: no protocol 'retro' in the store; Workshops.create stores one
    """
    definitions = _definitions(db, name)
    if not definitions:
        raise NotFoundError(f"no protocol {name!r} in the store; Workshops.create stores one")
    steps = tuple(map(StepDefinition.model_validate, definitions))
    return Protocol(name=name, steps=steps)


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
    chat = Conversation(file.title, protocol.name, steps, case)
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


def chain(migrations: Mapping[tuple[str, int], MigrateOne], step_id: str, to: int) -> Migrate:
    """Return the migration that leads from any earlier schema version to `to`, step by step.

    Examples
    --------
    >>> migrate = chain({("note", 2): lambda old: {**old, "b": 1}}, "note", 2)
    >>> migrate({"a": 1}, 1)
    {'a': 1, 'b': 1}
    """

    def migrate(artifact: dict[str, Any], version: int) -> dict[str, Any]:
        for number in range(version + 1, to + 1):
            one = migrations.get((step_id, number))
            artifact = one(artifact) if one else artifact
        return artifact

    return migrate
