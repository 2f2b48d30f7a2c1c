"""Prompts: sections only where they hold something, in an order that keeps the prefix."""

from __future__ import annotations

import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ctxlab.core.context import Context
from ctxlab.core.segments import ContextTier, Segment
from ctxlab.core.steps import StepContext
from ctxlab.errors import UnknownNameError
from ctxlab.workshop import (
    DESIGN_THINKING,
    NOTHING_BEFORE,
    ArcPhase,
    Protocol,
    StepDefinition,
    build_prompt,
    step_prompt,
)

STEPS = [step.id for step in DESIGN_THINKING.steps]
EVERY_STEP = pytest.mark.parametrize("step", STEPS)


def memory(tier: str, step: str | None, text: str, source: str | None = None) -> Segment:
    """Make a segment of the persistent or the long-term tier."""
    return Segment.of(source or f"{tier}:{step}", text, tier=ContextTier(tier), step=step)


def prompt(step: str, *segments: Segment, phase: str = "gather", **others: Protocol) -> str:
    """Build the prompt of a step over these segments."""
    context = StepContext("wks_1", step, Context(segments))
    return build_prompt(context, ArcPhase(phase), **others)


def headings(text: str) -> list[str]:
    """Return the section titles of a prompt."""
    return re.findall(r"^## (.*)$", text, re.MULTILINE)


@EVERY_STEP
@pytest.mark.parametrize("phase", ArcPhase)
def test_prompt_without_memory(step, phase):
    """With nothing before it, a step's prompt has no memory section; only the sentinel, if due."""
    text = prompt(step, phase=phase)
    needs = bool(DESIGN_THINKING.step(step).depends_on)
    expected = ["Goal", "Principles", "What to gather"]
    expected += ["How to use earlier results", "Earlier results"] if needs else []
    expected += [f"Phase now: {phase}"]
    expected += ["Criteria"] if phase in ("validate", "complete") else []
    assert headings(text) == expected
    assert (NOTHING_BEFORE in text) == needs
    assert phase.instruction in text


@EVERY_STEP
def test_prompt_holds_the_whole_step(step):
    """Goal, principles, what to gather and the use of earlier results stand in the prompt."""
    one = DESIGN_THINKING.step(step)
    text = prompt(step, phase="validate")
    for line in (one.description, one.goal, *one.principles, *one.gather, *one.criteria):
        assert line in text
    assert one.use_of_prior_context in text


@pytest.mark.parametrize(
    ("tier", "title"),
    [("persistent", "Artifacts"), ("long-term", "Summaries of earlier steps")],
)
def test_memory_sections_show_when_filled(tier, title):
    """A tier that holds something has its section, under its step's name, and no sentinel."""
    text = prompt("persona", memory(tier, "sense-making", '{"insights": ["People hide it."]}'))
    assert title in headings(text)
    assert "### Sense-making\n" in text
    assert "People hide it." in text
    assert NOTHING_BEFORE not in text


@pytest.mark.parametrize("tier", ["persistent", "long-term"])
def test_blank_memory_is_no_memory(tier):
    """A segment of nothing but white space opens no section and does not silence the sentinel."""
    text = prompt("persona", memory(tier, "sense-making", " \n"))
    assert text == prompt("persona")


def test_results_of_other_steps_do_not_silence_the_sentinel():
    """What a step does not build on is shown, and the sentinel still says what is missing."""
    text = prompt("persona", memory("long-term", "challenge", "Bread is left over."))
    assert "Bread is left over." in text
    assert NOTHING_BEFORE in text


def test_short_term_is_not_repeated():
    """The step's own messages are the chat, not part of the prompt."""
    message = Segment.of("message:m1", "I said forty.", step="persona")
    assert prompt("persona", message) == prompt("persona")


def test_artifacts_are_fenced_json():
    """An artifact stands in a JSON fence and can be read back from it."""
    artifact = {"name": "Mira", "quote": "I know it at five."}
    text = prompt("reframe", memory("persistent", "persona", json.dumps(artifact)))
    (block,) = re.findall(r"```json\n(.*?)\n```", text, re.DOTALL)
    assert json.loads(block) == artifact


def test_compressed_artifact_is_not_called_json():
    """What a strategy has cut until it is no JSON is fenced without the claim."""
    assert '\n```\n{"name":\n```' in prompt("reframe", memory("persistent", "persona", '{"name": '))


@given(st.text("`\n# a", max_size=40))
def test_no_artifact_breaks_out_of_its_fence(text):
    """The fence is longer than any run of backticks in the artifact."""
    filled = prompt("reframe", memory("persistent", "persona", f"x{text}x"))
    block = re.search(r"^(`{3,})(?:json)?\n(.*?)\n\1$", filled, re.MULTILINE | re.DOTALL)
    assert block is not None
    assert block[2] == f"x{text}x"


def test_pieces_of_one_artifact_are_put_together():
    """Segments that were cut from one source form one text again."""
    whole = memory("persistent", "persona", '{"name": "Mira"}')
    assert prompt("reframe", whole.cut(0, 9), whole.cut(9, 16)) == prompt("reframe", whole)


@given(st.permutations(STEPS[:6]))
def test_memory_stands_in_the_order_of_the_steps(order):
    """However the context is ordered, results stand in the protocol's order."""
    segments = [
        memory(tier, s, f"{tier} {s}") for s in order for tier in ("long-term", "persistent")
    ]
    ordered = [
        memory(tier, s, f"{tier} {s}") for tier in ("persistent", "long-term") for s in STEPS[:6]
    ]
    text = prompt("reframe", *segments)
    assert text == prompt("reframe", *ordered)
    assert headings(text).index("Artifacts") < headings(text).index("Summaries of earlier steps")


@EVERY_STEP
def test_prefix_is_stable(step):
    """Phases share all but the end of a prompt, and workshops share the step's own text."""
    one, other = (memory("long-term", "challenge", text) for text in ("Bread.", "Night."))
    gather, refine = (prompt(step, one, phase=phase) for phase in ("gather", "refine"))
    shared = gather.partition("## Phase now")[0]
    assert "Bread." in shared
    assert refine.startswith(shared)
    static = step_prompt(DESIGN_THINKING.step(step))
    assert gather.startswith(static)
    assert prompt(step, other).startswith(static)


def test_results_without_a_known_step():
    """Results of a step that the protocol does not know come last, under their own name."""
    text = prompt(
        "persona",
        memory("long-term", "warm-up", "We sang."),
        memory("long-term", None, "Somebody wrote this."),
        memory("long-term", "user-research", "We asked."),
    )
    assert re.findall(r"^### (.*)$", text, re.MULTILINE) == ["User research", "warm-up", "Other"]


def test_other_protocols_have_prompts_too():
    """A protocol of one's own is led in the same way, with only the sections it fills."""
    facts = StepDefinition(
        id="facts", order=1, name="Facts", description="What was.", goal="A list."
    )
    change = StepDefinition(
        id="change",
        order=2,
        name="Change",
        description="What will be.",
        goal="One change.",
        depends_on=["facts"],
    )
    retro = Protocol(name="retro", steps=[facts, change])
    text = prompt("facts", protocol=retro, phase="validate")
    assert text.startswith(
        "# Step 1 of 2: Facts\n\nWhat was.\n\n## Goal\n\nA list.\n\n## Phase now"
    )
    assert headings(text) == ["Goal", "Phase now: validate"]
    assert NOTHING_BEFORE in prompt("change", protocol=retro)
    assert NOTHING_BEFORE not in prompt(
        "change", memory("long-term", "facts", "It rained."), protocol=retro
    )


def test_unknown_step():
    """A step that the protocol does not have is an error that offers the nearest."""
    with pytest.raises(UnknownNameError, match="did you mean 'ideation'"):
        prompt("ideations")
