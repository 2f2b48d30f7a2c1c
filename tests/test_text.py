"""Sentences, and what of a text says nothing."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ctxlab.core.context import Context
from ctxlab.core.segments import Message, ToolCall
from ctxlab.core.splitting import split
from ctxlab.core.task import Task
from ctxlab.strategies import BM25, LexRank, Sentences, StripBoilerplate
from ctxlab.testing import check_laws
from ctxlab.text.sentences import sentence_ranges


def sentences(text: str) -> list[str]:
    """Return the sentences of a text."""
    return [text[start:end] for start, end in sentence_ranges(text)]


@given(st.text(alphabet=st.sampled_from("ab.!? \n\"'。A1؟۔।॥။…；;\u037eβ։።」")) | st.text())
def test_sentences_tile_the_text(text):
    """Nothing is lost and nothing stands twice, whatever the text."""
    assert "".join(sentences(text)) == text
    assert all(sentences(text)) or not text


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("One. Two!  Three?", ["One. ", "Two!  ", "Three?"]),
        ("It cost 3.50 euros, e.g. for J. Smith.", ["It cost 3.50 euros, e.g. for J. Smith."]),
        ('"No." He left.', ['"No." ', "He left."]),
        ("first line\nsecond line", ["first line\n", "second line"]),
        ("雨だった。帰った。", ["雨だった。", "帰った。"]),
        ("v1.2.3 is out... and works", ["v1.2.3 is out... and works"]),
        ("Dr. Okoro vs. Mr. Lee. Next.", ["Dr. Okoro vs. Mr. Lee. ", "Next."]),
        (
            "See fig. 3 and No. 5. Fine. No. 5 left.",
            ["See fig. 3 and No. 5. ", "Fine. ", "No. 5 left."],
        ),
        ("Done...", ["Done..."]),
        ("本当？はい！「行く。」終わり｡", ["本当？", "はい！", "「行く。」", "終わり｡"]),
        ("أين المفتاح؟ معي. شكرا", ["أين المفتاح؟ ", "معي. ", "شكرا"]),
        ("چابی کہاں ہے؟ میرے پاس ہے۔ اچھا", ["چابی کہاں ہے؟ ", "میرے پاس ہے۔ ", "اچھا"]),
        ("बारिश हुई।हम रुके। अंत॥", ["बारिश हुई।", "हम रुके। ", "अंत॥"]),
        ("မိုးရွာတယ်။ ပြန်ခဲ့တယ်။", ["မိုးရွာတယ်။ ", "ပြန်ခဲ့တယ်။"]),
        ("ዝናብ ነበር። ተመለስን።", ["ዝናብ ነበር። ", "ተመለስን።"]),
        (
            "Πού είναι\u037e Εδώ. Γιατί; Δεν ξέρω",
            ["Πού είναι\u037e ", "Εδώ. ", "Γιατί; ", "Δεν ξέρω"],
        ),
        ("Անձրև էր։ Վերադարձանք։", ["Անձրև էր։ ", "Վերադարձանք։"]),
        ("One; Two;", ["One; Two;"]),
        ("فرق… وقال", ["فرق… ", "وقال"]),
        ("", []),
    ],
)
def test_sentence_ends(text, parts):
    """Marks of all scripts end them; abbreviations, initials and lower case after them do not."""
    assert sentences(text) == parts


def test_splitting_spares_pins_and_tool_calls():
    """What has to stay whole stays whole; splitting a split context changes nothing."""
    call = ToolCall("c", "look", "{}")
    messages = [
        Message("s", "system", "Be brief. Be kind."),
        Message("u", "user", "It rained. We stayed."),
        Message("a", "assistant", "I look. Wait.", tool_calls=(call,)),
        Message("t", "tool", "One. Two.", tool_call_id="c"),
    ]
    context = Context.of(messages)
    pieces = split(context)
    assert [segment.source[8:] for segment in pieces] == ["s", "u", "u", "a", "t"]
    assert split(pieces).segments == pieces.segments
    assert split(context) is pieces
    assert pieces.messages() == context.messages()
    task = Task(budget=999)
    assert Sentences().compress(context, task).text == context.text


def test_sentences_make_a_ranking_finer():
    """By sentence, a long message gives only the sentence that matters."""
    text = "The weather was dull all day. The fish stall opens at six. We had lunch later on."
    context = Context.of([Message("m", "user", text)])
    task = Task(budget=18, query="When does the fish stall open?")
    assert (Sentences() >> BM25()).compress(context, task).text == "The fish stall opens at six. "
    assert BM25().compress(context, task).text == ""


@pytest.mark.parametrize("ranking", [BM25(neighbours=1), LexRank()], ids=str)
def test_rankings_by_sentence_keep_the_laws(ranking):
    """The laws hold for the sentence-granular variants."""
    check_laws(Sentences() >> ranking, examples=60)


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("Good morning everyone! The lift is broken.", "The lift is broken."),
        ("Thank you so much!", ""),
        ("Thanks for telling me about stall 17.", "Thanks for telling me about stall 17."),
        ("Yes.", "Yes."),
        ("Okay.", "Okay."),
        ("Um, we need, uh, forty crates.", "we need, forty crates."),
        ("Hi", ""),
        ("Hi Mira, the key is with Ilse.", "Hi Mira, the key is with Ilse."),
        ("Is there anything else I can help you with today?", ""),
        ("Album and umbrella.", "Album and umbrella."),
    ],
)
def test_boilerplate(text, left):
    """Whole sentences of pleasantries and fillers go; whatever carries a fact stays."""
    context = Context.of([Message("m", "user", text)])
    assert StripBoilerplate().compress(context, Task(budget=1)).text == left


def test_signatures_stay_once_a_speaker():
    """The first signature stays, its repeats go, and another speaker's is another one."""
    sign = "\n\nMira Sand\nMarket office, gate 4"
    messages = [
        Message("m1", "user", f"Stall 3 is free.{sign}", name="Mira"),
        Message("m2", "user", f"So is stall 9.{sign}", name="Mira"),
        Message("m3", "user", f"And mine.{sign}", name="Jonas"),
    ]
    result = StripBoilerplate().compress(Context.of(messages), Task(budget=1))
    assert result.text == f"Stall 3 is free.{sign}So is stall 9.And mine.{sign}"


def test_parts_can_be_switched_off():
    """Each kind of boilerplate has its switch."""
    context = Context.of([Message("m", "user", "Um, hello!")])
    task = Task(budget=1)
    assert StripBoilerplate(fillers=False).compress(context, task).text == "Um, hello!"
    assert StripBoilerplate(pleasantries=False).compress(context, task).text == "hello!"


def test_a_long_run_of_pleasantries_takes_no_time():
    """The lists are matched without backtracking over every split of the text."""
    context = Context.of([Message("m", "user", "thank you so much and hello " * 20_000 + "x")])
    start = time.perf_counter()
    assert StripBoilerplate().compress(context, Task(budget=1)).text.endswith("x")
    assert time.perf_counter() - start < 5
