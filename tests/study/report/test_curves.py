"""Curves of the tiny study's checkpoints, and its groups."""

from pathlib import Path

import numpy as np
import pytest

from surrogate_nas.study.report.curves import read_curve, supernet_points
from surrogate_nas.study.stages.prepare import Prepared
from surrogate_nas.study.stages.search import SpaceScores
from surrogate_nas.supernet.checkpoint import load_checkpoint
from tests.supernet.trainings import mean_losses


def test_curves_are_those_of_the_checkpoints(prepared: Prepared, finished: Path) -> None:
    scores = SpaceScores(prepared.pool, np.full(len(prepared.codes), 50.0), np.ones(len(prepared.codes)))
    points = supernet_points(prepared, scores, finished / "supernets")
    trainings = prepared.plan.phases[-1]
    assert [curve.name for curve in points.curves] == ["supernet 0", "supernet 1"]
    for curve, training in zip(points.curves, trainings, strict=True):
        stored = load_checkpoint(finished / "supernets" / training.file, {})
        assert curve.loss.tolist() == pytest.approx(mean_losses(stored.loss_sum, training.steps))
        assert training.first_step < curve.steps[0] < curve.steps[-1] < training.last_step
    assert len(points.groups) == 2
    assert len(points.group) == len(points.cost) == prepared.connected.sum()


def test_a_checkpoint_that_is_gone_or_damaged_is_no_curve(prepared: Prepared, tmp_path: Path) -> None:
    training = prepared.plan.phases[-1][0]
    assert read_curve(tmp_path / training.file, training) is None
    (tmp_path / training.file).write_bytes(b"no checkpoint")
    assert read_curve(tmp_path / training.file, training) is None
