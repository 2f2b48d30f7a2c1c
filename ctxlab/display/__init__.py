"""Views of ctxlab's values: HTML, charts, reports. Each loads when it is first asked for."""

from __future__ import annotations

from importlib import import_module

_VIEWS = {
    "availability_curve": "charts",
    "budget_html": "html",
    "context_html": "html",
    "leaderboard_html": "leaderboards",
    "ledger_html": "html",
    "pareto": "charts",
    "store_html": "html",
    "write_report": "report",
}

__all__ = [*_VIEWS]


def __getattr__(name: str) -> object:
    if name not in _VIEWS:
        raise AttributeError(f"ctxlab.display has no view {name!r}; there are {', '.join(_VIEWS)}")
    return getattr(import_module(f"ctxlab.display.{_VIEWS[name]}"), name)
