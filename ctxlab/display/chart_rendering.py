"""Charts that show live, reopened and offline: compiled Vega 5 with a PNG beside it."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ctxlab.bench.leaderboard import Leaderboard
from ctxlab.core.metric import MetricTraits
from ctxlab.errors import SpecError

if TYPE_CHECKING:
    import altair as alt
    import polars as pl

RENDERER = "ctxlab"
"""The name that the renderer is registered under with altair."""

# Okabe & Ito's palette without its yellow, then Tol's: colour-blind readers can tell them apart.
PALETTE = (
    "#0072B2", "#D55E00", "#009E73", "#CC79A7", "#56B4E9", "#E69F00", "#a6761d",
    "#882255", "#44AA99", "#999933", "#6666cc", "#AA4499", "#117733",
)  # fmt: skip
SHAPES = ("circle", "square", "triangle-up", "diamond", "cross", "triangle-down", "triangle-right")
"""Marks that tell strategies apart where there is no colour."""
QUIET = "#8c8c8c"
INK = "#808080"
"""Words that read on white and on a dark page: charts have no ground of their own."""
_VEGA = "https://vega.github.io/schema/vega/v5.json"


@dataclass(frozen=True, repr=False)
class LabChart:
    """A chart with the frame that it is drawn from.

    Parameters
    ----------
    chart : altair chart
        To be changed further, where somebody likes to.
    frame : polars.DataFrame
        Every row that is shown, in full.

    Examples
    --------
    >>> from ctxlab.testing import sample_results
    >>> sample_results().curve().frame["strategy"][0]
    'Oracle()'
    """

    chart: Any
    frame: pl.DataFrame

    def to_dict(self) -> dict[str, Any]:
        """Return the Vega-Lite specification.

        Examples
        --------
        >>> from ctxlab.testing import sample_results
        >>> "layer" in sample_results().curve().to_dict()
        True
        """
        spec: dict[str, Any] = self.chart.to_dict()
        return spec

    def save(self, path: str | Path) -> Path:
        """Write the chart: PNG or SVG with a white ground, or the specification as JSON.

        Raises
        ------
        SpecError
            When the ending is none of these.

        Examples
        --------
        >>> from ctxlab.testing import sample_results
        >>> sample_results().curve().save("curve.gif")
        Traceback (most recent call last):
        ctxlab.errors.SpecError: a chart is written as .png, .svg or .json, not '.gif'
        """
        import vl_convert

        target, spec = Path(path), {**self.to_dict(), "background": "white"}
        text = json.dumps(spec)
        match target.suffix:
            case ".png":
                target.write_bytes(vl_convert.vegalite_to_png(text, scale=2))
            case ".svg":
                target.write_text(vl_convert.vegalite_to_svg(text), encoding="utf-8")
            case ".json":
                target.write_text(text, encoding="utf-8")
            case ending:
                problem = f"a chart is written as .png, .svg or .json, not {ending!r}"
                raise SpecError(problem)
        return target

    def __repr__(self) -> str:
        return f"LabChart({self.frame.height} rows: {', '.join(self.frame.columns[:6])})"

    def _repr_mimebundle_(self, **_: Any) -> dict[str, Any]:  # noqa: ANN401 - what Jupyter passes
        return {**bundle(self.to_dict()), "text/plain": repr(self)}


def bundle(spec: Mapping[str, Any], **_: object) -> dict[str, Any]:
    """Return a chart as a notebook's output: interactive Vega 5, and a PNG where that fails.

    Parameters
    ----------
    spec : mapping
        A Vega-Lite specification, as altair makes it.

    Examples
    --------
    >>> from ctxlab.testing import sample_results
    >>> sorted(bundle(sample_results().curve().to_dict()))
    ['application/vnd.vega.v5+json', 'image/png']
    """
    import vl_convert

    text = json.dumps(spec)
    compiled: dict[str, Any] = vl_convert.vegalite_to_vega(text)
    compiled["$schema"] = _VEGA
    png = vl_convert.vegalite_to_png(text)
    return {
        "application/vnd.vega.v5+json": compiled,
        "image/png": base64.b64encode(png).decode(),
    }


def enable() -> None:
    """Make altair show charts this way in this process.

    Examples
    --------
    >>> enable()
    """
    import altair as alt

    alt.renderers.register(RENDERER, bundle)
    alt.renderers.enable(RENDERER)


def styled(chart: Any, title: str, subtitle: str = "") -> Any:  # noqa: ANN401 - any altair chart
    """Return a chart with its title, and colours that read on light and on dark.

    Examples
    --------
    >>> import altair as alt
    >>> chart = styled(alt.Chart(alt.Data(values=[])).mark_point(), "A title", "n = 3")
    >>> chart.to_dict()["title"]["text"]
    'A title'
    """
    import altair as alt

    enable()
    told = alt.TitleParams(
        title, subtitle=subtitle or alt.Undefined, anchor="start", color=INK, subtitleColor=INK,
        fontSize=13, subtitleFontSize=11, offset=8,
    )  # fmt: skip
    return (
        chart.properties(title=told)
        .configure(background="transparent")
        .configure_view(stroke=None)
        .configure_axis(
            gridColor="#8c8c8c", gridOpacity=0.25, domainColor=QUIET, tickColor=QUIET,
            labelColor=INK, titleColor=INK, labelLimit=260,
        )
        .configure_header(labelColor=INK, titleColor=INK, labelLimit=260)
        .configure_legend(labelColor=INK, titleColor=INK, labelLimit=320, symbolSize=90)
    )  # fmt: skip


def strategy_colors(board: Leaderboard) -> dict[str, str]:
    """Return one colour a strategy: the same in every chart of an experiment.

    Examples
    --------
    >>> from ctxlab.testing import sample_results
    >>> strategy_colors(sample_results().leaderboard())["KeepLast()"]
    '#0072B2'
    """
    names = [name for name, traits in board.traits.items() if traits.family != "control"]
    colors = {name: PALETTE[i % len(PALETTE)] for i, name in enumerate(names)}
    return {name: colors.get(name, QUIET) for name in board.traits}


def colored(board: Leaderboard, names: Iterable[str]) -> tuple[alt.Color, alt.Shape]:
    """Return the colour and the shape of strategies, in the order given in the legend.

    Examples
    --------
    >>> from ctxlab.testing import sample_results
    >>> color, _ = colored(sample_results().leaderboard(), ["BM25()"])
    >>> color.to_dict()["scale"]["range"]
    ['#D55E00']
    """
    import altair as alt

    colors = strategy_colors(board)
    places = {name: i for i, name in enumerate(board.traits)}
    listed = list(dict.fromkeys(names))
    color = alt.Color("strategy:N", title=None, sort=listed).scale(
        domain=listed, range=[colors[name] for name in listed]
    )
    shape = alt.Shape("strategy:N", title=None, sort=listed).scale(
        domain=listed, range=[SHAPES[places[name] % len(SHAPES)] for name in listed]
    )
    return color, shape


def caption(board: Leaderboard) -> str:
    """Return what a chart is of: questions, conversations and the encoding.

    Examples
    --------
    >>> from ctxlab.testing import sample_results
    >>> caption(sample_results().leaderboard())
    '3 questions in 1 conversation, 95 % intervals over conversations'
    """
    cases = len(set(board.measured.clusters.tolist()))
    one = "" if cases == 1 else "s"
    asked = f"{board.measured.probes.height:,} questions in {cases:,} conversation{one}"
    return f"{asked}, 95 % intervals over conversations"


def value_axis(traits: MetricTraits, channel: str = "value") -> alt.Y:
    """Return the axis of a metric's values.

    Examples
    --------
    >>> from ctxlab.core.metric import MetricTraits
    >>> value_axis(MetricTraits(title="evidence", unit="share")).to_dict()["scale"]["domain"]
    [0, 1]
    """
    import altair as alt

    share = traits.unit == "share"
    axis: alt.Y = alt.Y(f"{channel}:Q", title=traits.title).axis(format=".0%" if share else "~s")
    scaled: alt.Y = axis.scale(domain=[0, 1]) if share else axis.scale(zero=True, nice=True)
    return scaled


def number_format(traits: MetricTraits) -> str:
    """Return how a metric's values are written in a tooltip.

    Examples
    --------
    >>> from ctxlab.core.metric import MetricTraits
    >>> number_format(MetricTraits(title="evidence", unit="share"))
    '.1%'
    """
    return ".1%" if traits.unit == "share" else ",.4~g"


def values(rows: Sequence[Mapping[str, Any]]) -> Any:  # noqa: ANN401 - altair's data
    """Return rows as a chart's data.

    Examples
    --------
    >>> values([{"a": 1}]).to_dict()
    {'values': [{'a': 1}]}
    """
    import altair as alt

    return alt.Data(values=[dict(row) for row in rows])
