"""``ctxlab compress``: a chat in, the same chat within a budget out, for shells."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, cast, get_args

import typer

from ctxlab.cli.options import AllowImport
from ctxlab.cli.output import put_json
from ctxlab.errors import DataError, SpecError

if TYPE_CHECKING:
    from ctxlab.core.recipe import Recipe
    from ctxlab.core.strategy import Strategy


def compress(
    file: Annotated[str, typer.Argument(help="A chat in JSON, or - for stdin.")],
    recipe: Annotated[
        str | None,
        typer.Option("--recipe", help="A recipe's file, or a strategy such as 'BM25()'."),
    ] = None,
    budget: Annotated[
        str | None, typer.Option("--budget", help="8000, 8k or 10%; a recipe's file has its own.")
    ] = None,
    api: Annotated[
        str | None,
        typer.Option("--api", help="Whose messages they are; recognised when not given."),
    ] = None,
    query: Annotated[
        str, typer.Option("--query", help="What will be asked; else the newest user message.")
    ] = "",
    system: Annotated[
        str,
        typer.Option("--system", help="System messages that stay: pin, latest or compress."),
    ] = "pin",
    reserve: Annotated[
        int, typer.Option("--reserve", help="Tokens of the budget to leave free.", min=0)
    ] = 0,
    allow_import: AllowImport = False,
    ledger: Annotated[
        bool, typer.Option("--ledger", help="Print messages and ledger as one object.")
    ] = False,
) -> None:
    """Compress a list of messages, or the body of a request, and print it as JSON.

    For example:

      ctxlab compress chat.json --recipe 'BM25()' --budget 8k

      curl -s $CHATS/7 | ctxlab compress - --recipe recipe.toml --ledger
    """
    from ctxlab.chats.compressing import compress as compress_chat
    from ctxlab.chats.selection import System

    if system not in get_args(System):
        raise SpecError(f"--system is {system!r}; write pin, latest or compress")
    found = compress_chat(
        _chat(file),
        budget=budget,
        strategy=_recipe(recipe, allow_import) if recipe is not None else None,
        api=api,
        query=query,
        system=cast("System", system),
        reserve=reserve,
        explain=True,
    )
    if not ledger:
        put_json(found.messages)
        return
    put_json(
        {
            "schema": 1,
            "messages": found.messages,
            "tokens_before": found.tokens_before,
            "tokens_after": found.tokens_after,
            "ledger": [asdict(entry) for entry in found.ledger],
        }
    )


def _chat(file: str) -> Any:  # noqa: ANN401 - JSON
    try:
        data = sys.stdin.buffer.read() if file == "-" else Path(file).read_bytes()
        found = json.loads(data.decode("utf-8-sig"))
    except OSError as error:
        raise DataError(
            f"cannot be opened ({error.strerror}); name an existing file", file
        ) from error
    except (ValueError, RecursionError) as error:
        raise DataError(f"is not JSON: {error}", file) from error
    if not isinstance(found, list | dict):
        raise DataError("holds no chat; expected a list of messages or a body with one", file)
    return found


def _recipe(text: str, allow_import: bool) -> Recipe | Strategy:
    from ctxlab.core.recipe import Recipe
    from ctxlab.core.specs import parse

    if text.endswith((".json", ".toml", ".py")):
        return Recipe.load(text, allow_import=allow_import)
    return parse(text, allow_import=allow_import)
