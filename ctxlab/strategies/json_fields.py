"""Fields of JSON objects: when an artifact is too large, its least needed leaves go first."""

from __future__ import annotations

import json
from heapq import heapify, heappop, heappush
from typing import Any

from pydantic import Field

from ctxlab.model import Context, Segment
from ctxlab.packing import Room
from ctxlab.strategy import Strategy, Traits
from ctxlab.task import Task

Path = tuple[str | int, ...]
Entry = tuple[bool, int, Path, object]


class PruneFields(Strategy):
    """Drops the largest parts of JSON objects until everything fits, and says which.

    An object that was tens of tokens of facts and megabytes of canvas keeps its facts. Texts
    that are no JSON objects go whole, the oldest first, when pruning is not enough.

    Examples
    --------
    >>> from ctxlab.task import Tools
    >>> segment = Segment.of("artifact:a", '{"name": "Mira", "canvas": "xxxxxxxxxxxxxxxxxxxx"}')
    >>> task = Task(budget=16, tools=Tools(count=len))
    >>> PruneFields().compress(Context((segment,)), task).text
    '{"name":"Mira"}'
    """

    TRAITS = Traits(family="JSON", source="schema-aware pruning, largest part first", cost="parts")

    keep: tuple[str, ...] = Field((), description="fields that go last, wherever they stand")

    def compress(self, context: Context, task: Task) -> Context:
        """Prune every object to its share of the room, then pack what is left."""
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
        room = Room(smaller, task)
        for group in reversed(range(len(smaller.groups))):
            room.take(group)
        return smaller.keep_groups(room.kept)

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

    def _entry(self, path: Path, item: object, task: Task) -> Entry:
        """Return what sorts a subtree: protected fields last, then the largest first."""
        key = f"{_dumped(path[-1])}:" if isinstance(path[-1], str) else ""
        size = task.tools.count(f"{key}{_dumped(item)},")
        return self._protected(path), -size, path, item

    def _protected(self, path: Path) -> bool:
        return any(part in self.keep for part in path)


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
