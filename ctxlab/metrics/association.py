"""Association: whether an answer still stands with what makes it one."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from pydantic import Field

from ctxlab.core.cases import Probe
from ctxlab.core.metric import Metric, MetricTraits
from ctxlab.core.run import Run
from ctxlab.errors import DataError
from ctxlab.metrics.availability import answer_holders
from ctxlab.metrics.credit import Credit, said
from ctxlab.text.json_layout import minified
from ctxlab.text.json_tree import Tree, parsed
from ctxlab.text.sentences import sentence_ranges
from ctxlab.text.words import terms


@dataclass(frozen=True, slots=True)
class Sentence:
    """A sentence, or the field of an object, in which a value stands.

    Parameters
    ----------
    normal : str
        The sentence, normalised; of a field, its key and its value.
    words : frozenset of str
        Its content words beside those of the value; none for a field.
    field : bool
        Whether it is a field.

    Examples
    --------
    >>> Sentence(" price 40 ", frozenset(), True).field
    True
    """

    normal: str
    words: frozenset[str]
    field: bool


class AssociatedAnswer(Metric):
    """Whether the answer is left with its key, or in a sentence that still says what it is of.

    In JSON the answer counts where its key stands right before it; in prose and logs, where at
    least the share `share` of the other content words of its sentence is left in one sentence
    with it. Values without what they are values of are of little use to a reader, though
    `AnswerKept` counts them.

    Examples
    --------
    >>> from ctxlab.core.context import Context
    >>> from ctxlab.core.segments import Message
    >>> from ctxlab.core.task import Task
    >>> from ctxlab.strategies.tool_outputs import KeepValues
    >>> messages = [Message("m1", "tool", "The bakery on the corner sells 90 loaves on a Monday.")]
    >>> run = Run.of(KeepValues(), Context.of(messages), Task(budget=14))
    >>> run.after.text
    'The 90 Monday'
    >>> probe = Probe("p1", "How many loaves?", "90", ("m1",))
    >>> AssociatedAnswer().measure(run, probe)
    0.0
    """

    TRAITS = MetricTraits(
        title="answer kept in place", unit="share", per="probe", family="availability",
        source="answer strings with their key or sentence", needs="answers",
    )  # fmt: skip

    share: float = Field(0.5, ge=0, le=1, description="of the sentence's other content words")

    def measure(self, run: Run, probe: Probe | None) -> float | None:
        """Return 1 when it is, 0 when it is not, None when the answer never stood there."""
        if probe is None:
            return None
        credit = Credit.of(run.before, run.after)
        needle = credit.normal(probe.answer)
        holders = answer_holders(probe, credit)
        if not holders:
            return None
        for one in holders:
            left = [text for text in credit.left(one) if needle in credit.normal(text)]
            texts = (text for text in said(one) if needle in credit.normal(text))
            if left and any(self._together(text, left, needle, credit) for text in texts):
                return 1.0
        return 0.0

    def _together(self, text: str, left: list[str], needle: str, credit: Credit) -> bool:
        if text in left:
            return True
        origins = list(sentences(text, needle, credit))
        for remains in left:
            normal = credit.normal(remains)
            if any(one.field and one.normal in normal for one in origins):
                return True
            for now in _prose(remains, needle, credit):
                for one in origins:
                    if not one.field and len(one.words & now.words) >= self.share * len(one.words):
                        return True
        return False


def sentences(text: str, needle: str, credit: Credit) -> Iterator[Sentence]:
    """Yield the fields or sentences of a text in which a normalised value stands.

    Examples
    --------
    >>> from ctxlab.core.context import Context
    >>> credit = Credit(Context(), Context())
    >>> [one.normal for one in sentences('{"a": {"price": 40, "kg": 9}}', " 40 ", credit)]
    [' price 40 ']
    """
    try:
        tree = parsed(text) if text.lstrip()[:1] in ("{", "[") else None
    except DataError:
        tree = None
    found = []
    if isinstance(tree, dict | list):
        found = [pair for pair in _fields(tree) if needle in credit.normal(pair[1])]
    for key, value in found:
        yield Sentence(credit.normal(f"{key} : {value}"), frozenset(), True)
        if credit.normal(value) != needle:
            # A text in a field has sentences of its own.
            yield from _prose(value, needle, credit)
    if not found:
        yield from _prose(text, needle, credit)


def _fields(tree: Tree) -> Iterator[tuple[str, str]]:
    """Yield every leaf with the key that it stands under; a list of leaves is one value."""
    waiting: list[tuple[str, Tree]] = [("", tree)]
    while waiting:
        key, node = waiting.pop()
        if isinstance(node, dict):
            waiting += node.items()
        elif isinstance(node, list) and any(isinstance(item, dict | list) for item in node):
            waiting += [(key, item) for item in node]
        else:
            yield key, node if isinstance(node, str) else minified(node)


def _prose(text: str, needle: str, credit: Credit) -> Iterator[Sentence]:
    if needle not in credit.normal(text):
        return
    own = set(terms(needle))
    for start, end in sentence_ranges(text):
        normal = credit.normal(text[start:end])
        if needle in normal:
            words = frozenset(term for term in terms(normal) if term not in own)
            yield Sentence(normal, words, False)
