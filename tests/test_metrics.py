"""Metrics of every family on cases small enough to reckon by hand."""

from __future__ import annotations

import json
import time
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ctxlab.core.cases import Probe
from ctxlab.core.context import Context
from ctxlab.core.run import Run
from ctxlab.core.segments import Message, Segment, ToolCall
from ctxlab.core.specs import METRICS, parse_metric
from ctxlab.core.strategy import Strategy
from ctxlab.core.task import Task
from ctxlab.errors import SpecError
from ctxlab.metrics.compression import BudgetDeviation, Latency, Rate
from ctxlab.metrics.evidence_recall import EvidenceRecall
from ctxlab.metrics.invention import InventedDates, InventedNames, InventedNumbers
from ctxlab.metrics.overlap import Redundancy, RougeL, TokenF1
from ctxlab.metrics.prefix import PrefixStability
from ctxlab.metrics.structure import LeafPathF1, SchemaValid, ToolPairsWhole
from ctxlab.strategies import (
    BM25,
    CompactJSON,
    HeadTail,
    Identity,
    KeepLast,
    KeepValues,
    MaskObservations,
    Oracle,
    Pin,
    SampleRows,
)
from ctxlab.testing import word_tools

TASK = Task(budget=99, tools=word_tools())


def chat(*texts: str, role="user") -> Context:
    return Context.of(Message(f"m{i}", role, text) for i, text in enumerate(texts))


def done(before: Context, *after: Segment) -> Run:
    """Return a run that left the segments `after`."""

    class Left(Strategy):
        """Leaves what it is told."""

        def compress(self, context, task):
            return context.keep(after)

    return Run.of(Left(), before, TASK)


def of(metric: str, run: Run) -> float | None:
    return parse_metric(metric).measure(run, None)


EVERY_KIND = {
    "NumbersKept": ("It weighs 1,240 kg.", "1240"),
    "NamesKept": ("Then Mira Okoro came.", "mira okoro"),
    "DatesKept": ("Due on 12 March 2026.", "2026-03-12"),
    "AmountsKept": ("It costs €40.", "40 euros"),
    "PathsKept": ("See /etc/hosts there.", "/ETC/hosts"),
    "UrlsKept": ("See https://hall.example/x now.", "HTTPS://hall.example/x"),
    "IdentifiersKept": ("Order ORD-1042 is late.", "ord-1042"),
    "QuotesKept": ('He said "never again" then.', "Never Again"),
    "SymbolsKept": ("Call load_cases() first.", "LOAD_cases"),
}


@pytest.mark.parametrize("name", EVERY_KIND)
def test_a_value_is_kept_lost_or_kept_in_another_form(name):
    """Verbatim is stricter than normalised; where there is none, nothing is said."""
    text, other = EVERY_KIND[name]
    before = chat(text, "and then it rained")
    assert of(name, done(before, before[0])) == 1.0
    assert of(f"{name}(normalised=False)", done(before, before[0])) == 1.0
    assert of(name, done(before, before[1])) == 0.0
    rewritten = done(before, before[0].rewritten(other))
    assert of(name, rewritten) == 1.0
    assert of(f"{name}(normalised=False)", rewritten) == 0.0
    nothing = chat("and then it rained")
    assert of(name, done(nothing, nothing[0])) is None


def test_every_kind_has_a_metric():
    """The table above forgets none."""
    families = {name for name, cls in METRICS.classes().items() if cls().traits.family}
    kept = {n for n in families if METRICS.find(n)().traits.family == "retention"}
    assert kept == set(EVERY_KIND)


def test_values_count_once_and_where_they_stood():
    """Of three distinct numbers two are left, one of them twice said."""
    before = chat("14 of 63 stalls", "63 again", "and 90 loaves")
    assert of("NumbersKept", done(before, before[0])) == pytest.approx(2 / 3)
    assert of("NumbersKept", done(before, before[1], before[2])) == pytest.approx(2 / 3)


def test_verbatim_values_are_told_apart_by_how_they_are_written():
    """1,240 and 1240 are one number, and two texts."""
    before = chat("1,240 people came", "and 1240 left")
    assert of("NumbersKept", done(before, before[0])) == 1.0
    assert of("NumbersKept(normalised=False)", done(before, before[0])) == 0.5


def test_a_placeholder_keeps_no_number():
    """The count of lines is not the number that was there."""
    before = chat("There is only 1 pump left in the cold store", role="tool")
    run = Run.of(MaskObservations(keep=0), before, TASK)
    assert "1" in run.after.text
    assert of("NumbersKept", run) == 0.0


def test_a_restorable_rewriting_keeps_all_values():
    """Numbers of a table that `CompactJSON` wrote are all there."""
    rows = [{"kg": i * 1.5, "of": f"S-{i}"} for i in range(20)]
    run = Run.of(CompactJSON(), chat(json.dumps(rows), role="tool"), Task(budget=999))
    assert run.after.text != run.before.text
    assert of("NumbersKept", run) == 1.0
    assert of("IdentifiersKept", run) in (1.0, None)


def test_cut_pieces_keep_what_stands_in_them():
    """A value is left with its piece, and a half of it is not."""
    before = chat("Gate 4 has 63 stalls and 140 loaves")
    text = before[0].text
    assert of("NumbersKept", done(before, before[0].cut(0, text.index("and")))) == 2 / 3
    assert of("NumbersKept", done(before, before[0].cut(0, text.index("40")))) == 2 / 3


def test_invention_counts_what_no_source_holds():
    """Another number, name or date; the source may be another message, in another form."""
    before = chat("Mira Okoro counted 1,240 loaves on 12 March 2026.", "Then Jonas left at 6.")
    text = "Then Mira Okoro and Bo Lind counted 1240 of 99, not 6, on 2026-03-12 or 13 March 2026."
    run = done(before, before[0].rewritten(text))
    assert InventedNumbers().measure(run, None) == pytest.approx(1 / 3)
    assert InventedNames().measure(run, None) == pytest.approx(1 / 2)
    assert InventedDates().measure(run, None) == pytest.approx(1 / 2)


def test_only_what_was_written_can_be_invented():
    """Verbatim text, restored text and the counts of placeholders invent nothing."""
    before = chat("\n".join(["a line of a log"] * 12), "It was 14.", role="tool")
    for strategy in (MaskObservations(keep=0), KeepLast(), HeadTail(), Identity()):
        run = Run.of(strategy, before, Task(budget=30, tools=word_tools()))
        assert InventedNumbers().measure(run, None) is None
    rows = json.dumps([{"kg": 12}, {"kg": 9}, {"kg": 14}], indent=4)
    compact = Run.of(CompactJSON(), chat(rows, role="tool"), Task(budget=99))
    assert compact.after.text != rows
    assert InventedNumbers().measure(compact, None) == 0.0


def leaves(value, path=()):
    """Return every leaf with its path, positions left out: a slow reference."""
    if isinstance(value, dict) and value:
        return [leaf for k, v in value.items() for leaf in leaves(v, (*path, k))]
    if isinstance(value, list) and value:
        return [leaf for v in value for leaf in leaves(v, (*path, "[]"))]
    return [(path, json.dumps(value))]


JSON = st.recursive(
    st.integers(-9, 9) | st.sampled_from(["x", "y", True, None]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("abc"), inner),
    max_leaves=8,
)


@given(st.dictionaries(st.sampled_from("abc"), JSON), st.dictionaries(st.sampled_from("abc"), JSON))
def test_leaf_f1_agrees_with_a_slow_reference(old, new):
    """Over bags of leaves; 1 for the same object, in whatever layout."""
    before = chat(json.dumps(old))
    run = done(before, before[0].rewritten(json.dumps(new, indent=1)))
    mine, theirs = leaves(old), leaves(new)
    rest, common = list(theirs), 0
    for leaf in mine:
        if leaf in rest:
            rest.remove(leaf)
            common += 1
    expected = 2 * common / (len(mine) + len(theirs))
    assert LeafPathF1().measure(run, None) == pytest.approx(expected)


def test_leaf_f1_of_what_strategies_do():
    """Dropped JSON loses its leaves, lossless keeps all, a note among rows costs precision."""
    rows = [{"day": f"d{i}", "kg": 12} for i in range(10)]
    before = chat(json.dumps(rows), "hm", role="tool")
    assert LeafPathF1().measure(done(before, before[1]), None) == 0.0
    assert LeafPathF1().measure(Run.of(CompactJSON(), before, TASK), None) == 1.0
    sampled = Run.of(SampleRows(rows=5), before, TASK)
    notes = sampled.after.text.count("rows left out")
    assert notes
    assert LeafPathF1().measure(sampled, None) == pytest.approx(2 * 10 / (20 + 10 + notes))
    assert LeafPathF1().measure(done(chat("hm")), None) is None


def test_validity_is_judged_among_what_is_left():
    """JSON that was cut is none, a compact table is some, and a schema is obeyed or not."""
    before = chat('{"kg": 12}', '{"kg": "many"}', "hm")
    half = done(before, before[0].cut(0, 5), before[1])
    assert SchemaValid().measure(half, None) == 0.5
    schema = json.dumps({"properties": {"kg": {"type": "integer"}}, "required": ["kg"]})
    with_schema = SchemaValid(json_schema=schema)
    assert with_schema.measure(done(before, *before), None) == 1.0
    pruned = done(before, before[0].rewritten("{}"), before[1])
    assert SchemaValid().measure(pruned, None) == 1.0
    assert with_schema.measure(pruned, None) == 0.0
    assert SchemaValid().measure(done(before, before[2]), None) is None


def test_a_schema_that_is_none_is_refused():
    """With what is wrong; the remedy is a JSON Schema."""
    with pytest.raises(SpecError, match="is no JSON Schema"):
        parse_metric("SchemaValid(json_schema='{\"type\": 3}')")
    with pytest.raises(SpecError, match="is no JSON Schema"):
        parse_metric("SchemaValid(json_schema='{')")


def test_tool_pairs_are_whole_or_not():
    """A call without its result is broken, and so is a result without its call."""
    call, other = ToolCall("c1", "clock", "{}"), ToolCall("c2", "clock", "{}")
    before = Context.of(
        [
            Message("m0", "assistant", "", tool_calls=(call,)),
            Message("m1", "tool", "12:00", tool_call_id="c1"),
            Message("m2", "assistant", "", tool_calls=(other,)),
            Message("m3", "tool", "13:00", tool_call_id="c2"),
            Message("m4", "user", "thanks"),
        ]
    )
    assert ToolPairsWhole().measure(done(before, *before), None) == 1.0
    assert ToolPairsWhole().measure(done(before, *before.segments[1:]), None) == 0.5
    assert ToolPairsWhole().measure(done(before, before[0], before[4]), None) == 0.0
    assert ToolPairsWhole().measure(done(before, before[4]), None) is None


def test_what_was_never_a_pair_is_not_broken():
    """A call that was still unanswered before the compression tells nothing of it."""
    call, open_call = ToolCall("c1", "clock", "{}"), ToolCall("c2", "clock", "{}")
    before = Context.of(
        [
            Message("m0", "assistant", "", tool_calls=(call,)),
            Message("m1", "tool", "12:00", tool_call_id="c1"),
            Message("m2", "assistant", "", tool_calls=(open_call,)),
        ]
    )
    assert ToolPairsWhole().measure(done(before, *before), None) == 1.0
    assert ToolPairsWhole().measure(done(before, before[2]), None) is None


def test_rouge_and_token_f1_by_hand():
    """Five of eight words in order; in any order six."""
    before = chat("the stalls sell fish and bread at six")
    run = done(before, before[0].rewritten("at six the stalls sell bread"))
    # Longest common subsequence: the stalls sell bread; words in common: all six.
    assert RougeL().measure(run, None) == pytest.approx(2 * 4 / (8 + 6))
    assert RougeL(figure="recall").measure(run, None) == pytest.approx(4 / 8)
    assert RougeL(figure="precision").measure(run, None) == pytest.approx(4 / 6)
    assert TokenF1().measure(run, None) == pytest.approx(2 * 6 / (8 + 6))
    assert RougeL(limit=5).measure(run, None) is None
    assert RougeL(figure="precision").measure(done(before), None) is None
    assert RougeL().measure(done(before), None) == 0.0


def test_rouge_of_a_long_context_is_fast():
    """Twenty thousand words, half of them dropped at random, in less than two seconds."""
    before = chat(*(f"word{i % 501} and word{i % 77}, number {i}" for i in range(4000)))
    run = done(before, *(s for i, s in enumerate(before) if i * 7919 % 5 < 2))
    start = time.perf_counter()
    assert RougeL(figure="precision").measure(run, None) == 1.0
    assert RougeL(figure="recall").measure(run, None) == pytest.approx(0.4, abs=0.01)
    assert time.perf_counter() - start < 2


def test_redundancy_is_one_minus_distinct_n():
    """Two of six runs repeat an earlier one."""
    before = chat("a b c d", "a b c d", "x y")
    run = done(before, *before)
    assert Redundancy(n=2).measure(run, None) == pytest.approx(3 / 7)
    assert Redundancy(n=4).measure(run, None) == pytest.approx(1 / 2)
    assert Redundancy(n=9).measure(run, None) is None


def test_prefix_stability_is_what_a_cache_still_serves():
    """Masking late keeps the prefix before it; a window that drops the first keeps none."""
    before = chat("one two three", "four five six", "seven eight nine")
    assert PrefixStability().measure(done(before, *before), None) == 1.0
    late = done(before, before[0], before[1], before[2].rewritten("(cleared)"))
    assert PrefixStability().measure(late, None) == pytest.approx(6 / 7)
    assert PrefixStability().measure(done(before, *before.segments[1:]), None) == 0.0
    cut = done(before, before[0], before[1].cut(0, 9), before[2])
    assert PrefixStability().measure(cut, None) == pytest.approx(5 / 8)
    assert PrefixStability().measure(done(before), None) is None
    renamed = done(before, replace(before[0], name="Ada"), before[1])
    assert PrefixStability().measure(renamed, None) == 0.0


def test_costs_of_a_run():
    """Tokens as billed, the error signed, the seconds those of the stages."""
    before = chat("one two three", "four five six")
    run = Run.of(KeepLast(), before, Task(budget=8, tools=word_tools()))
    assert (run.tokens_before, run.tokens_after) == (11, 6)
    assert Rate().measure(run, None) == pytest.approx(6 / 11)
    assert BudgetDeviation().measure(run, None) == pytest.approx(-2 / 8)
    assert Latency().measure(run, None) == run.seconds > 0
    assert Latency().measure(replace(run, stages=()), None) is None
    assert Rate().measure(Run.of(KeepLast(), Context(), TASK), None) == 1.0


def market() -> Context:
    """Six messages in three sessions; fish stands in three of them, more often in the later."""
    texts = ["fish", "tea and cake", "fish fish", "rain all day", "fish fish fish", "bread"]
    return Context.of(
        Message(f"m{i}", "user", text, session=f"s{i // 2}") for i, text in enumerate(texts)
    )


def ranked(strategy: Strategy, query="fish", evidence=frozenset()) -> Run:
    task = Task(budget=9, tools=word_tools(), query=query, evidence=evidence)
    return Run.of(strategy, market(), task)


@pytest.mark.parametrize(
    ("metric", "evidence", "recall"),
    [
        ("EvidenceRecall(k=1)", ("m4",), 1.0),
        ("EvidenceRecall(k=1)", ("m4", "m2"), 0.5),
        ("EvidenceRecall(k=1)", ("m4", "m4", "m2"), 0.5),
        ("EvidenceRecall(k=2)", ("m4", "m2"), 1.0),
        ("EvidenceRecall(k=2)", ("m4", "m3"), 0.5),
        ("EvidenceRecall(k=2, credit='any')", ("m4", "m3"), 1.0),
        ("EvidenceRecall(k=2, credit='all')", ("m4", "m3"), 0.0),
        ("EvidenceRecall(k=1, unit='session')", ("m5",), 1.0),
        ("EvidenceRecall(k=1, unit='session')", ("m5", "m3"), 0.5),
        ("EvidenceRecall(k=2, unit='session')", ("m5", "m3"), 1.0),
        ("EvidenceRecall()", (), None),
        ("EvidenceRecall()", ("m99",), None),
    ],
)
def test_recall_at_k_by_hand(metric, evidence, recall):
    """BM25 ranks m4, m2, m0; a session stands where its best message does."""
    run = ranked(BM25())
    assert list(run.strategy.ranking(run.before, run.task))[:3] == [4, 2, 0]
    assert parse_metric(metric).measure(run, Probe("p", "?", "", evidence)) == recall


def test_recall_does_not_depend_on_the_budget():
    """What is ranked counts, not what fits; where all fits there is a ranking, too."""
    probe = Probe("p", "?", "", ("m2",))
    for budget in (1, 9, 999):
        task = Task(budget=budget, tools=word_tools(), query="fish")
        run = Run.of(BM25(), market(), task)
        assert EvidenceRecall(k=2).measure(run, probe) == 1.0


def test_only_rankings_have_a_recall():
    """A window, a mask and a pin rank nothing; of a pipeline the first step ranks."""
    probe = Probe("p", "?", "", ("m4",))
    for strategy in (
        KeepLast(),
        MaskObservations(),
        Identity(),
        KeepValues(),
        Pin(),
        Pin() >> BM25(),
    ):
        assert EvidenceRecall().measure(ranked(strategy), probe) is None
    assert EvidenceRecall(k=1).measure(ranked(BM25() >> KeepLast()), probe) == 1.0


def test_no_ranking_beats_the_oracle():
    """Its recall is the least of 1 and k over the evidence: the ceiling that its trait claims."""
    ids = ("m0", "m1", "m3")
    run = ranked(Oracle(), evidence=frozenset(f"message:{i}" for i in ids))
    for k in (1, 2, 3, 6):
        found = EvidenceRecall(k=k).measure(run, Probe("p", "?", "", ids))
        assert found == pytest.approx(min(k, 3) / 3)


def test_the_oracle_is_the_ceiling_of_two_metrics():
    """All evidence, and recall; elsewhere a skill against it would be none."""
    claims = {name for name, cls in METRICS.classes().items() if cls().traits.oracle}
    assert claims == {"AllEvidence", "EvidenceRecall"}


def test_titles_say_the_parameters():
    """Two recalls side by side are told apart."""
    assert EvidenceRecall().traits.title == "message recall@5"
    assert EvidenceRecall(k=10, unit="session").traits.title == "session recall@10"


def test_pieces_that_follow_each_other_are_read_as_one():
    """A quote or an answer across two sentences is whole while both are there, side by side."""
    before = chat('He said "Never. Not again" and left.')
    text = before[0].text
    at = text.index("Not")
    both = (before[0].cut(0, at), before[0].cut(at, len(text)))
    assert of("QuotesKept", done(before, *both)) == 1.0
    assert of("QuotesKept", done(before, both[0])) == 0.0


def test_values_that_run_into_each_other_are_not_invented():
    """Lists of names, and numbers of a range, stand in the source one by one."""
    before = chat("Then Mira Okoro and Jonas came on March 16-17.")
    run = done(before, before[0].rewritten("and Okoro Jonas Mira 16"))
    assert InventedNames().measure(run, None) == 0.0
    assert InventedNumbers().measure(run, None) == 0.0


def test_a_date_with_a_time_is_found_again():
    """The day of a timestamp is that day, whatever stands behind it."""
    before = chat('{"created_at": "2024-05-14T06:33:04"}', role="tool")
    run = done(before, before[0].rewritten('{"created_at":"2024-05-14"}'))
    assert of("DatesKept", run) == 1.0
    assert InventedDates().measure(run, None) == 0.0
