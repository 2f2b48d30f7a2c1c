"""The one door to `display`: whoever shows itself asks here for a view by name."""

from __future__ import annotations

from typing import Any


def view(name: str, *args: Any, **options: Any) -> Any:  # noqa: ANN401 - a view is what it is
    """Return what `ctxlab.display` makes of some values.

    Everything else imports only from rooms below its own; this is the exception, so that a
    context or a result can show itself in a notebook without knowing how.

    Parameters
    ----------
    name : str
        A view of `ctxlab.display`, such as ``"context_html"``.

    Examples
    --------
    >>> from ctxlab.core.context import Context
    >>> view("context_html", Context())[:4]
    '<div'
    """
    from ctxlab import display

    return getattr(display, name)(*args, **options)
