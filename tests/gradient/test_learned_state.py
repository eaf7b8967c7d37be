"""A state is read from its tensors as it was; a missing or damaged one is an error."""

import pytest
import torch

from surrogate_nas.gradient.learned_state import LearnedState

STATE = LearnedState(3, 0.25, {"logits": torch.zeros(2)}, {"logits": torch.ones(2)}, {"logits": torch.full((2,), 2.0)})


def test_a_state_is_read_as_it_was() -> None:
    state = LearnedState.of(STATE.tensors())
    assert (state.moves, state.baseline) == (3, 0.25)
    for kind in ("distribution", "means", "squares"):
        assert torch.equal(getattr(state, kind)["logits"], getattr(STATE, kind)["logits"])


def test_a_state_without_rewards_has_no_baseline() -> None:
    state = LearnedState.of(LearnedState(0, None, {"logits": torch.zeros(2)}, {}, {}).tensors())
    assert state.baseline is None
    assert not state.means


def test_a_missing_state_is_an_error() -> None:
    with pytest.raises(KeyError):
        LearnedState.of({})
    with pytest.raises(ValueError, match="-1 steps"):
        LearnedState.of(STATE.tensors() | {"moves": torch.tensor(-1)})
