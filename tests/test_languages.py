"""Languages: the same conversation keeps the same evidence, whatever it is written in."""

from __future__ import annotations

import json
import re
import unicodedata
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ctxlab.bench.grid import Grid
from ctxlab.core.context import Context
from ctxlab.core.indexing import language_of, term_index
from ctxlab.core.packing import NO_MATCH
from ctxlab.core.segments import Message
from ctxlab.core.specs import STRATEGIES, from_spec, parse
from ctxlab.core.strategy import Select, Strategy
from ctxlab.core.task import Task
from ctxlab.errors import SpecError, UnknownNameError
from ctxlab.strategies import (
    BM25,
    MMR,
    TFIDF,
    IDFDensity,
    KeepLast,
    Knapsack,
    LexRank,
    Sentences,
    Surprisal,
    TextRank,
)
from ctxlab.testing import check_laws
from ctxlab.text.folding import folded
from ctxlab.text.languages import LANGUAGES
from ctxlab.text.recognition import recognised
from ctxlab.text.stop_words import STOP_WORDS
from ctxlab.text.term_index import TermIndex
from ctxlab.text.words import terms, words

PARALLEL = json.loads(
    (Path(__file__).parent / "parallel_conversations.json").read_text(encoding="utf-8")
)
EVIDENCE = (1, 3, 5, 7)
"""Places of the messages that answer the four questions."""


def context_of(*texts: str) -> Context:
    """Return a context with a message for each text."""
    return Context.of(Message(f"m{i}", "user", text) for i, text in enumerate(texts))


def share(context: Context, part: float, query: str) -> Task:
    """Return a task whose budget is a part of a context's size."""
    return Task(budget=int(part * Task(budget=1).size(context)), query=query)


def kept(strategy: Strategy, context: Context, task: Task) -> list[int]:
    """Return the places of the messages that a strategy keeps."""
    return [int(segment.source[9:]) for segment in strategy.compress(context, task)]


@pytest.mark.parametrize("code", PARALLEL)
def test_the_same_evidence_is_kept_in_every_language(code):
    """One conversation in twelve languages: at 35 % each question keeps its evidence."""
    context = context_of(*PARALLEL[code]["messages"])
    assert len(context) == 12
    assert language_of(context) == code
    found = [
        place in kept(BM25(), context, share(context, 0.35, question))
        for question, place in zip(PARALLEL[code]["questions"], EVIDENCE, strict=True)
    ]
    assert found == [True] * 4


@pytest.mark.parametrize("code", PARALLEL)
@pytest.mark.parametrize("strategy", [TFIDF(), MMR(), Knapsack()], ids=str)
def test_other_rankings_by_the_question_find_it_too(strategy, code):
    """They share the index, and so the languages."""
    context = context_of(*PARALLEL[code]["messages"])
    question = PARALLEL[code]["questions"][1]
    assert EVIDENCE[1] in kept(strategy, context, share(context, 0.35, question))


def test_chinese_is_ranked_by_its_words():
    """Of six messages the third answers: it is kept, where the first two once were."""
    context = context_of(
        "你好，我想问一下市场的事情。",
        "当然可以，请说。",
        "鱼摊每天早上六点开门，中午关门。",
        "谢谢你的帮助。",
        "面包店在北门旁边。",
        "好的，再见。",
    )
    task = share(context, 0.4, "鱼摊几点开门？")
    scores = BM25().score(context, task)
    assert max(range(6), key=scores.__getitem__) == 2
    assert 2 in kept(BM25(), context, task)


def test_a_chinese_service_desk(data_dir):
    """On real conversations bigrams find what the desk told (79 and 92 % when probed)."""
    grid = Grid(
        ["BM25()", "BM25(neighbours=2)"],
        ["10%", "25%"],
        str(data_dir / "crosswoz_zh.dev.jsonl.gz"),
        metrics="AllEvidence()",
    )
    with ThreadPoolExecutor(1) as pool:
        frame = grid.run(executor=pool).frame()
    shares = {(row["strategy"], row["budget"]): row["AllEvidence"] for row in frame.to_dicts()}
    assert shares["BM25()", "10%"] == pytest.approx(0.780, abs=0.02)
    assert shares["BM25()", "25%"] == pytest.approx(0.919, abs=0.02)
    assert shares["BM25(neighbours=2)", "10%"] == pytest.approx(0.902, abs=0.02)
    assert shares["BM25(neighbours=2)", "25%"] == pytest.approx(0.967, abs=0.02)


@pytest.mark.parametrize(
    ("code", "text", "found"),
    [
        ("zh", "鱼摊在A区3号", ["鱼摊", "摊在", "a", "区", "3", "号"]),
        ("ja", "ﾊﾟﾝ屋はどこ", ["パン", "ン屋", "屋は", "はど", "どこ"]),
        ("ko", "시장은 40유로", ["시장은", "40", "유로"]),
        ("th", "ตลาดนี้", ["ตล", "ลา", "าด", "ดนี้"]),
        ("hi", "हिन्दी में", ["हिन्दी", "में"]),
        ("ar", "الكِتَابُ", ["الكتاب"]),
        ("he", "שָׁלוֹם", ["שלום"]),
        ("tr", "IŞIK İzmir hâlâ", ["ışık", "izmir", "hala"]),
        ("de", "Straße STRASSE", ["strasse", "strasse"]),
        ("el", "ΟΔΟΣ ΟΔΟΥ", ["οδοσ", "οδου"]),
        ("en", "don’t ﬁnd Foo™ ❤️ 1️⃣ Cafe\u0301", ["don", "t", "find", "foo", "1", "café"]),
    ],
)
def test_words_of_all_scripts(code, text, found):
    """No word breaks at a vowel sign; scripts without spaces give bigrams; forms are one."""
    assert words(text, code) == found


def test_korean_words_have_bigrams():
    """A noun is found with another particle; of a stop word nothing stays."""
    assert terms("시장은 그리고 시장", "ko") == ["시장은", "시장", "장은", "시장"]


@pytest.mark.parametrize(
    ("code", "text", "found"),
    [
        ("en", "1,240 1,240.50 1240", ["1240", "1240", "50", "1240"]),
        ("de", "1.240 1.240,50 1240", ["1240", "1240", "50", "1240"]),
        ("en", "1.240,50", ["1240", "50"]),
        ("en", "1.240 and 10.120.130.140", ["1", "240", "and", "10", "120", "130", "140"]),
        ("de", "1,240", ["1", "240"]),
        ("fr", "1\u202f240,50", ["1240", "50"]),
        ("en", "1'240", ["1240"]),
        ("hi", "१२,३४,५६७ 12,34,567", ["1234567", "1234567"]),
        ("ar", "١٬٢٤٠٫٥٠", ["1240", "50"]),
        ("zh", "售价1,240元", ["售价", "1240", "元"]),
        ("en", "[100,200,300] 2026-03-12", ["100", "200", "300", "2026", "3", "12"]),
        ("de", "12.03.2026", ["12", "3", "2026"]),
    ],
)
def test_numbers_in_their_local_forms(code, text, found):
    """What parts thousands is no end of a word, where it is clear that it does."""
    assert words(text, code) == found


def test_a_number_is_found_in_another_form():
    """A question's 1240,50 finds the message's 1.240,50."""
    context = context_of("Die Miete ist hoch.", "Sie beträgt 1.240,50 Euro.", "Und wir zahlen sie.")
    scores = BM25().score(context, Task(budget=1, query="Wofür sind die 1240,50?"))
    assert scores[1] > max(scores[0], scores[2])


@given(st.text(alphabet=st.characters(max_codepoint=126)))
def test_english_is_as_it_was(text):
    """In ASCII, words are runs of letters, digits and underscores in lower case."""
    plain = re.sub(r"(?<=\d)[.,'](?=\d)", " ", text)
    assert words(plain) == re.findall(r"\w+", plain.lower())


@pytest.mark.parametrize("code", ["en", "de", "ar", "hi", "ja", "tr"])
@given(text=st.text(), other=st.text())
def test_words_do_not_depend_on_what_stands_beside(code, text, other):
    """A space parts texts in every language, and equal texts have equal words in any form."""
    assert words(f"{text} {other}", code) == words(text, code) + words(other, code)
    assert words(unicodedata.normalize("NFD", text), code) == words(text, code)


@pytest.mark.parametrize(
    ("code", "forms"),
    [
        ("en", "stall stalls"),
        ("de", "Stände Stand"),
        ("fr", "réparer répare"),
        ("es", "reparar reparamos"),
        ("ru", "аренда аренды аренду"),
        ("ar", "الإيجار إيجار"),
        ("hi", "दुकान दुकानों"),
        ("tr", "anahtarı anahtarlar anahtarın"),
        ("el", "οδός οδού"),
        ("fi", "kalat kala"),
        ("hu", "halak hal"),
        ("pl", "klucza kluczem"),
        ("cs", "stánky stánek stánku"),
        ("id", "membeli beli"),
    ],
)
def test_forms_of_a_word_are_one_term(code, forms):
    """Stems are those of the language."""
    assert len(set(terms(forms, code))) == 1


@pytest.mark.parametrize(
    ("code", "text"),
    [
        ("it", "Dove è la chiave? La chiave è nel mio ufficio, accanto alla finestra."),
        ("pt", "Onde está a chave? A chave está no meu escritório, ao lado da janela."),
        ("nl", "Waar is de sleutel? De sleutel hangt in het kantoor naast het raam."),
        ("sv", "Var är nyckeln? Den hänger på mitt kontor och jag är där hela dagen."),
        ("da", "Hvor er nøglen? Den hænger på mit kontor, og jeg er der hele dagen af."),
        ("no", "Hvor er nøkkelen? Den henger på kontoret mitt, og jeg er der etter ti."),
        ("fi", "Missä avain on? Se on minun huoneessani, ja minä olen siellä koko päivän."),
        ("hu", "Hol van a kulcs? A kulcs az irodában van, és én is ott vagyok egész nap."),
        ("ro", "Unde este cheia? Cheia este în biroul meu și eu sunt acolo toată ziua."),
        ("pl", "Gdzie jest klucz? Klucz jest w moim biurze i ja tam będę przez cały dzień."),
        ("cs", "Kde je klíč? Klíč je v mé kanceláři a já tam budu celý den, když je třeba."),
        ("id", "Di mana kuncinya? Kunci itu ada di kantor saya dan saya akan di sana."),
        ("el", "Πού είναι το κλειδί; Το κλειδί είναι στο γραφείο."),
        ("fa", "کلید کجاست؟ کلید در دفتر من است و من تمام روز آنجا هستم."),
        ("he", "איפה המפתח? המפתח במשרד שלי."),
        ("lo", "ກະແຈຢູ່ໃສ"),
        ("km", "កូនសោនៅឯណា"),
        ("my", "သော့ဘယ်မှာလဲ"),
        ("en", "Where is the key? It is in my office."),
        ("en", "def f(x): return {'a': [1, 2]}"),
        ("en", "Zürich Genève São Paulo Malmö"),
        ("en", "die"),
        ("en", ""),
    ],
)
def test_a_language_is_recognised_or_english(code, text):
    """By script and function words; what is unclear counts as English."""
    assert recognised([text]) == code


def test_every_language_has_a_list_of_its_own():
    """Each list is of a known language, in the form in which words are compared."""
    assert set(STOP_WORDS) <= set(LANGUAGES)
    for code, listed in STOP_WORDS.items():
        assert terms(listed, code) == [], code
        assert len(set(listed.split())) > 50


WORD_RANKINGS = [BM25, TFIDF, IDFDensity, Surprisal, MMR, LexRank, TextRank]


@pytest.mark.parametrize("ranking", WORD_RANKINGS)
def test_the_language_is_a_parameter(ranking):
    """It stands in the spec where it is stated, and the spec brings it back."""
    assert ranking().spec() == {ranking.__name__: {}}
    german = ranking(language="de")
    assert german.spec() == {ranking.__name__: {"language": "de"}}
    assert from_spec(german.spec()) == parse(str(german)) == german


def test_every_ranking_by_words_takes_a_language():
    """Those that rest on the index of terms, found by what they import."""
    named = {name for name, cls in STRATEGIES.classes().items() if "language" in cls.model_fields}
    assert named == {cls.__name__ for cls in WORD_RANKINGS} | {
        "Fusion", "Salience", "Substance", "PassageBM25",
    }  # fmt: skip


def test_an_unknown_language_is_refused():
    """With the names that are known, by a strategy and by the functions below it."""
    with pytest.raises(SpecError, match=r"language='german'.*'de'"):
        BM25(language="german")
    with pytest.raises(UnknownNameError, match="did you mean 'de'"):
        terms("Stand", "deu")
    with pytest.raises(UnknownNameError):
        term_index(context_of("Stand"), "xx")


def test_indices_of_two_languages_stand_side_by_side():
    """On one context each language has its own index, built once."""
    context = context_of("die Stände", "der Stand")
    german, english = term_index(context, "de"), term_index(context, "en")
    assert set(german.vocabulary) == {"stand"}
    assert {"die", "der"} <= set(english.vocabulary)
    assert term_index(context, "de") is german
    first = [LexRank(language=code).score(context, Task(budget=1)) for code in ("de", "en")]
    assert first[0] != IDFDensity(language="en").score(context, Task(budget=1))
    assert IDFDensity(language="de").score(context, Task(budget=1)) == [0.0, 0.0]
    assert TermIndex(["Stände"], "de").query("Stand").tolist() == [1.0]


SILENT = [BM25(), BM25(neighbours=1, smoothing=1.0), TFIDF(), MMR(), Knapsack()]


@pytest.mark.parametrize("strategy", [*SILENT, Knapsack(method="exact")], ids=str)
def test_a_ranking_that_matches_nothing_says_so(strategy):
    """What it keeps is then the newest, and what went is told why."""
    context = context_of(*PARALLEL["en"]["messages"])
    task = share(context, 0.35, "Quelle heure?")
    result = strategy.compress(context, task)
    last = KeepLast().compress(context, task)
    assert set(last) <= set(result)
    assert 0 < len(result) < len(context)
    assert result.why is not None
    note = result.why(context[0])
    assert note is not None
    assert note.reason == f"{NO_MATCH}; the newest are kept"
    if isinstance(strategy, Select):
        assert result == last
    else:
        assert result[len(result) - 1] == context[11]


def test_one_match_is_enough_to_rank():
    """The reason is then the rank, as ever."""
    context = context_of(*PARALLEL["en"]["messages"])
    result = BM25().compress(context, share(context, 0.2, "Any tomatoes?"))
    assert 1 in [int(segment.source[9:]) for segment in result]
    assert result.why is not None
    note = result.why(context[11])
    assert note is not None
    assert note.reason.startswith("rank 12 of 12")


def test_without_a_question_bm25_says_that():
    """There is nothing to match, and the newest are kept; tf·idf takes the typical instead."""
    context = context_of("fish", "bread", "coffee")
    task = Task(budget=12)
    result = BM25().compress(context, task)
    assert result.why is not None
    note = result.why(context[0])
    assert note is not None
    assert note.reason == "there is no question to match; the newest are kept"
    assert TFIDF().unmatched(context, task, [0.0]) == ""


def test_what_is_pinned_stays_where_nothing_matches():
    """As everywhere: the system prompt, and then the newest."""
    messages = [Message("s", "system", "Be brief."), *map(_message, range(9))]
    context = Context.of(messages)
    result = BM25().compress(context, share(context, 0.4, "zebra"))
    assert result[0].source == "message:s"
    assert result[len(result) - 1].source == "message:m8"


@pytest.mark.parametrize("strategy", [BM25(), TFIDF(), MMR(), Knapsack()], ids=str)
def test_a_pinned_question_does_not_match_itself(strategy):
    """A chat's newest message is the question, and stays: the others are what is ranked."""
    messages = [*map(_message, range(9)), Message("q", "user", "Any zebra?", pinned=True)]
    context = Context.of(messages)
    result = strategy.compress(context, share(context, 0.4, "Any zebra?"))
    assert [segment.source for segment in result][-2:] == ["message:m8", "message:q"]
    assert result.why is not None
    assert NO_MATCH in str(result.why(context[0]))


def _message(i: int) -> Message:
    return Message(f"m{i}", "user", f"Message number {i} of nine")


@pytest.mark.parametrize(
    "strategy",
    [BM25(language="zh"), MMR(language="de"), Sentences() >> BM25(), Knapsack()],
    ids=str,
)
def test_the_laws_hold_in_any_language(strategy):
    """Stated or recognised, matching or not."""
    check_laws(strategy, examples=40)


def test_folding_leaves_english_alone():
    """Lower case is all that ASCII needs."""
    assert folded("Gate 4, İ", "en") == "gate 4, i"
    assert folded("GATE", "en") == "gate"
