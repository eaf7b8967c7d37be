"""The process against the textbook's formula, and what it does with few trainings."""

import numpy as np
import pytest

from surrogate_nas.search.settings import ResidualSettings
from surrogate_nas.search.trainings.residual import ResidualProcess, standardised

SETTINGS = ResidualSettings(reference=6)
SCORE = np.array([0.0, 1.0, 2.0, 3.0, 4.0, 5.0])
FEATURES = standardised(np.random.default_rng(0).normal(size=(6, 3)))


def joint_normal(rows: list[int], values: list[float]) -> tuple[np.ndarray, np.ndarray]:
    """Returns the conditioned joint normal distribution, computed term by term."""
    x = (SCORE - SCORE.mean()) / SCORE.std()
    size = len(SCORE)
    covariance = np.empty((size, size))
    for i in range(size):
        for j in range(size):
            distance = ((FEATURES[i] - FEATURES[j]) ** 2).sum()
            covariance[i, j] = 3.0**2 + 0.1**2 * x[i] * x[j] + 0.25 * np.exp(-distance / (2 * 1.5**2))
        covariance[i, i] += 0.24**2
    inverse = np.linalg.inv(covariance[np.ix_(rows, rows)] + 0.14**2 * np.eye(len(rows)))
    cross = covariance[:, rows]
    centre = np.mean(values)
    mean = centre + 0.2 * x + cross @ inverse @ (np.array(values) - centre - 0.2 * x[rows])
    return mean, np.sqrt(np.diag(covariance - cross @ inverse @ cross.T))


@pytest.mark.parametrize(("rows", "values"), [([2], [90.0]), ([0, 5, 3], [90.0, 91.0, 92.0]), ([1, 1], [90.0, 90.4])])
def test_it_is_the_conditional_of_a_normal_distribution(rows: list[int], values: list[float]) -> None:
    state = ResidualProcess(SCORE, FEATURES, SETTINGS).posterior(rows, values)
    mean, std = joint_normal(rows, values)
    assert state.mean == pytest.approx(mean, abs=1e-9)
    assert state.std == pytest.approx(std, abs=1e-9)


def test_before_any_training_the_score_decides() -> None:
    process = ResidualProcess(SCORE, FEATURES, SETTINGS)
    assert process.posterior([], []).mean.argsort().tolist() == [0, 1, 2, 3, 4, 5]
    assert process.next_batch([], [], 1) == [5]
    assert process.expected_gain([], [], 3) == np.inf


def test_a_disappointment_is_not_followed_by_its_twin() -> None:
    features = np.array([[0.0], [0.0], [3.0]])
    process = ResidualProcess(np.array([1.0, 0.99, 0.5]), features, ResidualSettings(reference=3, slope=0.1))
    assert process.next_batch([0], [90.0], 1) == [1]
    others = process.posterior([0, 2], [89.0, 91.0]).mean
    assert others[1] < others[2]


def test_a_batch_is_new_distinct_and_ends_with_the_candidates() -> None:
    process = ResidualProcess(SCORE, FEATURES, SETTINGS)
    batch = process.next_batch([5, 0], [91.0, 90.0], 10, pending=[4])
    assert sorted(batch) == [1, 2, 3]


def test_gains_shrink_with_what_is_known() -> None:
    process = ResidualProcess(SCORE, FEATURES, SETTINGS)
    rows = [5, 4, 3]
    few = process.expected_gain(rows, [91.0, 91.1, 90.9], 3)
    assert few > 0
    assert process.expected_gain([*rows, 2, 1, 0], [91.0, 91.1, 90.9, 90.5, 90.2, 90.0], 3) == 0


def test_equal_scores_and_no_features_are_no_trouble() -> None:
    process = ResidualProcess(np.ones(4), np.zeros((4, 0)), ResidualSettings())
    assert np.isfinite(process.posterior([1], [50.0]).mean).all()
    assert standardised(np.ones((4, 2))).shape == (4, 0)


class TestSetsOfBudgets:
    """Rows 0 to 2 keep a small budget, all but the last a large one."""

    ANSWERS = np.array([[True, True, True, False, False, False], [True, True, True, True, True, False]])

    def process(self) -> ResidualProcess:
        return ResidualProcess(SCORE, FEATURES, SETTINGS, self.ANSWERS)

    def test_they_take_turns(self) -> None:
        assert self.process().allowed.tolist() == [True] * 5 + [False]
        batch = self.process().next_batch([], [], 10)
        assert sorted(batch) == [0, 1, 2, 3, 4]
        assert batch[:2] == [2, 4]  # the best by score of the small budget, then of the large one

    def test_a_set_of_no_candidate_has_no_turn(self) -> None:
        process = ResidualProcess(SCORE, FEATURES, SETTINGS, np.stack([np.zeros(6, dtype=bool), self.ANSWERS[0]]))
        assert process.next_batch([], [], 2)[0] == 2
        assert process.expected_gain([2], [90.0], 2) > 0
        assert process.in_turns([0, 1], np.arange(6.0)) == [1, 0]

    def test_the_gain_is_that_of_the_set_that_gains_most(self) -> None:
        rows, values = [4, 2], [91.0, 90.0]
        alone = [ResidualProcess(SCORE, FEATURES, SETTINGS, one).expected_gain(rows, values, 2) for one in self.ANSWERS]
        both = self.process().expected_gain(rows, values, 2)
        assert both == pytest.approx(max(alone), rel=0.2)  # the score is standardised among other candidates

    def test_the_best_of_each_come_first(self) -> None:
        values = np.array([3.0, 2.0, 1.0, 9.0, 8.0, 7.0])
        assert self.process().in_turns([0, 1, 3, 4], values) == [0, 3, 1, 4]
        assert ResidualProcess(SCORE, FEATURES, SETTINGS).in_turns([0, 1, 3, 4], values) == [3, 4, 0, 1]


def test_a_slope_among_the_best_is_not_followed_over_eighty_standard_deviations() -> None:
    score = np.concatenate([np.random.default_rng(0).normal(0, 1, 200), np.full(4, -80.0)])
    process = ResidualProcess(score, np.zeros((204, 0)), ResidualSettings())
    rows, values = [200, 201, 202, 203], [75.0, 74.0, 74.5, 73.5]
    after = process.posterior(rows, values)
    best = int(score.argmax())
    # Followed all the way, it would expect 16 units more, each of at least a percentage point.
    assert 0 < after.mean[best] - 74.25 < 4
    assert after.std[best] > 0.5


def test_variations_of_one_network_say_less_about_the_others_spread_than_networks_apart() -> None:
    score, values = np.zeros(12), [75.0, 71.0, 74.0, 72.0]
    apart = 3 * np.random.default_rng(0).normal(size=(12, 3))
    near = apart.copy()
    near[:4] = near[0] + 0.01 * apart[:4]
    one, other = (ResidualProcess(score, features, ResidualSettings()) for features in (near, apart))
    rows = [0, 1, 2, 3]
    assert one.posterior(rows, values).noise > 1.2 * other.posterior(rows, values).noise


def test_few_images_leave_differences_to_chance() -> None:
    rng, answers = np.random.default_rng(0), np.zeros(8)
    values = (75 + rng.normal(scale=100 * np.sqrt(0.75 * 0.25 / 100), size=8)).tolist()
    exact, few = (ResidualProcess(answers, np.zeros((8, 0)), SETTINGS, images=images) for images in (None, 100))
    spread = [np.ptp(process.posterior(list(range(8)), values).mean) for process in (exact, few)]
    assert spread[1] < 0.6 * spread[0]
    assert few.posterior(list(range(8)), values).noise > 4
    many = ResidualProcess(answers, np.zeros((8, 0)), SETTINGS, images=10**9).posterior(list(range(8)), values)
    np.testing.assert_allclose(many.mean, exact.posterior(list(range(8)), values).mean, atol=1e-3)
    assert few.with_score(answers).posterior([0], [75.0]).noise > 4


@pytest.mark.parametrize(("images", "spread"), [(100, 0.5), (1000, 0.5), (1000, 2.0)])
def test_the_chance_of_the_images_counts_once(images: int, spread: float) -> None:
    """The spread of accuracies has it in it already."""
    rng, rows, inside, wide = np.random.default_rng(0), list(range(12)), 0, 0.0
    rounds = 100
    for _ in range(rounds):
        score = rng.normal(size=60)
        truth = 70 + spread * rng.normal(size=60)
        measured = truth[:12] + rng.normal(scale=100 * np.sqrt(0.7 * 0.3 / images), size=12)
        found = ResidualProcess(score, np.zeros((60, 0)), ResidualSettings(), images=images).posterior(
            rows, measured.tolist()
        )
        inside += (np.abs(found.mean[:12] - truth[:12]) < 1.96 * found.std[:12]).sum()
        wide += float(found.std[12:].mean()) / rounds
    assert inside / (12 * rounds) > 0.8
    assert wide < 2.5 * max(spread, ResidualSettings().spread_percent)
