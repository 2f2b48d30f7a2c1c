"""Auto-save: edits of artifacts, saved a little later, never lost and never in silence."""

from __future__ import annotations

import atexit
import json
import threading
import warnings
from collections.abc import Callable, Mapping
from time import monotonic
from types import TracebackType
from typing import TYPE_CHECKING, Any

from ctxlab.errors import InvalidArtifactError, StoreError
from ctxlab.store.json_text import json_text
from ctxlab.workshop.artifacts import as_object
from ctxlab.workshop.pending_edits import Edit, Key, PendingEdits
from ctxlab.workshop.unsaved import RecoveryFile, UnsavedEdit
from ctxlab.workshop.workshops import Workshops

if TYPE_CHECKING:
    from ctxlab.store import Store

_PAUSE = 0.05
"""Seconds that the worker rests after an error of its own."""


class AutoSaver:
    """Saves edits of artifacts once they pause, and at the latest after a while.

    Several edits of one artifact become one save. A save that fails is kept and tried again;
    one that came too late, or that its schema refuses, is kept and reported until it is taken
    back. Everything is flushed on `close`, at the end of a ``with`` block, and at exit; what
    cannot be saved at exit goes to a file beside the store, and the next saver offers it.

    Parameters
    ----------
    store : Store
        Where the artifacts live.
    delay : float
        Seconds without an edit after which is saved.
    max_wait : float
        Seconds after the first edit after which is saved, however many follow.
    on_error : callable, optional
        Called with workshop, step and error after every save that failed, in the thread that
        tried it.

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

    def __init__(
        self,
        store: Store,
        *,
        delay: float = 2.0,
        max_wait: float = 10.0,
        on_error: Callable[[str, str, Exception], None] | None = None,
    ) -> None:
        self._workshops, self._on_error = Workshops(store), on_error
        self._pending = PendingEdits(delay, max_wait)
        self._versions: dict[Key, int] = {}
        self._changed = threading.Condition()
        self._saving = threading.RLock()
        self._closed = False
        self._recovery = RecoveryFile(store.path)
        if self.recovered:
            warnings.warn(
                f"{len(self.recovered)} edits were not saved when {store.path} was last used; see "
                "them in saver.recovered, save them with saver.recover(), or drop them with "
                "saver.forget()",
                stacklevel=2,
            )
        self._worker = self._start()
        atexit.register(self._at_exit)

    def _start(self) -> threading.Thread:
        worker = threading.Thread(target=self._work, name="ctxlab-autosave", daemon=True)
        worker.start()
        return worker

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
            All of it; a copy is kept, so that later changes of yours need an edit of their own.
        expected_version : int, optional
            The version that the edit began from. Without it, the one that this saver saved
            last, or that is stored at the first edit.
        validate : bool
            Refuse what the schema refuses.

        Raises
        ------
        InvalidArtifactError
            When it is no object.
        NotJSONError
            When it holds what JSON cannot; the edit before it is kept.
        ForkedStoreError
            In a child of the process that opened the store.
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
        self._workshops.db.check_process()
        copy = json.loads(json_text(dict(as_object(artifact, step)), f"artifact of step {step!r}"))
        key, now = (workshop, step), monotonic()
        with self._changed:
            if self._closed:
                raise StoreError("the auto-saver is closed; make a new one to save further edits")
            if not self._worker.is_alive():
                self._worker = self._start()
            known = self._pending.edits.get(key)
            if known is not None and expected_version is None:
                known.artifact, known.last, known.validate = copy, now, validate
            else:
                version = self._base(key) if expected_version is None else expected_version
                self._pending.edits[key] = Edit(copy, version, now, now, validate)
            self._pending.failures.pop(key, None)
            self._changed.notify()

    def _base(self, key: Key) -> int:
        if key not in self._versions:
            record = self._workshops.open(key[0]).artifact(key[1])
            self._versions[key] = record.version if record else 0
        return self._versions[key]

    @property
    def pending(self) -> int:
        """Number of artifacts with edits that are not saved."""
        self._workshops.db.check_process()
        with self._changed:
            return len(self._pending.edits)

    @property
    def failures(self) -> dict[Key, Exception]:
        """The error of every artifact whose last save failed, by workshop and step."""
        self._workshops.db.check_process()
        with self._changed:
            return dict(self._pending.failures)

    def discard(self, workshop: str, step: str) -> dict[str, Any] | None:
        """Take an edit back that is not saved, such as one that came too late; return it.

        A save of it that is running ends first; then there may be nothing to take back.
        """
        self._workshops.db.check_process()
        with self._saving, self._changed:
            self._versions.pop((workshop, step), None)
            edit = self._pending.take_back((workshop, step))
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
        """
        self._workshops.db.check_process()
        with self._changed:
            keys = list(self._pending.edits)
        for key in keys:
            self._save(key)
        with self._changed:
            for error in self._pending.failures.values():
                raise error

    @property
    def recovered(self) -> tuple[UnsavedEdit, ...]:
        """Edits that an earlier saver could not save before its program ended."""
        return self._recovery.edits

    def recover(self) -> int:
        """Save the edits that were recovered, each on the version that it began from.

        Returns
        -------
        int
            How many were saved; these leave the recovery file.

        Raises
        ------
        StaleVersionError, InvalidArtifactError, StoreError
            As `flush` does, after all were tried; what failed is pending, and stays in the file
            until `forget`.
        """
        tried = [(edit, self._recover(edit)) for edit in self.recovered]
        self._recovery.keep([edit for edit, error in tried if error])
        for _, error in tried:
            if error:
                raise error
        return len(tried)

    def _recover(self, found: UnsavedEdit) -> Exception | None:
        key, version = (found.workshop, found.step), found.expected_version
        try:
            self.edit(*key, found.artifact, expected_version=version, validate=found.validate)
            return self._save(key)
        except (StoreError, InvalidArtifactError) as error:
            return error

    def forget(self) -> None:
        """Drop the edits that were recovered, and their file."""
        self._recovery.keep([])

    def close(self) -> None:
        """Save everything, and stop. In a forked child nothing happens.

        Raises
        ------
        StaleVersionError, InvalidArtifactError, StoreError
            As `flush` does; then the saver stays open, and nothing is lost.
        """
        if self._workshops.db.inherited:
            return
        while not self._closed:
            self.flush()
            with self._changed:
                # An edit may have come since.
                self._closed = not self._pending.edits
        self._stop()

    def _stop(self) -> None:
        with self._changed:
            self._closed = True
            self._changed.notify_all()
        # A thread that is still in the database when the interpreter ends would abort it.
        if threading.current_thread() is not self._worker:
            self._worker.join()
        atexit.unregister(self._at_exit)

    def _at_exit(self) -> None:
        if self._workshops.db.inherited:
            return
        try:
            self.close()
        except Exception as error:
            self._stop()
            if self._recovery.path is None:
                raise
            unsaved = self._unsaved(error)
            known = [(edit.workshop, edit.step, edit.artifact) for edit in unsaved]
            old = [e for e in self.recovered if (e.workshop, e.step, e.artifact) not in known]
            self._recovery.keep([*old, *unsaved])
            text = f"{len(unsaved)} edits were not saved ({error}); see {self._recovery.path}"
            warnings.warn(text, stacklevel=1)

    def _unsaved(self, error: Exception) -> list[UnsavedEdit]:
        with self._changed:
            failures = self._pending.failures
            return [
                UnsavedEdit(
                    *key,
                    edit.artifact,
                    edit.expected_version,
                    edit.validate,
                    str(failures.get(key, error)),
                )
                for key, edit in self._pending.edits.items()
            ]

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
        while not self._closed:
            try:
                self._save_due()
            except Exception as error:  # noqa: BLE001 - reported, and the worker goes on
                found = (type(error), error, error.__traceback__, threading.current_thread())
                threading.excepthook(threading.ExceptHookArgs(found))
                with self._changed:
                    self._changed.wait(_PAUSE)

    def _save_due(self) -> None:
        """Save what is due, or wait until something is."""
        with self._changed:
            due = self._pending.due()
            if not due and not self._closed:
                self._changed.wait(self._pending.pause())
        for key in due:
            self._save(key)

    def _save(self, key: Key) -> Exception | None:
        """Save one artifact, if there is an edit of it; return why not, when it failed."""
        failure = self._try(key)
        if failure is not None and self._on_error is not None:
            self._on_error(*key, failure)
        return failure

    def _try(self, key: Key) -> Exception | None:
        with self._saving:
            with self._changed:
                edit = self._pending.edits.get(key)
                if edit is None:
                    return None
                artifact, validate = edit.artifact, edit.validate
            try:
                record = self._workshops.open(key[0]).save_artifact(
                    key[1], artifact, expected_version=edit.expected_version, validate=validate
                )
            except Exception as error:  # noqa: BLE001 - whatever it is, the edit is kept
                with self._changed:
                    self._pending.failed(key, edit, error)
                return error
            with self._changed:
                self._versions[key] = record.version
                self._pending.saved(key, edit, artifact, record.version)
        return None
