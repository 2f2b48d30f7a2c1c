"""One workshop in the store: its life cycle, and what its steps produce."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from pydantic import BaseModel

from ctxlab.core.segments import Message
from ctxlab.core.steps import ArtifactRecord
from ctxlab.errors import TransitionError
from ctxlab.workshop.arc import ArcPhase, ArcState, advance, move
from ctxlab.workshop.artifacts import merge_patch
from ctxlab.workshop.life_cycle import Steps, StepStatus
from ctxlab.workshop.schema_versions import ProtocolStep
from ctxlab.workshop.summaries import SummaryEvent, SummaryRecord

__all__ = ["StepStatus", "Workshop"]


class Workshop(Steps):
    """A handle to one workshop: start a step, talk, save what comes out, complete it.

    Parameters
    ----------
    workshops : Workshops
        Those of the store where it lives.
    id : str
        Its id.

    Raises
    ------
    NotFoundError
        When the store holds no such workshop.

    Examples
    --------
    >>> from ctxlab import Store, Workshops
    >>> workshop = Workshops(Store(":memory:")).create("Market hall")
    >>> workshop.start("challenge")
    >>> workshop.status()[0].status
    'in_progress'
    """

    def start(self, step: str) -> None:
        """Begin a step, or take up one that needs regeneration.

        Raises
        ------
        TransitionError
            When it is under way or complete, or a step that it needs is not complete.

        Examples
        --------
        >>> from ctxlab import Store, Workshops
        >>> Workshops(Store(":memory:")).create("Retro").start("persona")
        Traceback (most recent call last):
        ctxlab.errors.TransitionError: step 'persona' needs 'user-research', 'sense-making'...
        """
        now = self._at(step, "start", "not_started", "needs_regeneration")
        states = {one.step: one.status for one in self.status()}
        missing = [s for s in self.protocol.dependencies(step) if states.get(s) != "complete"]
        if missing:
            listed = ", ".join(map(repr, missing))
            raise TransitionError(f"step {step!r} needs {listed} to be complete first")
        phase = ArcPhase.ORIENT if now.status == "not_started" else ArcPhase.REFINE
        self._set(step, "in_progress", phase, "started_at = coalesce(started_at, now())")

    def advance(self, step: str, **facts: bool | int) -> ArcPhase:
        """Move a step along its arc as far as the rule allows, and return the phase.

        Parameters
        ----------
        step : str
            A step under way.
        **facts
            What the rule looks at: the fields of `ctxlab.workshop.ArcState` but the phase.
            Whether there is an artifact, and a valid one, is known.

        Raises
        ------
        TransitionError
            When the step is not under way.

        Examples
        --------
        >>> from ctxlab import Store, Workshops
        >>> workshop = Workshops(Store(":memory:")).create("Retro")
        >>> workshop.start("challenge")
        >>> workshop.advance("challenge", turns_in_phase=1).value
        'gather'
        """
        now = self._at(step, "advance", "in_progress")
        record = self.artifact(step)
        known = {
            "has_artifact": record is not None,
            "artifact_valid": bool(record and record.valid),
        }
        state = ArcState(phase=now.arc_phase, **(known | facts))
        phase = advance(state).phase
        self._set(step, "in_progress", phase)
        return phase

    def complete(self, step: str, summary: str) -> None:
        """End a step with its summary; its artifact has to be there and valid.

        Raises
        ------
        TransitionError
            When it is not under way, or has no valid artifact.

        Examples
        --------
        >>> from ctxlab import Store, Workshops
        >>> Workshops(Store(":memory:")).create("Retro").complete("challenge", "Done.")
        Traceback (most recent call last):
        ctxlab.errors.TransitionError: step 'challenge' is not_started; complete needs in_progress
        """
        self._at(step, "complete", "in_progress")
        record = self.artifact(step)
        if record is None or not record.valid:
            what = "no artifact" if record is None else "an artifact that its schema refuses"
            raise TransitionError(f"step {step!r} has {what}; save a valid one, then complete it")
        with self.lab.db.write():
            if self.summary(step) is None:
                self.save_summary(step, summary)
            else:
                self.regenerate_summary(step, summary)
            self._set(step, "complete", ArcPhase.COMPLETE, "completed_at = now()")

    def revise(self, step: str) -> list[str]:
        """Open a complete step again; return the dependent steps, marked for regeneration.

        Their artifacts and summaries stay.

        Raises
        ------
        TransitionError
            When the step is not complete.

        Examples
        --------
        >>> from ctxlab import Store, Workshops
        >>> Workshops(Store(":memory:")).create("Retro").revise("challenge")
        Traceback (most recent call last):
        ctxlab.errors.TransitionError: step 'challenge' is not_started; revise needs complete
        """
        self._at(step, "revise", "complete")
        touched = set(self.protocol.dependents(step, transitive=True))
        states = {one.step: one for one in self.status()}
        marked = [s for s in self.steps if s in touched and states[s].status != "not_started"]
        with self.lab.db.write():
            self._set(step, "in_progress", move(ArcPhase.COMPLETE, ArcPhase.REFINE))
            for dependent in marked:
                self._set(dependent, "needs_regeneration", states[dependent].arc_phase)
        return marked

    def save_artifact(
        self,
        step: str,
        artifact: Mapping[str, Any] | BaseModel,
        *,
        expected_version: int = 0,
        schema_version: int | None = None,
        validate: bool = True,
    ) -> ArtifactRecord:
        """Save a step's artifact under an optimistic lock; every version is kept.

        Parameters
        ----------
        step : str
            Whose result it is.
        artifact : mapping or Pydantic model
            A JSON object, or what becomes one.
        expected_version : int
            The version that was read; 0 for a first artifact.
        schema_version : int, optional
            The schema it obeys: by default the chosen one, or the latest of the protocol.
        validate : bool
            Refuse what the schema refuses; otherwise store it marked as not valid.

        Raises
        ------
        StaleVersionError
            When the stored version is not `expected_version`.
        InvalidArtifactError
            When the schema refuses it and it is to be validated.

        Examples
        --------
        >>> from ctxlab import Store, Workshops
        >>> workshop = Workshops(Store(":memory:")).create("Retro")
        >>> workshop.save_artifact("challenge", {}, validate=False).version
        1
        """
        return self.lab.artifacts.save(
            self.row(step),
            ProtocolStep(self.protocol_name, step, self.protocol_version),
            artifact,
            expected_version=expected_version,
            schema_version=schema_version,
            validate=validate,
        )

    def artifact(self, step: str, version: int | None = None) -> ArtifactRecord | None:
        """Return a step's artifact, now or in an earlier version; None when there is none yet.

        Raises
        ------
        NotFoundError
            When there was no such version.

        Examples
        --------
        >>> from ctxlab import Store, Workshops
        >>> Workshops(Store(":memory:")).create("Retro").artifact("challenge") is None
        True
        """
        row = self.row(step)
        if version is None:
            return self.lab.artifacts.read(row)
        return self.lab.artifacts.version(row, step, version)

    def history(self, step: str) -> list[ArtifactRecord]:
        """Return every version of a step's artifact.

        Examples
        --------
        >>> from ctxlab import Store, Workshops
        >>> Workshops(Store(":memory:")).create("Retro").history("challenge")
        []
        """
        return self.lab.artifacts.history(self.row(step), step)

    def diff(self, step: str, a: int, b: int) -> dict[str, Any]:
        """Return the JSON merge patch (RFC 7396) from one version of an artifact to another.

        Raises
        ------
        NotFoundError
            When there was no such version.

        Examples
        --------
        >>> from ctxlab import Store, Workshops
        >>> workshop = Workshops(Store(":memory:")).create("Retro")
        >>> _ = workshop.save_artifact("challenge", {"goal": "x"}, validate=False)
        >>> new = {"goal": "y"}
        >>> _ = workshop.save_artifact("challenge", new, expected_version=1, validate=False)
        >>> workshop.diff("challenge", 1, 2)
        {'goal': 'y'}
        """
        row = self.row(step)
        old, new = (self.lab.artifacts.version(row, step, v).artifact for v in (a, b))
        patch: dict[str, Any] = merge_patch(old, new)
        return patch

    def restore(self, step: str, version: int, *, expected_version: int) -> ArtifactRecord:
        """Save an earlier version again, as a new one.

        Raises
        ------
        NotFoundError, StaleVersionError
            When there was no such version, or the artifact has moved on.

        Examples
        --------
        >>> from ctxlab import Store, Workshops
        >>> workshop = Workshops(Store(":memory:")).create("Retro")
        >>> _ = workshop.save_artifact("challenge", {"goal": "x"}, validate=False)
        >>> workshop.restore("challenge", 1, expected_version=1).version
        2
        """
        old = self.lab.artifacts.version(self.row(step), step, version)
        return self.save_artifact(
            step,
            old.artifact,
            expected_version=expected_version,
            schema_version=old.schema_version,
            validate=old.valid,
        )

    def save_summary(self, step: str, text: str) -> SummaryRecord:
        """Write a step's summary, once; a second one is a `ConflictError`.

        Examples
        --------
        >>> from ctxlab import Store, Workshops
        >>> workshop = Workshops(Store(":memory:")).create("Retro")
        >>> workshop.save_summary("challenge", "We chose bread.").revision
        1
        """
        return self.lab.summaries.save(self.row(step), step, text)

    def regenerate_summary(self, step: str, text: str) -> SummaryRecord:
        """Replace a step's summary on purpose; the old text stays in its history.

        Examples
        --------
        >>> from ctxlab import Store, Workshops
        >>> workshop = Workshops(Store(":memory:")).create("Retro")
        >>> _ = workshop.save_summary("challenge", "We chose bread.")
        >>> workshop.regenerate_summary("challenge", "We chose fish.").revision
        2
        """
        return self.lab.summaries.regenerate(self.row(step), step, text)

    def fail_summary(self, step: str, error: str) -> None:
        """Record that a summary could not be generated; it is never stored as if it were one.

        Examples
        --------
        >>> from ctxlab import Store, Workshops
        >>> workshop = Workshops(Store(":memory:")).create("Retro")
        >>> workshop.fail_summary("challenge", "timed out")
        >>> workshop.summary_history("challenge")[0].error
        'timed out'
        """
        self.lab.summaries.fail(self.row(step), error)

    def generate_summary(
        self, step: str, write: Callable[[Sequence[Message]], str]
    ) -> SummaryRecord:
        """Let `write` make the summary of a step's messages; its failure is recorded and raised.

        Examples
        --------
        >>> from ctxlab import Store, Workshops
        >>> workshop = Workshops(Store(":memory:")).create("Retro")
        >>> workshop.generate_summary("challenge", lambda messages: "Nothing was said.").revision
        1
        """
        try:
            text = write(self.messages(step))
        except Exception as error:
            self.fail_summary(step, f"{type(error).__name__}: {error}")
            raise
        replace = self.summary(step) is not None
        return self.regenerate_summary(step, text) if replace else self.save_summary(step, text)

    def summary(self, step: str) -> SummaryRecord | None:
        """Return a step's summary, or None.

        Examples
        --------
        >>> from ctxlab import Store, Workshops
        >>> Workshops(Store(":memory:")).create("Retro").summary("challenge") is None
        True
        """
        return self.lab.summaries.read(self.row(step))

    def summary_history(self, step: str) -> list[SummaryEvent]:
        """Return the texts that were replaced, and the generations that failed.

        Examples
        --------
        >>> from ctxlab import Store, Workshops
        >>> Workshops(Store(":memory:")).create("Retro").summary_history("challenge")
        []
        """
        return self.lab.summaries.history(self.row(step))
