"""What a grid works out before its cells are sent: token counts and vectors of their texts."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from ctxlab.bench.trials import Cell
from ctxlab.core.cases import Case
from ctxlab.core.segments import Message
from ctxlab.core.tokens import shared_counter
from ctxlab.core.tools import Encoder
from ctxlab.errors import CtxlabError, EncoderError

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from ctxlab.store import Store


class SharedInputs:
    """Counts and encodes every text once, in the parent process.

    So no worker loads a tokenizer or a model, only the parent touches the store, and a model
    behind an endpoint is paid once. A worker encodes only what a strategy wrote itself. Cells
    come case by case: what was worked out for a case goes with its last cell.

    Parameters
    ----------
    store : Store
        Keeps the vectors.
    encoding : str
        The encoding whose tokens are counted.
    encoder : Encoder, optional
        For cells that name one.

    Examples
    --------
    >>> from ctxlab.store import Store
    >>> from ctxlab.strategies import KeepLast
    >>> case = Case("c", "d", (Message("m1", "user", "Hello world"),))
    >>> cell = Cell(KeepLast(), case, (), 0, "o200k_base")
    >>> ("Hello world", 2) in SharedInputs(Store(":memory:"), "o200k_base")(cell).counts
    True
    """

    def __init__(self, store: Store, encoding: str, encoder: Encoder | None = None) -> None:
        self._store, self._encoding, self._encoder = store, encoding, encoder
        self._case: Case | None = None
        self._counts: tuple[tuple[str, int], ...] = ()
        self._encode: Encoder | None = None

    def __call__(self, cell: Cell) -> Cell:
        """Return the cell with what was worked out for its case."""
        if cell.case is not self._case:
            texts = list({text for m in cell.case.messages for text in _texts(m)})
            counts = shared_counter(self._encoding).count_many(texts)
            self._counts = tuple(zip(texts, counts, strict=True))
            self._case, self._encode = cell.case, None
        if not cell.encoder or self._encoder is None:
            return replace(cell, counts=self._counts)
        self._encode = self._encode or _encoded(cell.case, self._encoder, self._store)
        return replace(cell, counts=self._counts, encode=self._encode)


@dataclass(frozen=True)
class BrokenEncoder:
    """An encoder that failed before: it fails each trial with the same words, at no cost.

    Examples
    --------
    >>> BrokenEncoder("no key")(["a"])
    Traceback (most recent call last):
    ctxlab.errors.EncoderError: no key
    """

    problem: str

    def __call__(self, texts: Sequence[str], /) -> ArrayLike:
        """Fail."""
        raise EncoderError(self.problem)


def _texts(message: Message) -> Iterator[str]:
    yield from (message.content, message.role, message.name or "")
    for call in message.tool_calls:
        yield from (call.name, call.arguments)


def _encoded(case: Case, encoder: Encoder, store: Store) -> Encoder:
    """Return an encoder that knows the vectors of a case's messages, groups and questions."""
    from ctxlab.core.segments import spoken, spoken_group
    from ctxlab.models import MemoEncoder
    from ctxlab.models.cached_encoder import CachedEncoder

    context = case.context()
    segments = map(spoken, context)
    groups = (spoken_group(context[i] for i in members) for members in context.groups)
    questions = (probe.question for probe in case.probes)
    texts = list(dict.fromkeys([*segments, *groups, *questions]))
    cached = encoder if isinstance(encoder, CachedEncoder) else CachedEncoder(encoder, store)
    try:
        return MemoEncoder(cached.encoder, texts, cached.vectors(texts))
    except CtxlabError as error:
        return BrokenEncoder(str(error))
    except Exception as error:  # noqa: BLE001 - a failed trial is a row; the grid goes on
        return BrokenEncoder(f"{type(error).__name__}: {error}")
