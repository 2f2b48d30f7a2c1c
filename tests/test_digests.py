"""Digests: a key knows its code. Every edit that can change a number changes the key."""

from __future__ import annotations

import ast
import functools
import io
import os
import re
import subprocess
import sys
import time
import tokenize
from collections.abc import Callable
from dataclasses import dataclass, fields, replace
from enum import Enum
from pathlib import Path

import numpy as np
import pytest
from pydantic import Field

import ctxlab
from ctxlab.core import own_code, result_keys
from ctxlab.core.cases import Case, Probe
from ctxlab.core.code_origins import Origin, origin
from ctxlab.core.digests import CodeDigest, code_digest
from ctxlab.core.metric import FunctionMetric, as_metric
from ctxlab.core.own_code import closure, code_alone, imported
from ctxlab.core.result_keys import metric_key, trial_key, versions
from ctxlab.core.segments import Message, ToolCall
from ctxlab.core.specs import METRICS, STRATEGIES
from ctxlab.core.strategy import Select, Strategy
from ctxlab.strategies import BM25, KeepLast
from ctxlab.testing import sample_case

ROOT = Path(ctxlab.__file__).parent
FILES = sorted(ROOT.rglob("*.py"))

PACKAGE = {
    "mine/__init__.py": "",
    "mine/settings.py": "SCALE = 1.0\nUNUSED = 5\n",
    "mine/words.py": (
        "from mine.letters import vowels\n"
        "LOUD = frozenset({'fire', 'water', 'air', 'earth'})\n"
        "def loud(text):\n"
        '    """Counts."""\n'
        "    return sum(word in LOUD for word in text.split()) + vowels(text)\n"
    ),
    "mine/letters.py": "def vowels(text):\n    return sum(c in 'aeiou' for c in text)\n",
    "mine/late.py": "def extra(text):\n    return len(text)\n",
    "mine/ranking.py": (
        "import functools, re\n"
        "from typing import ClassVar\n"
        "import numpy as np\n"
        "from pydantic import Field, field_validator\n"
        "from ctxlab.core.metric import Metric, MetricTraits\n"
        "from ctxlab.core.strategy import Select\n"
        "from . import settings\n"
        "from mine.words import loud\n"
        "WEIGHTS = np.array([1.0, 2.0])\n"
        "DIGIT = re.compile('[0-9]')\n"
        "def times(factor):\n"
        "    def scaled(value): return factor * value\n"
        "    return scaled\n"
        "twice = times(2)\n"
        "def shifted(score):\n"
        "    @functools.wraps(score)\n"
        "    def shift(self, context, task):\n"
        "        return [x + 1 for x in score(self, context, task)]\n"
        "    return shift\n"
        "class Base(Select):\n"
        "    bonus: ClassVar[int] = 10\n"
        "    def raw(self, text): return loud(text) + self.bonus\n"
        "class Mine(Base):\n"
        "    w: float = Field(1.0, ge=0)\n"
        "    @field_validator('w')\n"
        "    @classmethod\n"
        "    def _whole(cls, value): return round(value)\n"
        "    @property\n"
        "    def weight(self): return twice(self.w) * settings.SCALE * WEIGHTS[0]\n"
        "    @staticmethod\n"
        "    def digits(text): return len(DIGIT.findall(text))\n"
        "    @shifted\n"
        "    def score(self, context, task):\n"
        "        def inner(text): return self.digits(text) * 7\n"
        "        from .late import extra\n"
        "        return [self.raw(s.text) * self.weight + inner(s.text) + extra(s.text)\n"
        "                for s in context]\n"
        "class Loud(Metric):\n"
        "    TRAITS = MetricTraits(title='loud words')\n"
        "    def measure(self, run, probe): return loud(run.after.text)\n"
    ),
}
"""A user's own package, with whatever a strategy can rest on."""

ASK = (
    "from ctxlab.core.digests import code_digest\n"
    "from ctxlab.core.result_keys import metric_key\n"
    "from mine.ranking import Loud, Mine\n"
    "digest = code_digest(Mine())\n"
    "assert digest.certain, digest.reason\n"
    "print(digest.text, metric_key(Loud()))\n"
)

CELL = (
    "import linecache\n"
    "from ctxlab.core.digests import code_digest\n"
    "from ctxlab.core.strategy import Select\n"
    "CELLS = {cells!r}\n"
    "for number, cell in enumerate(CELLS):\n"
    "    name = f'<ipython-input-{{number}}>'\n"
    "    linecache.cache[name] = (len(cell), None, cell.splitlines(True), name)\n"
    "    exec(compile(cell, name, 'exec'))\n"
    "    print(code_digest(Mine()).text)\n"
)


def run_python(code: str, folder: Path, seed: int = 0) -> list[str]:
    environment = os.environ | {
        "PYTHONPATH": f"{folder}{os.pathsep}{ROOT.parent}",
        "PYTHONHASHSEED": str(seed),
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, env=environment, cwd=folder
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.split()


def package_digests(folder: Path, edits: dict[str, tuple[str, str]], seed: int = 0) -> list[str]:
    for name, text in PACKAGE.items():
        path = folder / name
        path.parent.mkdir(exist_ok=True)
        old, new = edits.get(name, ("", ""))
        assert old in text
        path.write_text(text.replace(old, new) if old else text, encoding="utf-8")
    return run_python(ASK, folder, seed)


@pytest.fixture(scope="module")
def unchanged(tmp_path_factory) -> list[str]:
    return package_digests(tmp_path_factory.mktemp("package"), {})


RANKING = "mine/ranking.py"


@pytest.mark.parametrize(
    ("file", "old", "new"),
    [
        pytest.param("mine/words.py", "+ vowels", "- vowels", id="helper"),
        pytest.param("mine/letters.py", "aeiou", "aei", id="the helper's helper"),
        pytest.param("mine/words.py", "'air'", "'ice'", id="a set it looks into"),
        pytest.param("mine/late.py", "len(text)", "-len(text)", id="imported in a method"),
        pytest.param("mine/settings.py", "1.0", "-1.0", id="a module's constant"),
        pytest.param(RANKING, "+ self.bonus", "- self.bonus", id="parent's method"),
        pytest.param(RANKING, "[int] = 10", "[int] = 11", id="parent's attribute"),
        pytest.param(RANKING, "Field(1.0", "Field(2.0", id="default"),
        pytest.param(RANKING, "ge=0", "ge=-1", id="bound"),
        pytest.param(RANKING, "round(value)", "value", id="validator"),
        pytest.param(RANKING, "twice(self.w)", "-twice(self.w)", id="property"),
        pytest.param(RANKING, "len(DIGIT", "-len(DIGIT", id="static method"),
        pytest.param(RANKING, "[0-9]", "[0-8]", id="regular expression"),
        pytest.param(RANKING, "[1.0, 2.0]", "[1.5, 2.0]", id="array"),
        pytest.param(RANKING, "times(2)", "times(3)", id="closure"),
        pytest.param(RANKING, "x + 1", "x + 2", id="decorator"),
        pytest.param(RANKING, "* 7", "* 8", id="nested function"),
    ],
)
def test_an_edit_that_can_change_a_result_changes_the_digest(tmp_path, unchanged, file, old, new):
    """Through whatever the class rests on, in the user's own package."""
    assert package_digests(tmp_path, {file: (old, new)})[0] != unchanged[0]


def test_a_metric_has_a_key_of_its_own(tmp_path, unchanged):
    """It follows the helper that the metric calls, and not what only the strategy does."""
    helper = package_digests(tmp_path, {"mine/letters.py": ("aeiou", "aei")})
    assert helper[1] != unchanged[1]
    strategy = package_digests(tmp_path, {RANKING: ("* 7", "* 8")})
    assert strategy[1] == unchanged[1]


@pytest.mark.parametrize(
    ("file", "old", "new"),
    [
        pytest.param(RANKING, "class Mine", "\n\n# The best one.\nclass Mine", id="comment"),
        pytest.param("mine/words.py", "Counts.", "Counts loud words.", id="docstring"),
        pytest.param("mine/words.py", '    """Counts."""\n', "", id="no docstring"),
        pytest.param("mine/settings.py", "UNUSED = 5", "UNUSED = 6", id="not used"),
    ],
)
def test_an_edit_that_changes_no_result_keeps_the_digest(tmp_path, unchanged, file, old, new):
    """Comments, docstrings, blank lines, and constants that nothing names."""
    assert package_digests(tmp_path, {file: (old, new)}) == unchanged


@pytest.mark.parametrize("seed", [1, 4321])
def test_processes_agree(tmp_path, unchanged, seed):
    """Whatever seeds the hashes of strings, and wherever the package lies."""
    assert package_digests(tmp_path, {}, seed) == unchanged


def test_an_edited_cell_is_new_code(tmp_path):
    """A default, a helper or a constant of a notebook; the same cell again is the same code."""
    cell = (
        "SIGN = 1\n"
        "def sized(text): return SIGN * len(text)\n"
        "class Mine(Select):\n"
        "    w: float = 1.0\n"
        "    def score(self, context, task): return [self.w * sized(s.text) for s in context]\n"
    )
    cells = [
        cell,
        "# Once more.\n" + cell,
        cell.replace("w: float = 1.0", "w: float = -1.0"),
        "SIGN = -1\n",
        "def sized(text): return 2 * SIGN * len(text)\n",
    ]
    found = run_python(CELL.format(cells=cells), tmp_path)
    assert found[0] == found[1]
    assert len(set(found)) == 4
    assert run_python(CELL.format(cells=cells), tmp_path, seed=7) == found


EVERYTHING = """
import collections, contextlib, dataclasses, datetime, decimal, enum, functools, json, logging
import operator, pathlib, random
from typing import Annotated, Any, Callable, Generic, Literal, NamedTuple, Optional, TypeVar
import numpy as np
import polars as pl
import ctxlab
from pydantic import Field, PrivateAttr, SerializeAsAny, computed_field, model_validator
from ctxlab.core.digests import code_digest
from ctxlab.core.strategy import Select, Strategy, Traits
from ctxlab.strategies import BM25, KeepLast
from ctxlab.text.words import terms

class Flags(enum.Flag):
    A = 1
    B = 2
class Pair(NamedTuple):
    a: int = 1
T = TypeVar("T")
class Box(Generic[T]):
    x: int = 1
@dataclasses.dataclass(frozen=True, slots=True)
class Record:
    a: int = 1
    b: list = dataclasses.field(default_factory=list)
@functools.total_ordering
class Ordered:
    __slots__ = ("a", "__dict__")
    def __init__(self): self.a = 1
    def __lt__(self, other): return True
@functools.singledispatch
def single(x): return 1
@single.register
def _(x: int): return 2
@contextlib.contextmanager
def managed(): yield 1
@functools.cache
def cached(x): return x
HELD = [
    logging.getLogger("mine"), np.random.default_rng(0), random.Random(1), pathlib.Path("a"),
    datetime.datetime(2020, 1, 1), decimal.Decimal("1.5"), collections.OrderedDict(a=1),
    collections.defaultdict(list, a=[1]), collections.Counter("abc"), collections.deque([1], 3),
    operator.itemgetter(1), np.vectorize(lambda x: x + 1), pl.DataFrame({"a": [1, 2]}),
    Ordered(), Box, Pair(2), object(), slice(1, 2), range(3), bytearray(b"a"), frozenset("abc"),
]
class Everything(Select):
    TRAITS = Traits(family="all", source="everywhere")
    a: Literal["x", "y"] = "x"
    b: Optional[int] = None
    c: tuple[SerializeAsAny[Strategy], ...] = (KeepLast(), BM25())
    d: Annotated[int, Field(ge=0, le=9)] = 3
    e: Callable[[str], int] = len
    f: dict[str, float] = Field(default_factory=dict)
    g: Flags = Flags.A | Flags.B
    h: Record = Record()
    i: frozenset[str] = frozenset({"q", "w", "e", "r"})
    j: type[Strategy] = BM25
    k: Any = np.float64(1.5)
    _p: Any = PrivateAttr(None)
    @model_validator(mode="after")
    def valid(self): return self
    @computed_field
    @property
    def computed(self) -> int: return 1
    @functools.cached_property
    def kept(self): return 3
    @functools.lru_cache(maxsize=3)
    def fast(self): return 1
    async def later(self): return [x async for x in self]
    def many(self): yield from (x for x in range(3))
    def score(self, context, task):
        import ctxlab.text.sentences
        from ctxlab.core import packing
        ctxlab.strategies.MMR, ctxlab.BM25, ctxlab.core.budgets.Budget, packing.pack
        with managed():
            HELD, single(1), cached(1)
        match context:
            case []:
                return [1 for s in context if (n := s)]
        try:
            return [float(np.log1p(len(terms(s.text)))) for s in context]
        finally:
            json.dumps({})
digest = code_digest(Everything())
print(digest.text, digest.certain, digest.reason)
"""


def test_whatever_python_and_its_libraries_offer_is_read(tmp_path):
    """Fields, decorators, generators, arrays, frames: certain, and the same in every process."""
    first = run_python(EVERYTHING, tmp_path)
    assert first[1:] == ["True"]
    assert run_python(EVERYTHING, tmp_path, seed=77) == first


def installed_digest(folder: Path, helper: str, shop: str, version: str) -> str:
    """Install two packages, one with a strategy of its own that uses the other."""
    place = folder / "site-packages"
    sources = {
        "plug/__init__.py": (
            "from ctxlab.core.strategy import Select\n"
            "from plug.help import sized\n"
            "from shop import price\n"
            "class Plugged(Select):\n"
            "    def score(self, context, task):\n"
            "        return [sized(s.text) * price() for s in context]\n"
        ),
        "plug/help.py": f"def sized(text): return {helper}\n",
        "shop/__init__.py": f"def price(): return {shop}\n",
        "plug-1.0.dist-info/METADATA": "Name: plug\nVersion: 1.0\n",
        "shop-1.0.dist-info/METADATA": f"Name: shop\nVersion: {version}\n",
    }
    for name, text in sources.items():
        (place / name).parent.mkdir(parents=True, exist_ok=True)
        (place / name).write_text(text, encoding="utf-8")
    code = (
        "from plug import Plugged; from ctxlab.core.digests import code_digest\n"
        "digest = code_digest(Plugged()); assert digest.certain; print(digest.text)\n"
    )
    return run_python(code, place)[0]


def test_an_installed_plugin_counts_by_its_code_and_a_library_by_its_version(tmp_path):
    """A plugin's author installs every edit under one version."""
    first = installed_digest(tmp_path, "len(text)", "1", "1.0")
    assert installed_digest(tmp_path, "-len(text)", "1", "1.0") != first
    assert installed_digest(tmp_path, "len(text)", "1", "2.0") != first
    assert installed_digest(tmp_path, "len(text)", "2", "1.0") == first


class Held(Strategy):
    """Calls whatever it holds."""

    call: Callable[..., object] = len

    def compress(self, context, task):
        return context.keep(context.segments[: self.call(context)])


class Colour(Enum):
    RED = 1


@dataclass
class Point:
    x: object = 0


class Counter:
    def __init__(self, start):
        self.start = start

    def __call__(self, run):
        return self.start


def scaled(run, factor=1):
    return factor * len(run.after)


def closed(value):
    return lambda run: value


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (closed(1), closed(2)),
        (closed(1), closed(1.0)),
        (closed("a"), closed(b"a")),
        (closed({"a": 1}), closed({"a": 2})),
        (closed({1, 2}), closed({1, 3})),
        (closed([1, [2]]), closed([1, [3]])),
        (closed(np.arange(3)), closed(np.arange(4))),
        (closed(np.zeros(2, np.float32)), closed(np.zeros(2, np.float64))),
        (closed(re.compile("a")), closed(re.compile("a", re.IGNORECASE))),
        (closed(Colour.RED), closed(1)),
        (closed(Point(1)), closed(Point(2))),
        (closed(len), closed(max)),
        (closed(str.lower), closed(str.upper)),
        (closed("a".join), closed("b".join)),
        (Counter(1), Counter(2)),
        (Counter(1).__call__, Counter(2).__call__),
        (functools.partial(scaled, factor=1), functools.partial(scaled, factor=2)),
        (functools.lru_cache(closed(1)), functools.lru_cache(closed(2))),
        (lambda run: 1.0, lambda run: 2.0),
        (eval("lambda run: 1.0"), eval("lambda run: 2.0")),
        (closed({closed(1)}), closed({closed(2)})),
    ],
)
def test_values_that_differ_have_digests_that_differ(one, other):
    """In closures, bound methods, partial calls, callable objects and lambdas."""
    first, second = code_digest(one), code_digest(other)
    assert first.certain, first.reason
    assert second.certain, second.reason
    assert first != second
    assert code_digest(one) == first
    if not isinstance(one, Counter):
        held = [code_digest(Held(call=call)) for call in (one, other)]
        assert held[0] != held[1]
        assert {digest.certain for digest in held} == {True}


def test_what_is_equal_has_one_digest():
    """Equal values that are other objects, in another order where there is no order."""
    assert code_digest(closed({"a", "b", "c"})) == code_digest(closed({"c", "b", "a"}))
    assert code_digest(closed((1, "x"))) == code_digest(closed((1, "".join(["x"]))))
    assert code_digest(Held(call=closed(3))) == code_digest(Held(call=closed(3)))


def test_circles_end():
    """Functions that call each other, and lists and sets that hold what holds them."""
    names: dict[str, object] = {"__name__": "circle"}
    source = "def even(n): return n == 0 or odd(n - 1)\ndef odd(n): return n > 0 and even(n - 1)\n"
    exec(source + "ALL = {even, odd}\ndef both(n): return ALL\n", names)
    names["ALL"].add(names["both"])
    endless: list[object] = []
    endless.append(endless)
    assert code_digest(names["even"]).certain
    assert code_digest(names["both"]).certain
    assert code_digest(closed(endless)) == code_digest(closed(endless))


@pytest.mark.parametrize(
    ("names", "reason"),
    [
        ({"log": io.TextIOWrapper(io.BytesIO())}, "log: a _io.TextIOWrapper has no stable form"),
        ({"log": (n for n in range(3))}, "log: a builtins.generator has no stable form"),
    ],
)
def test_what_cannot_be_read_is_uncertain_and_says_so(names, reason):
    """A function made of text that holds an open file is never answered from a store."""
    made = eval("lambda run: log", {"__name__": "nowhere", **names})
    digest = code_digest(Held(call=made))
    assert not digest.certain
    assert digest.reason.startswith(f"Held → call → {reason}")
    metric = FunctionMetric(function=made)
    assert code_digest(metric).reason.startswith(f"FunctionMetric → function → {reason}")


def test_uncertain_code_has_another_digest_in_every_process(tmp_path):
    """So a key of it is found in no store that another process wrote."""
    code = (
        "import threading; from ctxlab.core.digests import code_digest\n"
        "lock = threading.Lock()\n"
        "def held(run): return lock\n"
        "assert code_digest(held) == code_digest(held)\n"
        "print(code_digest(held).text)\n"
    )
    assert run_python(code, tmp_path) != run_python(code, tmp_path)


def test_a_compiled_extension_of_the_users_is_uncertain(tmp_path, monkeypatch):
    """Its code cannot be read, and its version, if it has one, says little."""
    from importlib.machinery import EXTENSION_SUFFIXES

    module = type(sys)("quick")
    module.__file__ = str(tmp_path / f"quick{EXTENSION_SUFFIXES[0]}")
    monkeypatch.setitem(sys.modules, "quick", module)
    made = eval("lambda run: quick.score(run)", {"__name__": "nowhere", "quick": module})
    digest = code_digest(made)
    assert digest.reason == "<lambda> → quick: quick is compiled, so its code cannot be read"


def test_whose_code_it_is():
    """ctxlab's, Python's, a library's, or else its user's."""
    expected = {
        "ctxlab.core.task": Origin.OURS,
        "json.decoder": Origin.PYTHON,
        "builtins": Origin.PYTHON,
        "_json": Origin.PYTHON,
        "numpy.linalg": Origin.LIBRARY,
        "pydantic": Origin.LIBRARY,
        "__main__": Origin.USER,
        "no_such_module": Origin.USER,
        __name__: Origin.USER,
    }
    assert {name: origin(name) for name in expected} == expected


def test_every_shipped_strategy_and_metric_is_certain():
    """Each with a digest of its own."""
    values = [cls() for found in (STRATEGIES, METRICS) for cls in found.classes().values()]
    found = [code_digest(value) for value in values]
    assert [digest.reason for digest in found if not digest.certain] == []
    assert len({digest.text for digest in found}) == len(values)


# What follows is of our own code.


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_only_comments_docstrings_and_blank_lines_are_left_out(path):
    """The fast removal agrees with Python's own tokenizer and parser, file by file."""
    source = path.read_text(encoding="utf-8")
    tree = ast.parse(source)
    lines = source.splitlines(keepends=True)
    for node in ast.walk(tree):
        if isinstance(
            node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef
        ) and (ast.get_docstring(node, clean=False) is not None):
            text = node.body[0]
            lines[text.lineno - 1 : text.end_lineno] = ["\n"] * (text.end_lineno - text.lineno + 1)
    skipped = {tokenize.COMMENT, tokenize.NL, tokenize.INDENT, tokenize.DEDENT}
    expected = [t.string for t in tokens("".join(lines)) if t.type not in skipped]
    found = [t.string for t in tokens(code_alone(source)) if t.type not in skipped]
    assert found == expected


def tokens(source: str) -> list[tokenize.TokenInfo]:
    return list(tokenize.generate_tokens(io.StringIO(source).readline))


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_import_is_followed(path):
    """The fast search finds what the parser finds, inside functions too."""
    source = path.read_text(encoding="utf-8")
    expected: set[str] = set()
    left: list[ast.AST] = [ast.parse(source)]
    while left:
        node = left.pop()
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
            continue
        if isinstance(node, ast.ImportFrom):
            expected |= {str(node.module), *(f"{node.module}.{a.name}" for a in node.names)}
        elif isinstance(node, ast.Import):
            expected |= {alias.name for alias in node.names}
        left += ast.iter_child_nodes(node)
    assert expected <= set(imported(code_alone(source)))


@pytest.fixture
def house(tmp_path, monkeypatch):
    """Copy the rooms whose code counts, to be edited; digests are taken of the copy."""
    for room in ("core", "text", "strategies", "models", "metrics"):
        for path in (ROOT / room).rglob("*"):
            if path.is_file() and path.suffix != ".pyc":
                copy = tmp_path / path.relative_to(ROOT)
                copy.parent.mkdir(parents=True, exist_ok=True)
                copy.write_bytes(path.read_bytes())
    (tmp_path / "errors.py").write_bytes((ROOT / "errors.py").read_bytes())
    monkeypatch.setattr(own_code, "_ROOT", tmp_path)
    forget()
    yield tmp_path
    forget()


def forget() -> None:
    for cached in (own_code.own_digest, own_code._module, own_code._path, own_code._files):
        cached.cache_clear()
    result_keys._running.cache_clear()


def edit(house: Path, file: str, old: bytes, new: bytes) -> None:
    path = house / file
    content = path.read_bytes()
    assert old in content
    path.write_bytes(content.replace(old, new))
    forget()


def two() -> tuple[str, str]:
    return code_digest(BM25()).text, code_digest(KeepLast()).text


@pytest.mark.parametrize(
    ("file", "old", "new", "bm25", "last"),
    [
        ("strategies/lexical.py", b"return okapi(", b"return -okapi(", True, False),
        ("strategies/windows.py", b"class KeepLast", b"X = 1\nclass KeepLast", False, True),
        ("text/words.py", b'else " " for code', b'else "" for code', True, False),
        ("core/packing.py", b"def pack(", b"X = 1\ndef pack(", True, True),
        ("core/vocabulary/o200k_base.bin.gz", b"\x1f\x8b", b"\x1f\x8c", True, True),
        ("strategies/measured.json", b"{", b"{ ", False, False),
        ("metrics/availability.py", b"float(", b"-float(", False, False),
        ("strategies/lexical.py", b"Keeps the groups", b"Keeps all groups", False, False),
        ("strategies/lexical.py", b"class BM25", b"# The best.\n\n\nclass BM25", False, False),
    ],
)
def test_an_edit_of_ctxlab_reaches_what_rests_on_it(house, file, old, new, bm25, last):
    """And nothing else: BM25's file is not KeepLast's, a metric is no strategy's."""
    before = two()
    edit(house, file, old, new)
    assert tuple(a != b for a, b in zip(before, two(), strict=True)) == (bm25, last)


def test_a_library_that_stems_otherwise_is_new_code(monkeypatch):
    """Versions of what our code imports are part of its digest; only of that."""
    before = two()
    real = own_code.library_version
    newer = lambda name: "99" if name == "snowballstemmer" else real(name)  # noqa: E731
    monkeypatch.setattr(own_code, "library_version", newer)
    forget()
    after = two()
    forget()
    assert before[0] != after[0]
    assert before[1] == after[1]


def test_every_data_file_belongs_to_a_module():
    """One that no module names would change results unseen."""
    data = {
        path.name
        for room in ("core", "text", "strategies", "models", "metrics")
        for path in (ROOT / room).rglob("*")
        if path.is_file() and path.suffix not in {".py", ".pyc"}
    }
    found = {
        file.name
        for path in FILES
        for file in own_code._data_files(path, code_alone(path.read_text(encoding="utf-8")))
    }
    assert data <= found


def test_what_is_only_shown_is_not_code_of_a_strategy():
    """The door to the views does not lead to all that the views rest on."""
    rooms = {name.split(".")[1] for name in closure("ctxlab.core.context")}
    assert rooms == {"core", "errors", "redaction"}


def test_digests_are_quick():
    """A warm one takes less than a millisecond, all that ship 250 ms at most when cold."""
    forget()
    values = [cls() for cls in STRATEGIES.classes().values()]
    times = []
    for _ in range(2):
        start = time.process_time()
        for value in values:
            code_digest(value)
        times.append(time.process_time() - start)
    assert times[0] < 0.25
    assert times[1] / len(values) < 0.001


# What follows is of keys.


def key(**changes: object) -> str:
    parts: dict[str, object] = {
        "spec": {"BM25": {}},
        "code": CodeDigest("c0de"),
        "case": sample_case(),
        "budget": "10%",
        "seed": 0,
        "encoding": "o200k_base",
        "encoder": "",
    }
    return trial_key(**(parts | changes))


def test_a_trials_key_follows_everything_that_it_depends_on():
    """Each part alone makes another key; the same parts make the same one."""
    changes = [
        {},
        {"spec": {"BM25": {"b": 0.5}}},
        {"code": CodeDigest("c0de2")},
        {"case": replace(sample_case(), id="other")},
        {"budget": "20%"},
        {"seed": 1},
        {"encoding": "cl100k_base"},
        {"encoder": "onnx:minilm"},
    ]
    keys = [key(**change) for change in changes]
    assert len(set(keys)) == len(keys)
    assert key() == keys[0]


@pytest.mark.parametrize("kind", [Message, ToolCall, Probe, Case])
def test_every_field_of_a_case_is_in_its_digest(kind):
    """A field that is added later, too: each is changed in turn."""
    case = sample_case()
    message = replace(case.messages[0], tool_calls=(ToolCall("c", "clock", "{}"),))
    case = replace(case, messages=(message, *case.messages[1:]))
    if kind in (Message, ToolCall):
        case = replace(case, probes=())
    others = {
        "messages": case.messages[:-1],
        "probes": case.probes[1:],
        "evidence": ("m1",),
        "evidence_mode": "any",
        "at": "m11",
        "role": "assistant",
        "tool_calls": (),
    }
    found = {case.digest}
    for field in fields(kind):
        new = {field.name: others.get(field.name, "other")}
        if kind is Case:
            changed = replace(case, **new)
        elif kind is Probe:
            changed = replace(case, probes=(replace(case.probes[0], **new), *case.probes[1:]))
        elif kind is ToolCall:
            calls = (replace(message.tool_calls[0], **new),)
            first = replace(message, tool_calls=calls)
            changed = replace(case, messages=(first, *case.messages[1:]))
        else:
            changed = replace(case, messages=(replace(message, **new), *case.messages[1:]))
        found.add(changed.digest)
    assert len(found) == len(fields(kind)) + 1


def test_a_cases_digest_is_taken_once(monkeypatch):
    """Every trial of the case asks for it."""
    case = sample_case()
    first = case.digest
    monkeypatch.setattr("ctxlab.core.cases.json.dumps", lambda *_, **__: pytest.fail("again"))
    assert case.digest == first


def test_metrics_that_differ_have_keys_that_differ():
    """Shipped ones, functions, and one function with another constant."""
    found = [metric_key(cls()) for name, cls in METRICS.classes().items()]
    found += [metric_key(as_metric(closed(n))) for n in (1, 2)]
    assert len(set(found)) == len(found)


def test_versions_are_looked_up_once(monkeypatch):
    """A grid asks for them with every trial."""
    first = versions()
    monkeypatch.setattr("ctxlab.core.own_code.version", lambda _: pytest.fail("again"))
    assert versions() == first
    assert first["python"].startswith(f"{sys.version_info.major}.")


class Bounded(Select):
    """Has a bounded parameter."""

    share: float = Field(0.5, ge=0)

    def score(self, context, task):
        return [self.share] * len(context)


def test_a_parameter_counts():
    """Two values of one class have two digests, as they have two specs."""
    assert code_digest(Bounded()) == code_digest(Bounded(share=0.5))
    assert code_digest(Bounded()) != code_digest(Bounded(share=0.6))
