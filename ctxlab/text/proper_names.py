"""Proper names in prose, by capitals and titles: no model, and no list of names."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from ctxlab.text.normalised import MONTHS
from ctxlab.text.sentences import sentence_ranges

_CAPITAL = r"(?:(?:O|D|L|d)['’]|Mc|Mac)?[A-ZÀ-ÖØ-Þ][a-zß-öø-ÿ]+(?:[-'’][A-ZÀ-ÖØ-Þ][a-zß-öø-ÿ]+)*"
_JOINT = r"(?:of|the|de|del|della|der|den|da|di|du|la|le|van|von|bin|al)"
_PART = rf"(?:{_CAPITAL}|[A-Z]\.(?=[ \u00a0][A-Z]))"
_SEQUENCE = re.compile(
    rf"(?<![\w@#/_.\\-]){_PART}(?:[ \u00a0](?:(?:{_JOINT}[ \u00a0]){{1,2}})?{_PART})*"
    r"(?![\w@(_/\\]|[.:-]\w)"
)
_JOINED = re.compile(rf"\s{_JOINT}\s")
_TITLE = re.compile(
    r"^(?:Mr|Mrs|Ms|Dr|Prof|Sir|Lady|Herr|Frau|Professor|Doctor|President|Captain|Aunt|Uncle|"
    r"Mme|Señora?)\b\.?\s*"
)
_TITLE_BEFORE = re.compile(r"(?:\b(?:Mr|Mrs|Ms|Dr|Prof|St)\.|\b(?:Herr|Herrn|Frau|Sir|Lady))\s$")
_OPENERS = frozenset('"“„«')
_LABEL = re.compile(r"[*_]{0,2}:")
# None of them is an English word as well.
_GERMAN = re.compile(
    r"\b(?:der|das|des|dem|und|ist|sind|nicht|ein|eine|einen|einem|mit|für|auf|im|um|zu|zur|zum|"
    r"wir|ich|sie|haben|wird|von|bei|sich|auch|noch|über|als|oder)\b",
    re.IGNORECASE,
)
# What begins with a capital wherever it stands, or often begins a sentence, and names nobody.
_COMMON_WORDS = """
a an the this that these those i i'm i'll i've i'd he she it we you they there here who what when
where which why how if as at by for from in into of on or and but so then than to with yes no not
please thanks thank hello hi hey dear ok okay oh well also after before during since until while
because although however yesterday today tomorrow tonight now later first next last finally see
let let's can could should would will may might must do does did is are was were have has had my
your his her its our their all any both each every some many most few one two three four five six
seven eight nine ten another other such only just even still yet our about above ask call check
note good great sorry sure maybe perhaps once again never wow yeah yep nope sure haha cool nice
awesome glad cheers congrats congratulations thx lol alright gosh omg whoa aw aww ah absolutely
definitely exactly totally right hmm sounds good always often run open use add get set make take
give go come look send put monday tuesday wednesday thursday friday saturday sunday mondays
tuesdays wednesdays thursdays fridays saturdays sundays montag dienstag mittwoch donnerstag
freitag samstag sonnabend sonntag der die das ein eine und aber wenn wir ich er sie es ihr sein
mein dein bitte danke ja nein am im um an auf mit bei nach vor seit gestern heute morgen hier dort
dann auch christmas easter english german french spanish italian dutch chinese japanese american
british
"""
_COMMON = frozenset(_COMMON_WORDS.split()) | frozenset(MONTHS)


def name_ranges(text: str, speakers: Sequence[str] = ()) -> Iterator[tuple[int, int]]:
    """Yield the ranges of proper names in `text`, in order.

    A name is a sequence of capitalised words that does not begin a sentence; a title before it
    is not part of it. Where the first word of a sentence begins a longer sequence, or stands
    as a name elsewhere in the text, it counts unless it is a common one. In German, where all
    nouns are capitalised, only what follows a title, or a speaker, is a name.

    Parameters
    ----------
    text : str
        Prose.
    speakers : sequence of str
        Names that are known: found wherever they stand.

    Examples
    --------
    >>> text = "Yesterday Mira Okoro met Dr. Ilse Brandt at the Covered Market."
    >>> [text[start:end] for start, end in name_ranges(text)]
    ['Mira Okoro', 'Ilse Brandt', 'Covered Market']
    """
    german = len(_GERMAN.findall(text)) * 8 >= len(text.split())
    starts = {_first_letter(text, start, end) for start, end in sentence_ranges(text)}
    certain: set[str] = set()
    doubtful: list[tuple[int, int]] = []
    found: list[tuple[int, int]] = []
    for match in _SEQUENCE.finditer(text):
        for start, end in _named(text, *match.span()):
            titled = bool(_TITLE_BEFORE.search(text[max(0, start - 8) : start]))
            if german and not titled:
                continue
            # In data, every string begins anew; at the beginning of a line, a colon ends a label.
            opens = start in starts or text[start - 1 : start] in _OPENERS
            if opens and _LABEL.match(text, end):
                continue
            if opens and " " not in text[start:end] and not titled:
                doubtful.append((start, end))
            else:
                found.append((start, end))
                certain.update(text[start:end].split())
    found += [(start, end) for start, end in doubtful if text[start:end] in certain]
    last = 0
    # Of a speaker's name and a longer one around it, the longer one counts.
    for start, end in sorted([*found, *_known(text, speakers)], key=lambda r: (r[0], -r[1])):
        if start >= last:
            yield start, end
            last = end


def _known(text: str, speakers: Sequence[str]) -> list[tuple[int, int]]:
    names = sorted({name for name in speakers if name.strip()}, key=len, reverse=True)
    if not names or not any(name in text for name in names):
        return []
    pattern = "|".join(map(re.escape, names))
    return [m.span() for m in re.finditer(rf"(?<!\w)(?:{pattern})(?!\w)", text)]


def _named(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    """Yield the names in a sequence of capitalised words: without titles and common words."""
    title = _TITLE.match(text[start:end])
    while title and title.end():
        start += title.end()
        title = _TITLE.match(text[start:end])
    words = [(start + m.start(), start + m.end()) for m in re.finditer(r"\S+", text[start:end])]
    run: list[tuple[int, int]] = []
    for a, b in [*words, (end, end)]:
        word = text[a:b]
        plain = word.lower().replace("’", "'").removesuffix("'s")
        if a < b and (plain not in _COMMON or (run and _JOINED.fullmatch(f" {word} "))):
            run.append((a, b))
            continue
        if run:
            yield from _trimmed(text, run)
        run = []


def _trimmed(text: str, run: list[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    """Yield a run of words as one name, without small words and initials at its ends."""
    while run and not text[run[-1][0]].isupper():
        run = run[:-1]
    while run and not text[run[0][0]].isupper():
        run = run[1:]
    if run and any(b - a > 2 for a, b in run):
        yield run[0][0], run[-1][1]


def _first_letter(text: str, start: int, end: int) -> int:
    while start < end and not text[start].isalnum():
        start += 1
    return start
