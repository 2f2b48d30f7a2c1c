"""The inspector: a live widget, with static HTML for wherever it cannot run."""

from __future__ import annotations

from typing import Any

from ctxlab.bench.inspecting import Inspection
from ctxlab.display.inspector_document import inspector_json
from ctxlab.display.inspector_static import CSS, ESM, inspection_html
from ctxlab.errors import MissingExtraError

try:
    import anywidget
    import traitlets
except ImportError as error:
    raise MissingExtraError("the live inspector", "notebook") from error


class Inspector(anywidget.AnyWidget):
    """A conversation under several strategies, side by side; what is chosen is in step.

    `budget` is one of the ladder, `probe` the id of a probe or empty, `selected` the id of a
    message or empty, and `search` the words that are looked for.

    Examples
    --------
    >>> from ctxlab.bench.inspecting import inspect
    >>> from ctxlab.testing import sample_case
    >>> live_inspector(inspect(sample_case(), ["KeepLast()"], ["30%", "60%"])).budget
    '60%'
    """

    _esm = ESM
    _css = CSS
    document = traitlets.Unicode("{}").tag(sync=True)
    budget = traitlets.Unicode("").tag(sync=True)
    probe = traitlets.Unicode("").tag(sync=True)
    selected = traitlets.Unicode("").tag(sync=True)
    search = traitlets.Unicode("").tag(sync=True)

    def __init__(self, inspection: Inspection) -> None:
        self.inspection = inspection
        budgets = inspection.budgets
        middle = budgets[len(budgets) // 2] if budgets else ""
        super().__init__(document=inspector_json(inspection), budget=middle)

    def _repr_mimebundle_(self, **options: Any) -> Any:  # noqa: ANN401 - what Jupyter passes
        bundle = super()._repr_mimebundle_(**options)
        data, *rest = bundle if isinstance(bundle, tuple) else (bundle,)
        data = dict(data or {})
        data["text/html"] = inspection_html(self.inspection, self.budget)
        data["text/plain"] = repr(self.inspection)
        return (data, *rest) if rest else data


def live_inspector(inspection: Inspection) -> Inspector:
    """Return the live inspector of an inspection.

    Examples
    --------
    >>> from ctxlab.bench.inspecting import inspect
    >>> from ctxlab.testing import sample_case
    >>> live_inspector(inspect(sample_case(), ["KeepLast()"], ["30%"])).selected
    ''
    """
    return Inspector(inspection)
