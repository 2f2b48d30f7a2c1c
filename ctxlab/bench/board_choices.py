"""What a leaderboard goes by where nothing, or something loosely written, is chosen."""

from __future__ import annotations

from collections.abc import Mapping

from ctxlab.core.metric import MetricTraits
from ctxlab.core.strategy import Traits
from ctxlab.errors import UnknownNameError


def default_baseline(traits: Mapping[str, Traits]) -> str:
    """Return what a leaderboard compares with when nothing is chosen: a window, where there is one.

    Examples
    --------
    >>> from ctxlab.testing import sample_results
    >>> default_baseline(sample_results().traits)
    'KeepLast()'
    """
    names = list(traits)
    windows = [name for name in names if traits[name].family == "window"]
    others = [name for name in names if traits[name].family != "control"]
    return (windows or others or names)[0]


def checked_metric(metric: str, metrics: Mapping[str, MetricTraits]) -> str:
    """Return the name of a metric that was measured, whatever its case and underscores.

    Raises
    ------
    UnknownNameError
        When none of that name was; the message offers the nearest.

    Examples
    --------
    >>> from ctxlab.testing import sample_results
    >>> checked_metric("all_evidence", sample_results().measured.metrics)
    'AllEvidence'
    """
    if metric in metrics:
        return metric
    short = {name.rpartition(":")[2].lower(): name for name in metrics}  # one of a module's
    known = {**short, **{name.lower(): name for name in metrics}, "answer": "AnswerKept"}
    found = known.get(metric.replace("_", "").lower())
    if found not in metrics:
        raise UnknownNameError("metric of this experiment", metric, metrics)
    return str(found)
