"""Auto-save: edits of artifacts, saved a little later, never lost and never in silence."""

from __future__ import annotations

import atexit
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from time import monotonic
from types import TracebackType
from typing import TYPE_CHECKING, Any

from ctxlab.errors import InvalidArtifactError, StaleVersionError, StoreError
from ctxlab.workshop.workshops import Workshops

if TYPE_CHECKING:
    from ctxlab.store import Store

_Key = tuple[str, str]


@dataclass
class _Edit:
    """The newest state of one artifact that is not saved yet."""

    artifact: dict[str, Any]
    expected_version: int
    first: float
    last: float
    validate: bool


class AutoSaver:
    """Saves edits of artifacts once they pause, and at the latest after a while.

    Several edits of one artifact become one save. A save that fails is kept and tried again;
    one that came too late, or that its schema refuses, is kept and reported until it is taken
    back. Everything is flushed on `close`, at the end of a ``with`` block, and at exit.

    Parameters
    ----------
    store : Store
        Where the artifacts live.
    delay : float
        Seconds without an edit after which is saved.
    max_wait : float
        Seconds after the first edit after which is saved, however many follow.

    Examples
    --------
    >>> from ctxlab import Store, Workshops
    >>> store = Store(":memory:")
    >>> workshop = Workshops(store).create("Retro")
    >>> with AutoSaver(store) as saver:
    ...     saver.edit(workshop.id, "persona", {"name": "Mira"}, validate=False)
    >>> workshop.artifact("persona").artifact
    {'name': 'Mira'}
    """

    def __init__(self, store: Store, *, delay: float = 2.0, max_wait: float = 10.0) -> None:
        self._workshops, self._delay, self._max_wait = Workshops(store), delay, max_wait
        self._pending: dict[_Key, _Edit] = {}
        self._versions: dict[_Key, int] = {}
        self._failures: dict[_Key, Exception] = {}
        self._changed = threading.Condition()
        self._saving = threading.Lock()
        self._closed = False
        self._worker = threading.Thread(target=self._work, name="ctxlab-autosave", daemon=True)
        self._worker.start()
        atexit.register(self.close)

    def edit(
        self,
        workshop: str,
        step: str,
        artifact: Mapping[str, Any],
        *,
        expected_version: int | None = None,
        validate: bool = True,
    ) -> None:
        """Take in the newest state of an artifact; it will be saved.

        Parameters
        ----------
        workshop, step : str
            Whose artifact.
        artifact : mapping
            All of it.
        expected_version : int, optional
            The version that the edit began from. Without it, the one that this saver saved
            last, or that is stored at the first edit.
        validate : bool
            Refuse what the schema refuses.

        Raises
        ------
        StoreError
            When the saver is closed.

        Examples
        --------
        >>> from ctxlab import Store, Workshops
        >>> store = Store(":memory:")
        >>> with AutoSaver(store) as saver:
        ...     saver.edit(Workshops(store).create("Retro").id, "persona", {}, validate=False)
        ...     saver.pending
        1
        """
        key, now = (workshop, step), monotonic()
        with self._changed:
            if self._closed:
                raise StoreError("the auto-saver is closed; make a new one to save further edits")
            known = self._pending.get(key)
            if known is not None and expected_version is None:
                known.artifact, known.last, known.validate = dict(artifact), now, validate
            else:
                version = self._base(key) if expected_version is None else expected_version
                self._pending[key] = _Edit(dict(artifact), version, now, now, validate)
            self._failures.pop(key, None)
            self._changed.notify()

    def _base(self, key: _Key) -> int:
        if key not in self._versions:
            record = self._workshops.open(key[0]).artifact(key[1])
            self._versions[key] = record.version if record else 0
        return self._versions[key]

    @property
    def pending(self) -> int:
        """Number of artifacts with edits that are not saved.

        Examples
        --------
        >>> from ctxlab import Store, Workshops
        >>> AutoSaver(Store(":memory:")).pending
        0
        """
        with self._changed:
            return len(self._pending)

    @property
    def failures(self) -> dict[_Key, Exception]:
        """The error of every artifact whose last save failed, by workshop and step.

        Examples
        --------
        >>> from ctxlab import Store, Workshops
        >>> AutoSaver(Store(":memory:")).failures
        {}
        """
        with self._changed:
            return dict(self._failures)

    def discard(self, workshop: str, step: str) -> dict[str, Any] | None:
        """Take an edit back that is not saved, such as one that came too late; return it.

        Examples
        --------
        >>> from ctxlab import Store, Workshops
        >>> AutoSaver(Store(":memory:")).discard("wks_none", "persona") is None
        True
        """
        with self._changed:
            self._versions.pop((workshop, step), None)
            self._failures.pop((workshop, step), None)
            edit = self._pending.pop((workshop, step), None)
        return edit.artifact if edit else None

    def flush(self) -> None:
        """Save everything now.

        Raises
        ------
        StaleVersionError
            When an artifact was changed by somebody else; the edit is kept.
        InvalidArtifactError
            When a schema refuses an edit; it is kept.
        StoreError
            When a save failed otherwise; it is kept.

        Examples
        --------
        >>> from ctxlab import Store, Workshops
        >>> AutoSaver(Store(":memory:")).flush()
        """
        with self._changed:
            keys = list(self._pending)
        for key in keys:
            self._save(key)
        with self._changed:
            for error in self._failures.values():
                raise error

    def close(self) -> None:
        """Save everything, and stop.

        Raises
        ------
        StaleVersionError, InvalidArtifactError, StoreError
            As `flush` does; then the saver stays open, and nothing is lost.

        Examples
        --------
        >>> from ctxlab import Store, Workshops
        >>> AutoSaver(Store(":memory:")).close()
        """
        if self._closed:
            return
        self.flush()
        with self._changed:
            self._closed = True
            self._changed.notify()
        # A thread that is still in the database when the interpreter ends would abort it.
        self._worker.join()
        atexit.unregister(self.close)

    def __enter__(self) -> AutoSaver:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _work(self) -> None:
        while True:
            with self._changed:
                if self._closed:
                    return
                due = self._due()
                if not due:
                    self._changed.wait(self._next())
                    continue
            for key in due:
                self._save(key)

    def _due(self) -> list[_Key]:
        now = monotonic()
        return [key for key, edit in self._pending.items() if self._when(key, edit) <= now]

    def _next(self) -> float | None:
        times = [self._when(key, edit) for key, edit in self._pending.items()]
        return max(0.0, min(times) - monotonic()) if times else None

    def _when(self, key: _Key, edit: _Edit) -> float:
        failure = self._failures.get(key)
        if isinstance(failure, StaleVersionError | InvalidArtifactError):
            # Trying again cannot help: somebody has to look at it.
            return float("inf")
        return min(edit.last + self._delay, edit.first + self._max_wait)

    def _save(self, key: _Key) -> None:
        with self._saving:
            with self._changed:
                edit = self._pending.get(key)
                if edit is None:
                    return
                artifact = edit.artifact
            try:
                record = self._workshops.open(key[0]).save_artifact(
                    key[1],
                    artifact,
                    expected_version=edit.expected_version,
                    validate=edit.validate,
                )
            except Exception as error:  # noqa: BLE001 - whatever it is, the edit is kept
                self._failed(key, edit, error)
                return
            with self._changed:
                self._failures.pop(key, None)
                self._versions[key] = record.version
                if edit.artifact is artifact:
                    self._pending.pop(key, None)
                else:
                    # Edited while it was saved: the newer state follows on this version.
                    edit.expected_version, edit.first = record.version, monotonic()

    def _failed(self, key: _Key, edit: _Edit, error: Exception) -> None:
        with self._changed:
            self._failures[key] = error
            edit.first = edit.last = monotonic()
