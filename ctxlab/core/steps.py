"""What one step of a workshop would be sent, and the artifacts that it is made of."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ctxlab.core.context import Context
from ctxlab.core.segments import ContextTier, Segment
from ctxlab.core.views import view
from ctxlab.text.json_numbers import loads


@dataclass(frozen=True, slots=True)
class ArtifactRecord:
    """One version of one step's artifact, as stored: JSON text, read anew at every access.

    Examples
    --------
    >>> record = ArtifactRecord("art_1", "persona", '{"name": "Mira"}', schema_version=1, version=1)
    >>> record.artifact
    {'name': 'Mira'}
    """

    id: str
    step: str
    text: str
    schema_version: int
    version: int
    valid: bool = True
    token_count: int = 0

    @property
    def artifact(self) -> dict[str, Any]:
        """The artifact, numbers with all digits; changing what comes back changes nothing stored.

        Examples
        --------
        >>> ArtifactRecord("art_1", "persona", "{}", 1, 1).artifact
        {}
        """
        found: dict[str, Any] = loads(self.text)
        return found


@dataclass(frozen=True)
class StepContext:
    """What one step of one workshop would be sent: three tiers, assembled.

    Examples
    --------
    >>> from ctxlab.core.segments import Segment
    >>> summary = Segment.of("summary:sum_1", "We chose bread.", tier=ContextTier.LONG_TERM)
    >>> StepContext("wks_1", "persona", Context((summary,))).tier(ContextTier.LONG_TERM).text
    'We chose bread.'
    """

    workshop: str
    step: str
    context: Context

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.workshop!r}, {self.step!r}, {self.context!r})"

    def _repr_html_(self) -> str:
        return str(view("context_html", self.context))

    def tier(self, tier: ContextTier) -> Context:
        """Return the part of one tier; of the short-term tier, what the step itself has said.

        Examples
        --------
        >>> StepContext("w", "s", Context()).tier(ContextTier.SHORT_TERM).segments
        ()
        """
        return self.context.keep(s for s in self.context if s.tier == tier and not self._is_old(s))

    def earlier(self) -> Context:
        """Return the messages of earlier steps that fill what the budget leaves.

        Examples
        --------
        >>> from ctxlab.core.segments import Segment
        >>> old = Segment.of("message:m1", "We waste bread.", step="challenge")
        >>> StepContext("w", "persona", Context((old,))).earlier().text
        'We waste bread.'
        """
        return self.context.keep(filter(self._is_old, self.context.segments))

    def _is_old(self, segment: Segment) -> bool:
        return segment.tier == ContextTier.SHORT_TERM and segment.step not in (None, self.step)
