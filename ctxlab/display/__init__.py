"""Views of ctxlab's values: HTML, charts, reports. Each loads when it is first asked for."""

from __future__ import annotations

from importlib import import_module

_VIEWS = {
    "availability_curve": "charts",
    "budget_html": "tier_faces",
    "case_html": "faces",
    "context_html": "conversation_views",
    "inspection_html": "inspector_static",
    "live_inspector": "inspector",
    "leaderboard_html": "leaderboards",
    "ledger_html": "conversation_views",
    "metric_html": "faces",
    "pareto": "charts",
    "probe_html": "faces",
    "recipe_html": "faces",
    "store_html": "faces",
    "strategy_html": "faces",
    "tiers_html": "tier_faces",
    "verdicts_html": "faces",
    "workshop_html": "faces",
    "write_report": "report",
}

__all__ = [*_VIEWS]


def __getattr__(name: str) -> object:
    if name not in _VIEWS:
        raise AttributeError(f"ctxlab.display has no view {name!r}; there are {', '.join(_VIEWS)}")
    return getattr(import_module(f"ctxlab.display.{_VIEWS[name]}"), name)
