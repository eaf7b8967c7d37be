"""Trainings of single networks: lengths, and what the run folder knows."""

from dataclasses import replace
from pathlib import Path

import numpy as np

from surrogate_nas.labels.records import LabelBatch
from surrogate_nas.labels.store import LabelStore, read_labels
from surrogate_nas.study.problem.problem import Problem
from surrogate_nas.study.stages.network_trainings import known_trainings, training_steps


def test_a_training_has_whole_batches_alone(problem: Problem) -> None:
    images = len(problem.splits.train)
    for batch, steps in [(images - 1, 1), (images // 2 - 1, 2), (images + 1, 1)]:
        training = problem.settings.training.model_copy(update={"batch_size": batch})
        changed = replace(problem, settings=problem.settings.model_copy(update={"training": training}))
        assert training_steps(changed, 1) == steps
        assert training_steps(changed, 7) == 7 * steps


def test_only_trainings_of_the_length_and_the_seed_are_known(problem: Problem, tmp_path: Path) -> None:
    seed = problem.settings.seed
    short, full = (training_steps(problem, epochs) for epochs in (1, problem.settings.training.epochs))
    kinds = [(seed, full, 80.0), (seed, short, 50.0), (seed + 1, full, 70.0)]
    with LabelStore.open_or_create(tmp_path / "trainings.h5", problem.label_identity) as store:
        for row, (of_seed, steps, accuracy) in enumerate(kinds):
            label = np.array([accuracy]), np.array([1.0])
            store.append(LabelBatch(problem.codes[row][None], *label, "training", -1, of_seed, steps))
    labels = read_labels(tmp_path / "trainings.h5")
    digits = problem.space.digits(problem.codes[:3])
    assert known_trainings(problem, labels) == {digits[0]: 80.0}
    assert known_trainings(problem, labels, epochs=1) == {digits[1]: 50.0}
