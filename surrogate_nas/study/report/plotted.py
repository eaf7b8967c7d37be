"""Points of the report's plots: of the predictor, of the search, and of the supernets out of their checkpoints."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import torch

from surrogate_nas._support.tensor_files import read_tensor
from surrogate_nas.costs.pareto import pareto_mask
from surrogate_nas.errors import StoreError
from surrogate_nas.predictor.predictor import FittedPredictor
from surrogate_nas.report.plots.predictor_plots import PlotPoints
from surrogate_nas.report.plots.search_plots import SearchPoints
from surrogate_nas.report.plots.supernet_plots import Curve, SupernetPoints
from surrogate_nas.search.result import SearchResult
from surrogate_nas.study.findings import SpaceScores, StudyLabels
from surrogate_nas.study.problem.problem import Problem
from surrogate_nas.supernet.phases import Training
from surrogate_nas.supernet.plan import SupernetPlan

LOSS_SUM = "loss_sum"  # as checkpoints name it


def predictor_points(
    problem: Problem, predictor: FittedPredictor, scores: SpaceScores, labels: StudyLabels
) -> PlotPoints:
    """Returns scores and costs of the pool, and labels next to predictions that did not see them."""
    rows = np.flatnonzero(problem.connected)
    cost = problem.costs[problem.budgets[0].cost][rows]
    codes = problem.codes[rows]
    held_out = predictor.calibration.accuracy_percent(predictor.cross_validation.out_of_fold)
    return PlotPoints(
        accuracy_percent=np.clip(scores.mean[rows], 0, 100),
        cost=cost,
        pareto=pareto_mask(scores.mean[rows], cost[:, None]),
        digits=problem.space.digits(codes),
        architectures=problem.space.texts(codes),
        label_percent=labels.accuracy_percent,
        out_of_fold_percent=held_out,
    )


def search_points(problem: Problem, scores: SpaceScores, result: SearchResult) -> SearchPoints:
    """Returns scores and costs of the pool, and the trials of the search."""
    rows = np.flatnonzero(problem.connected)
    return SearchPoints(
        codes=problem.codes[rows],
        decisions=[decision.name for decision in problem.space.decisions],
        choices=[decision.choices for decision in problem.space.decisions],
        accuracy_percent=np.clip(scores.mean[rows], 0, 100),
        feasible=problem.feasible[rows],
        typical=problem.typical[rows],
        costs={budget.cost: (problem.bounds[budget.cost][rows], budget.limit) for budget in problem.budgets},
        trial_accuracy_percent=np.clip(result.mean, 0, 100),
        trial_feasible=result.feasible,
        bounded=frozenset(one.cost for one in problem.budgets if len(problem.table.held_out_errors(one.cost))),
    )


def supernet_points(problem: Problem, scores: SpaceScores, folder: Path) -> SupernetPoints:
    """Returns the points of finished supernets.

    Args:
        problem: What is asked, the groups decided.
        scores: Of the architectures of the pool.
        folder: Of the checkpoints.
    """
    plan, rows = problem.plan, np.flatnonzero(problem.connected)
    cost = problem.budgets[0].cost
    trainings = [training for phase in plan.phases for training in phase]
    read = [(training, read_curve(folder / training.file, training)) for training in trainings if training.steps]
    return SupernetPoints(
        curves=[replace(curve, name=_name(plan, training, curve)) for training, curve in read if curve is not None],
        groups=plan.drawn_by.names if plan.is_known else (),
        group=plan.drawn_by.assign(problem.codes[rows]) if plan.is_known else np.zeros(len(rows), np.int64),
        cost_name=cost,
        cost=problem.costs[cost][rows],
        accuracy_percent=np.clip(scores.mean[rows], 0, 100),
    )


def _name(plan: SupernetPlan, training: Training, curve: Curve) -> str:
    """Returns what a training is of, where some go on from others."""
    if len(plan.phases) == 1:
        return curve.name
    of = "whole space" if training.group is None else plan.split_at(training.level).titles[training.group]
    return f"{of}, training {training.replica + 1}" if plan.repetitions > 1 else of


def read_curve(path: Path, training: Training) -> Curve | None:
    """Returns the training curve in a checkpoint; None where there is none, as of a parent that is done with."""
    try:
        held = read_tensor(path, LOSS_SUM)
    except StoreError:
        return None
    # A report is no place to end a run for a file that nothing else needs any more.
    if held.ndim != 1 or not len(held) or held.is_complex():
        return None
    sums = held.to(torch.float64).numpy()
    # Step s of a training adds to part s * parts // steps.
    counts = np.bincount(np.arange(training.steps) * len(sums) // training.steps, minlength=len(sums))
    ends = training.first_step + np.cumsum(counts)
    there = (counts > 0) & (sums > 0) & np.isfinite(sums)
    name = f"supernet {training.name}" if training.name.isdigit() else training.name
    return Curve(name, (ends - counts / 2)[there], sums[there] / counts[there])
