"""The loop trains up to its budget, in batches, and stops when no gain is expected."""

from collections.abc import Sequence

import numpy as np
import pytest

from surrogate_nas.search.settings import LoopSettings, ResidualSettings
from surrogate_nas.search.trainings.loop import (
    Beginning,
    batch_sizes,
    learn_by_lengths,
    learn_by_training,
    training_lengths,
)
from surrogate_nas.search.trainings.residual import ResidualProcess

RNG = np.random.default_rng(1)
TRUTH = RNG.normal(90, 0.5, 200)
SCORE = TRUTH + RNG.normal(0, 0.5, 200)


def run(trainings: int, **settings: float) -> tuple[list[int], object]:
    batches: list[int] = []

    def train(rows: Sequence[int]) -> list[float]:
        batches.append(len(rows))
        return [float(TRUTH[row] + RNG.normal(0, 0.05)) for row in rows]

    process = ResidualProcess(SCORE, np.zeros((200, 0)), ResidualSettings())
    loop = LoopSettings.model_validate({"trainings": trainings} | settings)
    return batches, learn_by_training(process, train, loop)


def test_trainings_come_in_rounds_and_each_is_of_another_candidate() -> None:
    batches, learnt = run(10, stop_gain_percent=0)
    assert batches == [4, 3, 3]
    assert len(set(learnt.rows)) == len(learnt.accuracy_percent) == 10  # type: ignore[attr-defined]
    assert learnt.stopped is None  # type: ignore[attr-defined]


def test_the_answer_is_better_than_the_score_alone() -> None:
    _, learnt = run(20, stop_gain_percent=0)
    assert TRUTH[learnt.best_first[0]] >= TRUTH[np.argmax(SCORE)]  # type: ignore[attr-defined]


def test_the_answer_was_trained_however_promising_others_look() -> None:
    far = np.append(SCORE, 1000.0)  # a score far beyond all others, in the region of which nothing is trained
    process = ResidualProcess(far, np.zeros((201, 0)), ResidualSettings())
    loop = LoopSettings(trainings=5, rounds=1, first="drawn", stop_gain_percent=0)
    learnt = learn_by_training(
        process, lambda rows: [float(TRUTH[row]) for row in rows], loop, Beginning(drawn=range(5))
    )
    assert int(learnt.posterior.mean.argmax()) == 200
    assert learnt.best_first[0] in learnt.rows


def test_it_stops_when_little_is_to_be_gained() -> None:
    batches, learnt = run(10, stop_gain_percent=50)
    assert batches == [4]
    assert "3 more trainings were expected to gain" in learnt.stopped  # type: ignore[attr-defined]


def test_none_are_trained_where_none_may_be() -> None:
    batches, learnt = run(0)
    assert batches == []
    assert learnt.best_first[0] == np.argmax(SCORE)  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("trainings", "rounds", "sizes"), [(10, 3, [4, 3, 3]), (2, 3, [1, 1]), (0, 3, []), (5, 1, [5])]
)
def test_batch_sizes(trainings: int, rounds: int, sizes: list[int]) -> None:
    assert batch_sizes(trainings, rounds) == sizes


@pytest.mark.parametrize(
    ("trainings", "expected"),
    [(12, [8, 5]), (3, [8])],  # half of the first batch at most, and one at least; 9 keeps no budget
)
def test_derived_candidates_are_in_the_first_batch(trainings: int, expected: list[int]) -> None:
    batches: list[list[int]] = []
    allowed = np.arange(200) != 9
    process = ResidualProcess(SCORE, np.zeros((200, 0)), ResidualSettings(), allowed)

    def train(rows: Sequence[int]) -> list[float]:
        batches.append(list(rows))
        return [float(TRUTH[row]) for row in rows]

    loop = LoopSettings(trainings=trainings, stop_gain_percent=0)
    beginning = Beginning(preferred=[30, 31], derived=[9, 8, 5, 4, 3])
    learn_by_training(process, train, loop, beginning)
    assert batches[0][: len(expected)] == expected
    assert (30 in batches[0]) == (trainings == 12)
    assert not {4, 3} & set(batches[0])
    assert len(batches[0]) == len(set(batches[0])) == -(-trainings // 3)


def test_derived_candidates_go_through_every_length() -> None:
    lengths: dict[int, list[int]] = {}
    truth = TRUTH.copy()
    truth[8] = 99.0

    def train(epochs: int, rows: Sequence[int]) -> list[float]:
        lengths.setdefault(epochs, []).extend(rows)
        return [float(truth[row]) for row in rows]

    process = ResidualProcess(SCORE, np.zeros((200, 0)), ResidualSettings())
    loop = LoopSettings(trainings=9, lengths=2, stop_gain_percent=0)
    learn_by_lengths(process, train, loop, 9, Beginning(derived=[8]))
    assert 8 in lengths[3]
    assert 8 in lengths[9]


@pytest.mark.parametrize(
    ("epochs", "lengths", "expected"),
    [(9, 1, [9]), (9, 3, [1, 3, 9]), (3, 3, [1, 3]), (1, 4, [1]), (100, 3, [11, 33, 100])],
)
def test_lengths_rise_to_the_full_one(epochs: int, lengths: int, expected: list[int]) -> None:
    assert training_lengths(epochs, LoopSettings(lengths=lengths)) == expected


def test_the_best_of_each_length_are_trained_for_longer() -> None:
    told: list[tuple[int, tuple[int, ...]]] = []

    def train(epochs: int, rows: Sequence[int]) -> list[float]:
        told.append((epochs, tuple(rows)))
        return [float(TRUTH[row] + RNG.normal(0, 0.5 / epochs) - 20 / epochs) for row in rows]

    loop = LoopSettings(trainings=20, rounds=2, lengths=3, stop_gain_percent=0)
    learnt = learn_by_lengths(ResidualProcess(SCORE, np.zeros((200, 0)), ResidualSettings()), train, loop, 9)
    assert [(epochs, len(rows)) for epochs, rows in told] == [(1, 10), (1, 10), (3, 7), (9, 3)]
    assert learnt.trained == ((1, 20), (3, 7), (9, 3))
    assert set(told[2][1]) <= {*told[0][1], *told[1][1]}
    assert set(told[3][1]) <= set(told[2][1])
    assert learnt.rows == told[3][1]
    assert TRUTH[learnt.best_first[0]] >= TRUTH[np.argmax(SCORE)]


def test_one_length_is_plain_training() -> None:
    loop = LoopSettings(trainings=6, stop_gain_percent=0)
    process = ResidualProcess(SCORE, np.zeros((200, 0)), ResidualSettings())
    plain = learn_by_training(process, lambda rows: [float(TRUTH[row]) for row in rows], loop)
    other = learn_by_lengths(process, lambda _, rows: [float(TRUTH[row]) for row in rows], loop, 5)
    assert other.rows == plain.rows
    assert np.array_equal(other.posterior.mean, plain.posterior.mean)
    assert other.trained == ((5, 6),)


# The beginning


def beginning_of(beginning: Beginning, answers: np.ndarray | None = None, **settings: object) -> list[tuple[int, ...]]:
    """Returns the batches that are trained."""
    batches: list[tuple[int, ...]] = []

    def train(_epochs: int, rows: Sequence[int]) -> list[float]:
        batches.append(tuple(rows))
        return [float(TRUTH[row]) for row in rows]

    process = ResidualProcess(SCORE, np.zeros((200, 0)), ResidualSettings(), answers)
    loop = LoopSettings.model_validate({"trainings": 6, "rounds": 1, "stop_gain_percent": 0} | settings)
    learn_by_lengths(process, train, loop, 9, beginning)
    return batches


def test_a_quarter_of_the_first_batch_is_preferred_and_draws_fill_it() -> None:
    assert beginning_of(Beginning(preferred=[9, 4, 7], drawn=[50, 9, 51, 52, 53, 54])) == [(9, 4, 50, 51, 52, 53)]


def test_the_best_scores_fill_what_draws_leave() -> None:
    best = np.argsort(-SCORE)
    assert beginning_of(Beginning(preferred=[9], drawn=[50, 51]))[0][:3] == (9, 50, 51)
    assert beginning_of(Beginning(preferred=[9]))[0] == (9, *[row for row in best[:6] if row != 9][:5])


def test_sets_of_budgets_begin_with_one_of_their_own_each() -> None:
    answers = np.zeros((2, 200), dtype=bool)
    answers[0, :100] = answers[1, 100:] = True
    drawn = [1, 2, 3, 101, 102, 103]
    assert beginning_of(Beginning([5, 6, 105, 106], drawn), answers) == [(5, 105, 1, 101, 2, 102)]


def test_with_several_lengths_the_preferred_are_trained_for_the_longest_only() -> None:
    short, long = beginning_of(Beginning([9, 4], list(range(50, 60))), lengths=2)
    assert short == (50, 51, 52, 53, 54, 55)
    assert set(long[:2]) <= set(short)
    assert long[2:] == (9,)


def test_candidates_measured_over_the_budget_are_not_trained() -> None:
    over, measured = {9, 51, 53, int(np.argmax(SCORE))}, list[int]()
    answers = np.ones((1, 200), dtype=bool)

    def check(rows: Sequence[int]) -> np.ndarray:
        measured.extend(row for row in rows if row not in measured)
        answers[:, [row for row in rows if row in over]] = False
        return answers.copy()

    batches = beginning_of(Beginning([9, 4], [50, 51, 52, 53, 54, 55, 56], check), rounds=2, trainings=12)
    assert batches[0] == (4, 50, 52, 54, 55, 56)
    trained = [row for batch in batches for row in batch]
    assert len(set(trained)) == 12
    assert set(trained) <= set(measured)
    assert not set(trained) & over


def test_it_ends_where_everything_is_measured_over_the_budget() -> None:
    process = ResidualProcess(SCORE, np.zeros((200, 0)), ResidualSettings())
    beginning = Beginning(check=lambda _: np.zeros((1, 200), dtype=bool))
    learnt = learn_by_training(process, lambda _: [], LoopSettings(trainings=3), beginning)
    assert learnt.rows == ()
    assert learnt.stopped == "every architecture that was to be trained next is measured over the budgets"


# Variations

WORSE, BETTER = (int(row) for row in np.argsort(TRUTH)[[5, 150]])  # more than a point apart
DRAWN = [row for row in range(100, 130) if row not in (WORSE, BETTER)]
FAMILIES = {WORSE: DRAWN[::2], BETTER: DRAWN[1::2]}


def test_the_preferred_come_first_and_then_variations_of_the_best_one() -> None:
    named, first, second = beginning_of(
        Beginning([WORSE, BETTER, 0], DRAWN, variations=FAMILIES), rounds=2, trainings=8
    )
    assert named == (WORSE, BETTER)
    assert first == tuple(FAMILIES[BETTER][:3])
    assert set(second) < set(FAMILIES[BETTER])
    assert not set(second) & set(first)


def test_parents_that_are_nearly_as_good_have_variations_too() -> None:
    near = int(np.argmin(np.abs(TRUTH - TRUTH[BETTER] + 0.5) + 10 * (np.arange(200) == BETTER)))
    assert 0 < abs(TRUTH[BETTER] - TRUTH[near]) < 1
    drawn = [row for row in DRAWN if row != near]
    families = {WORSE: drawn[::3], BETTER: drawn[1::3], near: drawn[2::3]}
    beginning = Beginning([WORSE, BETTER, near], drawn, variations=families)
    _, first = beginning_of(beginning, trainings=12)
    assert not set(first) & set(families[WORSE])
    assert set(first) & set(families[BETTER])
    assert set(first) & set(families[near])


def test_variations_are_trained_however_little_they_are_expected_to_gain() -> None:
    beginning = Beginning([WORSE, BETTER], DRAWN, variations=FAMILIES)
    assert [len(batch) for batch in beginning_of(beginning, trainings=8, rounds=2, stop_gain_percent=99)] == [2, 3]


def test_each_set_of_budgets_gets_variations_of_its_best_parent() -> None:
    answers = np.ones((2, 200), dtype=bool)
    answers[1, BETTER] = False
    beginning = Beginning([WORSE, BETTER], DRAWN, variations=FAMILIES)
    _, first = beginning_of(beginning, answers, trainings=8)
    assert set(first[::2]) < set(FAMILIES[BETTER])
    assert set(first[1::2]) < set(FAMILIES[WORSE])


@pytest.mark.parametrize("rounds", [1, 2])
def test_other_variations_and_then_scores_fill_what_the_best_parent_leaves(rounds: int) -> None:
    few = {WORSE: DRAWN[:2], BETTER: DRAWN[2:4]}
    batches = beginning_of(Beginning([WORSE, BETTER], DRAWN[:4], variations=few), rounds=rounds, trainings=8)
    trained = [row for batch in batches for row in batch]
    assert len(set(trained)) == 8
    assert set(trained) > set(DRAWN[:4])


def test_variations_are_trained_though_no_parent_keeps_the_budget() -> None:
    answers = np.ones((1, 200), dtype=bool)
    answers[0, [WORSE, BETTER]] = False
    beginning = Beginning([WORSE, BETTER], DRAWN, variations=FAMILIES)
    assert beginning_of(beginning, answers) == [tuple(DRAWN[:6])]

    def check(_rows: Sequence[int]) -> np.ndarray:  # the same, but known only once they are measured
        return answers

    measured = Beginning([WORSE, BETTER], DRAWN, check, variations=FAMILIES)
    assert beginning_of(measured) == [tuple(DRAWN[:6])]


def test_derived_candidates_are_trained_beside_variations() -> None:
    beginning = Beginning([WORSE, BETTER], DRAWN, derived=[7, WORSE], variations=FAMILIES)
    named, first = beginning_of(beginning, trainings=8)
    assert named == (WORSE, BETTER)
    assert first == (7, *FAMILIES[BETTER][:5])
