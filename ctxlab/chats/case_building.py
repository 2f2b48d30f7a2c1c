"""Building cases: the checks that every format shares."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

from ctxlab.core.cases import Case, Probe
from ctxlab.core.segments import Message
from ctxlab.errors import DataError


def build_case(
    case_id: str, dataset: str, messages: Sequence[Message], probes: Iterable[Probe] = ()
) -> Case:
    """Return a case whose ids are unique and whose references all lead somewhere.

    Raises
    ------
    DataError
        When there is no message, the id of a message or a probe stands twice, a tool result
        answers no call, or a probe names a message that is not there.

    Examples
    --------
    >>> build_case("c", "d", [Message("m1", "user", "Hi")]).id
    'c'
    """
    if not messages:
        raise DataError("holds no message; expected at least one", field="messages")
    places = {message.id: index for index, message in enumerate(messages)}
    if len(places) < len(messages):
        twice, count = Counter(message.id for message in messages).most_common(1)[0]
        raise DataError(
            f"message id {twice!r} stands {count} times; ids must be unique", field="messages"
        )
    _check_calls(messages)
    return Case(case_id, dataset, tuple(messages), tuple(probes))


def _check_calls(messages: Sequence[Message]) -> None:
    called: set[str] = set()
    for index, message in enumerate(messages):
        called.update(call.id for call in message.tool_calls)
        answers = message.tool_call_id
        if message.role == "tool" and answers is not None and answers not in called:
            raise DataError(
                f"message {message.id!r} answers call {message.tool_call_id!r}, "
                "which no earlier message makes",
                field=f"messages[{index}].tool_call_id",
            )
