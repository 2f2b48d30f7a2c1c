"""Faces in a notebook: what a strategy did, in full; text stays text, and sizes stay small."""

from __future__ import annotations

import re
from html import unescape
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ctxlab import (
    BM25,
    Case,
    CompactJSON,
    Context,
    KeepLast,
    MaskObservations,
    Message,
    Probe,
    Recipe,
    Store,
    Task,
    TierBudget,
    ToolCall,
    TruncateToolOutputs,
    Workshops,
    explain,
)
from ctxlab.core.ledger import Fate
from ctxlab.core.run import Run
from ctxlab.display.conversation_views import context_html, ledger_html
from ctxlab.display.escaping import named, safe, short
from ctxlab.display.story import told
from ctxlab.metrics import AllEvidence
from ctxlab.testing import sample_case, sample_results
from ctxlab.text.word_diff import word_diff
from ctxlab.workshop.assembly import assemble

DOLLARS = "It costs $40 to $1,200, and \\(x^2\\) is \\begin{x} no formula."
HOSTILE = "</script><script>alert(1)</script> javascript:alert(2) <b onclick=alert(3)>"
TURNED = "abc\u202edef\u2066ghi\u200f"
LONG_WORD = "w" * 200_000


def agent_run() -> Context:
    messages = [Message("m0", "user", "Compare the files, please.")]
    for i in range(3):
        call = ToolCall(f"c{i}", "read_file", f'{{"path": "src/f{i}.py"}}')
        messages.append(Message(f"a{i}", "assistant", "", tool_calls=(call,)))
        rows = ", ".join(f'{{"line": {n}, "text": "value {n}"}}' for n in range(20))
        messages.append(Message(f"t{i}", "tool", f"[{rows}]", tool_call_id=f"c{i}"))
    return Context.of(messages)


def text_of(html: str) -> str:
    return unescape(re.sub(r"<[^>]+>", "", html))


def faces():
    """Return one of everything that has a face, each with hostile text in it."""
    store = Store(":memory:")
    workshop = Workshops(store).create(HOSTILE + DOLLARS + TURNED)
    workshop.start("challenge")
    workshop.say("challenge", [Message("m1", "user", HOSTILE + DOLLARS + TURNED)])
    messages = tuple(
        Message(f"m{i}", "user", text, name="Ada")
        for i, text in enumerate([DOLLARS, HOSTILE, TURNED, LONG_WORD, "The last one."])
    )
    probe = Probe("p", DOLLARS + HOSTILE, TURNED, ("m0",), HOSTILE)
    case = Case("c", HOSTILE, messages, (probe,))
    explained = explain(KeepLast(), case, "50%")
    results = sample_results()
    return [
        case.context(), case, probe, explained, KeepLast(), BM25() >> KeepLast(), AllEvidence(),
        Recipe(strategy=BM25(), budget="8k", name=HOSTILE + DOLLARS), TierBudget(8000),
        assemble(store, workshop.id, "challenge"), workshop, store, results,
        results.leaderboard(), results.compare("BM25()", "KeepLast()"),
    ]  # fmt: skip


@pytest.mark.parametrize("value", faces(), ids=lambda value: type(value).__name__)
def test_every_face_shows_hostile_text_as_text(value):
    """Nothing runs, nothing asks for anything, no formula forms, no mark turns a line around."""
    html = value._repr_html_()
    tags = re.findall(r"<[^>]+>", html)
    assert not [tag for tag in tags if re.match(r"<(script|style|img|link|iframe|a)\b", tag)]
    assert not [tag for tag in tags if re.search(r"\bon\w+=|class=", tag)]
    assert not re.search("[\u202e\u2066\u200f]", html)
    outside = re.sub(r"<[^>]*>", "\0", html)
    assert not re.search(r"\$[^\0]*\$|\\[(\[b]", outside)


@pytest.mark.parametrize("value", faces(), ids=lambda value: type(value).__name__)
def test_plain_text_is_a_few_lines(value):
    """A terminal shows what a thing is, not all that it holds."""
    for text in (str(value), repr(value)):
        assert len(text) < 1500
        assert text.count("\n") <= 12


def test_a_long_name_is_one_line_and_a_bounded_title():
    """No tooltip of thirty thousand characters."""
    html = named("KeepLast(" + "x" * 30_000 + ")")
    assert len(html) < 700


@given(st.text(), st.text())
def test_a_diff_gives_both_texts_back(source, written):
    """What is the same or gone adds up to the source, the same or new to what was written."""
    changes = word_diff(source, written)
    assert "".join(c.text for c in changes if c.kind != "in") == source
    assert "".join(c.text for c in changes if c.kind != "out") == written


@given(st.text())
def test_escaped_text_reads_as_it_was_written(text):
    """Whatever is neither a mark of direction nor a control character comes back."""
    plain = re.sub(r"\[U\+[0-9A-F]{4}\]", "", text_of(safe(text)))
    kept = "".join(c for c in text if c in plain)
    assert plain.replace("\r", "") == kept.replace("\r", "")


@pytest.mark.parametrize(
    "strategy",
    [
        KeepLast(), BM25(), CompactJSON() >> KeepLast(), TruncateToolOutputs(limit=40),
        MaskObservations(keep=1) >> KeepLast(),
    ],
    ids=str,
)  # fmt: skip
def test_the_story_holds_the_source_and_what_the_model_gets(strategy):
    """Of every segment: old text from what stayed and went, new text from what stayed and came."""
    task = Task(budget=300, query="value 7")
    run = Run.of(strategy, agent_run(), task)
    lines = told(run.before, run.after, run.ledger)
    for line in lines:
        parts = line.parts
        assert "".join(p.text for p in parts if p.kind != "in") == line.segment.text
        if line.entry.fate is not Fate.KEPT:
            assert "".join(p.text for p in parts if p.kind != "out") == line.sent
    assert "".join(line.sent for line in lines) == run.after.text


def test_every_segment_of_a_long_conversation_is_there():
    """Sixty-five were kept and sixty-five are shown; what went is folded, with count and tokens."""
    context = Context.of(Message(f"m{i}", "user", f"message number {i}.") for i in range(1000))
    shown = explain(KeepLast(), context, "6.5%")
    html = shown._repr_html_()
    kept = [e.source for e in shown.entries if e.fate is Fate.KEPT]
    assert all(f"number {source[9:]}." in html for source in kept)
    gone = [e for e in shown.entries if e.fate is Fate.DROPPED]
    tokens = sum(e.tokens_before for e in gone)
    assert f"{len(gone)} messages dropped" in text_of(html)
    assert f"{tokens:,} tokens" in text_of(html)


@pytest.mark.slow
def test_twenty_thousand_messages_stay_bounded():
    """The output of a big log is a few megabytes at most, and says what it leaves out."""
    context = Context.of(
        Message(f"m{i}", "user", f"line {i}: " + "fish bread market " * 12) for i in range(20_000)
    )
    assert len(context_html(context)) < 2_500_000
    html = explain(BM25(), context, "50%", query="line 77 fish")._repr_html_()
    assert len(html) < 4_000_000
    assert ".inspect()" in html


def test_tool_calls_show_name_arguments_and_billed_tokens():
    """A message without text that calls a tool is not an empty line of 0 tokens."""
    shown = explain(KeepLast(), agent_run(), "100%")
    text = text_of(shown._repr_html_())
    assert 'read_file({"path": "src/f0.py"})' in text
    line = next(e for e in shown.entries if e.source == "message:a0")
    assert f"a0 · assistant · {line.tokens_before} tokens" in text
    assert line.tokens_before > 10


def test_rewritten_text_is_shown_as_the_model_gets_it():
    """Compact JSON stands there as it is sent, with the diff to what it was."""
    shown = explain(CompactJSON(), agent_run(), "100%")
    sent = next(s.text for s in shown.context if s.source == "message:t1")
    html = shown._repr_html_()
    assert sent in text_of(html)
    assert "word by word" in html
    assert "<s " in html


def test_only_what_was_dropped_is_struck_through():
    """The reason stands beside it, readable."""
    context = Context.of([Message("m1", "user", "gone now"), Message("m2", "user", "kept")])
    shown = explain(KeepLast(), context, 9)
    html = shown._repr_html_()
    assert [text_of(s) for s in re.findall(r"<s [^>]*>(.*?)</s>", html)] == ["gone now"]
    assert "older than the newest messages that fit" in html


def test_only_what_changed_folds_what_stayed():
    """Of ten messages that stayed, one line tells."""
    context = Context.of(Message(f"m{i}", "user", f"message number {i}.") for i in range(20))
    run = Run.of(KeepLast(), context, Task(budget=100))
    html = ledger_html(run.before, run.after, run.ledger, changed=True)
    kept = sum(e.fate is Fate.KEPT for e in run.ledger)
    assert f"{kept} messages kept" in text_of(html)
    assert text_of(explain(KeepLast(), context, 100).changes()._repr_html_()) == text_of(html)


def test_reasons_are_true_on_a_real_conversation():
    """No dropped message has a score as high as the lowest kept without saying: did not fit."""
    case = sample_case()
    for percent, query in pairwise(["30%", "Who has the key?", "50%", "How many stalls?"]):
        if not percent.endswith("%"):
            continue
        shown = explain(BM25(), case, percent, query=query)
        ranked = [e.score for e in shown.entries if e.fate is Fate.KEPT and e.rank]
        for entry in shown.entries:
            if entry.fate is Fate.DROPPED and ranked and entry.score >= min(ranked):
                assert "did not fit" in entry.reason


def test_short_says_that_it_is_short():
    """An ellipsis marks what was cut."""
    assert short("a b", 9) == "a b"
    assert short("a" * 30, 9).endswith("…")
