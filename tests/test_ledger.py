"""The ledger: what became of every span, at which stage, and why."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from ctxlab.core.cases import Probe
from ctxlab.core.context import Context
from ctxlab.core.ledger import Fate, fates, ledger
from ctxlab.core.segments import Message, Segment, ToolCall
from ctxlab.core.strategy import Strategy, run
from ctxlab.core.task import Task
from ctxlab.errors import PinnedOverBudgetError
from ctxlab.metrics import availability
from ctxlab.strategies import BM25, Deduplicate, KeepLast, MaskObservations, Tiers
from ctxlab.testing import chats, word_tools


def agent() -> Context:
    messages = [Message("m0", "user", "please look at the four files and compare them")]
    for i in range(4):
        call = ToolCall(f"c{i}", "read", f'{{"file": "f{i}"}}')
        messages.append(Message(f"a{i}", "assistant", "", tool_calls=(call,)))
        text = "\n".join(f"line {n} of file {i}" for n in range(9))
        messages.append(Message(f"t{i}", "tool", text, tool_call_id=f"c{i}"))
    return Context.of(messages)


def entries_of(strategy: Strategy, context: Context, task: Task):
    outcomes = list(run(strategy, context, task))
    return {e.source: e for e in ledger(context, outcomes, task)}, outcomes


def test_each_stage_answers_for_what_it_did():
    """A masked result names the masking stage, a dropped message the window."""
    context = agent()
    task = Task(budget=70, tools=word_tools())
    entries, _ = entries_of(MaskObservations(keep=2) >> KeepLast(), context, task)
    assert entries["message:m0"].fate is Fate.DROPPED
    assert entries["message:m0"].stage == "KeepLast()"
    assert "older" in entries["message:m0"].reason
    assert entries["message:t1"].fate in (Fate.REWRITTEN, Fate.DROPPED)
    assert entries["message:t3"].fate is Fate.KEPT
    masked, _ = entries_of(MaskObservations(keep=2), context, task)
    assert masked["message:t0"].fate is Fate.REWRITTEN
    assert masked["message:t0"].reason == "older than the last 2 tool results"
    assert masked["message:t0"].tokens_after < masked["message:t0"].tokens_before


def test_a_duplicate_names_its_twin():
    """The reason says which message still holds the text."""
    text = "the nightly job failed with code 137 on host b4 again"
    context = Context.of([Message("m1", "user", text), Message("m17", "user", text)])
    entries, _ = entries_of(Deduplicate(), context, Task(budget=9))
    assert entries["message:m1"].reason == "duplicate of m17"


def test_near_duplicates_are_found_and_different_texts_are_not():
    """One changed word in forty is a duplicate, one in five is not."""
    words = [f"w{i}" for i in range(40)]
    near = [*words[:39], "other"]
    far = [w if i % 5 else "x" for i, w in enumerate(words)]
    context = Context.of(
        Message(f"m{i}", "user", " ".join(w)) for i, w in enumerate((words, near, far))
    )
    kept = Deduplicate(keep="first").compress(context, Task(budget=1))
    assert [s.source for s in kept] == ["message:m0", "message:m2"]


@settings(max_examples=60)
@given(chats(), st.integers(5, 60))
def test_the_ledger_accounts_for_every_segment(messages, budget):
    """One entry each, in order; kept ones lose nothing, dropped ones leave nothing."""
    tools = replace(word_tools(), overhead=lambda m: 3 + len(m.tool_calls), reply=2)
    context, task = Context.of(messages), Task(budget=budget, tools=tools, query="fish")
    strategy = MaskObservations(keep=1) >> BM25() >> KeepLast()
    try:
        entries, outcomes = entries_of(strategy, context, task)
    except PinnedOverBudgetError:
        return
    assert list(entries) == [segment.source for segment in context]
    for entry in entries.values():
        if entry.fate is Fate.KEPT:
            assert entry.tokens_after == entry.tokens_before
            assert not entry.reason
        else:
            assert entry.reason
        if entry.fate is Fate.DROPPED:
            assert entry.tokens_after == 0
    letters = "".join(entry.fate.letter for entry in entries.values())
    result = outcomes[-1].context if outcomes else context
    assert fates(context, result) == letters
    before = sum(entry.tokens_before for entry in entries.values())
    after = sum(entry.tokens_after for entry in entries.values())
    assert before + 2 * bool(context) == task.size(context)
    assert after + 2 * bool(result) == task.size(result)


def test_tool_calls_are_counted_as_they_are_billed():
    """A message without text that calls a tool takes its framing, the name and the arguments."""
    context, task = agent(), Task(budget=400)
    entries, _ = entries_of(KeepLast(), context, task)
    call = ToolCall("c0", "read", '{"file": "f0"}')
    message = Message("a0", "assistant", "", tool_calls=(call,))
    assert entries["message:a0"].tokens_before == task.tools.overhead(message) > 8
    total = sum(entry.tokens_before for entry in entries.values())
    assert total + task.tools.reply == task.size(context)


def test_what_scored_above_the_lowest_kept_says_that_it_did_not_fit():
    """The best message is too long for the budget: its reason gives both numbers of tokens."""
    texts = ["fish " * 40, "fish and bread", "bread at noon", "no such word"]
    context = Context.of(Message(f"m{i}", "user", text) for i, text in enumerate(texts))
    task = Task(budget=6, tools=word_tools(), query="fish")
    entries, _ = entries_of(BM25(), context, task)
    reason = entries["message:m0"].reason
    assert reason.endswith("did not fit: it takes 42 tokens, and 5 were left")
    kept = [entry.score for entry in entries.values() if entry.fate is Fate.KEPT]
    for entry in entries.values():
        if entry.fate is Fate.DROPPED and entry.score >= min(kept):
            assert "did not fit" in entry.reason


def test_what_was_kept_has_its_score_and_rank():
    """In a pipeline and within tiers, too; what was never ranked has none."""
    context = Context.of(
        Message(f"m{i}", "user", text)
        for i, text in enumerate(["fish and bread", "it rains", "bread", "fish"])
    )
    task = Task(budget=5, tools=word_tools(), query="fish")
    for strategy in (BM25(), BM25() >> KeepLast(), Tiers(short_term=BM25())):
        entries, _ = entries_of(strategy, context, task)
        assert (entries["message:m3"].fate, entries["message:m3"].rank) == (Fate.KEPT, 1)
        assert entries["message:m3"].score > 0
    entries, _ = entries_of(KeepLast(), context, task)
    assert (entries["message:m3"].rank, entries["message:m3"].score) == (None, None)


WHOLE = Segment.of("message:m1", "There are 314 stalls in the hall. It rained all day.")
OTHER = Segment.of("message:m2", "Ilse has the key.")
TASK = Task(budget=99, tools=word_tools())


def measured(*after: Segment, evidence=("m1",), answer="314", mode="all"):
    probe = Probe("p", "?", answer, tuple(evidence), evidence_mode=mode)
    return availability(probe, Context((WHOLE, OTHER)), Context(after), TASK)


def test_evidence_that_stands_whole_is_available():
    """Verbatim and complete counts, whatever the answer."""
    assert measured(WHOLE, answer="").all_evidence == 1.0


def test_a_part_counts_while_the_answer_stands_in_it():
    """Cutting the rain away keeps the evidence, cutting the number away does not."""
    assert measured(WHOLE.cut(0, 33)).all_evidence == 1.0
    lost = measured(WHOLE.cut(34, 52))
    assert (lost.all_evidence, lost.answer) == (0.0, 0.0)
    assert 0 < lost.evidence_tokens < 1


def test_a_rewritten_message_counts_while_the_answer_stands_in_it():
    """A summary that keeps the number keeps the evidence, and of its tokens those it repeats."""
    kept = measured(WHOLE.rewritten("about 314 stalls"))
    assert (kept.all_evidence, kept.evidence_tokens, kept.answer) == (1.0, 2 / 11, 1.0)
    assert measured(WHOLE.rewritten("many stalls")).all_evidence == 0.0


def test_all_and_any_differ_when_one_of_two_is_left():
    """Mode any is content with one message."""
    both = {"evidence": ("m1", "m2"), "answer": ""}
    assert measured(WHOLE, **both).all_evidence == 0.0
    assert measured(WHOLE, **both, mode="any").all_evidence == 1.0
    assert measured(WHOLE, **both, mode="any").evidence_tokens == 1.0


def test_without_evidence_nothing_is_claimed():
    """A probe without evidence, or whose answer never stood there, is not measured."""
    found = measured(WHOLE, evidence=(), answer="no such words")
    assert (found.all_evidence, found.evidence_tokens, found.answer) == (None, None, None)
