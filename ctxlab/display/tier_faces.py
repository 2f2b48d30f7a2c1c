"""Tiers as sanitizer-safe HTML: a bar each, with what is used, allowed and over."""

from __future__ import annotations

from collections.abc import Sequence

from ctxlab.core.budgets import TierBudget, TierUse
from ctxlab.display.escaping import safe, short
from ctxlab.display.look import BAD, QUIET, TIERS, bar, table

_PROMPT = "#777777"


def tiers_html(rows: Sequence[TierUse], head: str = "", full_history: int = 0) -> str:
    """Return used, limit and over of every tier, each with a bar.

    Parameters
    ----------
    rows : sequence of TierUse
        The tiers, the whole prompt last.
    head : str
        What it is of.
    full_history : int
        Tokens that the whole history would have cost; 0 where that is not known.

    Examples
    --------
    >>> "400" in tiers_html([TierUse("persistent", 900, 500)])
    True
    """
    cells = [
        [
            safe(row.tier),
            bar(row.used / max(1, row.limit), TIERS.get(row.tier, _PROMPT), over=row.over > 0),
            f"{row.used:,}",
            f"{row.limit:,}",
            f"<b style='color:{BAD}'>{row.over:,}</b>" if row.over else "0",
        ]
        for row in rows
    ]
    told = ""
    if full_history:
        saved = 100 * (1 - rows[-1].used / full_history)
        told = (
            f"<div style='{QUIET}'>the full history takes {full_history:,} tokens: "
            f"{saved:.0f} % of them are not sent</div>"
        )
    title = f"<b>{safe(short(head, 160))}</b>" if head else ""
    return f"<div>{title}{table(['tier', '', 'used', 'limit', 'over'], cells, left=2)}{told}</div>"


def budget_html(budget: TierBudget) -> str:
    """Return how a budget is shared by the tiers.

    Examples
    --------
    >>> "7,500" in budget_html(TierBudget(15_000))
    True
    """
    limits = budget.limits()
    rows = [
        [
            safe(tier.value),
            bar(limits[tier] / max(1, budget.prompt), TIERS[tier.value]),
            f"{share.share:g}",
            f"{limits[tier]:,}",
            f"{share.floor:,}",
            "–" if share.ceiling is None else f"{share.ceiling:,}",
        ]
        for tier, share in budget.shares.items()
    ]
    reply = f", {budget.reply:,} of them for the reply" if budget.reply else ""
    head = f"<b>TierBudget</b> {budget.total:,} tokens{reply}"
    return head + table(["tier", "", "share", "tokens", "floor", "ceiling"], rows, left=2)
