"""Protocols: the steps of a workshop in their order, and which earlier steps each one needs."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    PlainSerializer,
    StringConstraints,
    ValidationError,
    model_validator,
)

from ctxlab.core.segments import Value
from ctxlab.errors import DataError, UnknownNameError
from ctxlab.workshop.artifact_schema import ArtifactSchema
from ctxlab.workshop.toml import data_error, read_toml, steps_of, write_toml


def _question(text: str) -> str:
    if not text.endswith("?"):
        raise DataError(f"is {text!r}; a criterion is a yes/no question and ends with '?'")
    return text


_Slug = Annotated[str, StringConstraints(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$")]
_Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)]


class StepDefinition(Value):
    """One step of a protocol: what it is for, how it is led, and what it leaves behind.

    Parameters
    ----------
    id : str
        Semantic id in lower case, such as ``user-research``.
    order : int
        Its place, from 1; orders rise over the steps of a protocol.
    name, description : str
        What people call it, and what it is in one sentence.
    goal : str
        What is there when the step is done.
    principles : tuple of str
        How the facilitator leads it.
    gather : tuple of str
        What has to be found out.
    use_of_prior_context : str
        How to use what the steps before have left.
    criteria : tuple of str
        Yes/no questions which are all answered with yes when the result is good.
    depends_on : tuple of str
        Ids of earlier steps whose artifact and summary this step needs.
    artifact : ArtifactSchema
        Shape of its result; a Pydantic model or a JSON Schema will do. Any object by default.

    Examples
    --------
    >>> step = StepDefinition(id="facts", order=1, name="Facts", description="What happened.",
    ...                       goal="One timeline.", criteria=["Is every fact dated?"])
    >>> step.artifact_schema
    {'type': 'object'}
    """

    id: _Slug
    order: int = Field(ge=1)
    name: _Text
    description: _Text
    goal: _Text
    principles: tuple[_Text, ...] = ()
    gather: tuple[_Text, ...] = ()
    use_of_prior_context: str = ""
    criteria: tuple[Annotated[_Text, AfterValidator(_question)], ...] = ()
    depends_on: tuple[_Slug, ...] = ()
    artifact: Annotated[
        ArtifactSchema,
        BeforeValidator(ArtifactSchema.of),
        PlainSerializer(ArtifactSchema.as_dict, return_type=dict[str, Any]),
    ] = ArtifactSchema()

    @property
    def artifact_schema(self) -> dict[str, Any]:
        """The JSON Schema of the step's artifact, a fresh copy each time.

        Examples
        --------
        >>> from ctxlab.workshop import DESIGN_THINKING
        >>> DESIGN_THINKING.step("challenge").artifact_schema["required"][0]
        'statement'
        """
        return self.artifact.as_dict()


_TABLE_KEYS = ("fields", "schema")
_STEP_KEYS = [key for key in (*StepDefinition.model_fields, *_TABLE_KEYS) if key != "artifact"]


class Protocol(Value):
    """A named series of steps; a step may depend only on earlier ones, so there is no cycle.

    Parameters
    ----------
    name : str
        Semantic id in lower case, such as ``design-thinking``.
    version : int
        Rises when steps change.
    steps : tuple of StepDefinition
        At least one, in their order.

    Raises
    ------
    pydantic.ValidationError
        When ids repeat, orders do not rise, or a step depends on one that is not before it.

    Examples
    --------
    >>> retro = Protocol.from_toml('''
    ... name = "retro"
    ...
    ... [[steps]]
    ... id = "facts"
    ... name = "Facts"
    ... description = "What happened since the last time."
    ... goal = "One timeline that all agree on."
    ... criteria = ["Does every fact have a date?"]
    ... fields = { facts = "list[str]: what happened, with its date", mood = "low|fair|high?" }
    ...
    ... [[steps]]
    ... id = "change"
    ... name = "Change"
    ... description = "What to do differently."
    ... goal = "One change that somebody owns."
    ... depends_on = ["facts"]
    ... ''')
    >>> retro.dependencies("change")
    ('facts',)
    >>> Protocol.from_toml(retro.to_toml()) == retro
    True
    """

    name: _Slug
    version: int = Field(1, ge=1)
    steps: tuple[StepDefinition, ...]

    @model_validator(mode="after")
    def _only_earlier_steps(self) -> Protocol:
        known = [step.id for step in self.steps]
        if not known:
            raise DataError("is empty; a protocol has at least one step", field="steps")
        seen: list[str] = []
        order = 0
        for index, step in enumerate(self.steps):
            place = f"steps[{index}]"
            if step.id in seen:
                raise DataError(f"{step.id!r} is taken by an earlier step", field=f"{place}.id")
            if step.order <= order:
                problem = f"is {step.order} after {order}; orders rise from step to step"
                raise DataError(problem, field=f"{place}.order")
            for needed in step.depends_on:
                if needed not in known:
                    problem = str(UnknownNameError("step", needed, known))
                    raise DataError(problem, field=f"{place}.depends_on")
                if needed not in seen:
                    problem = f"{needed!r} is not before {step.id!r}; a step needs earlier ones"
                    raise DataError(problem, field=f"{place}.depends_on")
            if len(set(step.depends_on)) < len(step.depends_on):
                raise DataError("names a step twice", field=f"{place}.depends_on")
            seen.append(step.id)
            order = step.order
        return self

    def step(self, id: str) -> StepDefinition:  # noqa: A002
        """Return a step by its id.

        Raises
        ------
        UnknownNameError
            When there is no such step; the message offers the nearest id.

        Examples
        --------
        >>> from ctxlab.workshop import DESIGN_THINKING
        >>> DESIGN_THINKING.step("persona").order
        5
        """
        for step in self.steps:
            if step.id == id:
                return step
        raise UnknownNameError("step", id, [step.id for step in self.steps])

    def dependencies(self, id: str, transitive: bool = False) -> tuple[str, ...]:  # noqa: A002
        """Return the steps that a step needs, in the protocol's order.

        Parameters
        ----------
        id : str
            The step.
        transitive : bool
            Also what those need in turn.

        Raises
        ------
        UnknownNameError
            When there is no such step.

        Examples
        --------
        >>> from ctxlab.workshop import DESIGN_THINKING
        >>> DESIGN_THINKING.dependencies("sense-making")
        ('challenge', 'user-research')
        """
        found = set(self.step(id).depends_on)
        if transitive:
            # Backwards, a step's own needs are known before those of the steps it needs.
            for step in reversed(self.steps):
                if step.id in found:
                    found.update(step.depends_on)
        return tuple(step.id for step in self.steps if step.id in found)

    def dependents(self, id: str, transitive: bool = True) -> tuple[str, ...]:  # noqa: A002
        """Return the steps that need a step: what has to be looked at again when it is revised.

        Parameters
        ----------
        id : str
            The step.
        transitive : bool
            Also those that need it by way of others.

        Raises
        ------
        UnknownNameError
            When there is no such step.

        Examples
        --------
        >>> from ctxlab.workshop import DESIGN_THINKING
        >>> DESIGN_THINKING.dependents("reframe")
        ('ideation', 'concept', 'validate')
        """
        roots = {self.step(id).id}
        found: list[str] = []
        for step in self.steps:
            if not roots.isdisjoint(step.depends_on):
                found.append(step.id)
                if transitive:
                    roots.add(step.id)
        return tuple(found)

    @classmethod
    def from_toml(cls, source: str | Path) -> Protocol:
        r"""Read a protocol from TOML.

        A step's artifact is given in ``fields``, one line a field (``owner = "str?: who does
        it"``), or in ``schema``, a JSON Schema. A step without an ``order`` takes its position.

        Parameters
        ----------
        source : str or Path
            A text; a path, or a string of one line, is a file.

        Raises
        ------
        DataError
            With the file and the field at fault.

        Examples
        --------
        >>> Protocol.from_toml("name = 'retro'\nversion = 2")
        Traceback (most recent call last):
        ctxlab.errors.DataError: field steps: must be tables; begin each step with [[steps]]
        """
        table, file = read_toml(source)
        try:
            return cls.model_validate({**table, "steps": steps_of(table)})
        except ValidationError as error:
            raise data_error(error, cls.model_fields, _STEP_KEYS).at(file) from error
        except DataError as error:
            raise error.at(file) from error

    def to_toml(self) -> str:
        """Return the protocol as TOML, which `from_toml` reads back to an equal one.

        Examples
        --------
        >>> from ctxlab.workshop import DESIGN_THINKING
        >>> DESIGN_THINKING.to_toml().splitlines()[0]
        'name = "design-thinking"'
        """
        steps = [
            {key: getattr(step, key) for key in type(step).model_fields} for step in self.steps
        ]
        return write_toml(self.name, self.version, steps)
