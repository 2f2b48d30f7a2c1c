"""How faces look: inline styles that a sanitizer leaves, colours that bear light and dark."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from ctxlab.core.ledger import Fate

# JupyterLab strips `var(--jp-…)` from what it does not trust; what inherits the theme's own
# colour, or is see-through, follows the theme everywhere.
QUIET = "opacity:.7"
LINE = "border-bottom:1px solid rgba(128,128,128,.3)"
FRAME = "border:1px solid rgba(128,128,128,.5)"
TRACK = "background-color:rgba(128,128,128,.2)"
WRAP = "white-space:pre-wrap;overflow-wrap:anywhere"
FATES: Mapping[Fate, str] = {
    Fate.KEPT: "#388e3c",
    Fate.TRIMMED: "#b26a00",
    Fate.REWRITTEN: "#1976d2",
    Fate.DROPPED: "#d32f2f",
}
"""A colour each; every place that uses one says the word, too."""
TIERS: Mapping[str, str] = {
    "short-term": "#1976d2",
    "long-term": "#b26a00",
    "persistent": "#388e3c",
}
GOOD, BAD = FATES[Fate.KEPT], FATES[Fate.DROPPED]


def table(heads: Sequence[str], rows: Iterable[Sequence[str]], left: int = 1) -> str:
    """Return a table of cells that are HTML; the first `left` columns stand at the left.

    Examples
    --------
    >>> table(["tier"], [["persistent"]]).count("<tr")
    2
    """

    def line(cells: Sequence[str], tag: str) -> str:
        sides = ("left" if at < left else "right" for at in range(len(cells)))
        inner = "".join(
            f"<{tag} style='text-align:{side};padding:.15em .6em;vertical-align:top'>{cell}</{tag}>"
            for side, cell in zip(sides, cells, strict=True)
        )
        return f"<tr style='{LINE}'>{inner}</tr>"

    body = "".join(line(row, "td") for row in rows)
    return f"<table style='border-collapse:collapse'>{line(heads, 'th')}{body}</table>"


def bar(share: float, color: str, over: bool = False) -> str:
    """Return a horizontal bar: a share of its room, 0 to 1, and red at its end where it is over.

    Examples
    --------
    >>> "width:50.0%" in bar(0.5, "#388e3c")
    True
    """
    width = 100 * min(1.0, max(0.0, share))
    edge = f"border-right:4px solid {BAD};" if over else ""
    return (
        f"<div style='width:12em;height:.7em;{TRACK}'>"
        f"<div style='width:{width:.1f}%;height:.7em;background-color:{color};{edge}'></div></div>"
    )


def facts(pairs: Mapping[str, str]) -> str:
    """Return names with values that are HTML, as a quiet line each.

    Examples
    --------
    >>> "budget" in facts({"budget": "8k"})
    True
    """
    rows = "".join(
        f"<tr><td style='text-align:left;padding:.1em 1em .1em 0;vertical-align:top;{QUIET}'>{k}"
        f"</td><td style='text-align:left;padding:.1em 0'>{v}</td></tr>"
        for k, v in pairs.items()
    )
    return f"<table style='border-collapse:collapse'>{rows}</table>"


def fold(summary: str, body: str) -> str:
    """Return what can be unfolded; both are HTML.

    Examples
    --------
    >>> fold("more", "text")
    '<details><summary>more</summary>text</details>'
    """
    return f"<details><summary>{summary}</summary>{body}</details>"
