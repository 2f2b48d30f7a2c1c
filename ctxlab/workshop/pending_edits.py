"""Edits that wait to be saved, with what failed, and when each is due."""

from __future__ import annotations

from dataclasses import dataclass, field
from time import monotonic
from typing import Any

from ctxlab.errors import InvalidArtifactError, NotFoundError, StaleVersionError

Key = tuple[str, str]
"""Workshop and step."""
_HOPELESS = (StaleVersionError, InvalidArtifactError, NotFoundError)
"""What trying again cannot mend: somebody has to look at it."""
_PAUSE = 0.05
"""Seconds between two tries of a save that failed, at least."""
_NAP = 3600.0
"""Seconds that a worker sleeps at most; no lock waits for ever on every Python."""


@dataclass
class Edit:
    """The newest state of one artifact that is not saved yet.

    Examples
    --------
    >>> Edit({"name": "Mira"}, expected_version=0, first=0.0, last=0.0, validate=True).validate
    True
    """

    artifact: dict[str, Any]
    expected_version: int
    first: float
    last: float
    validate: bool


@dataclass
class PendingEdits:
    """The edits of all artifacts that are not saved yet.

    Parameters
    ----------
    delay : float
        Seconds without an edit after which one is due.
    max_wait : float
        Seconds after the first edit after which one is due, however many follow.

    Examples
    --------
    >>> PendingEdits(2.0, 10.0).due()
    []
    """

    delay: float
    max_wait: float
    edits: dict[Key, Edit] = field(default_factory=dict)
    failures: dict[Key, Exception] = field(default_factory=dict)

    def due(self) -> list[Key]:
        """Return what is to be saved now.

        Examples
        --------
        >>> pending = PendingEdits(0.0, 0.0)
        >>> pending.edits["wks_1", "persona"] = Edit({}, 0, 0.0, 0.0, True)
        >>> pending.due()
        [('wks_1', 'persona')]
        """
        now = monotonic()
        times = {key: self._when(key, edit) for key, edit in self.edits.items()}
        return [key for key, when in times.items() if when is not None and when <= now]

    def pause(self) -> float:
        """Return the seconds until something is due; at most an hour.

        Examples
        --------
        >>> PendingEdits(2.0, 10.0).pause()
        3600.0
        """
        times = [self._when(key, edit) for key, edit in self.edits.items()]
        waits = [when - monotonic() for when in times if when is not None]
        return min(_NAP, max(0.0, min(waits, default=_NAP)))

    def _when(self, key: Key, edit: Edit) -> float | None:
        """Return when an edit is due; None when somebody has to look at it first."""
        failure = self.failures.get(key)
        if isinstance(failure, _HOPELESS):
            return None
        when = min(edit.last + self.delay, edit.first + self.max_wait)
        return when if failure is None else max(when, edit.last + _PAUSE)

    def take_back(self, key: Key) -> Edit | None:
        """Remove an edit, with its failure.

        Examples
        --------
        >>> PendingEdits(2.0, 10.0).take_back(("wks_1", "persona")) is None
        True
        """
        self.failures.pop(key, None)
        return self.edits.pop(key, None)

    def failed(self, key: Key, edit: Edit, error: Exception) -> None:
        """Keep an edit whose save failed, unless it was taken back meanwhile.

        Examples
        --------
        >>> pending = PendingEdits(2.0, 10.0)
        >>> pending.failed(("wks_1", "persona"), Edit({}, 0, 0.0, 0.0, True), OSError("full"))
        >>> pending.failures
        {}
        """
        if self.edits.get(key) is edit:
            self.failures[key] = error
            edit.first = edit.last = monotonic()

    def saved(self, key: Key, edit: Edit, artifact: dict[str, Any], version: int) -> None:
        """Note that a state of an artifact is saved; what was edited meanwhile follows on it.

        Examples
        --------
        >>> pending = PendingEdits(2.0, 10.0)
        >>> edit = pending.edits["wks_1", "persona"] = Edit({}, 0, 0.0, 0.0, True)
        >>> pending.saved(("wks_1", "persona"), edit, {"older": "state"}, version=1)
        >>> pending.edits["wks_1", "persona"].expected_version
        1
        """
        if self.edits.get(key) is not edit:
            return
        self.failures.pop(key, None)
        if edit.artifact is artifact:
            self.edits.pop(key)
        else:
            edit.expected_version, edit.first = version, monotonic()
