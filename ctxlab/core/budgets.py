"""Budgets: what a context may cost in all, and how the tiers share it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from ctxlab.core.segments import ContextTier
from ctxlab.core.views import view
from ctxlab.errors import BudgetError

_BUDGET = re.compile(r"\s*(\d+(?:[._]\d+)*)\s*(%|k|K)?\s*")
_MOST = 10**15
Limits = dict[ContextTier, int]
Demand = Mapping[ContextTier, int] | Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Budget:
    """Tokens allowed: a number, or a share of what is not pinned.

    Parameters
    ----------
    tokens : int, optional
        Tokens in all, at least 1.
    share : float, optional
        Share of the unpinned tokens, above 0; the pinned tokens come on top.

    Raises
    ------
    BudgetError
        When neither or both are given, or one is not positive.

    Examples
    --------
    >>> Budget.parse("10%").resolve(total=1100, pinned=100)
    200
    >>> str(Budget.parse("8k"))
    '8000'
    """

    tokens: int | None = None
    share: float | None = None

    def __post_init__(self) -> None:
        if (self.tokens is None) == (self.share is None):
            raise BudgetError(
                "a budget is tokens or a share: Budget(tokens=8000) or Budget(share=0.1)"
            )
        if self.tokens is not None and self.tokens < 1:
            raise BudgetError(f"budget {self.tokens} is not positive; ask for at least 1 token")
        if self.share is not None and not 0 < self.share < float("inf"):
            raise BudgetError(f"budget {self.share:.0%} is not positive; ask for more than 0 %")

    @classmethod
    def parse(cls, text: str | float | Budget) -> Budget:
        """Read ``8000``, ``8k`` or ``10%``; a number below 1, such as ``0.1``, is a share.

        Raises
        ------
        BudgetError
            When `text` is none of these, or not positive.

        Examples
        --------
        >>> Budget.parse("12.5%").share
        0.125
        """
        if isinstance(text, Budget):
            return text
        match = _BUDGET.fullmatch(str(text))
        if match is None:
            raise BudgetError(f"budget {text!r} is not understood; write 8000, 8k or 10%")
        number, unit = _number(match[1]), match[2]
        if unit is None and 0 < number < 1:
            return cls(share=number)
        if not unit and number != int(number):
            raise BudgetError(f"budget {text!r} is no whole number of tokens; write 8000 or 10%")
        if unit == "%":
            return cls(share=number / 100)
        return cls(tokens=round(number * (1000 if unit else 1)))

    def resolve(self, total: int, pinned: int = 0) -> int:
        """Return the tokens allowed for a context of `total` tokens, `pinned` of them pinned.

        Examples
        --------
        >>> Budget(tokens=500).resolve(total=100)
        500
        """
        if self.tokens is not None:
            return self.tokens
        return pinned + round((self.share or 0) * (total - pinned))

    def __str__(self) -> str:
        return str(self.tokens) if self.share is None else f"{self.share * 100:g}%"


def _number(digits: str) -> float:
    try:
        number = float(digits.replace("_", ""))
    except ValueError as error:
        raise BudgetError(f"budget {digits!r} is not understood; write 8000, 8k or 10%") from error
    if number > _MOST:
        raise BudgetError(f"a budget of {digits[:20]} is above {_MOST:,}; ask for fewer tokens")
    return number


@dataclass(frozen=True, slots=True)
class TierShare:
    """One tier's part of a budget: a share, never less than `floor`, never more than `ceiling`.

    Examples
    --------
    >>> TierShare(0.3, floor=500, ceiling=4000).floor
    500
    """

    share: float
    floor: int = 0
    ceiling: int | None = None

    def __post_init__(self) -> None:
        if not 0 <= self.share <= 1:
            raise BudgetError(f"a tier's share of {self.share} is outside 0 to 1")
        if self.floor < 0 or (self.ceiling is not None and self.ceiling < self.floor):
            raise BudgetError(
                f"a tier's floor of {self.floor} and ceiling of {self.ceiling} are not in order; "
                "write 0 <= floor <= ceiling"
            )


@dataclass(frozen=True, slots=True)
class TierUse:
    """What one tier uses of what it may: a row of a budget report, in tokens.

    Examples
    --------
    >>> TierUse("persistent", used=900, limit=500).over
    400
    """

    tier: str
    used: int
    limit: int

    @property
    def over(self) -> int:
        """Tokens above the limit, 0 when within it.

        Examples
        --------
        >>> TierUse("long-term", used=1, limit=5).over
        0
        """
        return max(0, self.used - self.limit)


@dataclass(frozen=True)
class TierBudget:
    """A total number of tokens, shared by the three tiers.

    A tier's limit is its share of what the reply does not reserve, kept between its floor and
    its ceiling. What a tier leaves unused goes to those that want more, in proportion to their
    shares (weighted max-min fairness, "water-filling"; Bertsekas & Gallager, Data Networks,
    1992, section 6.5).

    Parameters
    ----------
    total : int
        Tokens of the prompt and the reply together.
    short_term, long_term, persistent : float or TierShare
        Shares; they need not add up to 1, only their proportions count.
    reply : int
        Tokens kept free for the reply.

    Raises
    ------
    BudgetError
        When nothing is left beside the reply, the floors exceed what is left, or all shares are 0.

    Examples
    --------
    >>> budget = TierBudget(1000, short_term=0.5, long_term=0.2, persistent=0.3)
    >>> limits = budget.limits({"short-term": 900, "long-term": 50, "persistent": 900})
    >>> [limits[tier] for tier in ContextTier]
    [594, 50, 356]
    """

    total: int
    short_term: float | TierShare = 0.5
    long_term: float | TierShare = 0.2
    persistent: float | TierShare = 0.3
    reply: int = 0

    def __post_init__(self) -> None:
        if self.reply < 0 or self.prompt < 1:
            raise BudgetError(
                f"a total of {self.total} with {self.reply} reserved for the reply leaves "
                f"{self.prompt} for the prompt; raise the total or lower the reserve"
            )
        shares = self.shares.values()
        floors = sum(share.floor for share in shares)
        if floors > self.prompt:
            raise BudgetError(
                f"the tiers' floors add up to {floors} and the prompt has {self.prompt}; lower them"
            )
        if not any(share.share for share in shares):
            raise BudgetError("every tier's share is 0; give at least one tier a share")

    @property
    def prompt(self) -> int:
        """Tokens for the prompt: the total without the reserve.

        Examples
        --------
        >>> TierBudget(1000, reply=200).prompt
        800
        """
        return self.total - self.reply

    @property
    def shares(self) -> dict[ContextTier, TierShare]:
        """The share of every tier, with its floor and ceiling.

        Examples
        --------
        >>> TierBudget(1000).shares[ContextTier.LONG_TERM].share
        0.2
        """
        given = (self.short_term, self.long_term, self.persistent)
        return {
            tier: share if isinstance(share, TierShare) else TierShare(share)
            for tier, share in zip(ContextTier, given, strict=True)
        }

    def limits(self, demand: Demand | None = None) -> Limits:
        """Return every tier's limit, given what each would use if it could.

        Parameters
        ----------
        demand : mapping of tier to tokens, optional
            Without it every tier is taken to want all it can get.

        Examples
        --------
        >>> TierBudget(100).limits()[ContextTier.SHORT_TERM]
        50
        """
        shares = self.shares
        wanted = {
            tier: self.prompt if demand is None else int(demand.get(tier, 0)) for tier in shares
        }
        caps = {
            tier: min(wanted[tier], self.prompt if s.ceiling is None else s.ceiling)
            for tier, s in shares.items()
        }
        floors = {tier: min(s.floor, caps[tier]) for tier, s in shares.items()}
        if sum(caps.values()) <= self.prompt:
            return caps
        return self._fill(shares, floors, caps)

    def _fill(
        self, shares: Mapping[ContextTier, TierShare], floors: Limits, caps: Limits
    ) -> Limits:
        def at(level: float) -> Limits:
            return {
                tier: min(max(int(level * s.share), floors[tier]), caps[tier])
                for tier, s in shares.items()
            }

        least = min((s.share for s in shares.values() if s.share), default=1.0)
        low, high = 0.0, (self.prompt + 1) / least
        for _ in range(80):
            level = (low + high) / 2
            low, high = (level, high) if sum(at(level).values()) <= self.prompt else (low, level)
        limits = at(low)
        # Rounding down leaves at most a token a tier; hand them on in order.
        for tier in limits:
            spare = self.prompt - sum(limits.values())
            room = caps[tier] - limits[tier] if shares[tier].share else 0
            limits[tier] += max(0, min(spare, room, 1))
        return limits

    def report(self, used: Demand) -> list[TierUse]:
        """Return used, limit and over of every tier and of the whole prompt.

        A tier's limit is its own part, or more where others leave some of theirs to it.

        Examples
        --------
        >>> rows = TierBudget(100).report({"short-term": 70, "long-term": 10, "persistent": 40})
        >>> [(row.tier, row.limit, row.over) for row in rows][-1]
        ('prompt', 100, 20)
        """
        own, lent = self.limits(), self.limits(used)
        rows = [
            TierUse(tier.value, int(used.get(tier, 0)), max(own[tier], lent[tier]))
            for tier in ContextTier
        ]
        return [*rows, TierUse("prompt", sum(row.used for row in rows), self.prompt)]

    def _repr_html_(self) -> str:
        return str(view("budget_html", self))
