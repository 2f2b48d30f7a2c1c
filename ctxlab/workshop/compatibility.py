"""Two versions of a schema, compared: by rules, and by replaying every stored artifact."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass

from ctxlab.store.connection import Database
from ctxlab.store.records import fetch
from ctxlab.store.tables import STEP_ARTIFACTS
from ctxlab.workshop.schema_changes import SEVERITY, Change, Kind, changes
from ctxlab.workshop.schema_versions import STEP_ROWS, Fault, ProtocolStep, faults, schema_of


@dataclass(frozen=True)
class Compatibility:
    """What changed, and which stored artifacts the new schema refuses.

    Examples
    --------
    >>> Compatibility((), {}, 0).kind
    'compatible'
    """

    changes: tuple[Change, ...]
    refused: Mapping[str, tuple[Fault, ...]]
    replayed: int

    @property
    def kind(self) -> Kind:
        """The worst of the changes; at least a migration when a stored artifact is refused.

        What the rules do not understand stays unknown where no stored artifact is refused:
        others may be.

        Examples
        --------
        >>> Compatibility((), {"wst_1": (("$.name", "is missing"),)}, 1).kind
        'needs migration'
        """
        kinds = [change.kind for change in self.changes]
        if self.refused:
            kinds.append("needs migration")
        return max(kinds, key=SEVERITY.index, default="compatible")


def compatibility(db: Database, step: ProtocolStep, old: int, new: int) -> Compatibility:
    """Compare two registered versions, and replay every artifact of the old one on the new one.

    Rules alone are not trusted: a change that looks harmless is checked on what is stored.

    Raises
    ------
    NotFoundError
        When a version is not registered.

    Examples
    --------
    >>> from ctxlab.workshop.schema_versions import register_schema
    >>> step = ProtocolStep("retro", "note")
    >>> with Database() as db:
    ...     register_schema(db, step, 1, {"type": "object", "properties": {}})
    ...     register_schema(db, step, 2, {"type": "object", "required": ["text"],
    ...                     "properties": {"text": {"type": "string"}}})
    ...     compatibility(db, step, 1, 2).kind
    'needs migration'
    """
    before, after = schema_of(db, step, old)[1], schema_of(db, step, new)[1]
    kept = fetch(
        db,
        STEP_ARTIFACTS,
        ["workshop_step_id", "artifact"],
        f"WHERE {STEP_ROWS} AND schema_version = $old",
        {"protocol": step.protocol, "step": step.step, "old": old},
    )
    artifacts = dict(zip(kept["workshop_step_id"], kept["artifact"], strict=True))
    refused = {
        row: tuple(found)
        for row, text in artifacts.items()
        if (found := faults(after, json.loads(text)))
    }
    differences = tuple(changes(json.loads(before), json.loads(after)))
    return Compatibility(differences, refused, len(artifacts))
