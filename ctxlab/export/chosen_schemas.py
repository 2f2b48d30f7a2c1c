"""Which artifact schemas an export carries: the store's, else those of the workshop."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
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
    protocol: str = "design-thinking"
    migration: str | None = None

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
    protocol: str | None = None,
) -> list[StepSchema]:
    """Return one schema a step: the version asked for, else the chosen one, else the latest.

    Raises
    ------
    UnknownNameError
        When a step has no schema at all, or there is no such protocol.
    NotFoundError
        When it has others than the one asked for, or two protocols have such a step.

    Examples
    --------
    >>> [(one.step, one.version) for one in chosen_schemas(None, ["persona", "concept"])]
    [('persona', 1), ('concept', 1)]
    """
    known = (_registered(store) if store else []) or _bundled()
    if protocol is not None:
        names = {kept.schema.protocol for kept in known}
        if protocol not in names:
            raise UnknownNameError("protocol", protocol, sorted(names))
        known = [kept for kept in known if kept.schema.protocol == protocol]
    wanted = versions or {}
    there = dict.fromkeys(kept.schema.step for kept in known)
    steps_wanted = [*dict.fromkeys([*(there if steps is None else steps), *wanted])]
    return [_pick(known, step, wanted.get(step), there) for step in steps_wanted]


@dataclass(frozen=True, slots=True)
class _Kept:
    schema: StepSchema
    chosen: bool = False


def _pick(
    known: Sequence[_Kept], step: str, version: int | None, there: Iterable[str]
) -> StepSchema:
    found = [kept for kept in known if kept.schema.step == step]
    if not found:
        raise UnknownNameError("step", step, there)
    protocols = sorted({kept.schema.protocol for kept in found})
    if len(protocols) > 1:
        raise NotFoundError(
            f"step {step!r} is in several protocols; name one with --protocol: "
            f"{', '.join(protocols)}"
        )
    if version is None:
        return max(found, key=lambda kept: (kept.chosen, kept.schema.version)).schema
    for kept in found:
        if kept.schema.version == version:
            return kept.schema
    listing = ", ".join(str(kept.schema.version) for kept in found)
    raise NotFoundError(f"step {step!r} has no schema version {version}; choose one of: {listing}")


def _registered(store: Store) -> list[_Kept]:
    rows = store.db.rows(
        "SELECT a.step_id, a.schema_version, a.json_schema, a.protocol, a.migration, a.chosen "
        "FROM artifact_schemas a LEFT JOIN (SELECT protocol, step_id, min(position) AS place "
        "FROM step_definitions GROUP BY ALL) d USING (protocol, step_id) "
        "ORDER BY a.protocol, d.place NULLS LAST, a.step_id, a.schema_version"
    )
    return [_Kept(StepSchema(*row), chosen) for *row, chosen in rows]


def _bundled() -> list[_Kept]:
    from ctxlab.workshop import ARTIFACT_SCHEMAS

    return [
        _Kept(StepSchema(step, 1, json.dumps(model.model_json_schema(), ensure_ascii=False)))
        for step, model in ARTIFACT_SCHEMAS.items()
    ]
