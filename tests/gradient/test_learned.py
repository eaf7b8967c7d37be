"""The result of a finished search: an architecture, judged where the method judges, and probabilities."""

from collections.abc import Callable

import numpy as np
import pytest

from surrogate_nas.errors import StoreError
from surrogate_nas.gradient.learned import Learned, read_learned
from surrogate_nas.gradient.learning import Learner
from tests.gradient.conftest import MakeJob

LearnedOf = Callable[..., Learned]


def test_a_finished_search_gives_its_likeliest_connected_architecture(job_of: MakeJob, learned_of: LearnedOf) -> None:
    job = job_of("darts", rate=0.1)
    learned, space = learned_of(job), job.space
    codes = space.all_codes()[space.is_connected(space.all_codes())]
    log_probability = learned.log_probabilities(codes)
    assert learned.code.tolist() == codes[log_probability.argmax()].tolist()
    assert log_probability.max() > np.log(1 / 64)  # it has learnt
    assert np.exp(log_probability).sum() == pytest.approx(1)


@pytest.mark.quick_cases(3)
@pytest.mark.parametrize("method", ["setn", "rsps", "enas"])
def test_candidates_are_judged_on_the_shared_weights(job_of: MakeJob, learned_of: LearnedOf, method: str) -> None:
    job = job_of(method, candidates=12)
    learned, learner = learned_of(job), Learner(job)
    codes = job.space.all_codes()[job.space.is_connected(job.space.all_codes())]
    accuracies = np.array([learner.accuracy(code) for code in codes])
    assert learner.accuracy(learned.code) >= np.median(accuracies)
    assert learned.chosen.collapse.judged


@pytest.mark.parametrize("method", ["darts", "rsps"])
def test_an_architecture_within_the_budgets_is_derived_too(job_of: MakeJob, learned_of: LearnedOf, method: str) -> None:
    job = job_of(method)
    free = learned_of(job)
    assert free.chosen.within is None
    forbidden = free.code.tolist()
    found = learned_of(job, lambda codes: (codes != forbidden).any(axis=1)).chosen
    assert found.code.tolist() == forbidden
    assert found.within is not None
    assert found.within.tolist() != forbidden
    assert learned_of(job, lambda codes: (codes == forbidden).all(axis=1)).chosen.within is None
    assert learned_of(job, lambda codes: np.zeros(len(codes), dtype=bool)).chosen.within is None


def test_an_unfinished_search_is_refused(job_of: MakeJob) -> None:
    job = job_of("darts")
    Learner(job).save()
    with pytest.raises(StoreError, match="stopped at step 0 of 12"):
        read_learned([job], 20, 10)


def test_the_least_validation_loss_chooses_among_subspaces(job_of: MakeJob, learned_of: LearnedOf) -> None:
    learned = learned_of(job_of("gdas", split="edge", steps=6))
    assert [leaf.code[0] for leaf in learned.leaves] == [0, 1, 2, 3]
    losses = [leaf.loss for leaf in learned.leaves]
    assert len(set(losses)) == 4
    assert learned.chosen is learned.leaves[int(np.argmin(losses))]
    assert learned.code.tolist() == learned.chosen.code.tolist()
    assert [leaf.loss for leaf in learned.best_first] == sorted(losses)
    # Probabilities of the space sum to 1, and a subspace has its share of the connected architectures.
    space = learned.leaves[0].subspace.space
    codes = space.all_codes()
    log_probability = learned.log_probabilities(codes)
    assert np.isfinite(log_probability).tolist() == space.is_connected(codes).tolist()
    assert np.exp(log_probability).sum() == pytest.approx(1)
    for choice, share in enumerate(learned.shares):
        assert np.exp(log_probability[codes[:, 0] == choice]).sum() == pytest.approx(share)
    drawn = learned.draw(400, np.random.default_rng(0))
    assert np.isfinite(learned.log_probabilities(drawn)).all()
    np.testing.assert_allclose(np.bincount(drawn[:, 0], minlength=4) / 400, learned.shares, atol=0.1)
    assert np.array_equal(drawn, learned.draw(400, np.random.default_rng(0)))
