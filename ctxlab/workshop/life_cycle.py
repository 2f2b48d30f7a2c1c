"""The steps of one workshop in the store: which there are, where each is, what was said."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ctxlab.core.segments import Message
from ctxlab.core.views import view
from ctxlab.errors import NotFoundError, TransitionError, UnknownNameError
from ctxlab.store.conversations import append_messages
from ctxlab.store.reading import read_messages
from ctxlab.store.records import Records, fetch
from ctxlab.store.tables import WORKSHOP_STEPS, WORKSHOPS
from ctxlab.workshop.arc import ArcPhase
from ctxlab.workshop.protocol import Protocol

if TYPE_CHECKING:
    from ctxlab.workshop.workshops import Workshops


@dataclass(frozen=True, slots=True)
class StepStatus:
    """Where one step of a workshop is.

    Examples
    --------
    >>> StepStatus("wst_1", "challenge", "not_started", ArcPhase.ORIENT).status
    'not_started'
    """

    row: str
    step: str
    status: str
    arc_phase: ArcPhase


_STATUSES = Records(StepStatus, WORKSHOP_STEPS)


class Steps:
    """The steps of one workshop, their states and their messages.

    Parameters
    ----------
    workshops : Workshops
        Those of the store where it lives.
    id : str
        The workshop's id.

    Raises
    ------
    NotFoundError
        When the store holds no such workshop.

    Examples
    --------
    >>> from ctxlab import Store, Workshops
    >>> workshop = Workshops(Store(":memory:")).create("Market hall")
    >>> isinstance(workshop, Steps), workshop.status()[0].status
    (True, 'not_started')
    """

    def __init__(self, workshops: Workshops, id: str) -> None:  # noqa: A002 - what it is
        names = ["title", "protocol", "protocol_version"]
        found = fetch(workshops.db, WORKSHOPS, names, "WHERE id = ?", [id])
        if not found["title"]:
            raise NotFoundError(
                f"no workshop {id!r} in {workshops.store.path}; Workshops.titles lists them"
            )
        self.lab, self.store, self.id = workshops, workshops.store, id
        self.title, self.protocol_name = found["title"][0], found["protocol"][0]
        self.protocol_version = int(found["protocol_version"][0])
        self._rows = {one.step: one.row for one in self.status()}

    @property
    def protocol(self) -> Protocol:
        """Which steps there are, and what each needs.

        Examples
        --------
        >>> from ctxlab import Store, Workshops
        >>> Workshops(Store(":memory:")).create("Retro").protocol.name
        'design-thinking'
        """
        return self.lab.protocol(self.protocol_name, self.protocol_version)

    @property
    def steps(self) -> list[str]:
        """The ids of its steps, in order.

        Examples
        --------
        >>> from ctxlab import Store, Workshops
        >>> Workshops(Store(":memory:")).create("Retro").steps[:2]
        ['challenge', 'stakeholder-mapping']
        """
        return list(self._rows)

    def row(self, step: str) -> str:
        """Return the id of a step of this workshop.

        Raises
        ------
        UnknownNameError
            When it has no such step.

        Examples
        --------
        >>> from ctxlab import Store, Workshops
        >>> Workshops(Store(":memory:")).create("Retro").row("persona")[:4]
        'wst_'
        """
        if step not in self._rows:
            raise UnknownNameError("step", step, self._rows)
        return self._rows[step]

    def status(self) -> list[StepStatus]:
        """Return where every step is.

        Examples
        --------
        >>> from ctxlab import Store, Workshops
        >>> len(Workshops(Store(":memory:")).create("Retro").status())
        10
        """
        where = "WHERE workshop_id = ? ORDER BY position"
        found = _STATUSES.fetch(self.lab.db, where, [self.id])
        return _STATUSES.values({**found, "arc_phase": list(map(ArcPhase, found["arc_phase"]))})

    def say(self, step: str, messages: Iterable[Message]) -> int:
        """Append messages to a step; ids that are there already are left out. Return how many.

        Examples
        --------
        >>> from ctxlab import Store, Workshops
        >>> workshop = Workshops(Store(":memory:")).create("Retro")
        >>> workshop.say("challenge", [Message("m1", "user", "Hi"), Message("m1", "user", "Hi")])
        1
        """
        self.row(step)
        return append_messages(self.lab.db, self.id, step, messages, self.lab.counter)

    def messages(self, step: str | None = None) -> list[Message]:
        """Return the messages of a step, or of all steps.

        Examples
        --------
        >>> from ctxlab import Store, Workshops
        >>> Workshops(Store(":memory:")).create("Retro").messages("challenge")
        []
        """
        return list(read_messages(self.lab.db, self.id, step))

    def delete(self) -> None:
        """Delete the workshop and everything that belongs to it.

        Examples
        --------
        >>> from ctxlab import Store, Workshops
        >>> store = Store(":memory:")
        >>> Workshops(store).create("Retro").delete()
        >>> store.counts().get("workshops", 0)
        0
        """
        with self.lab.db.write() as connection:
            connection.execute("DELETE FROM workshops WHERE id = ?", [self.id])

    def _at(self, step: str, what: str, *allowed: str) -> StepStatus:
        self.row(step)
        now = next(one for one in self.status() if one.step == step)
        if now.status not in allowed:
            raise TransitionError(
                f"step {step!r} is {now.status}; {what} needs {' or '.join(allowed)}"
            )
        return now

    def _set(self, step: str, status: str, phase: ArcPhase, also: str = "id = id") -> None:
        with self.lab.db.write() as connection:
            connection.execute(
                f"UPDATE workshop_steps SET status = ?, arc_phase = ?, {also} WHERE id = ? "  # noqa: S608
                "RETURNING id",
                [status, phase.value, self.row(step)],
            ).fetchall()

    def __repr__(self) -> str:
        done = sum(one.status == "complete" for one in self.status())
        return f"Workshop({self.title!r}, {done} of {len(self._rows)} steps complete)"

    def _repr_html_(self) -> str:
        return str(view("workshop_html", self.title, self.status()))
