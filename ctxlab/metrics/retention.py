"""Retention by kind: which of the numbers, names, dates and other values are left.

A value is left when it stands in what is left of a message that held it. Values are distinct:
one that is said ten times counts once, and one place that is left keeps it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, ClassVar

from pydantic import Field

from ctxlab.core.cases import Probe
from ctxlab.core.context import Context, Remembered
from ctxlab.core.metric import Metric, MetricTraits
from ctxlab.core.run import Run
from ctxlab.metrics.credit import Credit, said
from ctxlab.text.kinds import Kind, values


@dataclass(frozen=True)
class _ValuesKey(Remembered[Any]):
    """Finds the values of one kind in the texts of a context."""

    kind: Kind


@dataclass(frozen=True)
class _SpeakersKey(Remembered[Any]):
    """Finds the names of those who speak in a context."""


def kind_values(context: Context, text: str, kind: Kind) -> tuple[str, ...]:
    """Return the values of one kind in a text of a context, found once for each text.

    Examples
    --------
    >>> from ctxlab.testing import sample_case
    >>> kind_values(sample_case().context(), "Mira paid 40 euros.", "name")
    ('Mira',)
    """
    known: dict[str, tuple[str, ...]] = context.memo(_ValuesKey(kind), dict)
    if text not in known:
        found = values(text, kind, speakers(context))
        known[text] = tuple(dict.fromkeys(one.text for one in found))
    return known[text]


def speakers(context: Context) -> tuple[str, ...]:
    """Return the names of those who speak in a context, each once.

    Examples
    --------
    >>> from ctxlab.testing import sample_case
    >>> speakers(sample_case().context())
    ('Jonas', 'Mira')
    """

    def build() -> tuple[str, ...]:
        return tuple(sorted({segment.name for segment in context if segment.name}))

    return context.memo(_SpeakersKey(), build)


class _Kept(Metric):
    """Share of the distinct values of one kind that are left: the base of the metrics here."""

    KIND: ClassVar[Kind]

    normalised: bool = Field(
        True, description="numbers, dates, case and forms made equal; else verbatim alone"
    )

    def measure(self, run: Run, probe: Probe | None) -> float | None:
        """Return the share, None where there are no such values."""
        credit = Credit.of(run.before, run.after)
        kept: dict[str, bool] = {}
        for segment in run.before:
            held = [(text, v) for text in said(segment) for v in self._values(credit, text)]
            left = credit.left(segment) if held else []
            for text, value in held:
                key = (credit.normal(value) if self.normalised else "") or value
                if not kept.get(key):
                    kept[key] = text in left or any(self._stands(credit, value, t) for t in left)
        return sum(kept.values()) / len(kept) if kept else None

    def _values(self, credit: Credit, text: str) -> tuple[str, ...]:
        return kind_values(credit.before, text, self.KIND)

    def _stands(self, credit: Credit, value: str, left: str) -> bool:
        key = credit.normal(value) if self.normalised else ""
        if key and key in credit.normal(left):
            return True
        return value in left and bool(re.search(rf"(?<!\w){re.escape(value)}(?!\w)", left))


def _traits(title: str) -> MetricTraits:
    return MetricTraits(
        title=title, unit="share", family="retention", source="Grusky et al. 2018, by kind of value"
    )


class NumbersKept(_Kept):
    """Share of the distinct numbers that are left; ``1,240`` is left as ``1240``.

    Examples
    --------
    >>> from ctxlab.testing import sample_run
    >>> NumbersKept().measure(sample_run(), None)
    0.4
    """

    TRAITS = _traits("numbers kept")
    KIND = "number"


class NamesKept(_Kept):
    """Share of the distinct proper names that are left in texts; who speaks is no text.

    Examples
    --------
    >>> from ctxlab.testing import sample_run
    >>> NamesKept().measure(sample_run(), None) is None
    True
    """

    TRAITS = _traits("names kept")
    KIND = "name"


class DatesKept(_Kept):
    """Share of the distinct dates that are left; ``12 March 2026`` is left as ``2026-03-12``.

    Examples
    --------
    >>> from ctxlab.testing import sample_run
    >>> DatesKept().measure(sample_run(), None) is None
    True
    """

    TRAITS = _traits("dates kept")
    KIND = "date"


class AmountsKept(_Kept):
    """Share of the distinct amounts of money that are left; ``€40`` is left as ``40 euros``.

    Examples
    --------
    >>> from ctxlab.testing import sample_run
    >>> AmountsKept().measure(sample_run(), None) is None
    True
    """

    TRAITS = _traits("amounts kept")
    KIND = "amount"


class PathsKept(_Kept):
    """Share of the distinct paths and names of files that are left.

    Examples
    --------
    >>> from ctxlab.testing import sample_run
    >>> PathsKept().measure(sample_run(), None) is None
    True
    """

    TRAITS = _traits("paths kept")
    KIND = "path"


class UrlsKept(_Kept):
    """Share of the distinct URLs that are left.

    Examples
    --------
    >>> from ctxlab.testing import sample_run
    >>> UrlsKept().measure(sample_run(), None) is None
    True
    """

    TRAITS = _traits("URLs kept")
    KIND = "URL"


class IdentifiersKept(_Kept):
    """Share of the distinct identifiers that are left: codes, UUIDs, hashes, addresses.

    Examples
    --------
    >>> from ctxlab.testing import sample_run
    >>> IdentifiersKept().measure(sample_run(), None) is None
    True
    """

    TRAITS = _traits("identifiers kept")
    KIND = "identifier"


class QuotesKept(_Kept):
    """Share of the distinct quoted texts that are left.

    Examples
    --------
    >>> from ctxlab.testing import sample_run
    >>> QuotesKept().measure(sample_run(), None) is None
    True
    """

    TRAITS = _traits("quotes kept")
    KIND = "quote"


class SymbolsKept(_Kept):
    """Share of the distinct symbols of code that are left: functions, constants, fields.

    Examples
    --------
    >>> from ctxlab.testing import sample_run
    >>> SymbolsKept().measure(sample_run(), None) is None
    True
    """

    TRAITS = _traits("code symbols kept")
    KIND = "symbol"
