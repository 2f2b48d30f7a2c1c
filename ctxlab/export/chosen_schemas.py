"""Which artifact schemas an export carries: the store's, else those of the workshop."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ctxlab.errors import NotFoundError, UnknownNameError

if TYPE_CHECKING:
    from ctxlab.store import Store


@dataclass(frozen=True, slots=True)
class StepSchema:
    """One version of one step's artifact schema, as JSON text.

    Examples
    --------
    >>> StepSchema("persona", 2, '{"type": "object"}').name
    'Persona'
    """

    step: str
    version: int
    text: str

    @property
    def name(self) -> str:
        """The step's name as a class is named.

        Examples
        --------
        >>> StepSchema("stakeholder-mapping", 1, "{}").name
        'StakeholderMapping'
        """
        return class_name(self.step)

    def pretty(self) -> str:
        """Return the schema as JSON for people to read, keys in their order.

        Examples
        --------
        >>> print(StepSchema("persona", 1, '{"type": "object"}').pretty())
        {
          "type": "object"
        }
        """
        return json.dumps(json.loads(self.text), indent=2, ensure_ascii=False)


def class_name(text: str) -> str:
    """Return a text as the name of a class.

    Examples
    --------
    >>> class_name("journey mapping"), class_name("2nd-step")
    ('JourneyMapping', 'Step2ndStep')
    """
    cleaned = "".join(char if char.isascii() and char.isalnum() else " " for char in text)
    name = "".join(word[0].upper() + word[1:] for word in cleaned.split())
    return name if name[:1].isalpha() else f"Step{name}"


def chosen_schemas(
    store: Store | None,
    steps: Sequence[str] | None = None,
    versions: Mapping[str, int] | None = None,
) -> list[StepSchema]:
    """Return one schema a step: the latest version, or the one that is asked for.

    Raises
    ------
    UnknownNameError
        When a step has no schema at all.
    NotFoundError
        When it has others than the one asked for.

    Examples
    --------
    >>> [(one.step, one.version) for one in chosen_schemas(None, ["persona", "concept"])]
    [('persona', 1), ('concept', 1)]
    """
    known = (_registered(store) if store else {}) or _bundled()
    wanted = versions or {}
    names = [*dict.fromkeys([*(known if steps is None else steps), *wanted])]
    return [_pick(known, step, wanted.get(step)) for step in names]


def _pick(known: Mapping[str, Mapping[int, str]], step: str, version: int | None) -> StepSchema:
    if step not in known:
        raise UnknownNameError("step", step, known)
    there = known[step]
    chosen = max(there) if version is None else version
    if chosen not in there:
        listing = ", ".join(map(str, sorted(there)))
        raise NotFoundError(
            f"step {step!r} has no schema version {chosen}; choose one of: {listing}"
        )
    return StepSchema(step, chosen, there[chosen])


def _registered(store: Store) -> dict[str, dict[int, str]]:
    rows = store.db.rows(
        "SELECT a.step_id, a.schema_version, a.json_schema FROM artifact_schemas a "
        "LEFT JOIN (SELECT step_id, min(position) AS place FROM step_definitions GROUP BY ALL) d "
        "ON d.step_id = a.step_id ORDER BY d.place NULLS LAST, a.step_id, a.schema_version"
    )
    found: dict[str, dict[int, str]] = {}
    for step, version, text in rows:
        found.setdefault(step, {})[version] = text
    return found


def _bundled() -> dict[str, dict[int, str]]:
    from ctxlab.workshop import ARTIFACT_SCHEMAS

    return {
        step: {1: json.dumps(model.model_json_schema(), ensure_ascii=False)}
        for step, model in ARTIFACT_SCHEMAS.items()
    }
