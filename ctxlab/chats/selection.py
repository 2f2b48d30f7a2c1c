"""The plan: which strategy, into which budget, counted how; and fitting pieces by it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from ctxlab.chats.pieces import Kept, Link, Piece, left, linked
from ctxlab.core.budgets import Budget
from ctxlab.core.context import Context
from ctxlab.core.recipe import Recipe
from ctxlab.core.segments import Segment
from ctxlab.core.specs import parse
from ctxlab.core.strategy import Strategy
from ctxlab.core.task import Task
from ctxlab.core.tokens import Billable, shared_counter
from ctxlab.core.tools import Encoder, Tools
from ctxlab.errors import BudgetError
from ctxlab.models import load_encoder
from ctxlab.strategies.passages import PassageBM25


@dataclass(frozen=True, kw_only=True)
class Plan:
    """How pieces are compressed.

    Parameters
    ----------
    strategy : Strategy
        What compresses.
    budget : Budget
        What the result may cost.
    query : str
        What will be asked; where it is empty, the newest user message is.
    tools : Tools
        How to count, encode and ask.
    seed : int
        Seeds whatever is random.

    Examples
    --------
    >>> plan = Plan.of("BM25() >> KeepLast()", budget="8k")
    >>> plan.strategy, str(plan.budget)
    (BM25() >> KeepLast(), '8000')
    """

    strategy: Strategy
    budget: Budget
    tools: Tools
    query: str = ""
    seed: int = 0

    @classmethod
    def of(
        cls,
        strategy: Strategy | Recipe | str | None = None,
        *,
        budget: Budget | int | str | None = None,
        query: str = "",
        tools: Tools | None = None,
        encoder: Encoder | str | None = None,
        seed: int | None = None,
    ) -> Plan:
        """Make a plan of a strategy, its text or a recipe; what is given overrides the recipe.

        Raises
        ------
        BudgetError
            When neither a budget nor a recipe is given.

        Examples
        --------
        >>> Plan.of(Recipe(strategy=PassageBM25(), budget="10%")).budget.share
        0.1
        >>> str(Plan.of(budget="8k").strategy)
        'PassageBM25()'
        """
        recipe = strategy if isinstance(strategy, Recipe) else None
        wanted = recipe.budget if budget is None and recipe else budget
        if wanted is None:
            raise BudgetError("there is no budget; pass budget='8k', or a recipe, which has one")
        if tools is None:
            tools = Tools.of(shared_counter(recipe.encoding)) if recipe else Tools.of()
        return cls(
            strategy=recipe.strategy if recipe else parse(_chosen(strategy)),
            budget=Budget.parse(wanted),
            tools=tools.encoding_with(None if encoder is None else load_encoder(encoder)),
            query=query,
            seed=seed if seed is not None else recipe.seed if recipe else 0,
        )

    def fit(self, pieces: Sequence[Piece], *, reserve: int = 0) -> list[Kept]:
        """Compress pieces, and return what is left of them, in order.

        System pieces are pinned. What the model is about to answer stays, too: the newest user
        piece and, where the pieces end in results of tools, the calls that these answer. A
        strategy may shorten them; where it drops them, it is asked again with them pinned.

        Parameters
        ----------
        pieces : sequence of Piece
            Of one conversation.
        reserve : int
            Tokens of the budget to leave free.

        Raises
        ------
        PinnedOverBudgetError
            When what has to stay alone exceeds the budget.

        Examples
        --------
        >>> pieces = [Piece(at, "user", (f"Remark {at}.",)) for at in range(9)]
        >>> [kept.piece.home for kept in Plan.of("KeepLast()", budget=30).fit(pieces)]
        [6, 7, 8]
        """
        links = linked(pieces)
        context = Context.of(link.message(number) for number, link in enumerate(links))
        tools = replace(self.tools, overhead=_overhead(self.tools, links))
        ruler = Task(budget=1, tools=tools)
        tokens = self.budget.resolve(ruler.size(context), ruler.pinned(context)) - reserve
        question = _question(links)
        asked = "" if question is None else links[question].piece.text
        task = Task(budget=max(1, tokens), tools=tools, query=self.query or asked, seed=self.seed)
        kept = left(links, self.strategy.compress(context, task))
        for _ in range(2):
            lost = _due(links, question) - _present(links, kept)
            if not lost:
                break
            sources = {f"message:m{number}" for number in lost}
            context = Context(tuple(_pinned(segment, sources) for segment in context))
            kept = left(links, self.strategy.compress(context, task))
        return kept

    def cost(self, piece: Piece) -> int:
        """Return the tokens that a piece costs as a message.

        Examples
        --------
        >>> Plan.of("KeepLast()", budget=30).cost(Piece(0, "user", ("Hi",)))
        5
        """
        message = Link(piece).message(0)
        return self.tools.count(message.content) + self.tools.overhead(message) + piece.extra


def _chosen(strategy: Strategy | Recipe | str | None) -> Strategy | str:
    return PassageBM25() if strategy is None or isinstance(strategy, Recipe) else strategy


def _overhead(tools: Tools, links: Sequence[Link]) -> Callable[[Billable], int]:
    extras = {
        f"message:m{number}": link.piece.extra
        for number, link in enumerate(links)
        if link.piece.extra
    }

    def overhead(message: Billable, /) -> int:
        extra = extras.get(message.source, 0) if isinstance(message, Segment) else 0
        return tools.overhead(message) + extra

    return overhead if extras else tools.overhead


def _question(links: Sequence[Link]) -> int | None:
    """Return the position of the newest user piece that asks."""
    asked = (n for n in reversed(range(len(links))) if _asks(links[n].piece))
    return next(asked, None)


def _asks(piece: Piece) -> bool:
    return piece.role == "user" and piece.asks and bool(piece.text.strip() or piece.extra)


def _due(links: Sequence[Link], question: int | None) -> set[int]:
    """Return the positions of what the model is about to answer."""
    due = set() if question is None else {question}
    if links and links[-1].piece.role in ("user", "tool"):
        due.add(len(links) - 1)
    return due


def _present(links: Sequence[Link], kept: Sequence[Kept]) -> set[int]:
    """Return the positions of the pieces of which something is left."""
    numbers = {id(link.piece): number for number, link in enumerate(links)}
    return {
        numbers[id(one.piece)]
        for one in kept
        if one.piece is not None and (any(one.texts) or not one.piece.text)
    }


def _pinned(segment: Segment, sources: set[str]) -> Segment:
    return replace(segment, pinned=True) if segment.source in sources else segment
