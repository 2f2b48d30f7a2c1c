"""``ctxlab lab``: the notebooks in a folder of one's own, opened in JupyterLab."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path
from typing import Annotated

import typer

from ctxlab.cli.options import say
from ctxlab.errors import CtxlabError, MissingExtraError

_PACKAGED = Path(__file__).parents[1] / "_notebooks"
_CLONED = Path(__file__).parents[2] / "notebooks"


def notebooks() -> list[Path]:
    """Return the notebooks that come with ctxlab, in order.

    Raises
    ------
    CtxlabError
        When there are none.

    Examples
    --------
    >>> notebooks()[0].name
    '01_first_look.ipynb'
    """
    folder = _PACKAGED if _PACKAGED.is_dir() else _CLONED
    found = sorted(folder.glob("0*.ipynb"))
    if not found:
        raise CtxlabError(f"there are no notebooks in {folder}; install ctxlab again")
    return found


def copied(folder: Path) -> tuple[list[Path], list[Path]]:
    """Copy the notebooks that a folder has not; return those copied, and those that stay edited.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as place:
    ...     first, _ = copied(Path(place))
    ...     _ = first[0].write_text("mine")
    ...     again, edited = copied(Path(place))
    >>> len(first) > 1, again, [path.name for path in edited]
    (True, [], ['01_first_look.ipynb'])
    """
    folder.mkdir(parents=True, exist_ok=True)
    new, edited = [], []
    for source in notebooks():
        target = folder / source.name
        if not target.exists():
            shutil.copyfile(source, target)
            new.append(target)
        elif target.read_bytes() != source.read_bytes():
            edited.append(target)
    return new, edited


def lab(
    folder: Annotated[Path, typer.Argument(help="Where the notebooks go.")] = Path(
        "ctxlab-notebooks"
    ),
    open_it: Annotated[
        bool, typer.Option("--open/--no-open", help="Open JupyterLab on them.")
    ] = True,
    port: Annotated[int | None, typer.Option(help="The port of the server.")] = None,
    allow_root: Annotated[
        bool, typer.Option("--allow-root", help="Let JupyterLab run as root, as in a container.")
    ] = False,
) -> None:
    """Copy the notebooks to a folder, and open JupyterLab there; what you edited stays.

    For example:

      ctxlab lab

      ctxlab lab ~/context --no-open

      ctxlab lab --allow-root --port 8888
    """
    from importlib.util import find_spec

    new, edited = copied(folder)
    say(f"{len(new)} notebooks copied to {folder}")
    if edited:
        names = ", ".join(path.name for path in edited)
        say(f"yours are kept: {names}; remove one to get it anew")
    if not open_it:
        return
    if find_spec("jupyterlab") is None:
        raise MissingExtraError("JupyterLab", "notebook")
    command = [sys.executable, "-m", "jupyterlab", f"--ServerApp.root_dir={folder.resolve()}",
               f"--LabApp.default_url=/lab/tree/{notebooks()[0].name}"]  # fmt: skip
    command += [f"--port={port}"] if port else []
    command += ["--allow-root"] if allow_root else []
    raise typer.Exit(subprocess.run(command, check=False).returncode)  # noqa: S603 - no data in it
