"""Sanitizer-safe HTML: inline styles, tables and details only, everything from data escaped."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from html import escape

from ctxlab.core.budgets import TierUse
from ctxlab.core.context import Context
from ctxlab.core.ledger import Fate, LedgerEntry
from ctxlab.core.segments import Segment

_SHOWN = 400
_LONG = 600
_LINE = "border-bottom:1px solid var(--jp-border-color2,#ddd)"
_QUIET = "color:var(--jp-ui-font-color2,#777)"
_PAGE = "max-width:60em;margin:2em auto;padding:0 1em;font:15px/1.5 system-ui,sans-serif"
_COLORS = {
    Fate.KEPT: "#2e7d32",
    Fate.TRIMMED: "#9a6700",
    Fate.REWRITTEN: "#1f5fbf",
    Fate.DROPPED: "#b3261e",
}


def context_html(context: Context) -> str:
    """Return a context as a list of its messages, long ones folded.

    Examples
    --------
    >>> "&lt;b&gt;Hi&lt;/b&gt;" in context_html(Context((Segment.of("m", "<b>Hi</b>"),)))
    True
    """
    count = f"{len(context):,} segment{'' if len(context) == 1 else 's'}"
    head = f"<span style='{_QUIET}'>{count}, {len(context.text):,} characters</span>"
    body = "".join(_segment(segment) for segment in context.segments[:_SHOWN])
    return f"<div>{head}{body}{_more(len(context))}</div>"


def ledger_html(context: Context, entries: Sequence[LedgerEntry]) -> str:
    """Return a conversation before and after: what went is struck through, with the reason.

    Parameters
    ----------
    context : Context
        What went in.
    entries : sequence of LedgerEntry
        What became of each segment, in order.

    Examples
    --------
    >>> segment = Segment.of("message:m1", "Hi")
    >>> entry = LedgerEntry("message:m1", 0, 2, Fate.DROPPED, "KeepLast()", 1, 0, "too old")
    >>> "too old" in ledger_html(Context((segment,)), [entry])
    True
    """
    rows = "".join(
        _segment(segment, entry)
        for segment, entry in list(zip(context, entries, strict=True))[:_SHOWN]
    )
    return f"<div>{_fates_line(entries)}{rows}{_more(len(context))}</div>"


def page(title: str, facts: Mapping[str, str], body: str) -> str:
    """Return a page that stands alone: a title, what is to be known first, and HTML of ours.

    Examples
    --------
    >>> "<title>One &amp; two</title>" in page("One & two", {"budget": "9"}, "<p>kept</p>")
    True
    """
    listed = "".join(
        f"<tr><td style='{_QUIET};padding-right:1em'>{escape(name)}</td>"
        f"<td>{escape(fact)}</td></tr>"
        for name, fact in facts.items()
    )
    return (
        "<!doctype html><html lang='en'><meta charset='utf-8'>"
        "<meta name='viewport' content='width=device-width, initial-scale=1'>"
        f"<title>{escape(title)}</title><body style='{_PAGE}'>"
        f"<h1 style='font-size:1.5em'>{escape(title)}</h1><table>{listed}</table>"
        f"{body}</body></html>"
    )


def _fates_line(entries: Iterable[LedgerEntry]) -> str:
    listed = list(entries)
    before = sum(entry.tokens_before for entry in listed)
    after = sum(entry.tokens_after for entry in listed)
    counts = ", ".join(
        f"<b style='color:{color}'>{sum(e.fate is fate for e in listed):,} {fate.value}</b>"
        for fate, color in _COLORS.items()
        if any(entry.fate is fate for entry in listed)
    )
    return f"<p>{counts}; {before:,} tokens of text before, {after:,} after</p>"


def _segment(segment: Segment, entry: LedgerEntry | None = None) -> str:
    who = escape(f"{segment.role} {segment.name or ''}".strip())
    source = escape(segment.source.removeprefix("message:"))
    marks = "".join(
        f" <span style='{_QUIET}'>{mark}</span>"
        for mark, on in (("pinned", segment.pinned), ("rewritten", not segment.verbatim))
        if on
    )
    text = _folded(segment.text)
    reason, border = "", "transparent"
    if entry is not None:
        border = _COLORS[entry.fate]
        if entry.fate is Fate.DROPPED:
            text = f"<s style='{_QUIET}'>{text}</s>"
        if entry.reason:
            stage = f"{entry.stage}: " if entry.stage else ""
            why = escape(f"{entry.fate.value} by {stage}{entry.reason}")
            reason = f"<div style='color:{border}'>{why}</div>"
    return (
        f"<div style='border-left:3px solid {border};padding:.1em .6em;margin:.2em 0'>"
        f"<span style='{_QUIET}'>{source} · {who}</span>{marks}{reason}"
        f"<div style='white-space:pre-wrap'>{text}</div></div>"
    )


def _folded(text: str) -> str:
    if len(text) <= _LONG:
        return escape(text)
    rest = f"{len(text) - _LONG:,} more characters"
    shown = escape(text[:_LONG])
    return f"{shown}<details><summary>{rest}</summary>{escape(text[_LONG:])}</details>"


def _more(count: int) -> str:
    if count <= _SHOWN:
        return ""
    return f"<p style='{_QUIET}'>{count - _SHOWN:,} more segments are not shown</p>"


def store_html(path: str, counts: Mapping[str, int]) -> str:
    """Return a store as HTML: its path and the rows of every table.

    Examples
    --------
    >>> "chat_messages" in store_html("lab.duckdb", {"chat_messages": 9})
    True
    """
    rows = "".join(
        f"<tr><td style='text-align:left'>{escape(name)}</td><td>{size:,}</td></tr>"
        for name, size in counts.items()
    )
    head = f"<b>Store</b> <code>{escape(path)}</code>"
    return f"{head}<table><tr><th>table</th><th>rows</th></tr>{rows}</table>"


def budget_html(rows: Sequence[TierUse]) -> str:
    """Return used, limit and over of every tier as a table.

    Examples
    --------
    >>> "persistent" in budget_html([TierUse("persistent", 900, 500)])
    True
    """
    body = "".join(
        f"<tr style='{_LINE}'><td style='text-align:left'>{escape(row.tier)}</td>"
        f"<td>{row.used:,}</td><td>{row.limit:,}</td>"
        + (
            f"<td style='color:#b3261e'><b>{row.over:,}</b></td></tr>"
            if row.over
            else "<td>0</td></tr>"
        )
        for row in rows
    )
    head = "<tr><th style='text-align:left'>tier</th><th>used</th><th>limit</th><th>over</th></tr>"
    return f"<table style='border-collapse:collapse'>{head}{body}</table>"
