"""The policy's gradient against finite differences and enumeration; the sampler learns, also under budgets."""

from itertools import product

import numpy as np
import pytest

from surrogate_nas.costs.budget import Budget
from surrogate_nas.search.candidates import Floats
from surrogate_nas.search.evaluator import Evaluator
from surrogate_nas.search.samplers.reinforce import EXPLORATION, Policy, ReinforceSampler
from surrogate_nas.search.settings import SearchSettings
from surrogate_nas.space.load import load_space
from surrogate_nas.space.space import Codes
from surrogate_nas.testing.samplers import made_up_evaluator

CHOICES = (2, 4, 3)
CODES: Codes = np.array(list(product(*map(range, CHOICES))), dtype=np.int8)
EXISTS = np.arange(max(CHOICES)) < np.array(CHOICES)[:, None]


@pytest.fixture
def policy() -> Policy:
    """Returns a policy that has learnt something."""
    made = Policy(CHOICES)
    made.logits = np.where(EXISTS, np.random.default_rng(0).normal(size=EXISTS.shape), -np.inf)
    return made


def probability(policy: Policy, codes: Codes) -> Floats:
    """Returns the probability of each code as a product over decisions, shape (N,)."""
    return np.asarray(np.prod(policy.probabilities()[np.arange(len(CHOICES)), codes], axis=1))


def differences(policy: Policy, values: Floats) -> Floats:
    """Returns central differences by each logit of the mean of values under the policy, shape (D, C)."""
    slopes = np.zeros(EXISTS.shape)
    logits = policy.logits
    for place in zip(*np.nonzero(EXISTS), strict=True):
        ends = []
        for move in (1e-5, -1e-5):
            policy.logits = logits.copy()
            policy.logits[place] += move
            ends.append(probability(policy, CODES) @ values)
        slopes[place] = (ends[0] - ends[1]) / 2e-5
    policy.logits = logits
    return slopes


def test_the_gradient_is_that_of_the_log_probability(policy: Policy) -> None:
    gradient = policy.gradient(CODES)
    for row in range(len(CODES)):
        alone = np.zeros(len(CODES))
        alone[row] = 1
        expected = differences(policy, alone) / probability(policy, CODES)[row]
        np.testing.assert_allclose(gradient[row], expected, atol=1e-8)


def test_the_mean_step_is_the_exact_gradient_whatever_the_baseline(policy: Policy) -> None:
    reward = np.random.default_rng(1).normal(size=len(CODES))
    for baseline in (0.0, 3.0):
        weights = probability(policy, CODES) * (reward - baseline)
        mean = np.einsum("n,ndc->dc", weights, policy.gradient(CODES))
        np.testing.assert_allclose(mean, differences(policy, reward), atol=1e-8)


def test_draws_follow_the_probabilities_and_keep_to_the_choices(policy: Policy) -> None:
    codes = policy.draw(40_000, np.random.default_rng(2))
    seen = np.array([np.bincount(codes[:, column], minlength=max(CHOICES)) for column in range(len(CHOICES))]) / 40_000
    np.testing.assert_allclose(seen, policy.probabilities(), atol=0.01)
    assert not seen[~EXISTS].any()


def test_a_policy_that_has_settled_still_draws_everything() -> None:
    policy = Policy(CHOICES)
    for _ in range(2000):
        policy.step(CODES[:1], np.ones(1))
    least = policy.probabilities()[EXISTS].min()
    assert least == pytest.approx(EXPLORATION / max(CHOICES), rel=0.2)
    assert np.isfinite(policy.logits[EXISTS]).all()


def best_of(evaluator: Evaluator, seed: int, rounds: int) -> float:
    sampler = ReinforceSampler(evaluator, SearchSettings(batch=15), seed)
    best = -np.inf
    for _ in range(rounds):
        pool = evaluator.evaluate(sampler.propose(15))
        sampler.observe(pool)
        best = max(best, pool.mean[pool.feasible].max(initial=-np.inf))
    return best


def test_it_beats_random_draws(evaluator: Evaluator) -> None:
    gains = []
    for seed in range(8):
        drawn = evaluator.evaluate(evaluator.space.sample(240, np.random.default_rng(seed)))
        gains.append(best_of(evaluator, seed, 16) - drawn.mean[drawn.feasible].max())
    assert np.mean(gains) > 0


def test_it_moves_to_a_budget_that_few_meet(large: Evaluator) -> None:
    tight = Evaluator(large.space, large._predictor, large._costs, [Budget("latency_ms", 6.0)])
    sampler = ReinforceSampler(tight, SearchSettings(batch=20), 0)
    kept = []
    for _ in range(20):
        pool = tight.evaluate(sampler.propose(20))
        sampler.observe(pool)
        kept.append(pool.feasible.mean())
    assert np.mean(kept[:3]) < 0.05
    assert np.mean(kept[10:]) > 0.25


@pytest.mark.parametrize("name", ["mobilenet", "darts", "images32"])
def test_spaces_too_large_to_list_are_searched(name: str) -> None:
    evaluator = made_up_evaluator(load_space(name))
    sampler = ReinforceSampler(evaluator, SearchSettings(batch=40), 0)
    means = []
    for _ in range(25):
        pool = evaluator.evaluate(sampler.propose(40))
        assert len(pool) == 40
        sampler.observe(pool)
        means.append(np.where(pool.feasible, pool.mean, pool.mean.min()).mean())
    assert np.mean(means[-5:]) > np.mean(means[:5])
