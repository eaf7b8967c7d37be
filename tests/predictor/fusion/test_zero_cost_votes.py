"""Zero-cost scores of a whole space become votes, and are kept for the next time."""

from pathlib import Path

import numpy as np
import pytest

from surrogate_nas._support.cache_folder import FOLDER_VARIABLE
from surrogate_nas.errors import SpaceError
from surrogate_nas.predictor.fusion.priors import make_prior
from surrogate_nas.predictor.fusion.zero_cost_votes import zero_cost_votes
from surrogate_nas.space.load import load_space
from surrogate_nas.zero_cost import scores
from surrogate_nas.zero_cost.settings import VOTES


def test_a_prior_takes_them_and_a_second_call_computes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(FOLDER_VARIABLE, str(tmp_path))
    space = load_space("quick")
    told: list[tuple[int, int]] = []
    votes = zero_cost_votes(space, lambda done, total: told.append((done, total)))
    assert votes.weights == VOTES
    assert told[-1][0] == told[-1][1]
    codes = space.all_codes()
    assert not np.array_equal(make_prior(space, codes, votes).score(codes), make_prior(space, codes).score(codes))
    monkeypatch.setattr(scores, "zero_cost_scores", None)
    assert zero_cost_votes(space).weights == VOTES


def test_a_space_that_cannot_be_scored_is_refused() -> None:
    with pytest.raises(SpaceError, match="zero-cost scores"):
        zero_cost_votes(load_space("darts"))
