"""Errata of public datasets: gold that is known to be wrong, with who reported it and where.

A dataset is read as it was published. Under its name with ``+errata`` the same conversations
carry the corrected gold, as a dataset of their own, so that both figures stand side by side.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Iterator
from dataclasses import replace
from functools import cache
from pathlib import Path

from ctxlab.core.cases import Case, Probe
from ctxlab.core.segments import Value

SUFFIX = "+errata"
"""What a dataset's name ends in where its gold is the corrected one."""


class Erratum(Value):
    """Gold that is wrong, and what it should be.

    Parameters
    ----------
    dataset, case, question : str
        Where it stands; the question in the words of the dataset.
    published : str
        The answer as published. Gold of another answer is left alone: somebody corrected it.
    answer : str, optional
        The right answer; the published one when not given.
    evidence : tuple of str, optional
        The right evidence; what was published when not given.
    withdrawn : bool
        Nothing in the conversation answers the question: it is not asked.
    source : str
        Who reported it.

    Examples
    --------
    >>> errata("locomo")[0].source
    'https://github.com/snap-research/locomo/issues/27'
    """

    dataset: str
    case: str
    question: str
    published: str
    answer: str | None = None
    evidence: tuple[str, ...] | None = None
    withdrawn: bool = False
    source: str


@cache
def errata(dataset: str) -> tuple[Erratum, ...]:
    """Return the errata of a dataset that ctxlab knows.

    Examples
    --------
    >>> errata("agent-run")
    ()
    """
    text = Path(__file__).with_name("errata.toml").read_text(encoding="utf-8")
    every = (Erratum(**one) for one in tomllib.loads(text)["erratum"])
    return tuple(one for one in every if one.dataset == dataset)


def corrected(cases: Iterable[Case], known: Iterable[Erratum]) -> Iterator[Case]:
    """Yield cases with their gold corrected, as cases of the dataset with ``+errata``.

    Examples
    --------
    >>> from ctxlab.core.segments import Message
    >>> case = Case("c", "d", (Message("m1", "user", "5 km"),), (Probe("q", "How far?", "6 km"),))
    >>> wrong = Erratum(dataset="d", case="c", question="How far?", published="6 km",
    ...                 answer="5 km", evidence=("m1",), source="a report")
    >>> fixed = next(corrected([case], [wrong]))
    >>> fixed.dataset, fixed.probes[0].answer
    ('d+errata', '5 km')
    """
    table = {(one.case, one.question, one.published): one for one in known}
    for case in cases:
        probes: list[Probe] = []
        for probe in case.probes:
            wrong = table.get((case.id, probe.question, probe.answer))
            if wrong is None:
                probes.append(probe)
            elif not wrong.withdrawn:
                answer = probe.answer if wrong.answer is None else wrong.answer
                evidence = probe.evidence if wrong.evidence is None else wrong.evidence
                probes.append(replace(probe, answer=answer, evidence=evidence))
        yield replace(case, dataset=f"{case.dataset}{SUFFIX}", probes=tuple(probes))
