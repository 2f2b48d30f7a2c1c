"""The table of the faults that were played, at the end of the run."""

from __future__ import annotations

import pytest

TALLIES = pytest.StashKey[list]()
TITLES = ("family", "tries", "acknowledged", "lost", "unclear errors")


@pytest.fixture(scope="session")
def zygote():
    from harness import Zygote

    zygote = Zygote()
    yield zygote
    zygote.close()


@pytest.fixture
def tally_of(request):
    from harness import Tally

    def make(family: str) -> Tally:
        made = Tally(family)
        request.config.stash.setdefault(TALLIES, []).append(made)
        return made

    return make


def pytest_terminal_summary(terminalreporter, config):
    tallies = config.stash.get(TALLIES, [])
    if not tallies:
        return
    rows = [TITLES, *(tally.row() for tally in tallies)]
    total = [sum(int(row[i].replace(",", "")) for row in rows[1:]) for i in range(1, 5)]
    rows.append(("all", *(f"{n:,}" for n in total)))
    widths = [max(len(row[i]) for row in rows) for i in range(5)]
    terminalreporter.section("faults")
    for name, *cells in rows:
        padded = [cell.rjust(width) for cell, width in zip(cells, widths[1:], strict=True)]
        terminalreporter.write_line("  ".join([name.ljust(widths[0]), *padded]))
