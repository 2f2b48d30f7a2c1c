"""Every family of faults, played on real files by a seeded schedule: nothing is lost.

A family is a file ``family_*.py`` here. The short mode is part of the suite and costs seconds; the
middle one (``CTXLAB_FAULTS=middle``) is a step of `.ci/run`; the long one
(``CTXLAB_HYPOTHESIS=nightly``) acknowledges at least ten thousand writes.
"""

from __future__ import annotations

import importlib
from pathlib import Path

import pytest
from harness import LONG, MODE, schedule

FAMILIES = sorted(file.stem for file in Path(__file__).parent.glob("family_*.py"))


@pytest.mark.slow
@pytest.mark.parametrize("name", FAMILIES)
def test_nothing_that_was_acknowledged_is_lost(name, tmp_path, zygote, tally_of):
    """And every error that somebody meets says what to do."""
    family = importlib.import_module(name)
    tally = tally_of(family.NAME)
    for number in range(family.TRIES[MODE]):
        folder = tmp_path / str(number)
        folder.mkdir()
        family.play(folder, schedule(name, number), zygote, tally)
        tally.tries += 1
    assert tally.lost == []
    assert tally.unclear == []
    assert tally.acknowledged or not LONG
