"""Numbers as they are read: shares as percentages, each unit with as many digits as it bears."""

from __future__ import annotations

from ctxlab.core.metric import Unit


def percent(share: float | None) -> str:
    """Return a share as a percentage with one decimal; a dash when there is none.

    Examples
    --------
    >>> percent(0.697), percent(None)
    ('69.7 %', '–')
    """
    return "–" if share is None else f"{100 * share:.1f} %"


def number(value: float | None, unit: Unit) -> str:
    """Return a metric's value with its unit; a dash when there is none.

    Examples
    --------
    >>> number(0.697, "share"), number(1840.2, "tokens"), number(0.0042, "seconds")
    ('69.7 %', '1,840', '4.2 ms')
    """
    if value is None:
        return "–"
    match unit:
        case "share":
            return percent(value)
        case "tokens" | "count":
            return f"{value:,.0f}" if abs(value) >= 100 or value == int(value) else f"{value:,.1f}"
        case "seconds":
            return f"{1000 * value:,.1f} ms" if abs(value) < 1 else f"{value:,.1f} s"
        case "USD":
            return f"${value:,.4f}"
    return f"{value:,.4g}"


def interval(low: float | None, high: float | None, unit: Unit = "share") -> str:
    """Return an interval; empty when there is none.

    Examples
    --------
    >>> interval(0.6, 0.7), interval(3.0, 4.5, "tokens")
    ('60.0 – 70.0', '3 – 4.5')
    """
    if low is None or high is None:
        return ""
    if unit == "share":
        return f"{100 * low:.1f} – {100 * high:.1f}"
    return f"{number(low, unit)} – {number(high, unit)}"


def signed(value: float | None, unit: Unit = "share") -> str:
    """Return a difference with its sign, shares in points; empty when there is none.

    Examples
    --------
    >>> signed(0.105), signed(-0.02), signed(12.0, "tokens"), signed(None)
    ('+10.5', '−2.0', '+12', '')
    """
    if value is None:
        return ""
    text = f"{abs(100 * value):.1f}" if unit == "share" else number(abs(value), unit)
    return ("−" if value < 0 else "+") + text


def estimate(mean: float | None, low: float | None, high: float | None, unit: Unit) -> str:
    """Return a mean with its interval; shares in percent, without the sign.

    Examples
    --------
    >>> estimate(0.697, 0.636, 0.731, "share"), estimate(0.5, None, None, "share")
    ('69.7 [63.6, 73.1]', '50.0')
    """
    if mean is None:
        return "–"
    shown = [_bare(value, unit) for value in (mean, low, high) if value is not None]
    return shown[0] if len(shown) < 3 else f"{shown[0]} [{shown[1]}, {shown[2]}]"


def difference(mean: float | None, low: float | None, high: float | None, unit: Unit) -> str:
    """Return a difference with its interval; shares in points. Empty when there is none.

    Examples
    --------
    >>> difference(0.105, 0.02, 0.19, "share"), difference(None, None, None, "share")
    ('+10.5 [+2.0, +19.0]', '')
    """
    if mean is None:
        return ""
    if low is None or high is None:
        return signed(mean, unit)
    return f"{signed(mean, unit)} [{signed(low, unit)}, {signed(high, unit)}]"


def _bare(value: float, unit: Unit) -> str:
    return f"{100 * value:.1f}" if unit == "share" else number(value, unit)


def p_text(p_value: float | None) -> str:
    """Return a p-value as it is read.

    Examples
    --------
    >>> p_text(0.0004), p_text(0.125), p_text(None)
    ('< 0.001', '0.125', '–')
    """
    if p_value is None:
        return "–"
    return "< 0.001" if p_value < 0.001 else f"{p_value:.3g}"
