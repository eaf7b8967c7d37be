"""What the report plots of the supernets: curves out of their checkpoints, and groups of the space."""

from pathlib import Path

import numpy as np
from safetensors import SafetensorError, safe_open

from surrogate_nas.report.plots.supernet_plots import Curve, SupernetPoints
from surrogate_nas.study.stages.prepare import Prepared
from surrogate_nas.study.stages.search import SpaceScores
from surrogate_nas.supernet.phases import Training

LOSS_SUM = "loss_sum"  # as checkpoints name it


def supernet_points(prepared: Prepared, scores: SpaceScores, folder: Path) -> SupernetPoints:
    """The points of finished supernets.

    Args:
        prepared: What the stages share, the groups decided.
        scores: Of the listed architectures.
        folder: That of the checkpoints.
    """
    plan, rows = prepared.plan, np.flatnonzero(prepared.connected)
    cost = prepared.budgets[0].cost
    trainings = [training for phase in plan.phases for training in phase]
    curves = [read_curve(folder / training.file, training) for training in trainings]
    return SupernetPoints(
        curves=[curve for curve in curves if curve is not None],
        groups=plan.drawn_by.names if plan.is_known else (),
        group=plan.drawn_by.assign(prepared.codes[rows]) if plan.is_known else np.zeros(len(rows), np.int64),
        cost_name=cost,
        cost=prepared.costs[cost][rows],
        accuracy_percent=np.clip(scores.mean[rows], 0, 100),
    )


def read_curve(path: Path, training: Training) -> Curve | None:
    """The training curve in a checkpoint; None where there is none, as of a parent that is done with."""
    try:
        with safe_open(path, framework="np") as file:
            sums = np.asarray(file.get_tensor(LOSS_SUM), dtype=np.float64)
    except (OSError, SafetensorError):
        return None
    # Step s of a training adds to part s * parts // steps.
    counts = np.bincount(np.arange(training.steps) * len(sums) // training.steps, minlength=len(sums))
    ends = training.first_step + np.cumsum(counts)
    there = (counts > 0) & (sums > 0)
    name = f"supernet {training.name}" if training.name.isdigit() else training.name
    return Curve(name, (ends - counts / 2)[there], sums[there] / counts[there])
