"""Edits that could not be saved before a program ended, kept in a file beside the store."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from ctxlab.errors import StoreError


@dataclass(frozen=True, slots=True)
class UnsavedEdit:
    """An edit of an artifact that was not saved, and why.

    Examples
    --------
    >>> edit = UnsavedEdit("wks_1", "persona", {"name": "Mira"}, 3, True, "at version 5, not 3")
    >>> edit.artifact
    {'name': 'Mira'}
    """

    workshop: str
    step: str
    artifact: dict[str, Any]
    expected_version: int
    validate: bool
    reason: str


class RecoveryFile:
    """The file beside a store that keeps its unsaved edits; a store in memory has none.

    Parameters
    ----------
    store : str
        The store's path.

    Raises
    ------
    StoreError
        When the file there is something else.

    Examples
    --------
    >>> RecoveryFile("/data/lab.duckdb").path
    PosixPath('/data/lab.duckdb.unsaved.json')
    >>> RecoveryFile(":memory:").edits
    ()
    """

    def __init__(self, store: str) -> None:
        memory = store == ":memory:"
        self.path = None if memory else Path(f"{Path(store).resolve()}.unsaved.json")
        self.edits = self._read()

    def _read(self) -> tuple[UnsavedEdit, ...]:
        if self.path is None or not self.path.exists():
            return ()
        try:
            found = json.loads(self.path.read_text(encoding="utf-8"))
            return tuple(UnsavedEdit(**edit) for edit in found)
        except (OSError, TypeError, ValueError) as error:
            raise StoreError(
                f"{self.path} should hold unsaved edits and cannot be read ({error}); "
                "mend it, or move it away to go on without them"
            ) from error

    def keep(self, edits: Sequence[UnsavedEdit]) -> None:
        """Have the file hold these edits, whole or not at all; without edits, remove it.

        Examples
        --------
        >>> RecoveryFile("none.duckdb").keep([])
        """
        if self.path is not None and edits:
            self._write(self.path, edits)
        elif self.path is not None:
            self.path.unlink(missing_ok=True)
        self.edits = tuple(edits)

    def _write(self, path: Path, edits: Sequence[UnsavedEdit]) -> None:
        made = path.with_name(f"{path.name}.{os.getpid()}")
        try:
            with made.open("w", encoding="utf-8") as out:
                json.dump([asdict(edit) for edit in edits], out, ensure_ascii=False, indent=1)
                out.flush()
                os.fsync(out.fileno())
            made.replace(path)
        finally:
            made.unlink(missing_ok=True)
