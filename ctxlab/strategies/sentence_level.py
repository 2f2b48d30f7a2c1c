"""Text as it is spoken: its sentences as units, and the parts of it that say nothing."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator

from pydantic import Field

from ctxlab.core.context import Context
from ctxlab.core.segments import Note, Segment
from ctxlab.core.splitting import split
from ctxlab.core.strategy import Strategy, Traits
from ctxlab.core.task import Task
from ctxlab.text.sentences import sentence_ranges

Range = tuple[int, int]

_PLEASANTRY = re.compile(
    r"""[\W_]*(?:(?:
      hi | hello | hey | good\ (?:morning|afternoon|evening|night|day) | greetings | dear
    | (?:good)?bye | see\ you(?:\ (?:soon|later|then|tomorrow))? | take\ care | cheers
    | have\ a\ (?:nice|great|good|lovely)\ (?:day|evening|weekend|one|time)
    | thanks? | thank\ you | many\ thanks | you(?:'|’)re\ welcome | no\ problem | my\ pleasure
    | so\ much | very\ much | a\ lot | again | in\ advance | for\ (?:your\ )?(?:help|time)
    | (?:i\ )?hope\ (?:you(?:'|’)re|you\ are|this\ (?:message|finds\ you))\ (?:doing\ )?well
    | how\ are\ you(?:\ doing)?(?:\ today)? | nice\ to\ (?:meet|see|hear\ from)\ you
    | (?:kind|best|warm)?\ ?regards | sincerely | yours\ (?:truly|sincerely|faithfully)
    | (?:please\ )?let\ me\ know\ if\ (?:you\ (?:have|need)\ )?any(?:thing\ else|\ questions)?
    | (?:is\ there\ )?anything\ else\ (?:i\ can\ (?:help|assist)(?:\ you)?\ with)?(?:\ today)?
    | how\ (?:can|may)\ i\ (?:help|assist)\ you(?:\ today)?
    | everyone | everybody | all | team | folks | guys | there | and | to\ you | you\ too
    )\b[\W_]*)+""",
    re.IGNORECASE | re.VERBOSE,
)
_FILLER = re.compile(
    r"(?:\b(?:uh+|um+|erm?|hmm*|mm+|mhm+|uh-huh)\b(?:\s*[,.…-]+)?\s*)+", re.IGNORECASE
)


class Sentences(Strategy):
    """Cuts messages into sentences and drops nothing: what follows chooses among those.

    ``Sentences() >> BM25()`` is BM25 by sentence, and so for every strategy. Pinned messages
    and tool calls with their results stay whole.

    Examples
    --------
    >>> context = Context((Segment.of("message:m1", "It rained. We stayed."),))
    >>> [segment.text for segment in Sentences().compress(context, Task(budget=1))]
    ['It rained. ', 'We stayed.']
    """

    TRAITS = Traits(
        family="units",
        source="Unicode Standard Annex 29",
        honours_budget=False,
        lossless=True,
    )

    def compress(self, context: Context, task: Task) -> Context:
        """Return the same texts in smaller segments."""
        return split(context)


class StripBoilerplate(Strategy):
    """Drops what carries nothing: greetings, thanks, fillers, and signatures that recur.

    Only whole sentences of pleasantries go, never a yes, a no or an okay, which may answer
    something. A signature is the last lines of a message, of at most four and after two dashes
    or an empty line, that the same speaker repeats; its first time stays. The lists are English.

    Examples
    --------
    >>> from ctxlab.core.segments import Segment
    >>> text = "Good morning! Um, the lift is broken. Thank you so much!"
    >>> context = Context((Segment.of("message:m1", text),))
    >>> StripBoilerplate().compress(context, Task(budget=1)).text
    'the lift is broken. '
    """

    TRAITS = Traits(family="text", source="word lists of ctxlab's", honours_budget=False)

    pleasantries: bool = Field(True, description="drop sentences of greetings and thanks alone")
    fillers: bool = Field(True, description="drop um, uh and the like")
    signatures: int = Field(
        2, ge=0, description="times a speaker signs alike before it is a signature; 0 for never"
    )

    def compress(self, context: Context, task: Task) -> Context:
        """Cut the empty parts out; messages that are nothing else go."""
        signed = Counter(filter(None, map(_signature, context))) if self.signatures else Counter()
        seen: set[tuple[str, str]] = set()
        kept: list[Segment] = []
        for segment in context:
            if segment.pinned or segment.group is not None or not segment.verbatim:
                kept.append(segment)
                continue
            empty = list(self._empty(segment.text))
            signature = _signature(segment)
            if signature and 0 < self.signatures <= signed[signature]:
                if signature in seen:
                    empty.append((len(segment.text) - len(signature[1]), len(segment.text)))
                seen.add(signature)
            kept += _without(segment, empty) if empty else [segment]
        return context.keep(kept, lambda _: Note("a greeting, thanks, a filler or a signature"))

    def _empty(self, text: str) -> Iterator[Range]:
        if self.pleasantries:
            for start, end in sentence_ranges(text):
                if _PLEASANTRY.fullmatch(text, start, end):
                    yield start, end
        if self.fillers:
            yield from (match.span() for match in _FILLER.finditer(text))


def _signature(segment: Segment) -> tuple[str, str] | None:
    """Return who signs and how, if the message ends in something like a signature."""
    text = segment.text
    for mark in ("\n-- \n", "\n--\n", "\n\n"):
        at = text.rfind(mark)
        if at > 0:
            end = text[at:]
            short = len(end.strip().splitlines()) <= 4 and len(end) < 300
            return (f"{segment.role}:{segment.name}", end) if end.strip() and short else None
    return None


def _without(segment: Segment, gaps: list[Range]) -> Iterator[Segment]:
    at = 0
    for start, end in sorted(gaps):
        if segment.text[at:start].strip():
            yield segment.cut(at, start)
        at = max(at, end)
    if segment.text[at:].strip():
        yield segment.cut(at, len(segment.text))
