"""The plan: which strategy, into which budget, counted how; and fitting pieces by it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from ctxlab.chats.media import payload_tokens
from ctxlab.chats.pairing import linked, unsent
from ctxlab.chats.pieces import Kept, Link, Piece, left
from ctxlab.core.budgets import Budget
from ctxlab.core.context import Context
from ctxlab.core.recipe import Recipe
from ctxlab.core.segments import Segment
from ctxlab.core.specs import parse
from ctxlab.core.strategy import Outcome, Strategy, run
from ctxlab.core.task import Costs, Task
from ctxlab.core.tokens import Billable, shared_counter
from ctxlab.core.tools import Encoder, Tools
from ctxlab.errors import BudgetError, PinnedOverBudgetError
from ctxlab.models import load_encoder
from ctxlab.strategies.passages import PassageBM25

System = Literal["pin", "latest", "compress"]


@dataclass(frozen=True)
class Fitting:
    """What a plan made of pieces: the context, what every stage made of it, and what is left.

    Examples
    --------
    >>> plan = Plan.of("KeepLast()", budget=9)
    >>> plan.fitting([Piece(0, "user", ("Hi",))]).kept[0].texts
    ('Hi',)
    """

    before: Context
    stages: tuple[Outcome, ...]
    links: list[Link]
    kept: list[Kept]
    task: Task
    unsent: tuple[tuple[Piece, str], ...] = ()


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
    system : {"pin", "latest", "compress"}
        Which system messages have to stay, besides those that the chat begins with: all, the
        newest, or none.
    reserve : int
        Tokens of the budget to leave free, as for the definitions of tools.

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
    system: System = "pin"
    reserve: int = 0

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
        system: System = "pin",
        reserve: int = 0,
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
            strategy=recipe.strategy if recipe else parse(_chosen(strategy), allow_import=True),
            budget=Budget.parse(wanted),
            tools=tools.encoding_with(None if encoder is None else load_encoder(encoder)),
            query=query,
            seed=seed if seed is not None else recipe.seed if recipe else 0,
            system=system,
            reserve=reserve,
        )

    def fit(self, pieces: Sequence[Piece], *, reserve: int = 0) -> list[Kept]:
        """Compress pieces, and return what is left of them, in order.

        System pieces are pinned as the plan says. What the model is about to answer stays, too:
        the newest user piece and, where the pieces end in results of tools, the calls that these
        answer. A strategy may shorten them; where it drops them, it is asked again with them
        pinned. A share of the budget is one of what need not stay.

        Parameters
        ----------
        pieces : sequence of Piece
            Of one conversation.
        reserve : int
            Tokens of the budget to leave free, besides the plan's own.

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
        return self.fitting(pieces, reserve=reserve).kept

    def fitting(self, pieces: Sequence[Piece], *, reserve: int = 0) -> Fitting:
        """Compress pieces as `fit` does, and return what every stage did, too.

        Examples
        --------
        >>> found = Plan.of("KeepLast()", budget=9).fitting([Piece(0, "user", ("Hi",))])
        >>> len(found.before), len(found.stages)
        (1, 1)
        """
        return self.fitting_links(linked(pieces), pieces, reserve=reserve)

    def fitting_links(
        self,
        links: list[Link],
        pieces: Sequence[Piece],
        segments: tuple[Segment, ...] | None = None,
        costs: Costs | None = None,
        *,
        reserve: int = 0,
    ) -> Fitting:
        """Compress links of pieces as `fitting` does, with what is known of them.

        Parameters
        ----------
        links : list of Link
            As `linked` makes them of `pieces`.
        pieces : sequence of Piece
            Of one conversation.
        segments : tuple of Segment, optional
            One for each link, as `whole` makes them.
        costs : Costs, optional
            Of the segments.
        reserve : int
            Tokens of the budget to leave free, besides the plan's own.

        Examples
        --------
        >>> pieces = [Piece(0, "user", ("Hi",))]
        >>> len(Plan.of("KeepLast()", budget=9).fitting_links(linked(pieces), pieces).kept)
        1
        """
        ruler = self.ruler
        tools = ruler.tools
        before = _pinned(
            Context(whole(links) if segments is None else segments), _systems(links, self.system)
        )
        if costs is not None:
            ruler.prime(before, costs)
        question = _question(links)
        due = _due(links, question)
        firm = _pinned(before, due)
        tokens = self.budget.resolve(ruler.size(before), ruler.pinned(firm))
        tokens -= reserve + self.reserve
        asked = "" if question is None else links[question].piece.text
        task = Task(budget=max(1, tokens), tools=tools, query=self.query or asked, seed=self.seed)
        context = before
        stages = tuple(run(self.strategy, context, task))
        kept = left(links, stages[-1].context)
        for _ in range(2):
            lost = _lost(due, links, kept)
            if not lost:
                break
            context = _pinned(context, lost)
            ruler.prime(context, ruler.costs(before))
            try:
                stages = tuple(run(self.strategy, context, task))
            except PinnedOverBudgetError as error:
                raise _too_long(error, links, lost, ruler, before) from error
            kept = left(links, stages[-1].context)
        return Fitting(before, stages, links, kept, task, unsent(pieces, links))

    @property
    def ruler(self) -> Task:
        """What counts as this plan does, with a budget of no meaning.

        Examples
        --------
        >>> Plan.of("KeepLast()", budget=9).ruler.tools.reply
        3
        """
        return Task(budget=1, tools=replace(self.tools, overhead=_paying(self.tools)))

    def cost(self, piece: Piece) -> int:
        """Return the tokens that a piece costs as a message.

        Examples
        --------
        >>> Plan.of("KeepLast()", budget=30).cost(Piece(0, "user", ("Hi",)))
        5
        """
        message = Link(piece).message(0)
        return self.tools.count(message.content) + _paying(self.tools)(message)


def whole(links: Sequence[Link], first: int = 0) -> tuple[Segment, ...]:
    """Return the segments of links, one each, none pinned for its role.

    Parameters
    ----------
    links : sequence of Link
        A call and its results together.
    first : int
        The position of the first among those of its conversation.

    Examples
    --------
    >>> whole([Link(Piece(0, "user", ("Hi",)))], 7)[0].source
    'message:m7'
    """
    messages = [link.message(number) for number, link in enumerate(links, first)]
    return Context.of(messages, pin_system=False).segments


def _chosen(strategy: Strategy | Recipe | str | None) -> Strategy | str:
    return PassageBM25() if strategy is None or isinstance(strategy, Recipe) else strategy


def _paying(tools: Tools) -> Callable[[Billable], int]:
    """Return the overhead of messages; tools that count none still count what they carry."""
    if tools.overhead is not Tools(count=len).overhead:
        return tools.overhead

    def carried(message: Billable, /) -> int:
        return payload_tokens(message.payload, tools.count)

    return carried


def _systems(links: Sequence[Link], system: System) -> set[int]:
    """Return the positions of the system pieces that have to stay."""
    places = [at for at, link in enumerate(links) if link.piece.role == "system"]
    begins = next((at for at, link in enumerate(links) if link.piece.role != "system"), len(links))
    leading = {at for at in places if at < begins or links[at].piece.home < 0}
    if system == "pin":
        return set(places)
    return leading | ({places[-1]} if places and system == "latest" else set())


def _too_long(
    error: PinnedOverBudgetError,
    links: Sequence[Link],
    lost: set[int],
    ruler: Task,
    context: Context,
) -> PinnedOverBudgetError:
    """Return the error that names the longest message of those that have to stay."""
    costs = {at: ruler.size(context.keep([s for s in context if s.source == f"message:m{at}"]))
             for at in lost}  # fmt: skip
    at = max(costs, key=lambda number: costs[number])
    piece = links[at].piece
    remedy = "TruncateToolOutputs(limit=…)" if piece.role == "tool" else "Sentences() >> HeadTail()"
    why = f"messages[{piece.home}] ({piece.role}) alone takes {costs[at]} and has to stay; {remedy} shortens it"  # noqa: E501
    return PinnedOverBudgetError(error.pinned, error.budget, why)


def _question(links: Sequence[Link]) -> int | None:
    """Return the position of the newest user piece that asks."""
    asked = (n for n in reversed(range(len(links))) if _asks(links[n].piece))
    return next(asked, None)


def _asks(piece: Piece) -> bool:
    return piece.role == "user" and piece.asks and bool(piece.text.strip() or piece.payload)


def _due(links: Sequence[Link], question: int | None) -> set[int]:
    """Return the positions of what the model is about to answer."""
    due = set() if question is None else {question}
    if links and links[-1].piece.role in ("user", "tool"):
        due.add(len(links) - 1)
    return due


def _lost(due: set[int], links: Sequence[Link], kept: Sequence[Kept]) -> set[int]:
    """Return those of some positions of whose pieces nothing is left."""
    present = {id(one.piece) for one in kept if one.piece is not None and _shows(one, one.piece)}
    return {number for number in due if id(links[number].piece) not in present}


def _shows(one: Kept, piece: Piece) -> bool:
    return any(one.texts) or not piece.text


def _pinned(context: Context, places: set[int]) -> Context:
    """Return a whole context in which the messages of some positions are pinned."""
    if not places:
        return context
    segments = list(context.segments)
    for at in places:
        segments[at] = replace(segments[at], pinned=True)
    return Context(tuple(segments))
