"""Fields of JSON objects: when an artifact is too large, its least needed leaves go first."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from heapq import heapify, heappop, heappush
from typing import Any

from pydantic import Field

from ctxlab.core.context import Context
from ctxlab.core.packing import Packer
from ctxlab.core.segments import Segment
from ctxlab.core.strategy import Strategy, Traits
from ctxlab.core.task import Task
from ctxlab.text.clipping import clipped

Path = tuple[str | int, ...]
Leaf = tuple[int, int, Path, object]


class PruneFields(Strategy):
    """Drops the parts of JSON objects that matter least until everything fits, and says which.

    First go optional fields, then fields of which nothing is declared, then those of
    `priority` from the last on, at the very end those to `keep`; of equals, the largest first.
    An object that was tens of tokens of facts and megabytes of canvas keeps its facts. Texts
    that are no JSON objects go whole, the oldest first, when pruning is not enough.

    Examples
    --------
    >>> from ctxlab.core.tools import Tools
    >>> segment = Segment.of("artifact:a", '{"name": "Mira", "canvas": "xxxxxxxxxxxxxxxxxxxx"}')
    >>> task = Task(budget=16, tools=Tools(count=len))
    >>> PruneFields().compress(Context((segment,)), task).text
    '{"name":"Mira"}'
    """

    TRAITS = Traits(family="JSON", source="JSON Schema 2020-12, required", cost="parts")

    optional: tuple[str, ...] = Field((), description="fields that go first, wherever they stand")
    priority: tuple[str, ...] = Field((), description="fields that go late, the dearest first")
    keep: tuple[str, ...] = Field((), description="fields that go last")
    cap: int | None = Field(
        None, ge=1, description="tokens that one field may take; longer texts and lists are cut"
    )

    @classmethod
    def from_schema(cls, *schemas: Mapping[str, Any], cap: int | None = None) -> PruneFields:
        """Return the strategy for artifacts of some schemas.

        Properties that no schema requires are optional; those that a schema marks with
        ``"x-priority"``, a number, go late, the lowest number last.

        Parameters
        ----------
        *schemas : mapping
            JSON Schemas of objects, as pydantic writes them.
        cap : int, optional
            Tokens that one field may take.

        Examples
        --------
        >>> properties = {"name": {"x-priority": 1}, "canvas": {}, "goal": {}}
        >>> schema = {"properties": properties, "required": ["name", "goal"]}
        >>> PruneFields.from_schema(schema)
        PruneFields(optional=('canvas',), priority=('name',))
        """
        fields = {name: facts for s in schemas for name, facts in s.get("properties", {}).items()}
        required = {name for schema in schemas for name in schema.get("required", ())}
        ranked = [name for name, facts in fields.items() if "x-priority" in facts]
        return cls(
            optional=tuple(n for n in fields if n not in required and n not in ranked),
            priority=tuple(sorted(ranked, key=lambda name: fields[name]["x-priority"])),
            cap=cap,
        )

    def compress(self, context: Context, task: Task) -> Context:
        """Cut what is longer than the cap, prune objects to the room, pack what is left."""
        if self.cap is not None:
            context = context.keep(self._capped(segment, task) for segment in context)
        if task.fits(context):
            return context
        pinned = task.pinned(context)
        excess = task.size(context) - max(task.budget, pinned)
        candidates = [s for s in context if not s.pinned and _parsed(s) is not None]
        new: dict[int, Segment] = {}
        for segment in sorted(candidates, key=lambda s: -task.tokens(s)):
            if excess <= 0:
                break
            pruned = self._pruned(segment, task, excess)
            excess -= task.tokens(segment) - task.tokens(pruned)
            new[id(segment)] = pruned
        smaller = context.keep(new.get(id(segment), segment) for segment in context)
        packer = Packer(smaller, task)
        for group in reversed(range(len(smaller.groups))):
            packer.take(group)
        return smaller.keep_groups(packer.kept)

    def _capped(self, segment: Segment, task: Task) -> Segment:
        value = None if segment.pinned else _parsed(segment)
        if value is None or self.cap is None:
            return segment
        cut = {name: _cut(item, self.cap, task.tools.count) for name, item in value.items()}
        names = [_shown((name,)) for name in value if cut[name] is not value[name]]
        if not names:
            return segment
        note = f"cut to {self.cap} tokens: {', '.join(names)}"
        return segment.rewritten(_dumped(cut), note)

    def _pruned(self, segment: Segment, task: Task, excess: int) -> Segment:
        value = _parsed(segment)
        text = _dumped(value)
        excess -= task.tokens(segment) - task.tools.count(text)
        gone: list[Path] = []
        heap = [self._entry((key,), item, task) for key, item in (value or {}).items()]
        heapify(heap)
        while heap and excess > 0:
            _, negative, path, item = heappop(heap)
            children = _children(path, item)
            if children and -negative > 1.5 * excess:
                for child in children:
                    heappush(heap, self._entry(*child, task))
                continue
            gone.append(path)
            excess += negative
        if not gone:
            return segment
        for path in sorted(gone, key=_last_first):
            _remove(value, path)
        names = [_shown(path) for path in gone[:5]]
        more = f" and {len(gone) - 5} more" if len(gone) > 5 else ""
        note = f"fields left out to fit the budget: {', '.join(names)}{more}"
        return segment.rewritten(_dumped(value), note)

    def _entry(self, path: Path, item: object, task: Task) -> Leaf:
        """Return what sorts a subtree: the least dear first, of equals the largest."""
        key = f"{_dumped(path[-1])}:" if isinstance(path[-1], str) else ""
        size = task.tools.count(f"{key}{_dumped(item)},")
        return self._worth(path), -size, path, item

    def _worth(self, path: Path) -> int:
        """Return 0 for optional fields, 1 for others, more for those that are to go late."""
        if any(part in self.keep for part in path):
            return 2 + len(self.priority)
        ranks = [self.priority.index(part) for part in path if part in self.priority]
        if ranks:
            return 1 + len(self.priority) - min(ranks)
        return 0 if any(part in self.optional for part in path) else 1


def _parsed(segment: Segment) -> dict[str, Any] | None:
    if not segment.text.lstrip().startswith("{"):
        return None
    try:
        value = json.loads(segment.text)
    except json.JSONDecodeError:
        return None
    return value if isinstance(value, dict) else None


def _dumped(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _children(path: Path, item: object) -> list[tuple[Path, object]]:
    if isinstance(item, dict):
        return [((*path, key), value) for key, value in item.items()]
    if isinstance(item, list):
        return [((*path, index), value) for index, value in enumerate(item)]
    return []


def _last_first(path: Path) -> tuple[tuple[int, str], ...]:
    # Items of a list are removed from its end, so that positions before them stay what they are.
    return tuple((-part, "") if isinstance(part, int) else (0, part) for part in path)


def _remove(value: Any, path: Path) -> None:  # noqa: ANN401 - JSON
    for part in path[:-1]:
        value = value[part]
    del value[path[-1]]


def _shown(path: Path) -> str:
    return "$" + "".join(f"[{p}]" if isinstance(p, int) else f".{p}" for p in path)


def _cut(item: object, cap: int, count: Callable[[str], int]) -> object:
    """Return the very item when it takes at most `cap` tokens, else its beginning and a word."""
    if not isinstance(item, str | list) or count(_dumped(item)) <= cap:
        return item
    if isinstance(item, str):
        return clipped(item, cap, count) + " …"
    kept = item
    while kept and count(_dumped(kept)) > cap:
        kept = kept[: len(kept) * 3 // 4]
    return [*kept, f"… {len(item) - len(kept)} more"]
