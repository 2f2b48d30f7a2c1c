"""Formats: each declared by its reader's module, ours and others', and found by all names."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from importlib import import_module
from inspect import getmembers, isfunction, signature
from pkgutil import iter_modules
from textwrap import dedent

import pytest

from ctxlab.chats.adapter import Adapter
from ctxlab.chats.case_building import build_case
from ctxlab.core.segments import Message
from ctxlab.datasets import FORMATS, Format, find_format, read, register_format, sniff
from ctxlab.datasets.formats import PACKAGES, Formats
from ctxlab.errors import SpecError, UnknownNameError

THEIRS = """
    from ctxlab.chats.case_building import build_case
    from ctxlab.core.segments import Message
    from ctxlab.datasets import Format

    def is_notes(raw):
        return isinstance(raw, dict) and "note" in raw

    def read_notes(raw, name):
        '''Yield a note as a conversation of one message.'''
        yield build_case(name, "notes", [Message("n0", "user", raw["note"])])

    FORMAT = Format(
        name="notes",
        description="one note a record",
        recognises=is_notes,
        read=read_notes,
        example={"note": "63 stalls"},
    )
"""


def test_no_reader_is_forgotten():
    """Each module with a function of a record and a name declares a format, each its own."""
    declared = []
    for package in map(import_module, PACKAGES):
        for info in iter_modules(package.__path__, f"{package.__name__}."):
            module = import_module(info.name)
            functions = [f for _, f in getmembers(module, isfunction) if f.__module__ == info.name]
            reads = any([*signature(f).parameters] == ["raw", "name"] for f in functions)
            adapts = any(
                type(value).__module__ == info.name
                for _, value in getmembers(module, lambda value: isinstance(value, Adapter))
            )
            if reads or adapts:
                declared.append(module.FORMAT)
    assert len({one.name for one in declared}) == len(declared)
    assert {one.name: one for one in declared} == dict(FORMATS)


def test_the_special_are_tried_before_the_general():
    """A record that says what it is comes first, what looks like many others last."""
    order = list(FORMATS)
    assert order.index("workshop") < order.index("locomo") < order.index("cases")
    assert order.index("cases") < order.index("anthropic") < order.index("openai")
    assert order[-1] == "transcript"
    assert len(FORMATS) == len(list(FORMATS))
    assert all(one.description for one in FORMATS.values())


def test_a_package_of_others_adds_a_format(site):
    """Installed, it is recognised, named, and read by the command."""
    site.install("theirs", {"__init__": "", "notes": THEIRS}, formats="theirs")
    (site.folder / "notes.jsonl").write_text('{"note": "63 stalls"}\n{"note": "14 sell fish"}\n')
    found, errors = site.python(f"""
        import json
        from typer.testing import CliRunner
        from ctxlab.cli import app
        from ctxlab.datasets import FORMATS, read
        path = {str(site.folder / "notes.jsonl")!r}
        listing = CliRunner().invoke(app, ["budget", path, "--format", "notes", "--json"])
        print(json.dumps({{
            "read": [case.messages[0].content for case in read(path)],
            "place": list(FORMATS).index("notes") < list(FORMATS).index("cases"),
            "command": listing.exit_code,
            "problems": list(FORMATS.problems()),
        }}))
    """)
    assert found == {
        "read": ["63 stalls", "14 sell fish"],
        "place": True,
        "command": 0,
        "problems": [],
    }
    assert not errors


@pytest.mark.parametrize(
    ("source", "value", "words"),
    [
        ("import nowhere\n" + dedent(THEIRS), "theirs", "No module named 'nowhere'"),
        (dedent(THEIRS).replace('"notes",\n', '"locomo",\n'), "theirs", "'locomo' is taken"),
        (THEIRS, "theirs:read_notes", "no ctxlab.datasets.Format"),
        (THEIRS, "theirs:nothing", "no ctxlab.datasets.Format"),
    ],
    ids=["broken", "a name of ours", "no format", "nothing there"],
)
def test_a_format_that_cannot_be_had_is_reported(source, value, words, site):
    """The log names the package and the cause; all other formats are there."""
    site.install("theirs", {"__init__": source}, formats=value)
    found, errors = site.python("""
        import json
        from ctxlab.datasets import FORMATS
        ours, problems = FORMATS["locomo"].read.__module__, FORMATS.problems()
        print(json.dumps([ours, len(FORMATS), len(problems)]))
    """)
    assert found == ["ctxlab.datasets.locomo", len(FORMATS), 1]
    assert "the package 'theirs' is left out" in errors
    assert words in errors


def test_two_packages_with_one_name_are_both_left_out(site):
    """Neither is chosen in silence."""
    for name in ("one", "two"):
        site.install(name, {"__init__": THEIRS}, formats=name)
    found, errors = site.python("""
        import json
        from ctxlab.datasets import FORMATS, find_format
        print(json.dumps(["notes" in FORMATS, find_format("two:FORMAT").name]))
    """)
    assert found == [False, "notes"]
    assert errors.count("the name 'notes' is taken") == 2


def read_notes(raw, name):
    """Yield a note as a conversation of one message."""
    yield build_case(name, "notes", [Message("n0", "user", raw["note"])])


NOTES = Format(
    name="notes",
    description="one note a record",
    recognises=lambda raw: isinstance(raw, dict) and "note" in raw,
    read=read_notes,
    example={"note": "63 stalls"},
)


def test_a_notebook_registers_a_format(monkeypatch):
    """It is recognised from then on; the newer one of a name counts; ours stay ours."""
    monkeypatch.setattr(FORMATS, "_added", {})
    before = len(FORMATS)
    for _ in range(2):
        assert register_format(NOTES) is FORMATS["notes"]
    assert len(FORMATS) == before + 1
    assert sniff(NOTES.example) is NOTES
    with pytest.raises(SpecError, match="'locomo' is the name of a format of ctxlab's"):
        register_format(FORMATS["locomo"])


def test_a_reader_of_ones_own_is_named_by_its_module(tmp_path):
    """The command finds it in the working folder, be it a format or a plain function."""
    (tmp_path / "mine.py").write_text(dedent(THEIRS))
    (tmp_path / "a.json").write_text('[{"note": "63 stalls"}]')
    for name in ("mine:FORMAT", "mine:read_notes"):
        code = "from ctxlab.cli import main; main()"
        done = subprocess.run(
            [sys.executable, "-P", "-c", code, "budget", "a.json", "--format", name, "--json"],
            capture_output=True, text=True, check=False, cwd=tmp_path,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        assert json.loads(done.stdout)


@pytest.mark.parametrize(
    ("name", "error", "words"),
    [
        ("locom", UnknownNameError, "did you mean 'locomo'"),
        ("nowhere:read", SpecError, "No module named 'nowhere'"),
        ("json:nothing", SpecError, "format 'json:nothing' cannot be imported"),
        ("json:JSONDecoder", SpecError, "is a type, not a ctxlab.datasets.Format or a function"),
        ("sys:maxsize", SpecError, "is a int"),
    ],
)
def test_what_is_no_format_is_refused(name, error, words, tmp_path):
    """The error names the nearest, or what was expected."""
    (tmp_path / "a.json").write_text("[]")
    with pytest.raises(error, match=words):
        find_format(name)
    with pytest.raises(error, match=words):
        list(read(tmp_path / "a.json", name))


def test_formats_are_found_when_they_are_first_asked_for():
    """A new table is as the first, and importing it loads no reader."""
    assert list(Formats()) == [name for name in FORMATS if FORMATS[name].read is not read_notes]
    code = "import ctxlab.datasets, sys; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "ctxlab.datasets.locomo" not in done.stdout.split()
