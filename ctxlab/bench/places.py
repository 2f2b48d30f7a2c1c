"""Where in a conversation the evidence of a probe stands."""

from __future__ import annotations

from collections.abc import Mapping

from ctxlab.bench.leaderboard import Leaderboard
from ctxlab.core.cases import Case

POSITIONS = ("first fifth", "second fifth", "third fifth", "fourth fifth", "last fifth")
"""Of the whole conversation."""


def labels_by_position(
    board: Leaderboard, cases: Mapping[tuple[str, str], Case]
) -> list[str | None]:
    """Return in which fifth of the conversation the oldest evidence of each probe stands.

    None for a probe without evidence.

    Examples
    --------
    >>> from ctxlab.testing import sample_results
    >>> results = sample_results()
    >>> labels_by_position(results.leaderboard(), results.cases)
    ['first fifth', 'second fifth', 'third fifth']
    """
    found = {}
    for key, case in cases.items():
        places = {message.id: at for at, message in enumerate(case.messages)}
        for probe in case.probes:
            oldest = min((places[name] for name in probe.evidence), default=None)
            fifth = None if oldest is None else POSITIONS[5 * oldest // len(case.messages)]
            found[(*key, probe.id)] = fifth
    names = board.measured.probes.select("dataset", "case_id", "probe_id")
    return [found[name] for name in names.iter_rows()]
