"""Summaries: written once a step; writing one again is an explicit act that keeps the old text."""

from __future__ import annotations

from dataclasses import dataclass, field

from duckdb import DuckDBPyConnection

from ctxlab.core.tokens import TokenCounter, shared_counter
from ctxlab.errors import ConflictError, NotFoundError
from ctxlab.store.connection import Database
from ctxlab.store.records import Records
from ctxlab.store.storable import new_id, storable
from ctxlab.store.tables import STEP_SUMMARIES, STEP_SUMMARY_HISTORY


@dataclass(frozen=True, slots=True)
class SummaryRecord:
    """A step's summary; `token_count` is that of its own text.

    Examples
    --------
    >>> SummaryRecord("sum_1", "challenge", "We chose bread.", 4, "o200k_base", 1).token_count
    4
    """

    id: str
    step: str
    text: str
    token_count: int
    encoding: str
    revision: int


@dataclass(frozen=True, slots=True)
class SummaryEvent:
    """A text that was replaced, or a generation that failed.

    Examples
    --------
    >>> SummaryEvent(None, None, "the model timed out").error
    'the model timed out'
    """

    revision: int | None
    text: str | None
    error: str | None


SUMMARIES = Records(
    SummaryRecord,
    STEP_SUMMARIES,
    "JOIN workshop_steps ON workshop_steps.id = step_summaries.workshop_step_id",
    {"step": "workshop_steps.step_id"},
)
"""Summaries as they are stored, each with its step."""
_EVENTS = Records(SummaryEvent, STEP_SUMMARY_HISTORY)


@dataclass
class Summaries:
    """The summaries of a store.

    Examples
    --------
    >>> Summaries(Database()).read("wst_none") is None
    True
    """

    db: Database
    counter: TokenCounter = field(default_factory=shared_counter)

    def save(self, row: str, step_id: str, text: str) -> SummaryRecord:
        """Write a step's summary, once.

        Raises
        ------
        ConflictError
            When there is one already; `regenerate` replaces it on purpose.

        Examples
        --------
        >>> from ctxlab import Store, Workshops
        >>> workshop = Workshops(Store(":memory:")).create("Retro")
        >>> workshop.save_summary("challenge", "We chose bread.").token_count
        4
        """
        with self.db.write() as connection:
            if self.read(row) is not None:
                raise ConflictError(
                    f"step {step_id!r} has a summary; to replace it on purpose, regenerate_summary"
                )
            values = {"id": new_id("sum"), "workshop_step_id": row, **self._counted(text)}
            connection.execute(STEP_SUMMARIES.insert(values), values)
            return self._must(row, step_id)

    def regenerate(self, row: str, step_id: str, text: str) -> SummaryRecord:
        """Replace a step's summary; the old text stays in its history.

        Raises
        ------
        NotFoundError
            When there is none to replace.

        Examples
        --------
        >>> from ctxlab import Store, Workshops
        >>> workshop = Workshops(Store(":memory:")).create("Retro")
        >>> _ = workshop.save_summary("challenge", "We chose bread.")
        >>> workshop.regenerate_summary("challenge", "We chose fish.").revision
        2
        """
        with self.db.write() as connection:
            old = self._must(row, step_id)
            _note(connection, workshop_step_id=row, revision=old.revision, summary=old.text)
            values = self._counted(text)
            connection.execute(
                f"{STEP_SUMMARIES.update(values)}, revision = revision + 1, generated_at = now() "
                "WHERE workshop_step_id = $row",
                {**values, "row": row},
            )
            return self._must(row, step_id)

    def fail(self, row: str, error: str) -> None:
        """Record that a generation failed; a summary that there is stays as it is.

        Examples
        --------
        >>> from ctxlab import Store, Workshops
        >>> workshop = Workshops(Store(":memory:")).create("Retro")
        >>> workshop.fail_summary("challenge", "the model timed out")
        >>> workshop.summary("challenge") is None
        True
        """
        with self.db.write() as connection:
            _note(connection, workshop_step_id=row, error=error)

    def read(self, row: str) -> SummaryRecord | None:
        """Return the summary of a workshop step, or None.

        Examples
        --------
        >>> Summaries(Database()).read("wst_none") is None
        True
        """
        found = SUMMARIES.read(self.db, "WHERE step_summaries.workshop_step_id = ?", [row])
        return found[0] if found else None

    def history(self, row: str) -> list[SummaryEvent]:
        """Return the texts that were replaced and the generations that failed, in order.

        Examples
        --------
        >>> Summaries(Database()).history("wst_none")
        []
        """
        where = "WHERE workshop_step_id = ? ORDER BY noted_at, revision"
        return _EVENTS.read(self.db, where, [row])

    def _must(self, row: str, step_id: str) -> SummaryRecord:
        record = self.read(row)
        if record is None:
            raise NotFoundError(f"step {step_id!r} has no summary; save_summary writes the first")
        return record

    def _counted(self, text: str) -> dict[str, object]:
        tokens, encoding = self.counter.count(text), self.counter.encoding
        return {"summary": storable(text), "token_count": tokens, "encoding": encoding}


def _note(connection: DuckDBPyConnection, **event: object) -> None:
    values = {name: storable(v) if isinstance(v, str) else v for name, v in event.items()}
    connection.execute(STEP_SUMMARY_HISTORY.insert(values), values)
