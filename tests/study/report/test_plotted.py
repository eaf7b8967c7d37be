"""Points of the plots: scores and costs, curves of the tiny study's checkpoints, and its groups."""

from pathlib import Path

import numpy as np
import pytest
import torch

from surrogate_nas._support.tensor_files import write_tensors
from surrogate_nas.predictor.predictor import FittedPredictor, load_predictor
from surrogate_nas.study.findings import SpaceScores, StudyLabels
from surrogate_nas.study.problem.problem import Problem
from surrogate_nas.study.report.plotted import LOSS_SUM, predictor_points, read_curve, supernet_points
from surrogate_nas.supernet.checkpoint import load_checkpoint
from tests.supernet.trainings import mean_losses


def test_curves_are_those_of_the_checkpoints(problem: Problem, finished: Path) -> None:
    scores = SpaceScores(problem.pool, np.full(len(problem.codes), 50.0), np.ones(len(problem.codes)))
    points = supernet_points(problem, scores, finished / "supernets")
    trainings = problem.plan.phases[-1]
    assert [curve.name for curve in points.curves] == ["supernet 0", "supernet 1"]
    for curve, training in zip(points.curves, trainings, strict=True):
        stored = load_checkpoint(finished / "supernets" / training.file, {})
        assert curve.loss.tolist() == pytest.approx(mean_losses(stored.loss_sum, training.steps))
        assert training.first_step < curve.steps[0] < curve.steps[-1] < training.last_step
    assert len(points.groups) == 2
    assert len(points.group) == len(points.cost) == problem.connected.sum()


def test_a_checkpoint_that_is_gone_or_damaged_is_no_curve(problem: Problem, tmp_path: Path) -> None:
    training = problem.plan.phases[-1][0]
    assert read_curve(tmp_path / training.file, training) is None
    (tmp_path / training.file).write_bytes(b"no checkpoint")
    assert read_curve(tmp_path / training.file, training) is None


@pytest.mark.parametrize("held", [torch.tensor(1.0), torch.ones(3, 4), torch.ones(0), torch.ones(3).to(torch.cfloat)])
def test_losses_of_another_shape_or_kind_are_no_curve(problem: Problem, tmp_path: Path, held: torch.Tensor) -> None:
    training = problem.plan.phases[-1][0]
    write_tensors(tmp_path / training.file, {LOSS_SUM: held}, {})
    assert read_curve(tmp_path / training.file, training) is None


def test_losses_of_few_bits_or_that_are_not_finite_end_no_report(problem: Problem, tmp_path: Path) -> None:
    training = problem.plan.phases[-1][0]
    held = torch.tensor([float("nan"), float("inf"), 2.0], dtype=torch.bfloat16)
    write_tensors(tmp_path / training.file, {LOSS_SUM: held}, {})
    curve = read_curve(tmp_path / training.file, training)
    assert curve is not None
    assert len(curve.loss) == len(curve.steps) == 1


def test_curves_are_read_where_nothing_is_mapped(
    problem: Problem, finished: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise OSError("No such device (os error 19)")

    monkeypatch.setattr("surrogate_nas._support.tensor_files.safe_open", refuse)
    training = problem.plan.phases[-1][0]
    assert read_curve(finished / "supernets" / training.file, training) is not None


@pytest.fixture(scope="module")
def predictor(problem: Problem, finished: Path) -> FittedPredictor:
    return load_predictor(finished / "predictor", problem.space)


def test_the_plot_shows_every_connected_architecture_and_a_front_that_nothing_beats(
    problem: Problem, predictor: FittedPredictor
) -> None:
    accuracy = np.linspace(10, 90, len(problem.drawn))
    labels = StudyLabels(problem.drawn, accuracy, 1 / accuracy, len(accuracy))
    points = predictor_points(problem, predictor, SpaceScores.of(problem.pool, predictor), labels)
    assert len(points.cost) == len(points.digits) == problem.connected.sum()
    score = SpaceScores.of(problem.pool, predictor).mean[problem.connected]
    for row in np.flatnonzero(points.pareto):
        better = (score >= score[row]) & (points.cost <= points.cost[row])
        assert not (better & ((score > score[row]) | (points.cost < points.cost[row]))).any()
    assert len(points.out_of_fold_percent) == len(accuracy)
