"""Faces of single values as sanitizer-safe HTML: strategies, metrics, cases, recipes, stores."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from ctxlab.core.cases import Case, Probe
from ctxlab.core.ledger import Fate
from ctxlab.core.metric import Metric
from ctxlab.core.recipe import Recipe
from ctxlab.core.strategy import Strategy
from ctxlab.display.conversation_views import context_html
from ctxlab.display.escaping import named, safe, short
from ctxlab.display.look import BAD, FATES, FRAME, GOOD, QUIET, WRAP, facts, fold, table

if TYPE_CHECKING:
    from ctxlab.workshop.life_cycle import StepStatus

_PROBES = 200


def strategy_html(strategy: Strategy) -> str:
    """Return a strategy as a diagram of its stages, with what each promises and takes.

    Examples
    --------
    >>> from ctxlab.strategies import BM25, KeepLast
    >>> strategy_html(BM25() >> KeepLast()).count("→")
    1
    """
    boxes = [_stage(stage) for stage in strategy.stages or (strategy,)]
    arrow = f"<span style='{QUIET};margin:0 .4em'>→</span>"
    return f"<div>{arrow.join(boxes)}</div>"


def _stage(stage: Strategy) -> str:
    traits = stage.traits
    told = [traits.family]
    told += ["sees the question"] if traits.query_aware else []
    told += [f"needs {traits.needs}"] if traits.needs else []
    told += ["sees the gold evidence"] if traits.gold else []
    told.append("keeps to the budget" if traits.honours_budget else "aims at no budget")
    told += ["lossless"] if traits.lossless else []
    box = (
        f"display:inline-block;vertical-align:top;{FRAME};"
        "border-radius:4px;padding:.3em .7em;margin:.2em 0;max-width:24em"
    )
    source = f"<div style='{QUIET}'>{safe(short(traits.source, 90))}</div>" if traits.source else ""
    return (
        f"<div style='{box}'><b>{named(str(stage))}</b>"
        f"<div style='{QUIET}'>{safe(' · '.join(told))}</div>{source}</div>"
    )


def metric_html(metric: Metric) -> str:
    """Return a metric: what it is called, its unit, its direction, what it is of.

    Examples
    --------
    >>> from ctxlab.metrics.availability import AllEvidence
    >>> "higher is better" in metric_html(AllEvidence())
    True
    """
    traits = metric.traits
    return f"<b>{named(metric.name)}</b>" + facts(
        {
            "title": safe(traits.title),
            "unit": f"{safe(traits.unit)}, {traits.better} is better",
            "of": "a run and a probe" if traits.per == "probe" else "a run",
        }
    )


def recipe_html(recipe: Recipe) -> str:
    """Return a recipe: its budget and encoding, and its strategy as a diagram.

    Examples
    --------
    >>> from ctxlab.strategies import KeepLast
    >>> "8k" in recipe_html(Recipe(strategy=KeepLast(), budget="8k"))
    True
    """
    told = {
        "budget": safe(recipe.budget),
        "encoding": safe(recipe.encoding),
        "seed": str(recipe.seed),
        "written by": f"ctxlab {safe(recipe.ctxlab)}",
    }
    head = f"<b>Recipe</b> {safe(short(recipe.name, 90))}"
    return f"<div>{head}{facts(told)}{strategy_html(recipe.strategy)}</div>"


def case_html(case: Case) -> str:
    """Return a conversation: who speaks how often, the questions, and the messages, folded.

    Examples
    --------
    >>> from ctxlab.testing import sample_case
    >>> "12 user" in case_html(sample_case())
    True
    """
    roles = Counter(message.role for message in case.messages)
    told = {
        "messages": ", ".join(f"{count:,} {role}" for role, count in roles.most_common()),
        "probes": f"{len(case.probes):,}"
        + "".join(f" · {safe(name)} {count:,}" for name, count in _categories(case.probes)),
    }
    head = f"<b>Case</b> <code>{safe(short(case.id, 90))}</code> of {safe(short(case.dataset, 90))}"
    asked = table(["question", "answer", "evidence"], map(_row, case.probes[:_PROBES]), left=3)
    if len(case.probes) > _PROBES:
        asked += f"<p style='{QUIET}'>{len(case.probes) - _PROBES:,} more in .probes</p>"
    parts = [fold("the probes", asked)] if case.probes else []
    parts.append(fold("the messages", context_html(case.context())))
    return f"<div>{head}{facts(told)}{''.join(parts)}</div>"


def _categories(probes: Iterable[Probe]) -> list[tuple[str, int]]:
    return Counter(probe.category for probe in probes if probe.category).most_common(8)


def _row(probe: Probe) -> list[str]:
    evidence = short(", ".join(probe.evidence), 60)
    return [safe(short(probe.question, 200)), safe(short(probe.answer, 120)), safe(evidence)]


def probe_html(probe: Probe) -> str:
    """Return a probe: its question, its answer, and what proves it.

    Examples
    --------
    >>> "314" in probe_html(Probe("p1", "How many?", "314", ("m7",)))
    True
    """
    mode = " (any one of them)" if probe.evidence_mode == "any" else ""
    told = {
        "question": f"<span style='{WRAP}'>{safe(probe.question)}</span>",
        "answer": f"<b style='{WRAP}'>{safe(probe.answer)}</b>",
        "evidence": safe(short(", ".join(probe.evidence), 200)) + mode,
        "category": safe(probe.category),
        "asked before": safe(probe.at or ""),
    }
    head = f"<b>Probe</b> <code>{safe(probe.id)}</code>"
    return head + facts({name: fact for name, fact in told.items() if fact})


def verdicts_html(budgets: Sequence[str], sentences: Sequence[str], words: Sequence[str]) -> str:
    """Return comparisons, a sentence each, with whether it is decisive in a word.

    Parameters
    ----------
    budgets, sentences, words : sequence of str
        Where each was made, what was seen, and its verdict.

    Examples
    --------
    >>> "not decisive" in verdicts_html(["10%"], ["A leads B."], ["not decisive"])
    True
    """
    colors = {"decisive": GOOD, "no interval": BAD, "suggestive": FATES[Fate.TRIMMED]}
    rows = [
        [safe(budget), f"<b style='color:{colors.get(word, 'inherit')}'>{word}</b>", safe(sentence)]
        for budget, sentence, word in zip(budgets, sentences, words, strict=True)
    ]
    return table(["budget", "verdict", "what was seen"], rows, left=3)


def workshop_html(title: str, states: Sequence[StepStatus]) -> str:
    """Return a workshop: its steps with their status and phase.

    Examples
    --------
    >>> "Retro" in workshop_html("Retro", [])
    True
    """
    colors = {"complete": GOOD, "in_progress": FATES[Fate.REWRITTEN], "needs_regeneration": BAD}
    rows = [
        [
            safe(one.step),
            f"<span style='color:{colors.get(one.status, 'inherit')}'>"
            f"{safe(one.status.replace('_', ' '))}</span>",
            safe(one.arc_phase.value if one.arc_phase else ""),
        ]
        for one in states
    ]
    done = sum(one.status == "complete" for one in states)
    head = f"<b>Workshop</b> {safe(short(title, 120))}: {done} of {len(states)} steps complete"
    return head + table(["step", "status", "phase"], rows, left=3)


def store_html(path: str, counts: Mapping[str, int]) -> str:
    """Return a store as HTML: its path and the rows of every table.

    Examples
    --------
    >>> "chat_messages" in store_html("lab.duckdb", {"chat_messages": 9})
    True
    """
    rows = ([safe(name), f"{size:,}"] for name, size in counts.items())
    return f"<b>Store</b> <code>{safe(path)}</code>{table(['table', 'rows'], rows)}"
