"""Views of ctxlab's values: HTML, charts, reports. Each loads when it is first asked for."""

from __future__ import annotations

from importlib import import_module

_VIEWS = {
    "availability_curve": "charts",
    "budget_html": "tier_faces",
    "by_age": "breakdown_charts",
    "case_html": "faces",
    "choices_html": "answers",
    "context_html": "conversation_views",
    "forest": "breakdown_charts",
    "growth": "growth_charts",
    "heatmap": "breakdown_charts",
    "inspection_html": "inspector_static",
    "leaderboard_html": "leaderboards",
    "ledger_html": "conversation_views",
    "live_inspector": "inspector",
    "metric_html": "faces",
    "pareto": "charts",
    "probe_html": "faces",
    "recipe_html": "faces",
    "results_html": "answers",
    "step_tiers": "growth_charts",
    "store_html": "faces",
    "strategy_html": "faces",
    "tier_bars": "growth_charts",
    "tiers_html": "tier_faces",
    "transfer": "breakdown_charts",
    "verdicts_html": "faces",
    "workshop_html": "faces",
    "write_report": "report",
}

__all__ = [*_VIEWS]


def __getattr__(name: str) -> object:
    if name not in _VIEWS:
        raise AttributeError(f"ctxlab.display has no view {name!r}; there are {', '.join(_VIEWS)}")
    return getattr(import_module(f"ctxlab.display.{_VIEWS[name]}"), name)
