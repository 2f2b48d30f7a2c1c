"""The ten artifact schemas and the flat fields that other protocols write theirs in."""

from __future__ import annotations

import json
from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, ValidationError

from ctxlab.errors import DataError
from ctxlab.workshop import ARTIFACT_SCHEMAS, DESIGN_THINKING, Artifact, ArtifactSchema
from ctxlab.workshop.schemas import Challenge, Idea, Stakeholder, UserResearch

EVERY = pytest.mark.parametrize("model", ARTIFACT_SCHEMAS.values(), ids=ARTIFACT_SCHEMAS)
TYPES = ["str", "int", "float", "bool", "list[str]", "list[int]", "go|iterate|stop", "a | b-c"]


def nested(model: type[BaseModel]) -> list[type[BaseModel]]:
    """Return the small objects that a model lists."""
    inner = [arg for field in model.model_fields.values() for arg in get_args(field.annotation)]
    return [one for one in inner if isinstance(one, type) and issubclass(one, BaseModel)]


def test_every_step_has_a_schema():
    """The map holds one model for each of the ten steps, in their order."""
    assert list(ARTIFACT_SCHEMAS) == [step.id for step in DESIGN_THINKING.steps]
    assert len(set(ARTIFACT_SCHEMAS.values())) == 10


def test_step_carries_its_own_schema():
    """The schema a step carries is the one its model writes."""
    for step in DESIGN_THINKING.steps:
        assert step.artifact_schema == ARTIFACT_SCHEMAS[step.id].model_json_schema()


@EVERY
def test_every_field_is_described(model):
    """Every field, also of a nested object, says what belongs in it, in a sentence."""
    for one in [model, *nested(model)]:
        for name, field in one.model_fields.items():
            assert field.description, f"{one.__name__}.{name}"
            assert field.description.endswith("."), f"{one.__name__}.{name}"


@EVERY
def test_schemas_are_flat(model):
    """Nothing lies deeper than one list of small objects."""
    for one in nested(model):
        assert nested(one) == []


@EVERY
def test_unknown_fields_are_refused(model):
    """A field that the schema does not name is an error, so no canvas data slips in."""
    for one in [model, *nested(model)]:
        with pytest.raises(ValidationError, match="canvas"):
            one.model_validate({"canvas": {}})


@EVERY
def test_optional_fields_may_be_absent(model):
    """An artifact with nothing but its required fields is valid."""
    schema = model.model_json_schema()
    sample: dict[str, Any] = {"string": "x", "integer": 1, "number": 1.0, "array": []}
    least = {
        name: one.get("enum", [sample[one["type"]]])[0]
        for name, one in schema["properties"].items()
        if name in schema["required"]
    }
    artifact = model.model_validate(least)
    assert artifact.model_dump(exclude_unset=True) == least
    assert model.model_validate_json(artifact.model_dump_json()) == artifact


@EVERY
def test_choices_have_no_default(model):
    """A required choice has no default, so that other languages' validators agree."""
    for one in [model, *nested(model)]:
        for name, field in one.model_fields.items():
            if "Literal" in str(field.annotation) and field.default is not None:
                assert field.is_required(), f"{one.__name__}.{name}"


@EVERY
def test_descriptions_hold_no_doctest(model):
    """What a reader of the JSON Schema sees is the sentence, not how the class is tested."""
    assert ">>>" not in json.dumps(model.model_json_schema())


def test_lists_are_not_shared():
    """An empty list that was not given belongs to its artifact alone."""
    one, other = (
        Challenge(statement="?", background="", goal="", success_measures=[]) for _ in range(2)
    )
    one.constraints.append("no lorries")
    assert other.constraints == []


@pytest.mark.parametrize(
    ("model", "wrong"),
    [
        (Idea, {"title": "t", "description": "d", "votes": -1}),
        (Stakeholder, {"name": "n", "role": "r", "interest": "i", "influence": "huge"}),
        (UserResearch, {"method": "m", "participants": 2.5, "findings": [], "quotes": []}),
    ],
    ids=["negative votes", "unknown influence", "half a participant"],
)
def test_values_out_of_range_are_refused(model, wrong):
    """Counts are whole and not negative; choices are those that are named."""
    with pytest.raises(ValidationError):
        model.model_validate(wrong)


def test_numbers_are_finite():
    """Infinity is no measurement, and JSON could not hold it."""

    class Weighed(Artifact):
        """A weight."""

        kilos: float

    with pytest.raises(ValidationError):
        Weighed(kilos=float("inf"))


@given(
    st.dictionaries(
        st.from_regex(r"[a-z][a-z_]{0,8}", fullmatch=True),
        st.tuples(
            st.sampled_from(TYPES), st.booleans(), st.sampled_from(["", "what, in: detail?"])
        ),
    )
)
def test_fields_come_back(fields):
    """A schema built from flat fields is written as fields that build the same schema."""
    lines = {
        name: f"{kind}{'?' if optional else ''}{': ' * bool(text)}{text}"
        for name, (kind, optional, text) in fields.items()
    }
    schema = ArtifactSchema.from_fields(lines)
    again = schema.to_fields()
    assert again is not None
    assert list(again) == list(lines)
    assert ArtifactSchema.from_fields(again) == schema


def test_optional_fields_may_be_null_in_fields():
    """A field with ``?`` is not required and may be null; a list may only be left out."""
    schema = ArtifactSchema.from_fields({"a": "str", "b": "str?", "c": "list[str]?"}).as_dict()
    assert schema["required"] == ["a"]
    assert schema["properties"]["b"] == {"anyOf": [{"type": "string"}, {"type": "null"}]}
    assert schema["properties"]["c"] == {"type": "array", "items": {"type": "string"}}


@pytest.mark.parametrize("line", ["", "string", "list[]", "list[dict]", "str what", "a|", 3])
def test_unknown_types_are_refused(line):
    """A line that is no type is an error that names the field and the types there are."""
    with pytest.raises(DataError, match=r"field when: is .*; expected a type"):
        ArtifactSchema.from_fields({"when": line})


@pytest.mark.parametrize(
    "schema",
    [{}, {"type": "array"}, {"type": "object", "default": float("nan")}, [], "persona", int],
    ids=str,
)
def test_only_schemas_of_objects_are_taken(schema):
    """An artifact is a JSON object, and its schema is JSON."""
    with pytest.raises(DataError):
        ArtifactSchema.of(schema)


@EVERY
def test_nested_schemas_have_no_flat_fields(model):
    """A schema that flat fields cannot say in full is not written as fields."""
    assert ArtifactSchema.of(model).to_fields() is None


@pytest.mark.parametrize(
    "field",
    [
        {},
        {"anyOf": []},
        {"enum": [1]},
        {"type": "array"},
        {"type": "object"},
        {"enum": ["a"]},
        True,
    ],
    ids=str,
)
def test_foreign_schemas_have_no_flat_fields(field):
    """A property that no line can say leaves the whole schema as JSON Schema."""
    schema = {"type": "object", "properties": {"a": field}, "required": ["a"]}
    assert ArtifactSchema.of(schema).to_fields() is None


def test_schema_cannot_be_changed():
    """What `as_dict` returns is a copy: changing it leaves the schema as it was."""
    schema = ArtifactSchema.from_fields({"a": "str"})
    schema.as_dict()["properties"]["b"] = {}
    assert list(schema.as_dict()["properties"]) == ["a"]


def test_spelling_of_a_schema_does_not_matter():
    """The same schema with other white space is equal and hashes alike."""
    one, other = ArtifactSchema('{"type":"object"}'), ArtifactSchema('{ "type" : "object" }')
    assert one == other
    assert hash(one) == hash(other)
