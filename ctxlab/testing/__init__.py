"""For tests of strategies, ours and yours: the laws, sample builders, and a fake model.

One line in a test runs all laws on a strategy::

    check_laws(MyStrategy())

The laws hold for every context and every task that hypothesis can think of: output spans lie
within input spans, verbatim text equals its source slice, the same input gives the same output,
the budget holds, groups stay whole, pins stay, and the input is left unchanged.

Metrics, classes and plain functions, have laws as well::

    check_metric_laws(MyMetric())

So have adapters, on chats of their API::

    check_adapter(MyAdapter(), chat)
"""

from __future__ import annotations

from ctxlab.testing.adapter_laws import check_adapter, check_adapter_on, check_without
from ctxlab.testing.broken import LawError
from ctxlab.testing.example_runs import sample_case, sample_results, sample_run
from ctxlab.testing.fakes import FakeModel, chats, word_tools
from ctxlab.testing.metric_laws import check_metric_laws, check_metric_on, check_metric_value
from ctxlab.testing.strategy_laws import check_laws, check_laws_on, check_value

__all__ = [
    "FakeModel",
    "LawError",
    "chats",
    "check_adapter",
    "check_adapter_on",
    "check_laws",
    "check_laws_on",
    "check_metric_laws",
    "check_metric_on",
    "check_metric_value",
    "check_value",
    "check_without",
    "sample_case",
    "sample_results",
    "sample_run",
    "word_tools",
]
