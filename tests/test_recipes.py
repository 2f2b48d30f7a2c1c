"""Strategies and recipes as text: what can be written, and what is refused with which words."""

from __future__ import annotations

import json
import types
from contextlib import suppress
from enum import Enum
from importlib.metadata import version
from typing import Any, Literal, Union, get_args, get_origin

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from pydantic import Field, ValidationError
from pydantic.fields import FieldInfo

from ctxlab.core.recipe import Recipe
from ctxlab.core.specs import STRATEGIES, from_spec, parse
from ctxlab.core.strategy import Pipeline, Select, Strategy
from ctxlab.errors import BudgetError, CtxlabError, SpecError, UnknownNameError
from ctxlab.strategies import (
    BM25,
    Budgeted,
    ClearToolUses,
    DependencyMap,
    Escalate,
    KeepLast,
    MaskObservations,
    Pin,
    Tiers,
)

ODD = [
    "",
    'it\'s "q"',
    "x: y(",
    "a:b(",
    '"""',
    "\\",
    "\n\r\t\0\x7f\x85\u2028",
    "😀",
    "{}",
    "#",
    "''",
]
TEXTS = st.text(max_size=8) | st.sampled_from(ODD)


class Order(Enum):
    """A choice, as strategies of one's own may have it."""

    NEWEST = "newest"
    OLDEST = "oldest"


class OfOnesOwn(KeepLast):
    """Parameters of every kind that a value may have."""

    order: Order = Order.NEWEST
    roles: frozenset[str] = frozenset()
    weights: dict[Order, tuple[float, ...]] = Field(default_factory=dict)


def test_sets_members_and_tables_are_written_as_literals():
    """In one order whatever the hash seed, and read back as they were."""
    mine = OfOnesOwn(
        order=Order.OLDEST,
        roles=frozenset({"user", "tool", "system"}),
        weights={Order.OLDEST: (0.5, 1.0)},
    )
    written = str(mine)
    assert "order='oldest', roles=('system', 'tool', 'user')" in written
    assert "weights={'oldest': (0.5, 1.0)}" in written
    assert from_spec(json.loads(json.dumps(mine.spec()))) == mine
    assert parse(written) == mine


@pytest.mark.parametrize(
    ("text", "strategy"),
    [
        ("KeepLast", KeepLast()),
        ("BM25(neighbours=2)", BM25(neighbours=2)),
        (" BM25( k1 = 1.2 ) >> KeepLast() ", BM25(k1=1.2) >> KeepLast()),
        ("ClearToolUses(exclude_tools=('a', 'b'))", ClearToolUses(exclude_tools=("a", "b"))),
        ("ClearToolUses(placeholder='x: y(')", ClearToolUses(placeholder="x: y(")),
        ("Pin(matching=r'\\d+ euros')", Pin(matching=r"\d+ euros")),
        ("Escalate(steps=[BM25, KeepLast])", Escalate(steps=(BM25(), KeepLast()))),
        ("Budgeted(strategy=BM25() >> KeepLast())", Budgeted(strategy=BM25() >> KeepLast())),
        ("DependencyMap(needs={'a': ['b']})", DependencyMap(needs=(("a", ("b",)),))),
        ("ctxlab.strategies.windows:KeepLast()", KeepLast()),
        ("ctxlab.strategies.windows.KeepLast()", KeepLast()),
    ],
)
def test_what_is_written_is_what_is_built(text, strategy):
    """Names, parameters and pipelines are read as in Python, and written back."""
    assert parse(text) == strategy
    assert parse(str(strategy)) == strategy
    assert from_spec(strategy.spec()) == strategy


@pytest.mark.parametrize(
    ("text", "error", "words"),
    [
        ("BM52()", UnknownNameError, "did you mean 'BM25'"),
        ("Pin(strategy=BM52())", UnknownNameError, "did you mean 'BM25'"),
        ("BM25(neighbour=2)", SpecError, "did you mean 'neighbours'"),
        ("BM25(neighbours=-1)", SpecError, "neighbours=-1"),
        ("BM25(2)", SpecError, "named literals"),
        ("BM25(**{'neighbours': 2})", SpecError, "named literals"),
        ("BM25(neighbours=1, neighbours=2)", SpecError, "named literals"),
        ("BM25(k1={[]: 1})", SpecError, "not understood"),
        ("BM25(", SpecError, "character"),
        ("", SpecError, "write it as in Python"),
        ("\0", SpecError, "write it as in Python"),
        ("(" * 500, SpecError, "write it as in Python"),
        ("BM25() + KeepLast()", SpecError, "not understood"),
        ("BM25() >> 3", SpecError, "not understood"),
        ("3", SpecError, "is a int, not a strategy"),
        ("Pin(matching='(')", SpecError, "^Pin: .* is no regular expression"),
        ("__import__('os').system('true')", SpecError, "not understood"),
        ("os:system()", SpecError, "not a subclass"),
        ("os.system()", SpecError, "not a subclass"),
        ("BM25.x()", SpecError, "cannot be imported"),
        ("no.such.module:Thing()", SpecError, "cannot be imported"),
        ("ctxlab.core.strategy:Select()", SpecError, "abstract"),
    ],
)
def test_what_cannot_be_is_refused_with_the_remedy(text, error, words):
    """Nothing is executed, and the error says what was meant."""
    with pytest.raises(error, match=words):
        parse(text, allow_import=True)


@pytest.mark.parametrize(
    ("spec", "error", "words"),
    [
        ({"BM52": {}}, UnknownNameError, "did you mean 'BM25'"),
        ({"Pin": {"strategy": {"BM52": {}}}}, UnknownNameError, "strategy 'BM52'.*'BM25'"),
        ({"Escalate": {"steps": [{"BM52": {}}]}}, UnknownNameError, "strategy 'BM52'.*'BM25'"),
        ({"BM25": {"neighbour": 2}}, SpecError, "did you mean 'neighbours'"),
        ({"BM25": None}, SpecError, "expected a table"),
        ({"BM25": {1: 2}}, SpecError, "unknown parameter '1'"),
        ({1: {}}, UnknownNameError, "unknown strategy '1'"),
        ({}, SpecError, "one strategy's name"),
        ({"BM25": {}, "KeepLast": {}}, SpecError, "one strategy's name"),
        ("KeepLast()", SpecError, "one strategy's name"),
        (None, SpecError, "one strategy's name"),
        ({":x": {}}, SpecError, "cannot be imported"),
        ({"..x:y": {}}, SpecError, "cannot be imported"),
        ({"ctxlab.core.strategy:Strategy": {}}, SpecError, "abstract"),
    ],
)
def test_a_spec_that_cannot_be_is_refused(spec, error, words):
    """Whatever stands there, the error is one of ctxlab's and says what was meant."""
    with pytest.raises(error, match=words):
        from_spec(spec, allow_import=True)


@given(st.text() | st.text(alphabet="BM25KeepLast()>='\"\\:.,[]{}* 1\n"))
@example("BM25(k1=1e999)")
@example("a.b:c.d(e='f:g(')")
def test_any_text_is_read_or_refused(text):
    """No text whatever is an error of Python's own."""
    with suppress(CtxlabError):
        assert isinstance(parse(text), Strategy)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | TEXTS,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            TEXTS | st.sampled_from([*STRATEGIES.classes(), "strategy"]), inner, max_size=3
        )
    ),
    max_leaves=8,
)


@given(JSON, JSON)
def test_any_data_is_read_or_refused(strategy, budget):
    """No recipe whatever is an error of Python's own."""
    with suppress(CtxlabError):
        recipe = Recipe.from_json(json.dumps({"strategy": strategy, "budget": budget}))
        assert isinstance(recipe.strategy, Strategy)


def values(annotation: Any) -> st.SearchStrategy[Any]:
    """Return values of a parameter's type; bounds are for the strategy to refuse."""
    origin, parts = get_origin(annotation), get_args(annotation)
    if origin is Literal:
        return st.sampled_from(parts)
    if origin in (Union, types.UnionType):
        return st.one_of(map(values, parts))
    if origin is tuple and parts[-1] is Ellipsis:
        return st.lists(values(parts[0]), max_size=3).map(tuple)
    if origin is tuple:
        return st.tuples(*map(values, parts))
    if get_origin(annotation) is not None and parts:
        return values(parts[0])
    if isinstance(annotation, type) and issubclass(annotation, Select):
        return st.sampled_from([BM25(), BM25(k1=0.5, neighbours=3)])
    if isinstance(annotation, type) and issubclass(annotation, Strategy):
        return st.deferred(lambda: ANY_STRATEGY)
    simple: dict[Any, st.SearchStrategy[Any]] = {
        bool: st.booleans(),
        int: st.integers(0, 99),
        float: st.floats(0, 1) | st.floats(0, 1e9),
        str: TEXTS,
        type(None): st.none(),
    }
    return simple[annotation]


@st.composite
def made(draw: st.DrawFn, cls: type[Strategy]) -> Strategy:
    """Draw a strategy of a class, with any parameters that it takes together."""
    fields: dict[str, FieldInfo] = dict(cls.model_fields)
    names = draw(st.lists(st.sampled_from(sorted(fields)), unique=True)) if fields else []
    chosen: dict[str, Any] = {}
    for name in names:
        wanted = {**chosen, name: draw(values(fields[name].annotation))}
        try:
            cls(**wanted)
        except (ValidationError, CtxlabError):
            continue
        chosen = wanted
    return cls(**chosen)


LEAVES = [cls for cls in STRATEGIES.classes().values() if "Strategy" not in repr(cls.model_fields)]
COMPOSITES = [
    cls for cls in STRATEGIES.classes().values() if cls not in LEAVES and cls is not Pipeline
]
ANY_STRATEGY: st.SearchStrategy[Strategy] = st.recursive(
    st.sampled_from(LEAVES).flatmap(made),
    lambda inner: (
        st.tuples(inner, inner).map(lambda pair: pair[0] >> pair[1])
        | st.lists(inner, min_size=1, max_size=3).map(lambda steps: Escalate(steps=tuple(steps)))
        | st.builds(lambda a, b: Budgeted(strategy=a, then=b), inner, inner)
        | st.builds(lambda a, b: Tiers(short_term=a, persistent=b), inner, inner)
        | st.builds(lambda a, text: Pin(strategy=a, sources=(text,)), inner, TEXTS)
    ),
    max_leaves=4,
)
RECIPES = st.builds(
    Recipe,
    strategy=ANY_STRATEGY,
    budget=st.sampled_from(["8000", "8k", "10%", "12.5%"]),
    seed=st.integers(0, 2**40),
    name=TEXTS,
    ctxlab=st.sampled_from([version("ctxlab"), *ODD]),
)


def comes_back(recipe: Recipe) -> None:
    """Check that a recipe is read from whatever it is written as."""
    for form in ("json", "toml", "python"):
        text = getattr(recipe, f"to_{form}")()
        assert getattr(Recipe, f"from_{form}")(text) == recipe, form
    strategy = recipe.strategy
    assert from_spec(strategy.spec()) == strategy
    assert hash(from_spec(strategy.spec())) == hash(strategy)


@settings(suppress_health_check=list(HealthCheck))
@given(RECIPES)
@example(Recipe(strategy=ClearToolUses(placeholder="😀"), budget="8k", name="😀"))
@example(Recipe(strategy=KeepLast(), budget="8k", name='"""\nraise SystemExit'))
@example(Recipe(strategy=KeepLast(), budget="8k", ctxlab='"""\nraise SystemExit'))
def test_a_recipe_comes_back_from_every_form(recipe):
    """JSON, TOML and Python hold nested strategies and odd strings, and none of them is run."""
    comes_back(recipe)


@pytest.mark.parametrize("cls", [*LEAVES, *COMPOSITES], ids=lambda cls: cls.__name__)
def test_every_strategy_comes_back_with_any_parameters(cls):
    """Each registered strategy, with whatever parameters it takes, in every form."""

    @settings(max_examples=20, suppress_health_check=list(HealthCheck), database=None)
    @given(made(cls))
    def each(strategy: Strategy) -> None:
        comes_back(Recipe(strategy=strategy, budget="10%"))

    each()


@given(RECIPES)
@settings(max_examples=20, suppress_health_check=list(HealthCheck))
def test_python_source_runs_and_holds_the_strategy(recipe):
    """The source is Python that runs, whatever the names and parameters hold."""
    scope: dict[str, Any] = {}
    exec(recipe.to_python(), scope)
    assert scope["STRATEGY"] == recipe.strategy
    assert scope["RECIPE"]["name"] == recipe.name


@pytest.mark.parametrize("ending", ["json", "toml", "py"])
def test_a_recipe_is_saved_and_loaded_by_its_ending(tmp_path, ending):
    """What is saved as a file is loaded from it, with its version."""
    recipe = Recipe(strategy=Pin(matching="é 😀", strategy=BM25()), budget="10%", seed=3)
    path = recipe.save(tmp_path / f"recipe.{ending}")
    assert Recipe.load(path) == recipe
    assert version("ctxlab") in path.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("a.yaml", b"", "written as .json, .toml or .py, not '.yaml'"),
        ("a.json", None, "cannot be read"),
        ("a.json", b"\xff", "cannot be read"),
        ("a.json", b"{", "not JSON"),
        ("a.toml", b"=", "not TOML"),
        ("a.py", b"(", "not Python"),
        ("a.py", b"RECIPE = open('x')", "not Python"),
        ("a.py", b"STRATEGY = 1", "assigns no RECIPE"),
        ("a.py", b"RECIPE = 1", "a strategy and a budget"),
    ],
)
def test_a_file_that_is_no_recipe_says_why(tmp_path, name, content, words):
    """The ending, the file or the place is in the error."""
    if content is not None:
        (tmp_path / name).write_bytes(content)
    with pytest.raises(SpecError, match=words):
        Recipe.load(tmp_path / name)


@pytest.mark.parametrize("form", ["json", "toml", "python"])
def test_an_unknown_strategy_is_refused_with_the_nearest_name(form):
    """In every form, at any depth."""
    text = getattr(Recipe(strategy=Pin(strategy=BM25()), budget="8k"), f"to_{form}")()
    with pytest.raises(UnknownNameError, match="unknown strategy 'BM52'; did you mean 'BM25'"):
        getattr(Recipe, f"from_{form}")(text.replace("BM25", "BM52"))


def test_a_strategy_may_be_written_as_in_python_in_every_form():
    """What people write by hand is understood: text in JSON, tables in TOML."""
    wanted = Recipe(strategy=MaskObservations(keep=2) >> KeepLast(), budget="8k")
    text = '{"strategy": "MaskObservations(keep=2) >> KeepLast()", "budget": "8k"}'
    table = (
        'budget = "8k"\n[[strategy.Pipeline.steps]]\nMaskObservations = {keep = 2}\n'
        "[[strategy.Pipeline.steps]]\nKeepLast = {}\n"
    )
    assert Recipe.from_json(text) == wanted
    assert Recipe.from_toml(table) == wanted


def test_a_recipe_without_a_possible_budget_is_refused_when_it_is_made():
    """A recipe that could not be read again is not written."""
    with pytest.raises(ValidationError, match="'banana' is not understood"):
        Recipe(strategy=KeepLast(), budget="banana")
    with pytest.raises(BudgetError, match="'banana' is not understood"):
        Recipe.from_dict({"strategy": {"KeepLast": {}}, "budget": "banana"})


def test_a_recipe_names_the_version_that_wrote_it():
    """The version stands in every form, and stays what it was when it is read by another."""
    old = Recipe(strategy=KeepLast(), budget="8k", ctxlab="0.0.1")
    assert Recipe(strategy=KeepLast(), budget="8k").ctxlab == version("ctxlab")
    assert Recipe.from_toml(old.to_toml()).ctxlab == "0.0.1"


def test_names_are_found_by_module_too():
    """Classes of ctxlab's answer to both of their names."""
    assert STRATEGIES.find("KeepLast") is STRATEGIES.find("ctxlab.strategies.windows:KeepLast")


def test_a_recipe_holds_every_parameter_and_refuses_what_has_changed():
    """Defaults included; a newer or changed one is refused with a way on."""
    recipe = Recipe(strategy=BM25() >> KeepLast(), budget="8k")
    for kind in ("json", "toml", "python"):
        text = getattr(recipe, f"to_{kind}")()
        read = getattr(Recipe, f"from_{kind}")
        assert "neighbours" in text
        assert read(text) == recipe
        changed = text.replace('neighbours": 0', 'neighbours": 5').replace(
            'neighbours\\": 0', 'neighbours\\": 5'
        )
        assert changed != text
        with pytest.raises(SpecError, match="changed=True"):
            read(changed)
        assert read(changed, changed=True) == recipe
        newer = text.replace(version("ctxlab"), "99.1")
        with pytest.raises(SpecError, match=r"written by ctxlab 99\.1"):
            read(newer)
        assert read(newer, changed=True).strategy == recipe.strategy


@pytest.mark.parametrize(
    "written",
    ["shop.best:Best()", {"Pipeline": {"stages": [{"shop:Best": {}}]}}, "Pin(strategy=shop:B())"],
)
def test_a_recipe_imports_nothing_outside_ctxlab_unless_told(written):
    """The name is in the refusal; a text that looks like one is no name."""
    with pytest.raises(SpecError, match="allow_import=True"):
        Recipe.from_dict({"strategy": written, "budget": "8k"})
    Recipe.from_dict({"strategy": "Pin(matching='shop:Best')", "budget": "8k"})


def test_the_winner_is_saved_or_none_is(tmp_path):
    """A decisive winner becomes a recipe; a close run is refused with its sentence."""
    from ctxlab.errors import StatisticsError
    from ctxlab.testing import sample_results

    results = sample_results()
    with pytest.raises(StatisticsError, match="no strategy is decisively better at 40%"):
        results.recipe()
    assert Recipe.load(results.recipe("KeepLast()").save(tmp_path / "r.toml")).budget == "40%"
    with pytest.raises(UnknownNameError, match="budget"):
        results.recipe("KeepLast()", budget="7%")


def test_a_recipe_takes_its_strategy_as_it_is_written():
    """As `compress` and `Grid` do, and a misspelt name is refused with the nearest one."""
    recipe = Recipe(strategy="KeepValues() >> KeepLast()", budget="8k")
    assert recipe == Recipe.from_dict({"strategy": str(recipe.strategy), "budget": "8k"})
    with pytest.raises(UnknownNameError, match="did you mean 'KeepLast'"):
        Recipe(strategy="KeepLost()", budget="8k")
