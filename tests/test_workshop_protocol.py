"""Protocols: the ten steps, their dependencies, and protocols of one's own."""

from __future__ import annotations

import json
import pickle
import tomllib

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from ctxlab.errors import DataError, UnknownNameError
from ctxlab.workshop import DESIGN_THINKING, ArtifactSchema, Protocol, StepDefinition
from ctxlab.workshop.schemas import Persona

STEPS = [step.id for step in DESIGN_THINKING.steps]
DEPENDS_ON = {
    "challenge": [],
    "stakeholder-mapping": ["challenge"],
    "user-research": ["challenge", "stakeholder-mapping"],
    "sense-making": ["challenge", "user-research"],
    "persona": ["user-research", "sense-making"],
    "journey-mapping": ["persona", "user-research"],
    "reframe": ["challenge", "sense-making", "persona", "journey-mapping"],
    "ideation": ["reframe", "persona"],
    "concept": ["challenge", "reframe", "ideation", "persona"],
    "validate": ["challenge", "concept", "persona", "stakeholder-mapping"],
}
HEAD = "name = 'retro'\n[[steps]]\nid = 'facts'\nname = 'Facts'\ndescription = 'd'\ngoal = 'g'\n"
SECOND = "[[steps]]\nid = 'change'\nname = 'Change'\ndescription = 'd'\ngoal = 'g'\n"


def step(id: str, order: int, **fields: object) -> StepDefinition:  # noqa: A002
    """Make a step with as little as it takes."""
    return StepDefinition(id=id, order=order, name=id, description="d", goal="g", **fields)


# What a TOML text can hold: any text but surrogates.
texts = st.text(st.characters(exclude_categories=["Cs"]), min_size=1).filter(str.strip)
flat = st.dictionaries(
    st.from_regex(r"[a-z]{1,6}", fullmatch=True),
    st.sampled_from(["str", "int?", "list[str]: what", "go|stop"]),
).map(ArtifactSchema.from_fields)
nested = st.fixed_dictionaries(
    {
        "type": st.just("object"),
        "title": texts,
        "default": st.none() | st.integers() | texts,
        "enum": st.lists(st.none() | texts),
    }
).map(ArtifactSchema.of)


@st.composite
def protocols(draw):
    """Draw a protocol whose steps depend on any earlier ones and hold any text."""
    ids = draw(
        st.lists(st.from_regex(r"[a-z0-9]{1,4}(-[a-z]{1,3})?", fullmatch=True), unique=True,
                 min_size=1, max_size=5)
    )  # fmt: skip
    order, steps = 0, []
    for index, one in enumerate(ids):
        order += draw(st.integers(1, 3))
        steps.append(
            StepDefinition(
                id=one,
                order=order,
                name=draw(texts),
                description=draw(texts),
                goal=draw(texts),
                principles=draw(st.lists(texts, max_size=2)),
                gather=draw(st.lists(texts, max_size=2)),
                use_of_prior_context=draw(st.just("") | texts),
                criteria=[f"{text}?" for text in draw(st.lists(texts, max_size=2))],
                depends_on=draw(st.lists(st.sampled_from(ids[:index]), unique=True))
                if index
                else (),
                artifact=draw(flat | nested | st.just(Persona)),
            )
        )
    return Protocol(name="drawn", version=draw(st.integers(1, 99)), steps=steps)


def test_ten_steps_in_order():
    """The workshop has its ten steps, numbered from 1."""
    assert list(DEPENDS_ON) == STEPS
    assert [step.order for step in DESIGN_THINKING.steps] == list(range(1, 11))


def test_dependency_map():
    """Each step needs exactly the steps whose results it builds on."""
    assert {s.id: set(s.depends_on) for s in DESIGN_THINKING.steps} == {
        name: set(needed) for name, needed in DEPENDS_ON.items()
    }


def test_criteria_are_questions():
    """Every step has at least four criteria, each a question that yes or no answers."""
    openings = ("Does ", "Do ", "Is ", "Are ", "Would ", "Could ", "Can ")
    for one in DESIGN_THINKING.steps:
        assert len(one.criteria) >= 4
        for question in one.criteria:
            assert question.endswith("?")
            assert question.startswith(openings), question


def test_every_step_is_written_out():
    """Every step has its texts, and says how to use earlier results when it needs any."""
    for one in DESIGN_THINKING.steps:
        assert len(one.principles) >= 3
        assert len(one.gather) >= 3
        assert bool(one.use_of_prior_context) == bool(one.depends_on)


def test_no_sentence_stands_in_two_steps():
    """No step repeats another's principle, question or criterion."""
    said = [t for s in DESIGN_THINKING.steps for t in (*s.principles, *s.gather, *s.criteria)]
    assert len(said) == len(set(said))


def test_transitive_dependencies_of_the_last_step():
    """Everything that validating needs, directly or not, is found and stands in order."""
    assert DESIGN_THINKING.dependencies("validate", transitive=True) == tuple(STEPS[:-1])
    assert DESIGN_THINKING.dependencies("challenge", transitive=True) == ()


def test_revising_a_step_reaches_what_builds_on_it():
    """Dependents are found through others by default, and only direct ones on demand."""
    assert DESIGN_THINKING.dependents("challenge") == tuple(STEPS[1:])
    assert DESIGN_THINKING.dependents("validate") == ()
    assert DESIGN_THINKING.dependents("stakeholder-mapping", transitive=False) == (
        "user-research",
        "validate",
    )


@given(protocols(), st.booleans())
def test_dependents_mirror_dependencies(protocol, transitive):
    """One step needs another exactly when the other has it among its dependents."""
    ids = [one.id for one in protocol.steps]
    needs = {(a, b) for a in ids for b in protocol.dependencies(a, transitive)}
    needed = {(a, b) for b in ids for a in protocol.dependents(b, transitive)}
    assert needs == needed
    assert all(ids.index(b) < ids.index(a) for a, b in needs)


@given(protocols())
def test_toml_round_trip(protocol):
    """What is written as TOML is valid TOML and reads back as an equal protocol."""
    text = protocol.to_toml()
    tomllib.loads(text)
    again = Protocol.from_toml(text)
    assert again == protocol
    assert hash(again) == hash(protocol)
    assert again.to_toml() == text


def test_design_thinking_round_trip(tmp_path):
    """The ten steps go through a file and come back equal, schemas with nulls included."""
    path = tmp_path / "ten.toml"
    path.write_text(DESIGN_THINKING.to_toml(), encoding="utf-8")
    assert Protocol.from_toml(path) == DESIGN_THINKING
    assert Protocol.from_toml(str(path)) == DESIGN_THINKING


def test_json_and_pickle_round_trip():
    """A protocol goes through JSON and through a pickle, as a store and a worker need."""
    dumped = json.loads(DESIGN_THINKING.model_dump_json())
    assert dumped["steps"][4]["artifact"] == Persona.model_json_schema()
    assert Protocol.model_validate(dumped) == DESIGN_THINKING
    assert pickle.loads(pickle.dumps(DESIGN_THINKING)) == DESIGN_THINKING


def test_flat_fields_stay_flat():
    """A flat artifact is written as one line a field, as a person would write it."""
    protocol = Protocol.from_toml(HEAD + "[steps.fields]\nowner = 'str?: who does it'\n")
    assert '[steps.fields]\nowner = "str?: who does it"' in protocol.to_toml()
    assert "schema" not in protocol.to_toml()


def test_schema_as_table_and_as_text_are_one():
    """A JSON Schema may be pasted as text or written as a TOML table."""
    table = Protocol.from_toml(HEAD + "schema = {type = 'object', required = ['a']}")
    text = Protocol.from_toml(HEAD + """schema = '{"type": "object", "required": ["a"]}'""")
    assert table == text


def test_order_may_be_left_out():
    """Without an order, a step takes its position."""
    protocol = Protocol.from_toml(HEAD + SECOND)
    assert [one.order for one in protocol.steps] == [1, 2]


def test_byte_order_mark_is_no_matter(tmp_path):
    """A file that begins with a byte order mark is read like any other."""
    path = tmp_path / "bom.toml"
    path.write_text(HEAD, encoding="utf-8-sig")
    assert Protocol.from_toml(path).name == "retro"


@pytest.mark.parametrize(
    ("text", "field", "problem"),
    [
        (HEAD + "gater = ['x']", "steps[0].gater", "did you mean 'gather'?"),
        (HEAD.replace("goal = 'g'\n", ""), "steps[0].goal", "is missing"),
        (HEAD.replace("name = 'retro'\n", "", 1), "name", "is missing"),
        (HEAD.replace("'facts'", "'The facts'"), "steps[0].id", "'The facts'"),
        (HEAD + "criteria = ['Good.']", "steps[0].criteria[0]", "yes/no question"),
        (HEAD + "gather = 'all'", "steps[0].gather", "should be a list"),
        (HEAD + "depends_on = ['facts']", "steps[0].depends_on", "earlier"),
        (HEAD + "depends_on = ['change']\n" + SECOND, "steps[0].depends_on", "earlier"),
        (HEAD + SECOND + "depends_on = ['fact']", "steps[1].depends_on", "did you mean 'facts'?"),
        (HEAD + SECOND + "depends_on = ['facts', 'facts']", "steps[1].depends_on", "twice"),
        (HEAD + SECOND.replace("change", "facts"), "steps[1].id", "is taken"),
        (HEAD + "order = 2\n" + SECOND, "steps[1].order", "is 2 after 2"),
        (HEAD + "fields = {mood = 'text'}", "steps[0].fields.mood", "expected a type"),
        (HEAD + "fields = 3", "steps[0].fields", "must be a table"),
        (HEAD + "schema = '{'", "steps[0].schema", "is not JSON"),
        (HEAD + "schema = 3", "steps[0].schema", "expected a Pydantic model or a JSON Schema"),
        (HEAD + "schema = {}\nfields = {}", "steps[0].schema", "one of the two"),
        (HEAD + "artifact = {}", "steps[0].artifact", "as fields or as schema"),
        ("name = 'retro'\nsteps = []", "steps", "[[steps]]"),
        ("name = 'retro'\nsteps = 'none'\n", "steps", "[[steps]]"),
        ("name = 'retro'\n[[steps]\n", "", "is not TOML"),
    ],
)
def test_errors_name_file_and_field(tmp_path, text, field, problem):
    """A file that is no protocol says where and why, with the nearest right name."""
    path = tmp_path / "retro.toml"
    path.write_text(text)
    with pytest.raises(DataError) as caught:
        Protocol.from_toml(path)
    assert caught.value.file == str(path)
    assert caught.value.field == field
    assert problem in str(caught.value)


def test_unreadable_files_are_data_errors(tmp_path):
    """A file that is missing, or is not UTF-8, is an error that names the file."""
    path = tmp_path / "latin.toml"
    with pytest.raises(DataError, match=r"latin\.toml: cannot be opened"):
        Protocol.from_toml(path)
    path.write_bytes(b"name = '\xe9'")
    with pytest.raises(DataError, match=r"latin\.toml: is not UTF-8"):
        Protocol.from_toml(path)


def test_python_protocols_obey_the_same_rules():
    """Steps made in Python are checked as those of a file are."""
    assert Protocol(name="two", steps=[step("a", 1), step("b", 5, depends_on=["a"])]).version == 1
    with pytest.raises(ValidationError, match="needs earlier ones"):
        Protocol(name="loop", steps=[step("a", 1, depends_on=["b"]), step("b", 2)])
    with pytest.raises(ValidationError, match="at least one step"):
        Protocol(name="none", steps=[])


def test_unknown_steps_offer_the_nearest():
    """Asking for a step that is not there names the one that was probably meant."""
    for ask in (DESIGN_THINKING.step, DESIGN_THINKING.dependencies, DESIGN_THINKING.dependents):
        with pytest.raises(UnknownNameError, match="did you mean 'persona'"):
            ask("personas")
