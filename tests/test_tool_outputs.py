"""Tool traffic: truncation, collapsing, and values that outlive their messages."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ctxlab.bench.explaining import explain
from ctxlab.core.budgets import Budget
from ctxlab.core.context import Context
from ctxlab.core.run import Run
from ctxlab.core.segments import Message, Segment, ToolCall
from ctxlab.core.task import Task
from ctxlab.core.tools import Tools
from ctxlab.datasets import read
from ctxlab.metrics.availability import AnswerKept
from ctxlab.strategies import CollapseToolUses, KeepLast, KeepValues, TruncateToolOutputs
from ctxlab.strategies.tool_outputs import values
from ctxlab.testing import check_laws, word_tools
from ctxlab.text.clipping import clipped, clipped_end

CHARACTERS = Tools(count=len)


def use(at: str, name: str, arguments: str, result: str, text: str = "") -> list[Message]:
    """Return a call with its result."""
    call = ToolCall(f"c{at}", name, arguments)
    return [
        Message(f"m{at}", "assistant", text, tool_calls=(call,)),
        Message(f"r{at}", "tool", result, tool_call_id=call.id),
    ]


def tool_text(context: Context) -> str:
    """Return what the model reads of the tool results."""
    return "".join(segment.text for segment in context if segment.role == "tool")


@given(st.text(), st.integers(-2, 50))
def test_clipped_is_the_longest_beginning_and_end_that_fit(text, tokens):
    """With a count that adds up, no longer beginning or end fits."""
    head, tail = clipped(text, tokens, len), clipped_end(text, tokens, len)
    assert text.startswith(head)
    assert text.endswith(tail)
    assert len(head) == len(tail) == max(0, min(len(text), tokens))


def test_clipping_megabytes_counts_little():
    """What is counted depends on what is kept, not on what there is."""
    counted = []

    def count(text: str) -> int:
        counted.append(len(text))
        return len(text)

    assert len(clipped("x" * 10_000_000, 1000, count)) == 1000
    assert sum(counted) < 100_000


def test_truncation_keeps_head_tail_and_errors_verbatim():
    """The first and last lines and the line with the error are still there, and the limit holds."""
    lines = [f"step {i} went well" for i in range(200)]
    lines[90] = "ERROR: disk b4 is full"
    context = Context.of(use("1", "run", "{}", "\n".join(lines)))
    task = Task(budget=10_000)
    cut = TruncateToolOutputs(limit=120).compress(context, task)
    text = tool_text(cut)
    assert text.startswith("step 0 went well")
    assert text.endswith("step 199 went well")
    assert "ERROR: disk b4 is full" in text
    assert "tokens left out" in text
    assert sum(task.tokens(s) for s in cut if s.role == "tool") <= 120
    verbatim = [segment for segment in cut if segment.role == "tool" and segment.verbatim]
    assert all(segment.text in context[1].text for segment in verbatim)
    assert len(cut.messages()) == 2


@given(st.text(max_size=400), st.integers(1, 60), st.floats(0, 1), st.floats(0, 1))
def test_truncation_holds_its_limit(text, limit, head, errors):
    """A result takes at most the limit, or, where that is tiny, what the marker takes."""
    context = Context.of(use("1", "run", "{}", text))
    task = Task(budget=999, tools=CHARACTERS)
    strategy = TruncateToolOutputs(limit=limit, head=head, errors=errors, marker="<{tokens}>")
    size = len(tool_text(strategy.compress(context, task)))
    assert size <= max(limit, len(f"<{len(text)}>"))


def test_truncation_leaves_the_short_the_pinned_and_other_roles_alone():
    """Only long tool results are cut."""
    long = "word " * 50
    messages = [Message("u", "user", long), *use("1", "run", "{}", "short")]
    messages.append(Message("p", "tool", long, tool_call_id="c1", pinned=True))
    context = Context.of(messages)
    assert TruncateToolOutputs(limit=10).compress(context, Task(budget=1)) == context


def test_truncation_says_why():
    """The ledger names the limit."""
    messages = use("1", "run", "{}", "word " * 500)
    told = explain(TruncateToolOutputs(limit=10), Context.of(messages), budget=100_000)
    [entry] = [e for e in told.entries if e.source == "message:r1"]
    assert entry.fate.value in {"trimmed", "rewritten"}
    assert "10 tokens" in entry.reason


def test_collapsing_writes_a_line_a_call_and_keeps_the_newest():
    """Old exchanges become lines with name, arguments and result; parallel calls a line each."""
    calls = (ToolCall("a", "count", '{"of":"stalls"}'), ToolCall("b", "clock", "{}"))
    messages = [
        Message("m0", "assistant", "I look.", tool_calls=calls),
        Message("r1", "tool", "63 stalls\n" * 30, tool_call_id="a"),
        Message("r2", "tool", "12:00", tool_call_id="b"),
        *use("9", "clock", "{}", "13:00"),
    ]
    context = Context.of(messages)
    short = CollapseToolUses(keep=1, characters=80).compress(context, Task(budget=1))
    lines = short[0].text.splitlines()
    assert lines[0] == "I look."
    assert lines[1].startswith('count({"of":"stalls"}) → 63 stalls 63')
    assert len(lines[1]) == 80
    assert lines[2] == "clock({}) → 12:00"
    assert short.segments[1:] == context.segments[3:]
    assert {span.source for span in short[0].spans} == {"message:m0", "message:r1", "message:r2"}
    roles = [message["role"] for message in short.messages()]
    assert roles == ["assistant", "assistant", "tool"]


def test_collapsing_leaves_what_would_not_get_shorter_and_what_is_pinned():
    """A pinned exchange stays, and so does one whose line would cost more."""
    pinned = use("1", "run", "{}", "word " * 99)
    pinned[0] = Message("m1", "assistant", "", tool_calls=pinned[0].tool_calls, pinned=True)
    context = Context.of(pinned)
    assert CollapseToolUses(keep=0).compress(context, Task(budget=1)) == context
    tiny = Context.of([Message("t", "tool", "x" * 9, tool_call_id="none")])
    assert CollapseToolUses(keep=0).compress(tiny, Task(budget=1)) == tiny


def test_values_are_what_nobody_can_guess():
    """Numbers, dates, codes, addresses and names; no plain words, no punctuation."""
    text = 'On 2024-05-23 Mira paid €1,936.50 for "HAT227" (ATL to ORD), mira@example.org: yes.'
    assert values(text) == [
        "On",
        "2024-05-23",
        "Mira",
        "€1,936.50",
        "HAT227",
        "ATL",
        "ORD",
        "mira@example.org",
    ]


def test_every_value_is_still_said_once():
    """Whatever is reduced, a value of the conversation stands somewhere in what is left."""
    record = json.dumps({"id": "M05KNL", "price": 1936, "status": "available"})
    messages = [
        Message("u1", "user", "Please look up M05KNL for Mira."),
        *use("1", "find", '{"id":"M05KNL"}', record * 10),
        Message("a1", "assistant", "Booking M05KNL costs 1936 euros. Anything else?"),
    ]
    context = Context.of(messages)
    tight = KeepValues().compress(context, Task(budget=1))
    left = set(values(tight.text)) | {
        v for s in tight for c in s.tool_calls for v in values(c.arguments)
    }
    assert {"M05KNL", "1936", "Mira"} <= left
    assert Task(budget=1).size(tight) < Task(budget=1).size(context) / 3


def test_values_go_no_further_than_the_budget_asks():
    """Oldest first, tool results before messages, and nothing once it fits."""
    messages = [
        Message("u1", "user", "the first message of them all"),
        *use("1", "find", "{}", "plain words of no value " * 5),
        *use("2", "find", "{}", "plain words of no value " * 5),
    ]
    context = Context.of(messages)
    tools = word_tools()
    size = Task(budget=1, tools=tools).size(context)
    once = KeepValues().compress(context, Task(budget=size - 1, tools=tools))
    assert [segment.text for segment in once][2] == "(nothing new)"
    assert [s.text for s in once][4] == context[4].text
    assert once[0] == context[0]
    assert KeepValues().compress(context, Task(budget=size, tools=tools)) is context


@pytest.mark.parametrize(
    "strategy",
    [
        TruncateToolOutputs(limit=3, marker="({tokens})"),
        CollapseToolUses(keep=0, characters=12),
        KeepValues() >> KeepLast(),
    ],
    ids=str,
)
def test_tight_settings_keep_the_laws(strategy):
    """The laws hold where the strategies have something to do."""
    check_laws(strategy, examples=150)


def test_the_recipe_for_tool_traffic_keeps_what_later_calls_need(data_dir):
    """At a quarter of the tokens, the arguments of later calls still stand somewhere (tau-bench).

    Where a value stands in an earlier call of the agent's, it need not be in what a tool said.
    """
    cases = list(read(data_dir / "taubench_airline.dev.jsonl.gz"))[:12]
    kept = AnswerKept(anywhere=True)
    shares = {}
    for strategy in (KeepValues() >> KeepLast(), KeepLast()):
        found = []
        for case in cases:
            for probe in case.probes:
                context, ruler = case.context(probe.at), Task(budget=1)
                size, pinned = ruler.size(context), ruler.pinned(context)
                task = Task(budget=Budget.parse("25%").resolve(size, pinned))
                found.append(kept.measure(Run.of(strategy, context, task, case), probe))
        shares[str(strategy)] = sum(found) / len(found)
    assert shares["KeepValues() >> KeepLast()"] > 0.85 > shares["KeepLast()"]


def test_a_tool_segment_without_its_call_is_cut_too():
    """A result alone, as some logs have it, is a result."""
    alone = Segment.of("message:m1", "word " * 100, role="tool")
    task = Task(budget=999)
    cut = TruncateToolOutputs(limit=20).compress(Context((alone,)), task)
    assert sum(map(task.tokens, cut)) <= 20
