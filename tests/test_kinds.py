"""Kinds of values: found in a labelled sample, with floors for precision and recall."""

from __future__ import annotations

import time
from collections import Counter
from itertools import pairwise
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ctxlab.text.kinds import Kind, values

KINDS = get_args(Kind)

# Each text with all of its values, by kind: a letter or two stand for the kind.
LETTERS = {
    "n": "number", "N": "name", "d": "date", "a": "amount", "p": "path", "u": "URL",
    "i": "identifier", "q": "quote", "s": "symbol",
}  # fmt: skip
SAMPLE: list[tuple[str, dict[str, list[str]]]] = [
    ("The hall has 63 stalls and 1,240 visitors a day.", {"n": ["63", "1,240"]}),
    ("Yesterday Mira Okoro met Jonas at the gate.", {"N": ["Mira Okoro", "Jonas"]}),
    ("The lease ends on 12 March 2026.", {"d": ["12 March 2026"]}),
    ("We paid €1,240.50 for the new roof.", {"a": ["€1,240.50"], "n": ["1,240.50"]}),
    ("Open /etc/hosts and then ~/notes/todo.md please.", {"p": ["/etc/hosts", "~/notes/todo.md"]}),
    ("See https://hall.example/stalls?id=7 for the list.",
     {"u": ["https://hall.example/stalls?id=7"]}),
    ("Ticket ORD-1042 is still open.", {"i": ["ORD-1042"]}),
    ('He said "never on a Sunday" and left.', {"q": ["never on a Sunday"]}),
    ("Call load_cases() before you run the grid.", {"s": ["load_cases"], "i": ["load_cases"]}),
    ("Das Dach kostete 1.240,50 € im Jahr 2024.", {"a": ["1.240,50 €"], "n": ["1.240,50", "2024"]}),
    ("Am 3. Oktober 2025 kam Frau Brandt in die Halle und hat nicht gefragt.",
     {"d": ["3. Oktober 2025"], "N": ["Brandt"]}),
    ("The file C:\\Users\\mira\\plan.xlsx is gone.", {"p": ["C:\\Users\\mira\\plan.xlsx"]}),
    ("Commit 3f9a1c7 broke the build.", {"i": ["3f9a1c7"]}),
    ("Her id is 550e8400-e29b-41d4-a716-446655440000.",
     {"i": ["550e8400-e29b-41d4-a716-446655440000"]}),
    ("About 40% of the bread, that is 12.5 kg, was left.", {"n": ["40%", "12.5"]}),
    ("The meeting moved from 2026-03-12 to 2026-04-01.", {"d": ["2026-03-12", "2026-04-01"]}),
    ("I asked Ilse whether Bo Lindqvist has the key.", {"N": ["Ilse", "Bo Lindqvist"]}),
    ("They owe us 300 USD and 45 euros.", {"a": ["300 USD", "45 euros"], "n": ["300", "45"]}),
    ("The function parseRow reads each `line` of it.",
     {"s": ["parseRow", "line"], "i": ["parseRow"]}),
    ("Write to ops@hall.example or call 112.", {"i": ["ops@hall.example"], "n": ["112"]}),
    ("It rains and nobody came.", {}),
    ("On March 5th we begin at 10:30.", {"d": ["March 5th"]}),
    ("The error was in src/app/main.py at line 88.", {"p": ["src/app/main.py"], "n": ["88"]}),
    ("“We are full,” said the keeper, “until six.”", {"q": ["We are full,", "until six."]}),
    ("Set MAX_RETRIES to 5 in config.toml.",
     {"s": ["MAX_RETRIES"], "i": ["MAX_RETRIES"], "n": ["5"], "p": ["config.toml"]}),
    ("Reservation M05KNL is for two people.", {"i": ["M05KNL"]}),
    ("Gift card gift_card_8887175 holds $25.",
     {"i": ["gift_card_8887175"], "a": ["$25"], "n": ["25"], "s": ["gift_card_8887175"]}),
    ("It was 12.03.2026, and it snowed.", {"d": ["12.03.2026"]}),
    ("In May 2023 the lift broke.", {"d": ["May 2023"]}),
    ("You may go in; the march was long.", {}),
    ("The temperature fell to -5 degrees.", {"n": ["-5"]}),
    ("Download www.hall.example/map.pdf, then print it.", {"u": ["www.hall.example/map.pdf"]}),
    ('{"price": 40, "city": "Bremen", "ids": [101, 202]}',
     {"n": ["40", "101", "202"], "q": ["Bremen"], "N": ["Bremen"]}),
    ("Use numpy.linalg.norm for the lengths.", {"s": ["numpy.linalg.norm"]}),
    ("The Covered Market of Bremen opens at six.", {"N": ["Covered Market of Bremen"]}),
    ("I like the either/or of it and the and/or too.", {}),
    ("Version 1.2.3 came out, not 2.0.", {"n": ["2.0"]}),
    ("Frau Weber und Herr Schulz haben die Stände gezählt, und der Rest ist bekannt.",
     {"N": ["Weber", "Schulz"]}),
    ("Die Miete ist 800 Euro, und das Geld ist da.", {"a": ["800 Euro"], "n": ["800"]}),
    ("Der Preis stieg um 3,5 Prozent.", {"n": ["3,5 Prozent"]}),
    ("Siehe „Marktordnung der Stadt“ im Anhang.", {"q": ["Marktordnung der Stadt"]}),
    ("Le marché coûte 1\u202f240 € par an.", {"a": ["1\u202f240 €"], "n": ["1\u202f240"]}),
    ("Il a dit « jamais » hier.", {"q": ["jamais"]}),
    ("Then Dr. Amara Diallo called from Accra.", {"N": ["Amara Diallo", "Accra"]}),
    ("We flew from Paris to New York with Ana.", {"N": ["Paris", "New York", "Ana"]}),
    ("The loss was $1.2 million in total.", {"a": ["$1.2 million"], "n": ["1.2"]}),
    ("Bug #4821 is a duplicate of #977.", {"i": ["#4821", "#977"]}),
    ("The digest is 9e107d9d372bb6826bd81d3542a419d6.",
     {"i": ["9e107d9d372bb6826bd81d3542a419d6"]}),
    ("Run ./build.sh and look into /var/log/.", {"p": ["./build.sh", "/var/log/"]}),
    ("The method Store.save() failed twice.", {"s": ["Store.save"]}),
    ("Between 10 and 20 people, maybe 15–18, wait.", {"n": ["10", "20", "15", "18"]}),
    ("Our train leaves at 06:45, platform 9.", {"n": ["9"]}),
    ("Ask Mira. Mira knows.", {"N": ["Mira", "Mira"]}),
    ("Monday is fine, but not Easter.", {}),
    ("Please tell Jonas that I'm late.", {"N": ["Jonas"]}),
    ("The letter of July 4, 1999 was lost.", {"d": ["July 4, 1999"]}),
    ("Due 3/14/2026, paid late.", {"d": ["3/14/2026"]}),
    ("There is `git rebase` for that.", {"s": ["git rebase"]}),
    ("The stalls pay CHF 90 each.", {"a": ["CHF 90"], "n": ["90"]}),
    ("Nothing costs less than 50 cents here.", {"a": ["50 cents"], "n": ["50"]}),
    ("Open report.pdf first, then data.csv.", {"p": ["report.pdf", "data.csv"]}),
    ("A dump lies at \\\\server\\share\\dump.sql today.", {"p": ["\\\\server\\share\\dump.sql"]}),
    ("Her answer was 'no' and nothing more.", {}),
    ("The class RowReader has a field row_count.", {"s": ["row_count"], "i": ["row_count"]}),
    ("He lives in San Sebastián with José Núñez.", {"N": ["San Sebastián", "José Núñez"]}),
    ("3,000,000 people live there; 2 of them are mine.", {"n": ["3,000,000", "2"]}),
    ("Look at http://localhost:8080/docs (the local one).", {"u": ["http://localhost:8080/docs"]}),
    ("In 1998 the market burnt down.", {"n": ["1998"]}),
    ("我们在2026年有63个摊位。", {"n": ["2026", "63"]}),
    ("The pump PX-200-B was ordered by Lena Fischer.", {"i": ["PX-200-B"], "N": ["Lena Fischer"]}),
    ("It was neither Covid-19 nor the mid-2020 rules.", {"n": []}),
    ("Invoice INV-2024-0031 over £99.99 is due on 1 Dec.",
     {"i": ["INV-2024-0031"], "a": ["£99.99"], "n": ["99.99"], "d": ["1 Dec"]}),
    ("She asked Mr. Tanaka about the Grand Hotel.", {"N": ["Tanaka", "Grand Hotel"]}),
    ("My sister Noor studies in Leiden, near The Hague.", {"N": ["Noor", "Leiden", "Hague"]}),
    ("Flight HAT136 costs 151 dollars.", {"i": ["HAT136"], "a": ["151 dollars"], "n": ["151"]}),
    ("Both ftp://files.example/a.zip and https://b.example work.",
     {"u": ["ftp://files.example/a.zip", "https://b.example"]}),
    ("(see https://en.example/wiki/Market_(hall)) and [https://c.example/x]",
     {"u": ["https://en.example/wiki/Market_(hall)", "https://c.example/x"]}),
    ("Der Link ist https://markt.example/karte#ost.", {"u": ["https://markt.example/karte#ost"]}),
    ("wss://feed.example/v2 answers, http://10.0.0.7/ does not.",
     {"u": ["wss://feed.example/v2", "http://10.0.0.7/"]}),
    ('They wrote "closed", then "sold out", on the door.', {"q": ["closed", "sold out"]}),
    ("She called it ‘the cold room’ for years.", {"q": ["the cold room"]}),
    ("看「市场规则」那一页。", {"q": ["市场规则"]}),
    ('The 6" pipe and the 5 o\'clock bell are old.', {"n": ["6", "5"]}),
    ("We call max() and then df.groupby(key) on it.", {"s": ["max", "df.groupby"]}),
    ("HTTP_PROXY was unset and getUserName returned null.",
     {"s": ["HTTP_PROXY", "getUserName"], "i": ["HTTP_PROXY", "getUserName"]}),
    ("The bus (number 12) stops here, e.g. at noon.", {"n": ["12"]}),
    ("I think (and hope) that Priya agrees.", {"N": ["Priya"]}),
    ("Our plan for Kraków: eat, sleep, repeat.", {"N": ["Kraków"]}),
    ("The total is 12.400 Euro, also mehr als im Vorjahr.",
     {"a": ["12.400 Euro"], "n": ["12.400"]}),
    ("lib/utils/io.ts imports ../shared/types.ts twice.",
     {"p": ["lib/utils/io.ts", "../shared/types.ts"]}),
    ("Her score of 9/10 beats mine, 7.5.", {"n": ["9", "10", "7.5"]}),
    ("On 2 February he sold 300 loaves to the Harbour Café.",
     {"d": ["2 February"], "n": ["300"], "N": ["Harbour Café"]}),
    # Written after the rules.
    ("The kiosk sold 2,317 tickets, 18% more than in 2019.", {"n": ["2,317", "18%", "2019"]}),
    ("Can you forward this to Helena Marsh before Friday?", {"N": ["Helena Marsh"]}),
    ("Payment of 89.90 EUR received on 17.11.2025.",
     {"a": ["89.90 EUR"], "n": ["89.90"], "d": ["17.11.2025"]}),
    ("I moved the logs to /srv/backup/2024/app.log yesterday.",
     {"p": ["/srv/backup/2024/app.log"]}),
    ("Docs live at https://docs.example.org/v3/api#auth, I think.",
     {"u": ["https://docs.example.org/v3/api#auth"]}),
    ("Your case number is CS-88213-B.", {"i": ["CS-88213-B"]}),
    ("The sign says “Beware of the geese” in red.", {"q": ["Beware of the geese"]}),
    ("Then tokenizer.encode(text) raised ValueError.", {"s": ["tokenizer.encode"]}),
    ("My flight UA1247 was moved to gate 22B.", {"i": ["UA1247"]}),
    ("Die Rechnung über 2.499,00 EUR ist seit dem 5. Januar offen.",
     {"a": ["2.499,00 EUR"], "n": ["2.499,00"], "d": ["5. Januar"]}),
    ("Herr Yilmaz hat mit der Werkstatt telefoniert.", {"N": ["Yilmaz"]}),
    ("Set the env var DATABASE_URL and restart.", {"s": ["DATABASE_URL"], "i": ["DATABASE_URL"]}),
    ("We met Carlos and his dog Pixel in Lisbon last summer.",
     {"N": ["Carlos", "Pixel", "Lisbon"]}),
    ("It took 3.5 hours and cost about $60.", {"n": ["3.5", "60"], "a": ["$60"]}),
    ("The checksum d41d8cd98f00b204e9800998ecf8427e matches.",
     {"i": ["d41d8cd98f00b204e9800998ecf8427e"]}),
    ("She was born on August 9, 1987 in Toronto.", {"d": ["August 9, 1987"], "N": ["Toronto"]}),
    ("Please rename old_name to newName everywhere.",
     {"s": ["old_name", "newName"], "i": ["old_name", "newName"]}),
    ("Open D:\\data\\raw\\input.csv in Excel.",
     {"p": ["D:\\data\\raw\\input.csv"], "N": ["Excel"]}),
    ("He replied “maybe”, which means no.", {"q": ["maybe"]}),
    ('{"total": 1299.99, "currency": "USD", "items": 3}', {"n": ["1299.99", "3"], "q": ["USD"]}),
    ("The budget is between 5k and 10k euros.", {"a": ["10k euros"], "n": ["10"]}),
    ("Run pip install -r requirements.txt first.", {"p": ["requirements.txt"]}),
    ("Our office at 221 Baker Street is closed.", {"n": ["221"], "N": ["Baker Street"]}),
    ("I read Dune and loved it; my sister prefers Emma.", {"N": ["Dune", "Emma"]}),
    ("Contact billing@corp.example or visit www.corp.example/help.",
     {"i": ["billing@corp.example"], "u": ["www.corp.example/help"]}),
    ("The patch is in src/core/engine.rs and tests/test_engine.py.",
     {"p": ["src/core/engine.rs", "tests/test_engine.py"]}),
    ("We lost £1.5 million in Q3.", {"a": ["£1.5 million"], "n": ["1.5"]}),
    ("On the 21st of June we leave for Oslo.", {"d": ["21st of June"], "N": ["Oslo"]}),
    ("PR #312 closes issue #298.", {"i": ["#312", "#298"]}),
    ("Thanks! See you at 7:30 tomorrow.", {}),
    ("The `retry` flag is off; call client.reset() twice.", {"s": ["retry", "client.reset"]}),
    ("Population: 83.2 million; area: 357,022 km2.", {"n": ["83.2", "357,022"]}),
    ("Le rendez-vous est le 2026-01-30 à Lyon avec Mme Petit.",
     {"d": ["2026-01-30"], "N": ["Lyon", "Petit"]}),
    ("Session id 7b2e9f10-4c3d-4e5f-8a9b-0c1d2e3f4a5b expired.",
     {"i": ["7b2e9f10-4c3d-4e5f-8a9b-0c1d2e3f4a5b"]}),
    ("You owe Priya ¥3000 for the dinner at Sakura House.",
     {"N": ["Priya", "Sakura House"], "a": ["¥3000"], "n": ["3000"]}),
    ("Er sagte: „Morgen ist zu spät.“", {"q": ["Morgen ist zu spät."]}),
    ("Traceback in std::vector and os.path.join again.", {"s": ["os.path.join"]}),
]  # fmt: skip


def judged(kind: str) -> tuple[int, int, int, list[tuple[str, str]]]:
    """Return how many values were found, found rightly, and labelled, and every fault."""
    found_all = right = labelled = 0
    faults = []
    for text, labels in SAMPLE:
        expected = Counter(
            label for letter, of in labels.items() if LETTERS[letter] == kind for label in of
        )
        found = Counter(one.text for one in values(text, kind))
        right += sum((found & expected).values())
        found_all += found.total()
        labelled += expected.total()
        faults += [("found", one) for one in (found - expected).elements()]
        faults += [("missed", one) for one in (expected - found).elements()]
    return found_all, right, labelled, faults


@pytest.mark.parametrize("kind", KINDS)
def test_precision_and_recall_on_the_labelled_sample(kind):
    """Of every kind, nine in ten that are found are right, and nine in ten are found."""
    found, right, labelled, faults = judged(kind)
    assert labelled >= 8, kind
    assert right / found >= 0.9, (f"precision {right}/{found}", faults)
    assert right / labelled >= 0.9, (f"recall {right}/{labelled}", faults)


def test_the_sample_is_large_enough():
    """Sixty sentences, no two alike."""
    assert len({text for text, _ in SAMPLE}) >= 60


def test_speakers_are_names_wherever_they_stand():
    """Who speaks is known, even where the name begins a sentence."""
    assert [one.text for one in values("Mira has it. Ask.", "name")] == []
    assert [one.text for one in values("Mira has it. Ask.", "name", ("Mira",))] == ["Mira"]


@given(st.text(max_size=200), st.sampled_from(KINDS))
def test_what_is_found_stands_there(text, kind):
    """Every value is the text of its range, and ranges of one kind do not overlap."""
    found = values(text, kind)
    assert all(text[one.start : one.end] == one.text and one.text for one in found)
    assert all(a.end <= b.start for a, b in pairwise(found))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("unit", ["a", "1,", "/a", "A b ", '"', "a_", "1.240 € ", "Ab ", "a.", "("])
def test_the_time_is_linear(unit, kind):
    """No text of 40,000 characters takes more than a second."""
    text = unit * (40_000 // len(unit))
    start = time.process_time()
    values(text, kind, ("A", "Ab"))
    assert time.process_time() - start < 1
