"""The arc of a step: six phases, one rule, and the moves that are allowed."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ctxlab.errors import TransitionError
from ctxlab.workshop import MOVES, PATIENCE, ROUNDS, ArcPhase, ArcState, advance, move, next_phase

PHASES = list(ArcPhase)
DRAFTED = [ArcPhase.REFINE, ArcPhase.VALIDATE, ArcPhase.COMPLETE]
flags = st.fixed_dictionaries(
    {
        "gathered": st.booleans(),
        "has_artifact": st.booleans(),
        "artifact_valid": st.booleans(),
        "criteria_met": st.booleans(),
        "user_confirmed": st.booleans(),
    }
)


@st.composite
def states(draw):
    """Draw a state that can be: where a draft is needed there is one."""
    phase = draw(st.sampled_from(PHASES))
    chosen = draw(flags)
    chosen["has_artifact"] |= phase in DRAFTED or chosen["artifact_valid"]
    return ArcState(
        phase=phase,
        turns_in_phase=draw(st.integers(0, PATIENCE + 2)),
        rounds=draw(st.integers(0, ROUNDS + 2)),
        **chosen,
    )


def turn(state: ArcState, **signals: bool) -> ArcState:
    """Take one turn with these signals and let the rule decide."""
    update = {"turns_in_phase": state.turns_in_phase + 1, **signals}
    return advance(state.model_copy(update=update))


@given(states())
def test_the_rule_makes_only_legal_moves(state):
    """The rule stays, goes one phase on, or goes from validating back to refining."""
    after = next_phase(state)
    assert after == move(state.phase, after)
    step = PHASES.index(after) - PHASES.index(state.phase)
    back = (state.phase, after) == (ArcPhase.VALIDATE, ArcPhase.REFINE)
    assert step in (0, 1) or back


@given(states())
def test_the_rule_is_deterministic(state):
    """Equal states lead to equal phases, and asking changes nothing."""
    again = ArcState(**state.model_dump())
    assert next_phase(state) == next_phase(again)
    assert state == again


@given(states())
def test_no_phase_is_skipped_before_its_first_turn(state):
    """Before anybody has spoken in a phase, it is not left."""
    fresh = state.model_copy(update={"turns_in_phase": 0})
    assert next_phase(fresh) == fresh.phase


@given(states())
def test_nothing_completes_without_a_valid_artifact_and_consent(state):
    """A step completes only with a valid artifact, and only when the user agrees."""
    if state.phase != ArcPhase.COMPLETE and next_phase(state) == ArcPhase.COMPLETE:
        assert state.artifact_valid
        assert state.user_confirmed
        assert state.criteria_met or state.rounds >= ROUNDS


@given(states(), st.lists(flags, max_size=60))
def test_the_arc_ends_once_everybody_agrees(state, history):
    """Whatever happened before, five agreeable turns and no more complete a step."""
    for signals in history:
        has = signals["has_artifact"] or state.phase in DRAFTED or signals["artifact_valid"]
        state = turn(state, **{**signals, "has_artifact": has})
    for _ in range(5):
        state = turn(
            state,
            gathered=True,
            has_artifact=True,
            artifact_valid=True,
            criteria_met=True,
            user_confirmed=True,
        )
    assert state.phase == ArcPhase.COMPLETE


@given(states(), st.booleans())
def test_the_arc_ends_although_criteria_stay_unmet(state, gathered):
    """With a valid draft and a user who agrees, unmet criteria cannot keep a step open."""
    turns = 0
    while state.phase != ArcPhase.COMPLETE:
        state = turn(
            state,
            gathered=gathered,
            has_artifact=True,
            artifact_valid=True,
            criteria_met=False,
            user_confirmed=True,
        )
        turns += 1
        assert turns <= 5 + 2 * ROUNDS


def test_a_silent_user_is_not_asked_forever():
    """Gathering and refining go on after `PATIENCE` turns, though nobody says so."""
    assert next_phase(ArcState(phase="gather", turns_in_phase=PATIENCE - 1)) == ArcPhase.GATHER
    assert next_phase(ArcState(phase="gather", turns_in_phase=PATIENCE)) == ArcPhase.SYNTHESIZE
    draft = ArcState(phase="refine", has_artifact=True, artifact_valid=True)
    for turns, expected in [(PATIENCE - 1, ArcPhase.REFINE), (PATIENCE, ArcPhase.VALIDATE)]:
        assert next_phase(draft.model_copy(update={"turns_in_phase": turns})) == expected


def test_invalid_draft_is_never_validated():
    """A draft that breaks its schema stays in refining, however long and whoever agrees."""
    broken = ArcState(
        phase="refine", turns_in_phase=PATIENCE * 9, has_artifact=True, user_confirmed=True
    )
    assert next_phase(broken) == ArcPhase.REFINE


def test_failed_validation_goes_back_and_is_counted():
    """Going back counts a round, and agreement and criteria are asked for anew."""
    failed = ArcState(
        phase="validate",
        turns_in_phase=1,
        has_artifact=True,
        artifact_valid=False,
        criteria_met=True,
        user_confirmed=True,
    )
    after = advance(failed)
    assert (after.phase, after.rounds, after.turns_in_phase) == (ArcPhase.REFINE, 1, 0)
    assert not after.criteria_met
    assert not after.user_confirmed
    assert after.has_artifact


@pytest.mark.parametrize("phase", PHASES)
@pytest.mark.parametrize("to", PHASES)
def test_moves_are_the_table(phase, to):
    """A move is allowed exactly when it stays or the table has it; the error says where to go."""
    if to == phase or to in MOVES[phase]:
        assert move(phase, to) == to
    else:
        with pytest.raises(TransitionError, match=f"'{phase}' does not lead to '{to}'") as caught:
            move(phase, to)
        assert all(repr(str(way)) in str(caught.value) for way in MOVES[phase])


@pytest.mark.parametrize("phase", DRAFTED)
def test_phases_on_a_draft_need_one(phase):
    """Refining, validating or completing nothing is an error that says what to do."""
    with pytest.raises(TransitionError, match="write the artifact in phase 'synthesize'"):
        next_phase(ArcState(phase=phase))


def test_valid_artifact_that_is_not_there():
    """An artifact cannot be valid and absent."""
    with pytest.raises(TransitionError, match="set has_artifact"):
        advance(ArcState(artifact_valid=True))


def test_every_phase_has_its_own_instruction():
    """Each of the six phases tells the facilitator something of its own."""
    assert len({phase.instruction for phase in ArcPhase}) == 6
    assert all(len(phase.instruction.split()) > 30 for phase in ArcPhase)
