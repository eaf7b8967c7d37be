"""The loop trains up to its budget, in batches, and stops when no gain is expected."""

from collections.abc import Sequence

import numpy as np
import pytest

from surrogate_nas.search.settings import LoopSettings, ResidualSettings
from surrogate_nas.search.trainings.loop import batch_sizes, learn_by_lengths, learn_by_training, training_lengths
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
