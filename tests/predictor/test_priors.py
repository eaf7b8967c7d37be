"""Counts against cells that were counted by hand; ranks that do not depend on who is asked with whom."""

import numpy as np
import pytest

from surrogate_nas.predictor.priors import complexity_counts, make_prior
from surrogate_nas.space.space import Space

# Edges 1<-0, 2<-0, 2<-1, 3<-0, 3<-1, 3<-2; choices none, skip, conv1x1, conv3x3, pool.
CHAIN = [3, 0, 2, 0, 0, 3]  # conv3x3, conv1x1, conv3x3 one after another
PARALLEL = [0, 0, 0, 3, 0, 0]
DEAD = [3, 0, 0, 0, 0, 3]


def test_a_chain_is_deep_and_sees_far(space: Space) -> None:
    counts = complexity_counts(space, np.array([CHAIN, PARALLEL, DEAD], dtype=np.int8))
    assert counts[:, 1].tolist() == [3, 1, 0]
    assert counts[:, 2].tolist() == [2, 1, 0]
    nothing = space.flops(np.zeros((1, 6), dtype=np.int8), space.network)[0]
    weights = (counts[:, 0] - nothing) / (counts[1, 0] - nothing)
    assert weights == pytest.approx([19 / 9, 1, 0])


def test_a_prior_is_a_standardised_rank_of_its_reference(space: Space) -> None:
    codes = space.all_codes()
    scores = make_prior(space, codes).score(codes)
    assert scores.mean() == pytest.approx(0, abs=1e-9)
    assert scores.std() == pytest.approx(1)
    assert scores.argmax() == space.index(np.full((1, 6), 3))[0]


def test_a_score_does_not_depend_on_the_others_that_are_asked(space: Space) -> None:
    prior = make_prior(space, space.all_codes())
    codes = space.sample(20, np.random.default_rng(0))
    assert np.array_equal(prior.score(codes)[3:4], prior.score(codes[3:4]))
    assert prior.score(codes[:0]).shape == (0,)
