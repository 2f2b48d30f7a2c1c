"""Where the tokens of an agent's session go: the tables of ``ctxlab budget``."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from enum import StrEnum
from typing import TYPE_CHECKING

from ctxlab.cli.output import put, put_json, put_table

if TYPE_CHECKING:
    from ctxlab.chats.spending import Spent, Window
    from ctxlab.core.cases import Case

_COLUMNS = 6


class Breakdown(StrEnum):
    """What tokens are put down to.

    For example: ``--by tool``.
    """

    TOOL = "tool"
    FILE = "file"
    TURN = "turn"
    KIND = "kind"


def is_session(case: Case) -> bool:
    """Say whether a conversation is an agent's: with calls of tools, or compacted.

    For example: a session log of Claude Code or Codex.
    """
    return any(m.tool_calls or (m.about and m.about.compaction) for m in case.messages)


def put_breakdowns(
    cases: Sequence[Case], by: Sequence[Breakdown], encoding: str, top: int, as_json: bool = False
) -> None:
    """Print what takes the tokens of conversations, and their windows where they were compacted.

    For example: as ``ctxlab budget session.jsonl`` does for the one session in the file.
    """
    from ctxlab.chats.spending import spent_by, windows_of
    from ctxlab.core.tokens import shared_counter

    counter = shared_counter(encoding)
    rows = []
    for case in cases:
        windows = windows_of(case, counter)
        found = {one: spent_by(case, one.value, counter) for one in by}
        if as_json:
            told = {one.value: [{**asdict(s), "total": s.total} for s in found[one]] for one in by}
            held = [asdict(window) for window in windows]
            rows.append({"case": case.id, "dataset": case.dataset, "windows": held, **told})
            continue
        if len(windows) > 1:
            _put_windows(case, windows)
        for one in by:
            _put_spent(case, one, found[one], top)
    if as_json:
        put_json({"schema": 1, "encoding": encoding, "rows": rows})


def _put_windows(case: Case, windows: Sequence[Window]) -> None:
    left, right = ("window", "compacted by"), ("messages", "begins with", "of it summary",
                                               "ends with", "reported before", "after")  # fmt: skip
    cells = [
        [f"{at}", w.trigger or ("" if at == 1 else "?"), w.messages, w.start, w.summary, w.end,
         _told(w.reported_before), _told(w.reported_after)]
        for at, w in enumerate(windows, 1)
    ]  # fmt: skip
    columns = dict.fromkeys(left, "left") | dict.fromkeys(right, "right")
    put_table(cells, columns, f"{case.id}: before, between and after compactions, tokens counted")
    put("reported: what the log says, with the system prompt and tools that it may not hold")


def _told(figure: int | None) -> object:
    return "unknown" if figure is None else figure


def _put_spent(case: Case, by: Breakdown, found: Sequence[Spent], top: int) -> None:
    whole = sum(spent.total for spent in found) or 1
    # Turns read in their order; of many, the dearest are shown.
    dear = sorted(found, key=lambda spent: -spent.total)[:top]
    shown = [spent for spent in found if spent in dear]
    count = len(found[0].tokens) if found else 1
    split = [f"window {at}" for at in range(1, count + 1)] if 1 < count <= _COLUMNS else []
    cells: list[list[object]] = [
        [s.what, s.messages, s.calls, *(s.tokens if split else ()), s.total,
         f"{s.total / whole:.1%}"]
        for s in shown
    ]  # fmt: skip
    rest = [spent for spent in found if spent not in dear]
    if rest:
        total = sum(spent.total for spent in rest)
        each = [sum(spent.tokens[at] for spent in rest) for at in range(count)] if split else []
        cells.append(
            [f"({len(rest):,} more)", sum(s.messages for s in rest), sum(s.calls for s in rest),
             *each, total, f"{total / whole:.1%}"]
        )  # fmt: skip
    columns = {by.value: "left"}
    columns |= dict.fromkeys(("messages", "calls", *split, "tokens", "share"), "right")
    put_table(cells, columns, f"{case.id}: tokens by {by.value}")


def put_compactions(case: Case) -> None:
    """Print where a log says that its conversation was compacted, or nothing.

    For example: above the table of ``ctxlab show session.jsonl``.
    """
    for message in case.messages:
        told = message.about.compaction if message.about else None
        if told is None:
            continue
        figures = ", ".join(
            f"{figure:,} tokens {when}"
            for when, figure in (("before", told.tokens_before), ("after", told.tokens_after))
            if figure is not None
        )
        facts = [told.trigger, figures and f"the log reports {figures}",
                 f"messages kept: {len(told.kept):,}" if told.kept else ""]  # fmt: skip
        named = "; ".join(filter(None, facts))
        put(f"compacted before {message.id}{f' ({named})' if named else ''}")
