"""What a comparison comes to, in plain words, as sanitizer-safe HTML."""

from __future__ import annotations

from ctxlab.bench.choosing import Choice, Choices
from ctxlab.bench.results_views import ResultsViews
from ctxlab.core.ledger import Fate
from ctxlab.display.escaping import named, safe
from ctxlab.display.leaderboards import leaderboard_html
from ctxlab.display.look import FATES, GOOD, QUIET, fold


def choices_html(choices: Choices) -> str:
    """Return the answers: what to take, the lead with its interval, the cost, what is open.

    Examples
    --------
    >>> from ctxlab.testing import sample_results
    >>> "not decisive" in choices_html(sample_results().choose())
    True
    """
    if not choices.choices:
        return f"<p>{safe(choices.sentences[0])}</p>"
    return f"<div>{''.join(_answer(choice) for choice in choices)}</div>"


def _answer(choice: Choice) -> str:
    color = GOOD if choice.decisive else FATES[Fate.TRIMMED]
    sees = "where the question is known" if choice.row.query_aware else "without the question"
    first, *rest = choice.sentences
    head = f"<b>{sees.capitalize()}: {named(choice.strategy)} at {safe(choice.budget)}</b>"
    word = f"<b style='color:{color}'>{safe(choice.against.verdict)}</b>"
    more = "".join(f"<div style='{QUIET}'>{safe(each)}</div>" for each in rest)
    return (
        f"<div style='border-left:3px solid {color};padding:.2em .8em;margin:.4em 0'>"
        f"{head} · {word}<div>{safe(first)}</div>{more}</div>"
    )


def results_html(results: ResultsViews) -> str:
    """Return results: the answers, then the leaderboard of the largest budget, the others folded.

    Examples
    --------
    >>> from ctxlab.testing import sample_results
    >>> "Budget 40%" in results_html(sample_results())
    True
    """
    board = results.leaderboard()
    measured = any(row.shown.mean is not None for row in board.rows())
    head = choices_html(results.choose()) if measured else ""
    told = fold("how to read it", _reading(board.metric, board.baseline))
    return f"<div>{head}{leaderboard_html(board)}{told}</div>"


def _reading(metric: str, baseline: str) -> str:
    return (
        f"<p>Ranked by {named(metric)}; leads, p and colours are against {named(baseline)}. "
        "The bar is the mean with its 95 % interval over conversations. Availability says what is "
        "still in the context, not that a model would use it.</p>"
    )
