"""Budgets: parsing, relative budgets, and the sharing of a total by the tiers."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ctxlab.core.budgets import Budget, TierBudget, TierShare
from ctxlab.core.segments import ContextTier
from ctxlab.errors import BudgetError

shares = st.floats(0.0, 1.0).map(lambda x: round(x, 2))
tiers = st.builds(TierShare, shares, st.integers(0, 100), st.none() | st.integers(100, 2000))
demands = st.fixed_dictionaries({tier: st.integers(0, 5000) for tier in ContextTier})


@pytest.mark.parametrize(
    ("text", "tokens"),
    [("8000", 8000), ("8k", 8000), ("1.5k", 1500), ("10%", 190), (64, 64), ("100%", 1000)],
)
def test_a_budget_is_read_and_resolved(text, tokens):
    """Tokens stand as they are; a share is taken of what is not pinned, which comes on top."""
    assert Budget.parse(text).resolve(total=1000, pinned=100) == tokens


@pytest.mark.parametrize("text", ["0", "-3", "0%", "ten", "10 %%", ""])
def test_a_budget_that_cannot_be_is_refused(text):
    """The error names the value and says what may be written."""
    with pytest.raises(BudgetError, match="budget"):
        Budget.parse(text)


@given(demands, tiers, tiers, tiers, st.integers(300, 6000))
def test_tier_limits_keep_their_promises(demand, short, long, persistent, total):
    """Limits never exceed demand, ceiling or total; floors hold; nothing wanted is left over."""
    if not short.share + long.share + persistent.share:
        short = TierShare(0.5)
    budget = TierBudget(total, short_term=short, long_term=long, persistent=persistent)
    limits = budget.limits(demand)
    assert sum(limits.values()) <= budget.prompt
    for tier, share in budget.shares.items():
        cap = min(demand[tier], share.ceiling or demand[tier])
        assert min(share.floor, cap) <= limits[tier] <= cap
    hungry = [
        tier
        for tier, share in budget.shares.items()
        if share.share and limits[tier] < min(demand[tier], share.ceiling or demand[tier])
    ]
    if hungry:
        assert budget.prompt - sum(limits.values()) <= len(hungry)


def test_what_a_tier_leaves_goes_to_the_others_by_share():
    """Unused tokens are handed on in proportion to the shares."""
    budget = TierBudget(1000, short_term=0.5, long_term=0.2, persistent=0.3)
    limits = budget.limits({"short-term": 2000, "long-term": 0, "persistent": 2000})
    assert limits[ContextTier.SHORT_TERM] == 625
    assert limits[ContextTier.PERSISTENT] == 375


def test_the_reply_is_kept_free():
    """Tokens reserved for the reply are not the prompt's."""
    budget = TierBudget(1000, reply=400)
    assert sum(budget.limits().values()) == 600


def test_a_report_shows_what_is_over():
    """Three megabytes in the persistent tier are seen at once."""
    rows = TierBudget(15_000).report({"persistent": 900_000, "short-term": 2_000})
    by_tier = {row.tier: row for row in rows}
    assert by_tier["persistent"].over > 880_000
    assert by_tier["short-term"].over == 0
    assert by_tier["prompt"].over == 902_000 - 15_000


@pytest.mark.parametrize(
    "make",
    [
        lambda: TierBudget(100, reply=100),
        lambda: TierBudget(100, short_term=TierShare(0.5, floor=101)),
        lambda: TierBudget(100, short_term=0, long_term=0, persistent=0),
        lambda: TierShare(1.5),
        lambda: TierShare(0.5, floor=9, ceiling=8),
    ],
    ids=["no room", "floors", "no shares", "share", "order"],
)
def test_an_impossible_tier_budget_is_refused(make):
    """Reserve, floors and shares that cannot be are named."""
    with pytest.raises(BudgetError):
        make()
