"""Texts in one form, and what a rewriting carried over from its source."""

from __future__ import annotations

import time
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ctxlab.text.alignment import carried_ranges, fragments, lcs_length
from ctxlab.text.normalised import normalised, normalised_number, tokens

WORDS = st.lists(st.sampled_from(list("abcdef")), max_size=12)


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("1,240", "1240"), ("1240", "1240"), ("1.240,00", "1240"), ("1,240.00", "1240"),
        ("1'240", "1240"), ("1\u202f240", "1240"), ("1.240.000", "1240000"), ("1.240", "1.24"),
        ("3,000,000.50", "3000000.5"), ("10,5", "10.5"), ("0,240", "0.24"), ("-9.50", "-9.5"),
        ("−3", "-3"), ("007", "007"), ("1.2.3", None), ("12a", None), ("", None), ("1,2,3", None),
    ],
)  # fmt: skip
def test_numbers_have_one_form(text, number):
    """Whatever separators they are written with."""
    assert normalised_number(text) == number


@pytest.mark.parametrize(
    "text",
    ["12 March 2026", "March 12, 2026", "12th of March 2026", "2026-03-12", "12. März 2026",
     "12.03.2026", "3/12/2026", "Mar 12th 2026", "12 Mar. 2026"],
)  # fmt: skip
def test_dates_have_one_form(text):
    """Day, month and year, in that order."""
    assert normalised(f"It was {text}, a Thursday") == " it was day:12 month:3 2026 a thursday "


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[1,2,3]", "1 2 3"), ("[1, 2, 3]", "1 2 3"), ("[101,202]", "101 202"),
        ("€1,240 or 1.240,00 €", "1240 € or 1240 €"), ("40 percent", "40 %"),
        ("10:30 and 09:05:00", "10:30 and 9:05:00"), ("10-20", "10 20"), ("ab-3", "ab 3"),
        ("2026-03-12T10:30:00", "day:12 month:3 2026 10:30:00"),
        ("我有40个", "我 有 40 个"), ("C++, C# and #3", "c++ c# and 3"),
        ("you may march in May", "you month:5 month:3 in month:5"),
    ],
)  # fmt: skip
def test_words_signs_and_lists(text, words):
    """Punctuation says nothing, currency and percent do."""
    assert normalised(text) == f" {words} "


@given(st.text(max_size=80))
def test_tokens_stand_where_they_say(text):
    """In order, within the text, and joined they are the normalised text."""
    found = tokens(text)
    assert all(0 <= one.start < one.end <= len(text) for one in found)
    assert all(a.start <= b.start for a, b in pairwise(found))
    assert normalised(text).split() == [word for one in found for word in one.normal.split()]


@given(st.text(max_size=60))
def test_normalising_is_blind_to_case_and_white_space(text):
    """For ASCII at least, whose upper and lower case are each other's."""
    plain = text.encode("ascii", "ignore").decode()
    assert normalised(plain.upper()) == normalised(plain.lower())
    assert normalised(f" \t{plain}\n") == normalised(plain)


def reference_lcs(a, b):
    """Return the last cell of the textbook's table."""
    row = [0] * (len(b) + 1)
    for x in a:
        new = [0]
        for j, y in enumerate(b):
            new.append(row[j] + 1 if x == y else max(row[j + 1], new[j]))
        row = new
    return row[-1]


@given(WORDS, WORDS)
def test_the_longest_common_subsequence_agrees_with_the_table(a, b):
    """Bit-parallel and quadratic give the same length, in both orders."""
    assert lcs_length(a, b) == reference_lcs(a, b) == lcs_length(b, a)


def test_the_longest_common_subsequence_of_long_texts_is_fast():
    """Two texts of 25,000 words that share every third, in less than two seconds."""
    a = [f"w{i % 997}" if i % 3 else f"x{i}" for i in range(25_000)]
    b = [f"w{i % 991}" if i % 3 else f"y{i}" for i in range(25_000)]
    start = time.process_time()
    assert 0 < lcs_length(a, b) < 25_000
    assert time.process_time() - start < 2


def reference_fragments(source, written):
    """Return the lengths of the runs by the procedure of Grusky et al. 2018, written out."""
    found, i = [], 0
    while i < len(written):
        best = 0
        for j in range(len(source)):
            k = 0
            while i + k < len(written) and j + k < len(source) and written[i + k] == source[j + k]:
                k += 1
            best = max(best, k)
        if best:
            found.append(best)
        i += max(best, 1)
    return found


@given(WORDS, WORDS)
def test_fragments_agree_with_the_procedure_written_out(source, written):
    """Indexed and exhaustive search find runs of the same lengths, at places that agree."""
    left, right = " ".join(source), " ".join(written)
    found = fragments(left, right)
    assert [one.words for one in found] == reference_fragments(source, written)
    for one in found:
        assert left[one.source_start : one.source_end] == right[one.start : one.end]


@pytest.mark.parametrize("unit", ["ok ", "a b ", "a, ", "x\n", '{"a": 1}, '])
def test_alignment_is_linear_on_repetitive_texts(unit):
    """A hundred kilobytes of one line against half as many take less than three seconds."""
    text = unit * (100_000 // len(unit))
    start = time.process_time()
    ranges = carried_ranges(text, text[: len(text) // 2])
    assert ranges
    assert time.process_time() - start < 3


@pytest.mark.parametrize(
    ("written", "carried"),
    [
        ("Mira counted 63 stalls.", ["Mira counted 63 stalls"]),
        ("About 63 stalls, 1240 loaves.", ["63 stalls, 1240 loaves"]),
        ("(63 lines omitted)", []),
        ("Nobody ever saw 63 stalls before", []),
        ("63", ["63"]),
        ("63 1240", ["63 1240"]),
        ("Nobody knows. Mira counted.", ["Mira counted"]),
        ('["Mira", "… 63 more"]', ["Mira"]),
        ("", []),
    ],
)
def test_what_was_carried_over(written, carried):
    """Sentences of which at least half stands in the source; single values; no placeholders."""
    source = "On Monday Mira counted 63 stalls and 1,240 loaves"
    assert [written[a:b] for a, b in carried_ranges(source, written)] == carried
