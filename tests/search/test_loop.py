"""The loop spends what it may, in batches, and stops when there is nothing to gain."""

from collections.abc import Sequence

import numpy as np
import pytest

from surrogate_nas.search.loop import batch_sizes, learn_by_training
from surrogate_nas.search.residual import ResidualProcess
from surrogate_nas.search.settings import LoopSettings, ResidualSettings

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
