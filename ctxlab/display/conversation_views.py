"""Conversations as sanitizer-safe HTML: as they are, and with what a strategy did to them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from html import escape

from ctxlab.core.context import Context
from ctxlab.core.ledger import Fate, LedgerEntry
from ctxlab.core.segments import Segment, ToolCall
from ctxlab.display.escaping import named, safe, short
from ctxlab.display.look import BAD, FATES, GOOD, QUIET, WRAP, fold
from ctxlab.display.story import Told, runs, told
from ctxlab.text.word_diff import Change

_LONG = 600
"""Characters of a message that are shown unfolded."""
_LISTED = 300
"""Messages of one folded run that are listed, at most."""
_LINES = 2_000
"""Messages and runs that one output shows, at most."""
_ROOM = 600_000
"""Characters of messages that one output holds; what comes after is shortened, and says so."""
_PAGE = "max-width:60em;margin:2em auto;padding:0 1em;font:15px/1.5 system-ui,sans-serif"
_MARK = {"out": "s", "in": "ins"}


class _Room:
    """How much text an output may still hold."""

    def __init__(self) -> None:
        self.left = _ROOM

    def text(self, parts: Sequence[Change]) -> str:
        """Return changes as HTML, a long text with its end folded."""
        size = sum(len(part.text) for part in parts)
        if size > self.left:
            told = f"{size:,} characters in all; .inspect() and .frame() have them"
            return f"{_marked(_cut(parts, 0, 80))} <span style='{QUIET}'>… {told}</span>"
        self.left -= size
        if size <= _LONG:
            return _marked(parts)
        rest = _marked(_cut(parts, _LONG, size))
        return _marked(_cut(parts, 0, _LONG)) + fold(f"{size - _LONG:,} more characters", rest)


def _cut(parts: Sequence[Change], start: int, end: int) -> list[Change]:
    found, at = [], 0
    for part in parts:
        text = part.text[max(0, start - at) : max(0, end - at)]
        at += len(part.text)
        if text:
            found.append(Change(part.kind, text))
    return found


def _marked(parts: Iterable[Change]) -> str:
    colors = {"out": BAD, "in": GOOD}
    return "".join(
        f"<{_MARK[p.kind]} style='color:{colors[p.kind]}'>{safe(p.text)}</{_MARK[p.kind]}>"
        if p.kind in _MARK
        else safe(p.text)
        for p in parts
    )


def context_html(context: Context) -> str:
    """Return a context as a list of its messages, long ones folded.

    Examples
    --------
    >>> "&lt;b&gt;Hi&lt;/b&gt;" in context_html(Context((Segment.of("m", "<b>Hi</b>"),)))
    True
    """
    count = f"{len(context):,} segment{'' if len(context) == 1 else 's'}"
    head = f"<span style='{QUIET}'>{count}, {len(context.text):,} characters</span>"
    room = _Room()
    body = "".join(
        _box("transparent", _who(segment), _calls(segment.tool_calls)
             + _words(room.text([Change("same", segment.text)])))
        for segment in context.segments[:_LINES]
    )  # fmt: skip
    return f"<div>{head}{body}{_more(len(context))}</div>"


def ledger_html(
    before: Context, after: Context, entries: Sequence[LedgerEntry], *, changed: bool = False
) -> str:
    """Return a conversation before and after: every segment, what became of it, and why.

    Runs of messages that went are folded, with their count and tokens. What was rewritten stands
    as the model gets it, with a word diff to what it was.

    Parameters
    ----------
    before, after : Context
        What went in, and what came out.
    entries : sequence of LedgerEntry
        What became of each segment, in order.
    changed : bool
        Fold what stayed as it was, too.

    Examples
    --------
    >>> segment = Segment.of("message:m1", "Hi")
    >>> entry = LedgerEntry("message:m1", 0, 2, Fate.DROPPED, "KeepLast()", 5, 0, "too old")
    >>> "too old" in ledger_html(Context((segment,)), Context(), [entry])
    True
    """
    room, found = _Room(), list(runs(told(before, after, entries), changed=changed))
    body = "".join(_run(run, room) for run in found[:_LINES])
    return f"<div>{_fates_line(entries)}{body}{_more(len(found))}</div>"


def page(title: str, facts: Mapping[str, str], body: str) -> str:
    """Return a page that stands alone: a title, what is to be known first, and HTML of ours.

    Examples
    --------
    >>> "<title>One &amp; two</title>" in page("One & two", {"budget": "9"}, "<p>kept</p>")
    True
    """
    listed = "".join(
        f"<tr><td style='{QUIET};padding-right:1em'>{safe(name)}</td><td>{safe(fact)}</td></tr>"
        for name, fact in facts.items()
    )
    return (
        "<!doctype html><html lang='en'><meta charset='utf-8'>"
        "<meta name='viewport' content='width=device-width, initial-scale=1'>"
        "<meta name='color-scheme' content='light dark'>"
        f"<title>{escape(title)}</title><body style='{_PAGE}'>"
        f"<h1 style='font-size:1.5em'>{safe(title)}</h1><table>{listed}</table>"
        f"{body}</body></html>"
    )


def _fates_line(entries: Sequence[LedgerEntry]) -> str:
    before = sum(entry.tokens_before for entry in entries)
    after = sum(entry.tokens_after for entry in entries)
    counts = ", ".join(
        f"<b style='color:{color}'>{sum(e.fate is fate for e in entries):,} {fate.value}</b>"
        for fate, color in FATES.items()
        if any(entry.fate is fate for entry in entries)
    )
    return f"<p>{counts}; {before:,} tokens before, {after:,} after</p>"


def _run(run: Sequence[Told], room: _Room) -> str:
    if len(run) == 1:
        return _line(run[0], room)
    fate = run[0].entry.fate
    tokens = sum(line.entry.tokens_before for line in run)
    names = f"{_name(run[0].segment)} – {_name(run[-1].segment)}"
    summary = (
        f"<span style='color:{FATES[fate]}'>{len(run):,} messages {fate.value}</span> "
        f"<span style='{QUIET}'>· {tokens:,} tokens · {names}{_reasons(run)}</span>"
    )
    listed = "".join(_line(line, room) for line in run[:_LISTED])
    more = len(run) - _LISTED
    if more > 0:
        listed += f"<p style='{QUIET}'>{more:,} more; .inspect() and .frame() have them all</p>"
    return _box(FATES[fate], "", fold(summary, listed))


def _reasons(run: Sequence[Told]) -> str:
    counted = Counter(line.entry.reason for line in run if line.entry.reason)
    [(reason, count)] = counted.most_common(1) or [("", 0)]
    return f" · {safe(short(reason, 80))}" if count > len(run) / 2 else ""


def _line(line: Told, room: _Room) -> str:
    entry, segment = line.entry, line.segment
    color = FATES[entry.fate]
    stand = f"rank {entry.rank}, score {entry.score:.4g}" if entry.rank is not None else ""
    tokens = f"{entry.tokens_before:,} tokens"
    if entry.fate is Fate.DROPPED and not line.after:
        why = f"dropped by {_stage(entry)}{safe(entry.reason)}"
    elif entry.fate is Fate.KEPT:
        why = f"kept{f': {stand}' if stand else ''}"
    else:
        tokens = f"{entry.tokens_before:,} → {entry.tokens_after:,} tokens"
        why = f"{entry.fate.value} by {_stage(entry)}{safe(entry.reason)}"
    told_why = f" · <span style='color:{color}'>{why}</span>"
    head = f"{_who(segment)} <span style='{QUIET}'>· {tokens}</span>{told_why}"
    return _box(color, head, _calls(segment.tool_calls) + _content(line, room))


def _content(line: Told, room: _Room) -> str:
    """Return the text: struck through where it went, as it is sent where it was rewritten."""
    fate, parts = line.entry.fate, line.parts
    if fate is not Fate.REWRITTEN:
        return _words(room.text(parts))
    sent = _words(room.text([Change("same", line.sent)])) if line.after else ""
    if line.sources:
        names = ", ".join(_plain(source) for source in line.sources[:8])
        more = f" and {len(line.sources) - 8:,} more" if len(line.sources) > 8 else ""
        sent += f"<div style='{QUIET}'>written from this and {names}{more}</div>"
    if not line.after:
        sent = f"<div style='{QUIET}'>went into what was written elsewhere</div>"
    out = sum(len(part.text) for part in parts if part.kind == "out")
    diff = fold(f"word by word: {out:,} characters went", _words(room.text(parts)))
    return sent + (diff if parts else "")


def _stage(entry: LedgerEntry) -> str:
    return f"{named(entry.stage, 60)}: " if entry.stage else ""


def _calls(calls: Sequence[ToolCall]) -> str:
    return "".join(
        f"<div style='{WRAP}'>→ <code>{safe(call.name)}({safe(short(call.arguments, 2000))})</code>"
        "</div>"
        for call in calls
    )


def _words(html: str) -> str:
    return f"<div dir='auto' style='{WRAP}'>{html}</div>" if html else ""


def _who(segment: Segment) -> str:
    who = f"{segment.role} {segment.name or ''}".strip()
    marks = [m for m, on in (("pinned", segment.pinned), ("rewritten", not segment.verbatim)) if on]
    told = " · ".join([_name(segment), safe(short(who, 60)), *marks])
    return f"<span style='{QUIET}'>{told}</span>"


def _name(segment: Segment) -> str:
    return _plain(segment.source)


def _plain(source: str) -> str:
    return safe(short(source.removeprefix("message:"), 60))


def _box(color: str, head: str, body: str) -> str:
    return (
        f"<div style='border-left:3px solid {color};padding:.1em .6em;margin:.2em 0'>"
        f"{head}{body}</div>"
    )


def _more(count: int) -> str:
    if count <= _LINES:
        return ""
    return f"<p style='{QUIET}'>{count - _LINES:,} more are not shown; .inspect() has them all</p>"
