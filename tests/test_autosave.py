"""Auto-save: it never dies, and it never forgets."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ctxlab.errors import InvalidArtifactError, NotJSONError, StaleVersionError, StoreError
from ctxlab.store import Store
from ctxlab.store.json_text import json_text
from ctxlab.workshop.artifacts import Artifacts
from ctxlab.workshop.autosave import AutoSaver
from ctxlab.workshop.workshops import Workshops


@pytest.fixture
def path(tmp_path) -> Path:
    return tmp_path / "lab.duckdb"


@pytest.fixture
def store(path):
    with Store(path) as store:
        yield store


@pytest.fixture
def workshop(store):
    return Workshops(store).create("Retro")


def until(true: Callable[[], object], patience: float = 10) -> None:
    end = time.monotonic() + patience
    while not true() and time.monotonic() < end:
        time.sleep(0.005)
    assert true()


def edited(saver: AutoSaver, workshop, step: str, artifact: dict, **options: object) -> None:
    saver.edit(workshop.id, step, artifact, validate=False, **options)


def artifact(workshop, step: str) -> object:
    record = workshop.artifact(step)
    return record and record.artifact


@pytest.mark.parametrize("kind", ["conflict", "refused", "gone"])
def test_after_a_failure_the_worker_saves_what_comes_later(store, workshop, kind):
    """The first conflict or refusal once ended it, in silence."""
    saver = AutoSaver(store, delay=0.02)
    workshop.save_artifact("persona", {"a": 1}, validate=False)
    if kind == "conflict":
        edited(saver, workshop, "persona", {"a": 2}, expected_version=7)
        failed = (workshop.id, "persona")
    elif kind == "refused":
        saver.edit(workshop.id, "challenge", {"no": "such field"})
        failed = (workshop.id, "challenge")
    else:
        saver.edit("wks_none", "persona", {}, expected_version=1)
        failed = ("wks_none", "persona")
    until(lambda: failed in saver.failures)
    time.sleep(0.1)
    edited(saver, workshop, "concept", {"b": 1})
    until(lambda: artifact(workshop, "concept") == {"b": 1})
    assert set(saver.failures) == {failed}
    assert saver.discard(*failed) is not None
    saver.close()


def test_an_error_of_the_workers_own_is_reported_and_the_work_goes_on(store, workshop, monkeypatch):
    """A callback that raises is heard of, and does not end anything."""
    heard = []
    monkeypatch.setattr(threading, "excepthook", lambda args: heard.append(args.exc_value))

    def broken(workshop: str, step: str, error: Exception) -> None:
        raise ZeroDivisionError(step)

    saver = AutoSaver(store, delay=0.02, on_error=broken)
    edited(saver, workshop, "persona", {"a": 2}, expected_version=7)
    until(lambda: heard)
    edited(saver, workshop, "challenge", {"b": 1})
    until(lambda: artifact(workshop, "challenge") == {"b": 1})
    assert isinstance(heard[0], ZeroDivisionError)
    saver.discard(workshop.id, "persona")
    saver.close()


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_worker_that_died_all_the_same_is_replaced(store, workshop, monkeypatch):
    """The next edit starts a new one."""
    saver = AutoSaver(store, delay=0.02)
    with monkeypatch.context() as patch:
        patch.setattr(
            "ctxlab.workshop.autosave.AutoSaver._save_due",
            lambda *_: (_ for _ in ()).throw(SystemExit),
        )
        with saver._changed:
            saver._changed.notify_all()
        until(lambda: not saver._worker.is_alive())
    edited(saver, workshop, "persona", {"a": 1})
    until(lambda: artifact(workshop, "persona") == {"a": 1})
    saver.close()


def test_every_failed_save_is_told(store, workshop):
    """With the artifact it belongs to."""
    told = []
    saver = AutoSaver(store, delay=0.02, on_error=lambda *all_: told.append(all_))
    edited(saver, workshop, "persona", {"a": 2}, expected_version=7)
    until(lambda: told)
    assert told[0][:2] == (workshop.id, "persona")
    assert isinstance(told[0][2], StoreError)
    saver.discard(workshop.id, "persona")
    saver.close()


def test_taking_an_edit_back_during_its_save_leaves_no_failure_behind(store, workshop, monkeypatch):
    """A phantom once made `close` raise for ever."""
    begun, go_on = threading.Event(), threading.Event()

    def slow(*_: object, **__: object) -> None:
        begun.set()
        go_on.wait(10)
        raise StaleVersionError("artifact", 1, 2)

    saver = AutoSaver(store, delay=0.0)
    with monkeypatch.context() as patch:
        patch.setattr(Artifacts, "save", slow)
        edited(saver, workshop, "persona", {"a": 1})
        assert begun.wait(10)
        threading.Timer(0.1, go_on.set).start()
        assert saver.discard(workshop.id, "persona") == {"a": 1}
    assert saver.failures == {}
    saver.close()


def test_what_is_taken_back_too_late_was_saved(store, workshop, monkeypatch):
    """Nothing is both saved and given back."""
    begun, real = threading.Event(), Artifacts.save

    def slow(self, *arguments, **options):
        begun.set()
        time.sleep(0.1)
        return real(self, *arguments, **options)

    monkeypatch.setattr(Artifacts, "save", slow)
    with AutoSaver(store, delay=0.0) as saver:
        edited(saver, workshop, "persona", {"a": 1})
        assert begun.wait(10)
        assert saver.discard(workshop.id, "persona") is None
        edited(saver, workshop, "persona", {"a": 2})
    assert artifact(workshop, "persona") == {"a": 2}


def test_later_changes_of_the_caller_are_not_saved(store, workshop):
    """An edit is what it was when it was made, however deep."""
    mine = {"pains": [{"text": "stairs"}]}
    with AutoSaver(store, delay=60) as saver:
        edited(saver, workshop, "persona", mine)
        mine["pains"][0]["text"] = "changed"
        mine["pains"].append({})
    assert artifact(workshop, "persona") == {"pains": [{"text": "stairs"}]}


@pytest.mark.parametrize(
    ("value", "fault"),
    [
        ({"a": [1, float("nan")]}, r"\$\.a\[1\]: nan is no JSON number"),
        ({"a": {"b": float("inf")}}, r"\$\.a\.b: inf is no JSON number"),
        ({"mood": "\ud83d"}, r"\$\.mood: has half of a surrogate pair"),
        ({"\ud83d": 1}, r"\(the key\): has half"),
        ({"a": {1, 2}}, r"\$\.a: is a set"),
        ({(1,): 2}, r"key of type tuple"),
    ],
)
def test_what_json_cannot_hold_is_refused_with_its_path(store, workshop, value, fault):
    """At a save and at an edit, where the one before is kept; nothing is stored bare."""
    with pytest.raises(NotJSONError, match=fault):
        workshop.save_artifact("persona", value, validate=False)
    assert artifact(workshop, "persona") is None
    with AutoSaver(store, delay=60) as saver:
        edited(saver, workshop, "persona", {"a": 1})
        with pytest.raises(NotJSONError, match=fault):
            edited(saver, workshop, "persona", value)
    assert artifact(workshop, "persona") == {"a": 1}


def test_what_holds_itself_is_refused():
    """So is what is nested without end."""
    loop: dict[str, object] = {}
    loop["again"] = loop
    with pytest.raises(NotJSONError, match="holds itself"):
        json_text(loop, "artifact")


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters()),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=8,
)


@given(st.dictionaries(st.text(max_size=3), JSON, max_size=3))
def test_an_artifact_comes_back_as_it_was_or_is_refused(value):
    """There is no third way."""
    workshop = Workshops(Store(":memory:")).create("Retro")
    refused = []
    try:
        workshop.save_artifact("persona", value, validate=False)
    except NotJSONError as error:
        refused = error.faults
    assert refused or artifact(workshop, "persona") == value


EXIT = """
import sys
from ctxlab import AutoSaver, Store, Workshops
store = Store(sys.argv[1])
workshop = Workshops(store).create("Retro")
workshop.save_artifact("persona", {"a": 1}, validate=False)
saver = AutoSaver(store, delay=60)
saver.edit(workshop.id, "persona", {"a": "mine"}, expected_version=1, validate=False)
saver.edit(workshop.id, "challenge", {"b": 1}, validate=False)
"""
ENDS = {
    "conflict": "workshop.save_artifact('persona', {'a': 'theirs'}, expected_version=1, "
    "validate=False)\n",
    "closed store": "store.close()\n",
}


@pytest.mark.parametrize("end", ENDS)
def test_what_cannot_be_saved_at_exit_is_offered_at_the_next_opening(path, end):
    """It is in a file beside the store, with the reason, until it is saved or forgotten."""
    command = [sys.executable, "-c", EXIT + ENDS[end], str(path)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert "not saved" in done.stderr
    file = Path(f"{path}.unsaved.json")
    assert str(file) in done.stderr
    with Store(path) as store:
        with pytest.warns(UserWarning, match=r"saver\.recover\(\)"):
            saver = AutoSaver(store)
        found = {edit.step: edit for edit in saver.recovered}
        mine = found["persona"]
        assert mine.artifact == {"a": "mine"}
        workshop = Workshops(store).open(mine.workshop)
        if end == "conflict":
            assert "is at version 2, not 1" in mine.reason
            assert artifact(workshop, "challenge") == {"b": 1}
            with pytest.raises(StaleVersionError):
                saver.recover()
            assert file.exists()
            saver.discard(mine.workshop, "persona")
            saver.edit(mine.workshop, "persona", mine.artifact, validate=False)
            saver.flush()
            saver.forget()
        else:
            assert saver.recover() == 2
            assert artifact(workshop, "challenge") == {"b": 1}
        assert artifact(workshop, "persona") == {"a": "mine"}
        assert not file.exists()
        assert saver.recovered == ()
        saver.close()


def test_a_recovery_file_that_is_something_else_is_left_alone(path, store):
    """It is named, and what to do."""
    file = Path(f"{path}.unsaved.json")
    file.write_text(json.dumps([{"no": "edit"}]))
    with pytest.raises(StoreError, match="move it away"):
        AutoSaver(store)
    assert file.exists()


def test_an_edit_during_close_is_saved_or_refused(store, workshop):
    """Never taken in and forgotten."""
    for _ in range(20):
        saver = AutoSaver(store, delay=60)
        taken = []

        def type_on(saver: AutoSaver = saver, taken: list[int] = taken) -> None:
            for n in range(1000):
                try:
                    edited(saver, workshop, "persona", {"n": n})
                except StoreError:
                    return
                taken.append(n)

        thread = threading.Thread(target=type_on)
        thread.start()
        until(lambda taken=taken: len(taken) > 3)
        saver.close()
        thread.join()
        assert artifact(workshop, "persona") == {"n": taken[-1]}


def test_a_refused_artifact_keeps_every_fault(store, workshop):
    """The error that `failures` holds is the one that a save would raise."""
    saver = AutoSaver(store, delay=60)
    saver.edit(workshop.id, "challenge", {"goal": 1})
    with pytest.raises(InvalidArtifactError) as caught:
        saver.flush()
    assert saver.failures[workshop.id, "challenge"] is caught.value
    saver.discard(workshop.id, "challenge")
    saver.close()
