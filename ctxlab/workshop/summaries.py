"""Summaries: written once a step; writing one again is an explicit act that keeps the old text."""

from __future__ import annotations

from dataclasses import dataclass, field

from ctxlab.core.tokens import TokenCounter, shared_counter
from ctxlab.errors import ConflictError, NotFoundError
from ctxlab.store.connection import Database
from ctxlab.store.storable import new_id, storable, stored


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
            connection.execute(
                "INSERT INTO step_summaries (id, workshop_step_id, summary, token_count, encoding) "
                "VALUES (?, ?, ?, ?, ?)",
                [new_id("sum"), row, *self._counted(text)],
            )
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
            connection.execute(
                "INSERT INTO step_summary_history (workshop_step_id, revision, summary) "
                "VALUES (?, ?, ?)",
                [row, old.revision, storable(old.text)],
            )
            connection.execute(
                "UPDATE step_summaries SET summary = ?, token_count = ?, encoding = ?, "
                "revision = revision + 1, generated_at = now() WHERE workshop_step_id = ?",
                [*self._counted(text), row],
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
            connection.execute(
                "INSERT INTO step_summary_history (workshop_step_id, error) VALUES (?, ?)",
                [row, storable(error)],
            )

    def read(self, row: str) -> SummaryRecord | None:
        """Return the summary of a workshop step, or None.

        Examples
        --------
        >>> Summaries(Database()).read("wst_none") is None
        True
        """
        rows = self.db.rows(
            "SELECT s.id, t.step_id, s.summary, s.token_count, s.encoding, s.revision "
            "FROM step_summaries s JOIN workshop_steps t ON t.id = s.workshop_step_id "
            "WHERE s.workshop_step_id = ?",
            [row],
        )
        if not rows:
            return None
        key, step, text, *rest = rows[0]
        return SummaryRecord(key, step, stored(text), *rest)

    def history(self, row: str) -> list[SummaryEvent]:
        """Return the texts that were replaced and the generations that failed, in order.

        Examples
        --------
        >>> Summaries(Database()).history("wst_none")
        []
        """
        rows = self.db.rows(
            "SELECT revision, summary, error FROM step_summary_history "
            "WHERE workshop_step_id = ? ORDER BY noted_at, revision",
            [row],
        )
        return [
            SummaryEvent(revision, text and stored(text), error and stored(error))
            for revision, text, error in rows
        ]

    def _must(self, row: str, step_id: str) -> SummaryRecord:
        record = self.read(row)
        if record is None:
            raise NotFoundError(f"step {step_id!r} has no summary; save_summary writes the first")
        return record

    def _counted(self, text: str) -> tuple[str, int, str]:
        return storable(text), self.counter.count(text), self.counter.encoding
