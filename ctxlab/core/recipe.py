"""Recipes: a strategy with its budget and tokenizer, written down so that it runs again."""

from __future__ import annotations

import ast
import json
import tomllib
from importlib.metadata import version
from pathlib import Path
from typing import Any

from pydantic import Field, SerializeAsAny, ValidationError, field_validator

from ctxlab.core.budgets import Budget
from ctxlab.core.recipe_checks import complete, refuse_changed, refuse_newer
from ctxlab.core.segments import Value
from ctxlab.core.specs import from_spec, parse
from ctxlab.core.strategy import Strategy
from ctxlab.core.tokens import DEFAULT_ENCODING
from ctxlab.core.unforeseen import write_whole
from ctxlab.core.views import view
from ctxlab.errors import SpecError

_FIELDS = {"ctxlab", "strategy", "budget", "encoding", "seed", "name", "parameters"}

_SOURCE = '''\
"""A recipe of ctxlab: compresses a list of chat messages."""

import ctxlab
from ctxlab.core.tools import Tools
from ctxlab.core.tokens import shared_counter

RECIPE = {}
STRATEGY = ctxlab.parse(RECIPE["strategy"], allow_import=True)


def compress(messages, query=""):
    return ctxlab.compress(
        messages,
        budget=RECIPE["budget"],
        query=query,
        strategy=STRATEGY,
        tools=Tools.of(shared_counter(RECIPE["encoding"])),
        seed=RECIPE["seed"],
    )
'''
_DEEP = "the recipe is nested too deeply; write its stages in one row, with >>"


class Recipe(Value):
    """Enough to run the same compression again, somewhere else.

    Parameters
    ----------
    strategy : Strategy or str
        With its parameters, as a value or as it is written: ``"BM25(neighbours=2)"``.
    budget : str
        ``8000``, ``8k`` or ``10%``.
    encoding : str
        Whose tokens the budget counts.
    seed : int
        Seeds whatever is random.
    name : str
        What people call it.
    ctxlab : str
        The version that wrote it.

    Examples
    --------
    >>> from ctxlab.strategies import BM25, KeepLast
    >>> recipe = Recipe(strategy=BM25(neighbours=2) >> KeepLast(), budget="10%")
    >>> Recipe.from_json(recipe.to_json()) == recipe
    True
    >>> recipe == Recipe(strategy="BM25(neighbours=2) >> KeepLast()", budget="10%")
    True
    """

    strategy: SerializeAsAny[Strategy]
    budget: str
    encoding: str = DEFAULT_ENCODING
    seed: int = 0
    name: str = ""
    ctxlab: str = Field(default_factory=lambda: version("ctxlab"))

    @field_validator("strategy", mode="before")
    @classmethod
    def _as_written(cls, strategy: object) -> object:
        return parse(strategy) if isinstance(strategy, str) else strategy

    @field_validator("budget")
    @classmethod
    def _is_a_budget(cls, budget: str) -> str:
        Budget.parse(budget)
        return budget

    def __str__(self) -> str:
        name = f" {self.name!r}" if self.name else ""
        return f"Recipe{name}: {self.strategy} at {self.budget} of {self.encoding}"

    def _repr_html_(self) -> str:
        return str(view("recipe_html", self))

    def to_dict(self) -> dict[str, Any]:
        """Return the recipe as plain data.

        Examples
        --------
        >>> from ctxlab.strategies import KeepLast
        >>> Recipe(strategy=KeepLast(), budget="8k").to_dict()["strategy"]
        {'KeepLast': {}}
        """
        return {
            "ctxlab": self.ctxlab,
            "name": self.name,
            "budget": self.budget,
            "encoding": self.encoding,
            "seed": self.seed,
            "strategy": self.strategy.spec(),
            "parameters": complete(self.strategy),
        }

    @classmethod
    def from_dict(
        cls, data: object, *, allow_import: bool = False, changed: bool = False
    ) -> Recipe:
        """Rebuild a recipe from plain data; the strategy is a spec, or as written in Python.

        Parameters
        ----------
        data : mapping
            As `to_dict` gives it.
        allow_import : bool
            Import strategies from outside ctxlab; else these have to be loaded, or declared by an
            installed package.
        changed : bool
            Take a recipe of a newer ctxlab, or one whose defaults are others by now.

        Raises
        ------
        SpecError, UnknownNameError, BudgetError
            When a field is missing, unknown or wrong, or there is no such strategy.

        Examples
        --------
        >>> Recipe.from_dict({"strategy": {"KeepFirst": {}}, "budget": "8k"})
        Traceback (most recent call last):
        ctxlab.errors.UnknownNameError: unknown strategy 'KeepFirst'; did you mean 'KeepLast'? ...
        """
        if not isinstance(data, dict) or "strategy" not in data or "budget" not in data:
            raise SpecError("a recipe is a table with a strategy and a budget")
        unknown = sorted(set(data) - _FIELDS)
        if unknown:
            raise SpecError(f"a recipe has no field {unknown[0]!r}; it has {sorted(_FIELDS)}")
        Budget.parse(str(data["budget"]))
        written = data["strategy"]
        if not changed:
            refuse_newer(str(data.get("ctxlab", "")))
        if isinstance(written, str):
            strategy = parse(written, allow_import=allow_import)
        else:
            strategy = from_spec(written, allow_import=allow_import)
        if not changed:
            refuse_changed(data.get("parameters"), strategy)
        known = ("strategy", "budget", "parameters")
        rest = {key: value for key, value in data.items() if key not in known}
        try:
            return cls(strategy=strategy, budget=str(data["budget"]), **rest)
        except ValidationError as error:
            fault = error.errors()[0]
            raise SpecError(f"recipe field {fault['loc'][0]!r}: {fault['msg']}") from error

    def to_json(self) -> str:
        """Return the recipe as JSON text.

        Examples
        --------
        >>> from ctxlab.strategies import KeepLast
        >>> '"budget": "8k"' in Recipe(strategy=KeepLast(), budget="8k").to_json()
        True
        """
        return json.dumps(self.to_dict(), indent=2) + "\n"

    @classmethod
    def from_json(cls, text: str, *, allow_import: bool = False, changed: bool = False) -> Recipe:
        """Read a recipe from JSON text.

        Raises
        ------
        SpecError
            When it is not JSON, or not a recipe.

        Examples
        --------
        >>> Recipe.from_json('{"strategy": {"KeepLast": {}}, "budget": "8k"}').strategy
        KeepLast()
        """
        try:
            return cls.from_dict(json.loads(text), allow_import=allow_import, changed=changed)
        except json.JSONDecodeError as error:
            raise SpecError(f"the recipe is not JSON: {error}") from error
        except RecursionError as error:
            raise SpecError(_DEEP) from error

    def to_toml(self) -> str:
        """Return the recipe as TOML text; the strategy stands as it is written in Python.

        Examples
        --------
        >>> from ctxlab.strategies import KeepLast
        >>> print(Recipe(strategy=KeepLast(), budget="8k", ctxlab="0.1.0").to_toml(), end="")
        ctxlab = "0.1.0"
        name = ""
        budget = "8k"
        encoding = "o200k_base"
        seed = 0
        strategy = "KeepLast()"
        parameters = ...
        """
        return "".join(f"{key} = {_toml(value)}\n" for key, value in self._rows().items())

    def _rows(self) -> dict[str, Any]:
        parameters = json.dumps(complete(self.strategy), ensure_ascii=False)
        return {**self.to_dict(), "strategy": str(self.strategy), "parameters": parameters}

    @classmethod
    def from_toml(cls, text: str, *, allow_import: bool = False, changed: bool = False) -> Recipe:
        r"""Read a recipe from TOML text.

        Raises
        ------
        SpecError
            When it is not TOML, or not a recipe.

        Examples
        --------
        >>> Recipe.from_toml('strategy = "BM25(neighbours=2)"\nbudget = "10%"').strategy
        BM25(neighbours=2)
        """
        try:
            return cls.from_dict(tomllib.loads(text), allow_import=allow_import, changed=changed)
        except tomllib.TOMLDecodeError as error:
            raise SpecError(f"the recipe is not TOML: {error}") from error
        except RecursionError as error:
            raise SpecError(_DEEP) from error

    def to_python(self) -> str:
        """Return Python source that compresses a list of messages by this recipe.

        Examples
        --------
        >>> from ctxlab.strategies import KeepLast
        >>> source = Recipe(strategy=KeepLast(), budget="8k").to_python()
        >>> scope = {}
        >>> exec(source, scope)
        >>> scope["compress"]([{"role": "user", "content": "Hi"}])
        [{'role': 'user', 'content': 'Hi'}]
        """
        rows = "".join(f"    {key!r}: {value!r},\n" for key, value in self._rows().items())
        return _SOURCE.replace("{}", f"{{\n{rows}}}", 1)

    @classmethod
    def from_python(
        cls, source: str, *, allow_import: bool = False, changed: bool = False
    ) -> Recipe:
        """Read a recipe from the Python source that `to_python` writes; nothing is run.

        Raises
        ------
        SpecError
            When it is not Python, or assigns no recipe.

        Examples
        --------
        >>> Recipe.from_python("RECIPE = {'strategy': 'KeepLast()', 'budget': '8k'}").strategy
        KeepLast()
        """
        try:
            recipes = [
                ast.literal_eval(node.value)
                for node in ast.parse(source).body
                if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "RECIPE"
            ]
        except (SyntaxError, ValueError, TypeError) as error:
            raise SpecError(f"the recipe is not Python: {error}") from error
        except (RecursionError, MemoryError) as error:
            raise SpecError(_DEEP) from error
        if not recipes:
            raise SpecError("the Python source has no recipe; it assigns no RECIPE = {...}")
        return cls.from_dict(recipes[-1], allow_import=allow_import, changed=changed)

    def save(self, path: str | Path) -> Path:
        """Write the recipe: JSON, TOML or Python, by the file's ending.

        Raises
        ------
        SpecError
            When the ending is none of these.

        Examples
        --------
        >>> from ctxlab.strategies import KeepLast
        >>> Recipe(strategy=KeepLast(), budget="8k").save("recipe.yaml")
        Traceback (most recent call last):
        ctxlab.errors.SpecError: a recipe is written as .json, .toml or .py, not '.yaml'
        """
        target = Path(path)
        write = {".json": self.to_json, ".toml": self.to_toml, ".py": self.to_python}
        write_whole(target, write[_ending(target)](), SpecError)
        return target

    @classmethod
    def load(cls, path: str | Path, *, allow_import: bool = False, changed: bool = False) -> Recipe:
        """Read a recipe from a file: JSON, TOML or Python, by the file's ending.

        Parameters
        ----------
        path : str or Path
            The file.
        allow_import : bool
            Import strategies from outside ctxlab; else these have to be loaded, or declared by an
            installed package.
        changed : bool
            Take a recipe of a newer ctxlab, or one whose defaults are others by now.

        Raises
        ------
        SpecError
            When the ending is none of these, or the file cannot be read or holds no recipe.

        Examples
        --------
        >>> Recipe.load("recipe.yaml")
        Traceback (most recent call last):
        ctxlab.errors.SpecError: a recipe is written as .json, .toml or .py, not '.yaml'
        """
        file = Path(path)
        read = {".json": cls.from_json, ".toml": cls.from_toml, ".py": cls.from_python}
        ending = _ending(file)
        try:
            text = file.read_text(encoding="utf-8-sig")
        except (OSError, ValueError) as error:
            raise SpecError(f"recipe {str(file)!r} cannot be read: {error}") from error
        return read[ending](text, allow_import=allow_import, changed=changed)


def _ending(path: Path) -> str:
    if path.suffix not in (".json", ".toml", ".py"):
        raise SpecError(f"a recipe is written as .json, .toml or .py, not {path.suffix!r}")
    return path.suffix


def _toml(value: object) -> str:
    # A JSON string is a TOML string, but for the character delete, and with no escaped pairs.
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
