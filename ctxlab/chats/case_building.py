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
    asked = tuple(probes)
    _check_probe_ids(asked)
    for index, probe in enumerate(asked):
        _check_probe(probe, f"probes[{index}]", places)
    return Case(case_id, dataset, tuple(messages), asked)


def _check_calls(messages: Sequence[Message]) -> None:
    called: set[str] = set()
    for index, message in enumerate(messages):
        called.update(call.id for call in message.tool_calls)
        if message.role == "tool" and message.tool_call_id not in called:
            raise DataError(
                f"message {message.id!r} answers call {message.tool_call_id!r}, "
                "which no earlier message makes",
                field=f"messages[{index}].tool_call_id",
            )


def _check_probe_ids(probes: Sequence[Probe]) -> None:
    counts = Counter(probe.id for probe in probes)
    if len(counts) < len(probes):
        twice, count = counts.most_common(1)[0]
        raise DataError(
            f"probe id {twice!r} stands {count} times; ids must be unique", field="probes"
        )


def _check_probe(probe: Probe, path: str, places: dict[str, int]) -> None:
    for name in probe.evidence:
        if name not in places:
            raise DataError(f"evidence {name!r} names no message", field=f"{path}.evidence")
    if probe.at is not None and probe.at not in places:
        raise DataError(f"{probe.at!r} names no message", field=f"{path}.at")
