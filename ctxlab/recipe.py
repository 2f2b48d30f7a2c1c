"""Recipes: a strategy with its budget and tokenizer, written down so that it runs again."""

from __future__ import annotations

import json
import tomllib
from importlib.metadata import version
from pathlib import Path
from typing import Any

from pydantic import Field, SerializeAsAny, ValidationError

from ctxlab.budget import Budget
from ctxlab.errors import SpecError
from ctxlab.model import Value
from ctxlab.recipes import from_spec
from ctxlab.strategy import Strategy
from ctxlab.tokens import DEFAULT_ENCODING

_FIELDS = {"ctxlab", "strategy", "budget", "encoding", "seed", "name"}


class Recipe(Value):
    """Enough to run the same compression again, somewhere else.

    Parameters
    ----------
    strategy : Strategy
        With its parameters.
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
    """

    strategy: SerializeAsAny[Strategy]
    budget: str
    encoding: str = DEFAULT_ENCODING
    seed: int = 0
    name: str = ""
    ctxlab: str = Field(default_factory=lambda: version("ctxlab"))

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
        }

    @classmethod
    def from_dict(cls, data: object) -> Recipe:
        """Rebuild a recipe from plain data.

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
        rest = {key: value for key, value in data.items() if key not in ("strategy", "budget")}
        try:
            return cls(strategy=from_spec(data["strategy"]), budget=str(data["budget"]), **rest)
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
    def from_json(cls, text: str) -> Recipe:
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
            return cls.from_dict(json.loads(text))
        except json.JSONDecodeError as error:
            raise SpecError(f"the recipe is not JSON: {error}") from error

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
        """
        rows = {**self.to_dict(), "strategy": str(self.strategy)}
        return "".join(f"{key} = {json.dumps(value)}\n" for key, value in rows.items())

    @classmethod
    def from_toml(cls, text: str) -> Recipe:
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
        from ctxlab.recipes import parse

        try:
            data = tomllib.loads(text)
        except tomllib.TOMLDecodeError as error:
            raise SpecError(f"the recipe is not TOML: {error}") from error
        if isinstance(data.get("strategy"), str):
            data["strategy"] = parse(data["strategy"]).spec()
        return cls.from_dict(data)

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
        return (
            f'"""Recipe {self.name!r}, written by ctxlab {self.ctxlab}."""\n\n'
            "import ctxlab\n"
            "from ctxlab.task import Tools\n"
            "from ctxlab.tokens import shared_counter\n\n"
            f"STRATEGY = ctxlab.parse({str(self.strategy)!r})\n\n\n"
            "def compress(messages, query=''):\n"
            "    return ctxlab.compress(\n"
            "        messages,\n"
            f"        budget={self.budget!r},\n"
            "        query=query,\n"
            "        strategy=STRATEGY,\n"
            f"        tools=Tools.of(shared_counter({self.encoding!r})),\n"
            f"        seed={self.seed},\n"
            "    )\n"
        )

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
        if target.suffix not in write:
            raise SpecError(f"a recipe is written as .json, .toml or .py, not {target.suffix!r}")
        target.write_text(write[target.suffix](), encoding="utf-8")
        return target
