"""What is known of a conversation as it grows: pieces, links, segments and what each costs."""

from __future__ import annotations

from collections.abc import Sequence

from ctxlab.chats.pairing import Pairing, links_at
from ctxlab.chats.pieces import Link, Piece
from ctxlab.chats.selection import Fitting, Plan, whole
from ctxlab.core.context import Context
from ctxlab.core.segments import Segment
from ctxlab.core.task import Costs


class Growth:
    """Pieces of one conversation, linked and counted once each.

    A new piece leaves what came before as it was, but for a result: that is linked anew from the
    message that made its call.

    Parameters
    ----------
    plan : Plan
        How the pieces are counted and compressed.

    Examples
    --------
    >>> growth = Growth(Plan.of("KeepLast()", budget=9))
    >>> growth.add([Piece(0, "user", ("Hi",))])
    >>> growth.fitting().kept[0].texts
    ('Hi',)
    """

    def __init__(self, plan: Plan) -> None:
        self._plan, self._ruler = plan, plan.ruler
        self.pieces: list[Piece] = []
        self._pairing = Pairing()
        self._answered: dict[tuple[int, int], int] = {}
        self._links: list[Link] = []
        self._starts: list[int] = []
        """Position of the first link of every piece."""
        self._segments: list[Segment] = []
        self._texts: list[int] = []
        self._overheads: list[int] = []

    def add(self, pieces: Sequence[Piece]) -> None:
        """Take the pieces that come next.

        Examples
        --------
        >>> growth = Growth(Plan.of("KeepLast()", budget=9))
        >>> growth.add([Piece(0, "user", ("Hi",))])
        >>> len(growth.pieces)
        1
        """
        changed = len(self.pieces)
        for at, piece in enumerate(pieces, changed):
            call = self._pairing.add(at, piece)
            if call is not None:
                self._answered[call] = at
                changed = min(changed, call[0])
        self.pieces += pieces
        self._link(changed)

    def fitting(self, reserve: int = 0) -> Fitting:
        """Return what the plan makes of the pieces, as `Plan.fitting` does.

        Examples
        --------
        >>> Growth(Plan.of("KeepLast()", budget=9)).fitting().kept
        []
        """
        costs = Costs(list(self._texts), list(self._overheads))
        return self._plan.fitting_links(
            list(self._links), self.pieces, tuple(self._segments), costs, reserve=reserve
        )

    def _link(self, first: int) -> None:
        """Link the pieces from one on, and count them."""
        start = self._starts[first] if first < len(self._starts) else len(self._links)
        for known in (self._links, self._segments, self._texts, self._overheads):
            del known[start:]
        del self._starts[first:]
        for at in range(first, len(self.pieces)):
            self._starts.append(len(self._links))
            self._links += links_at(at, self.pieces, self._answered)
        new = whole(self._links[start:], start)
        costs = self._ruler.costs(Context(new))
        self._segments += new
        self._texts += costs.texts
        self._overheads += costs.overheads
