"""Completion in a shell: names of strategies, metrics and datasets."""

from __future__ import annotations

from collections.abc import Iterable


def strategies(incomplete: str) -> list[str]:
    """Return the strategies whose names begin so; of a pipeline, its last stage is completed.

    Examples
    --------
    >>> strategies("KeepL"), strategies("BM25() >> KeepL")
    (['KeepLast'], ['BM25() >> KeepLast'])
    """
    from ctxlab.core.specs import STRATEGIES

    head, arrow, last = incomplete.rpartition(">> ")
    return [f"{head}{arrow}{name}" for name in _beginning(STRATEGIES.names(), last)]


def metrics(incomplete: str) -> list[str]:
    """Return the metrics whose names begin so.

    Examples
    --------
    >>> metrics("AllEv")
    ['AllEvidence']
    """
    from ctxlab.core.specs import METRICS

    return _beginning(METRICS.names(), incomplete)


def datasets(incomplete: str) -> list[str]:
    """Return the datasets whose names begin so; files are completed by the shell.

    Examples
    --------
    >>> datasets("agent")
    ['agent-run']
    """
    from ctxlab.datasets import sources

    return _beginning(sources(), incomplete)


def _beginning(names: Iterable[str], start: str) -> list[str]:
    return sorted(name for name in names if name.lower().startswith(start.lower()))
