"""``ctxlab workshop``: workshops of a store, listed, shown, stepped through and changed."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ctxlab.cli.options import DEFAULT_STORE, AsJSON, StorePath, say
from ctxlab.cli.output import put, put_json, put_table
from ctxlab.errors import DataError, StoreError

if TYPE_CHECKING:
    from ctxlab.workshop.workshops import Workshops

workshop_app = typer.Typer(no_args_is_help=True, help="Make, show and change workshops.")
Id = Annotated[str, typer.Argument(help="The workshop's id.")]
Step = Annotated[str, typer.Argument(help="A step of it, such as persona.")]


@contextmanager
def opened(store: Path, *, make: bool = False) -> Iterator[Workshops]:
    """Give the workshops of a store that is there.

    Raises
    ------
    StoreError
        When there is no such store, and none is to be made.

    Examples
    --------
    >>> with opened(Path("none.duckdb")):
    ...     pass
    Traceback (most recent call last):
    ctxlab.errors.StoreError: there is no store none.duckdb; ...
    """
    from ctxlab.store import Store
    from ctxlab.workshop.workshops import Workshops

    if not make and not store.exists():
        raise StoreError(f"there is no store {store}; make a workshop first, or name another")
    with Store(store) as lab:
        yield Workshops(lab)


def read_json(path: Path) -> Any:  # noqa: ANN401 - JSON
    """Return the JSON of a file, numbers with all digits; ``-`` is stdin.

    Raises
    ------
    DataError
        When it cannot be read, or is no JSON.

    Examples
    --------
    >>> read_json(Path("none.json"))
    Traceback (most recent call last):
    ctxlab.errors.DataError: none.json: is no JSON: ...
    """
    from ctxlab.text.json_numbers import loads

    try:
        if str(path) == "-":
            return loads(typer.get_text_stream("stdin").read())
        return loads(path.read_text(encoding="utf-8-sig"))
    except (OSError, ValueError) as error:
        raise DataError(f"is no JSON: {error}", str(path)) from error


@workshop_app.command("list")
def list_workshops(store: StorePath = DEFAULT_STORE, as_json: AsJSON = False) -> None:
    """List the workshops of a store, with protocol and progress.

    For example:

      ctxlab workshop list --store lab.duckdb
    """
    with opened(store) as lab:
        rows = []
        for id_, title in lab.titles().items():
            handle = lab.open(id_)
            states = [one.status for one in handle.status()]
            protocol = f"{handle.protocol_name} {handle.protocol_version}"
            row = {"id": id_, "title": title, "protocol": protocol, "steps": len(states)}
            rows.append(row | {"complete": states.count("complete")})
    if as_json:
        put_json({"schema": 1, "rows": rows})
        return
    columns = {"id": "left", "title": "left", "protocol": "left", "complete": "right",
               "steps": "right"}  # fmt: skip
    put_table(([row[name] for name in columns] for row in rows), columns)


@workshop_app.command()
def show(id_: Id, store: StorePath = DEFAULT_STORE, as_json: AsJSON = False) -> None:
    """Show where every step of a workshop is, and what it has left.

    For example:

      ctxlab workshop show wks_1 --store lab.duckdb
    """
    with opened(store) as lab:
        handle = lab.open(id_)
        rows = []
        for one in handle.status():
            record, summary = handle.artifact(one.step), handle.summary(one.step)
            rows.append(
                {
                    "step": one.step,
                    "status": one.status,
                    "phase": one.arc_phase.value,
                    "messages": len(list(handle.messages(one.step))),
                    "artifact": record.version if record else None,
                    "valid": record.valid if record else None,
                    "summary": summary.revision if summary else None,
                }
            )
        title = f"{handle.title} ({handle.protocol_name} {handle.protocol_version})"
    if as_json:
        put_json({"schema": 1, "id": id_, "title": title, "rows": rows})
        return
    sides = ("left", "left", "left", "right", "right", "left", "right")
    columns = dict(zip(rows[0], sides, strict=True))
    put_table((list(row.values()) for row in rows), columns, title)


@workshop_app.command()
def create(
    title: Annotated[str, typer.Argument(help="What people call it.")],
    protocol: Annotated[
        Path | None, typer.Option(help="A protocol in TOML; design-thinking when not given.")
    ] = None,
    store: StorePath = DEFAULT_STORE,
    as_json: AsJSON = False,
) -> None:
    """Make a workshop, and print its id.

    For example:

      ctxlab workshop create "Market hall" --protocol retro.toml
    """
    from ctxlab.workshop import DESIGN_THINKING, Protocol

    chosen = Protocol.from_toml(protocol) if protocol else DESIGN_THINKING
    with opened(store, make=True) as lab:
        made = lab.create(title, chosen)
    if as_json:
        put_json({"schema": 1, "id": made.id})
    else:
        put(made.id)


@workshop_app.command()
def step(
    id_: Id,
    step_id: Step,
    action: Annotated[str, typer.Argument(help="start, complete, revise or prompt.")] = "prompt",
    summary: Annotated[
        str | None, typer.Option(help="What complete writes as the step's summary.")
    ] = None,
    budget: Annotated[int, typer.Option(help="Tokens of the whole prompt.", min=1)] = 15_000,
    store: StorePath = DEFAULT_STORE,
) -> None:
    """Move a step on, or print the prompt that it would be sent.

    For example:

      ctxlab workshop step wks_1 challenge start

      ctxlab workshop step wks_1 challenge complete --summary "We chose bread."

      ctxlab workshop step wks_1 persona prompt --budget 8000
    """
    from ctxlab.core.budgets import TierBudget
    from ctxlab.errors import SpecError, UnknownNameError
    from ctxlab.workshop.assembly import assemble

    actions = ("start", "complete", "revise", "prompt")
    if action not in actions:
        raise UnknownNameError("action", action, actions)
    with opened(store) as lab:
        handle = lab.open(id_)
        if action == "prompt":
            put(assemble(lab.store, id_, step_id, TierBudget(budget)).prompt())
            return
        if action == "complete":
            if not summary:
                raise SpecError("complete writes the step's summary; give it with --summary")
            handle.complete(step_id, summary)
        elif action == "start":
            handle.start(step_id)
        elif marked := handle.revise(step_id):
            say(f"to be looked at again: {', '.join(marked)}")
        put(next(one.status for one in handle.status() if one.step == step_id))


@workshop_app.command()
def artifact(
    id_: Id,
    step_id: Step,
    save: Annotated[
        Path | None, typer.Option(help="Save the JSON of this file, or of stdin as -.")
    ] = None,
    expected: Annotated[
        int, typer.Option("--expected", help="The version that was read; 0 for a first one.")
    ] = 0,
    version: Annotated[int | None, typer.Option(help="Show this version.")] = None,
    store: StorePath = DEFAULT_STORE,
) -> None:
    """Print a step's artifact, or save one under its optimistic lock.

    For example:

      ctxlab workshop artifact wks_1 persona > persona.json

      ctxlab workshop artifact wks_1 persona --save persona.json --expected 1
    """
    from ctxlab.errors import NotFoundError

    with opened(store) as lab:
        handle = lab.open(id_)
        if save:
            record = handle.save_artifact(step_id, read_json(save), expected_version=expected)
            say(f"saved as version {record.version}")
            return
        found = handle.artifact(step_id, version)
        if found is None:
            raise NotFoundError(f"step {step_id!r} has no artifact yet; save one with --save")
        put(found.text)


@workshop_app.command()
def history(
    id_: Id, step_id: Step, store: StorePath = DEFAULT_STORE, as_json: AsJSON = False
) -> None:
    """List every version of a step's artifact.

    For example:

      ctxlab workshop history wks_1 persona
    """
    with opened(store) as lab:
        rows = [
            {"version": one.version, "schema": one.schema_version, "valid": one.valid,
             "characters": len(one.text)}
            for one in lab.open(id_).history(step_id)
        ]  # fmt: skip
    if as_json:
        put_json({"schema": 1, "rows": rows})
        return
    columns = {"version": "right", "schema": "right", "valid": "left", "characters": "right"}
    put_table((list(row.values()) for row in rows), columns)


@workshop_app.command()
def diff(
    id_: Id,
    step_id: Step,
    a: Annotated[int, typer.Argument(help="A version.")],
    b: Annotated[int, typer.Argument(help="Another.")],
    store: StorePath = DEFAULT_STORE,
) -> None:
    """Print the JSON merge patch from one version of an artifact to another.

    For example:

      ctxlab workshop diff wks_1 persona 1 2
    """
    from ctxlab.text.json_numbers import dumps

    with opened(store) as lab:
        put(dumps(lab.open(id_).diff(step_id, a, b)))


@workshop_app.command()
def delete(
    id_: Id,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    store: StorePath = DEFAULT_STORE,
) -> None:
    """Delete a workshop with everything that belongs to it.

    For example:

      ctxlab workshop delete wks_1 --yes
    """
    with opened(store) as lab:
        title = lab.open(id_).title
        if not yes:
            typer.confirm(f"Delete {title!r} with its messages and artifacts?", abort=True)
        lab.delete(id_)
        say(f"deleted: {json.dumps(title, ensure_ascii=False)}")
