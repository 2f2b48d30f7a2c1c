"""The workshops of a store: made, opened, listed, with their protocols and artifact schemas."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ctxlab.store import Store
from ctxlab.store.conversations import Conversation, add_conversations
from ctxlab.store.records import fetch
from ctxlab.store.tables import WORKSHOPS
from ctxlab.workshop import schema_versions, stored_protocols
from ctxlab.workshop.artifacts import Artifacts
from ctxlab.workshop.compatibility import Compatibility, compatibility
from ctxlab.workshop.handle import Workshop
from ctxlab.workshop.protocol import Protocol
from ctxlab.workshop.schema_migrations import MigrateOne, Steps, written
from ctxlab.workshop.schema_versions import Migrated, ProtocolStep
from ctxlab.workshop.steps import DESIGN_THINKING
from ctxlab.workshop.summaries import Summaries

if TYPE_CHECKING:
    from pydantic import BaseModel

    from ctxlab.chats.workshop_file import WorkshopFile


class Workshops:
    """The workshops of a store.

    Parameters
    ----------
    store : Store
        Where they live.

    Examples
    --------
    >>> workshops = Workshops(Store(":memory:"))
    >>> workshops.create("Market hall")
    Workshop('Market hall', 0 of 10 steps complete)
    """

    def __init__(self, store: Store) -> None:
        self.store, self.db, self.counter = store, store.db, store.counter
        self.artifacts = Artifacts(self.db, self.counter)
        self.summaries = Summaries(self.db, self.counter)
        self._migrations: dict[tuple[str, str, int], MigrateOne] = {}
        self._protocols: dict[tuple[str, int | None], Protocol] = {}
        self._read_at = -1

    def create(self, title: str, protocol: Protocol = DESIGN_THINKING) -> Workshop:
        """Make a workshop with all steps of a protocol, none of them started.

        Examples
        --------
        >>> Workshops(Store(":memory:")).create("Market hall")
        Workshop('Market hall', 0 of 10 steps complete)
        """
        with self.db.write():
            stored_protocols.define(self.db, protocol)
            steps = tuple((step.id, ()) for step in protocol.steps)
            chat = Conversation(title, protocol.name, steps, None, protocol.version)
            [workshop] = add_conversations(self.db, [chat], self.counter)
        return Workshop(self, workshop)

    def add(self, file: WorkshopFile, protocol: Protocol = DESIGN_THINKING) -> Workshop:
        """Store a workshop file whole: messages, summaries, artifacts, and its probes as a case.

        Examples
        --------
        >>> from ctxlab.datasets import bundled_dir, load_workshop
        >>> file = load_workshop(bundled_dir() / "workshops/market-surplus.json")
        >>> Workshops(Store(":memory:")).add(file)
        Workshop('Food surplus at the covered market of Varnhem', 10 of 10 steps complete)
        """
        with self.db.write():
            stored_protocols.define(self.db, protocol)
            workshop = Workshop(
                self, stored_protocols.add_file(self.db, file, protocol, self.counter)
            )
            for step in file.steps:
                if step.artifact is not None:
                    workshop.save_artifact(step.step, step.artifact)
                if step.summary is not None:
                    workshop.save_summary(step.step, step.summary)
            stored_protocols.mark_complete(self.db, workshop.id)
        return workshop

    def open(self, id: str) -> Workshop:  # noqa: A002 - what it is
        """Return a handle to a stored workshop.

        Raises
        ------
        NotFoundError
            When there is none of that id.

        Examples
        --------
        >>> workshops = Workshops(Store(":memory:"))
        >>> workshops.open(workshops.create("Market hall").id).title
        'Market hall'
        """
        return Workshop(self, id)

    def titles(self) -> dict[str, str]:
        """Return the title of every stored workshop, by id.

        Examples
        --------
        >>> Workshops(Store(":memory:")).titles()
        {}
        """
        found = fetch(self.db, WORKSHOPS, ["id", "title"], "ORDER BY id")
        return dict(zip(found["id"], found["title"], strict=True))

    def protocol(self, name: str, version: int | None = None) -> Protocol:
        """Return a version of a protocol as it is stored, the newest when none is named.

        Raises
        ------
        NotFoundError
            When no workshop of that protocol and version was ever made.

        Examples
        --------
        >>> workshops = Workshops(Store(":memory:"))
        >>> workshops.create("Market hall").protocol == DESIGN_THINKING
        True
        """
        if self._read_at != self.db.generation:
            self._protocols, self._read_at = {}, self.db.generation
        if (name, version) not in self._protocols:
            self._protocols[name, version] = stored_protocols.read(self.db, name, version)
        return self._protocols[name, version]

    def register_schema(
        self,
        step_id: str,
        version: int,
        schema: type[BaseModel] | Mapping[str, Any],
        migrate: MigrateOne | Steps | None = None,
        protocol: str | None = None,
    ) -> None:
        """Register a version of a step's artifact schema, with the way to it from the one before.

        Parameters
        ----------
        step_id : str
            Whose artifacts.
        version : int
            The schema's version.
        schema : Pydantic model or mapping
            What they obey.
        migrate : sequence of steps, or callable
            The way from the version before. Steps are data and survive; a function must be one
            that another process can import, unless it is used in this one only.
        protocol : str, optional
            The protocol's name, where more than one has such a step.

        Raises
        ------
        ConflictError
            When another schema is registered under that version.
        NotFoundError
            When several protocols have such a step and none is named.
        SpecError, UnknownNameError
            When a step of the migration is not understood.

        Examples
        --------
        >>> workshops = Workshops(Store(":memory:"))
        >>> workshops.register_schema("note", 1, {"type": "object"})
        >>> cents = [{"op": "scale", "path": "/price", "factor": 100}]
        >>> workshops.register_schema("note", 2, {"type": "object"}, migrate=cents)
        """
        step = self.schema_step(step_id, protocol)
        text = None if migrate is None else written(migrate)
        schema_versions.register_schema(self.db, step, version, schema, text)
        if callable(migrate):
            self._migrations[step.protocol, step.step, version] = migrate

    def schema_step(self, step_id: str, protocol: str | None = None) -> ProtocolStep:
        """Return whose artifact schemas are meant: a step, in the newest version of its protocol.

        Raises
        ------
        NotFoundError
            When several protocols have such a step and none is named.

        Examples
        --------
        >>> Workshops(Store(":memory:")).schema_step("persona").protocol
        'design-thinking'
        """
        if protocol is None:
            return stored_protocols.protocol_of(self.db, step_id)
        rows = self.db.rows(
            "SELECT max(protocol_version) FROM step_definitions WHERE protocol = ?", [protocol]
        )
        return ProtocolStep(protocol, step_id, rows[0][0] or 1)

    def choose_schema(self, step_id: str, version: int, protocol: str | None = None) -> None:
        """Mark the schema version that new artifacts obey and that exports take.

        Raises
        ------
        NotFoundError
            When it is not registered.

        Examples
        --------
        >>> Workshops(Store(":memory:")).choose_schema("note", 3)
        Traceback (most recent call last):
        ctxlab.errors.NotFoundError: step 'note' of design-thinking has no registered schema; ...
        """
        schema_versions.choose_schema(self.db, self.schema_step(step_id, protocol), version)

    def compatibility(
        self, step_id: str, old: int, new: int, protocol: str | None = None
    ) -> Compatibility:
        """Compare two schema versions, and replay every stored artifact on the new one.

        Examples
        --------
        >>> workshops = Workshops(Store(":memory:"))
        >>> workshops.register_schema("note", 1, {"type": "object"})
        >>> workshops.register_schema("note", 2, {"type": "object", "required": ["text"]})
        >>> workshops.compatibility("note", 1, 2).kind
        'needs migration'
        """
        return compatibility(self.db, self.schema_step(step_id, protocol), old, new)

    def migrate_artifacts(
        self, step_id: str, to: int, *, protocol: str | None = None, dry_run: bool = True
    ) -> list[Migrated]:
        """Bring every artifact of a step to a schema version, in one transaction, all or nothing.

        Raises
        ------
        InvalidArtifactError
            When one cannot be brought there; then none is changed.
        NotFoundError
            When a migration is a function that is nowhere to be found.

        Examples
        --------
        >>> workshops = Workshops(Store(":memory:"))
        >>> workshops.register_schema("note", 2, {"type": "object"})
        >>> workshops.migrate_artifacts("note", 2)
        []
        """
        step = self.schema_step(step_id, protocol)

        def save(row: str, version: int, artifact: dict[str, Any]) -> None:
            self.artifacts.save(row, step, artifact, expected_version=version, schema_version=to)

        migrate = stored_protocols.chain(self.db, step, to, self._migrations)
        return schema_versions.migrate_artifacts(self.db, step, migrate, to, save, dry_run=dry_run)
