"""Models that are harder than the workshop's, and step ids that are hostile."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field


class Closed(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Tree(Closed):
    """A tree of names."""

    name: str
    kids: list[Tree] = []


class Cat(Closed):
    kind: Literal["cat"]
    lives: int = Field(ge=1, le=9)


class Dog(Closed):
    kind: Literal["dog"]
    tricks: list[str] = Field(max_length=3)


class Pets(Closed):
    """A discriminated union."""

    pets: list[Annotated[Cat | Dog, Field(discriminator="kind")]]


class Constrained(Closed):
    code: str = Field(pattern=r"^[A-Z]{2}\d{2}$")
    share: float = Field(ge=0, le=1)
    note: str = Field("", max_length=5)
    step: int = Field(multiple_of=3)


class Times(Closed):
    day: date
    at: AwareDatetime
    pair: tuple[int, str]


class Maps(Closed):
    counts: dict[str, int]
    nested: dict[str, list[bool]] = {}


HARD = {
    "tree": Tree, "pets": Pets, "constrained": Constrained, "times": Times, "maps": Maps,
}  # fmt: skip
HOSTILE = [
    "it's", 'a "quote"', "two\nlines", "class", "*/ alert() /*", "${process.exit()}", "`tick`",
    "Tree", "__proto__", "\u2028", "Record", "../up",
]  # fmt: skip
