"""Writes the answer: the lookup table of the pool's architectures, and the best one."""

import shutil
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from surrogate_nas import __version__
from surrogate_nas._support.files import read_json, write_json
from surrogate_nas.costs.cost import upper_of
from surrogate_nas.errors import RunFolderError, StoreError
from surrogate_nas.lookup.metadata import TRAINED, UNPROFILED, TableMetadata
from surrogate_nas.lookup.table import LookupTable
from surrogate_nas.predictor.predictor import FittedPredictor
from surrogate_nas.runs.run_folder import RunFolder
from surrogate_nas.space.space import Codes
from surrogate_nas.study.findings import FinalistChoice, Findings, RivalFindings, SpaceScores, StudyLabels
from surrogate_nas.study.problem.problem import Problem
from surrogate_nas.study.running import Run
from surrogate_nas.study.stages.protocol import Stage

_UNPROFILED = "measured of the study's finalists alone, as no budget of the study is on it"


class WriteLookup(Stage):
    """Writes the lookup table of the pool's architectures, and the chosen one."""

    name = "lookup table"
    inputs = (Problem, StudyLabels, FittedPredictor, SpaceScores, FinalistChoice, RivalFindings)

    def run(self, findings: Findings, run: Run) -> Findings:
        """Writes both."""
        scores, choice = findings[SpaceScores], findings[FinalistChoice]
        problem = with_finalists(findings[Problem], choice)
        error = scores.error_percent(findings[FittedPredictor].calibration.residual_percent)
        with run.console.progress("lookup table"):
            table = lookup_table(problem, findings[StudyLabels], scores, choice, error)
            table.metadata = replace(table.metadata, rivals=_compared(findings[RivalFindings]))
            table.write(run.folder.path)
            write_best(problem, scores, choice, run.folder)
        return Findings()


def with_finalists(problem: Problem, choice: FinalistChoice) -> Problem:
    """Returns the problem whose costs have what was measured and planned of the finalists.

    So a lookup never answers with an architecture that was measured over the budget. Noisy measurements do not count.
    """
    known: dict[str, NDArray[np.float64]] = dict(choice.planned)
    if problem.knows_latency and choice.measured:
        known["latency_ms"] = np.array([np.nan if one.noisy else one.median_ms for one in choice.measured])
    table = problem.table
    for cost, values in known.items():
        for codes, found in (_twins_over(problem, choice.codes, cost, values), (choice.codes, values)):
            there = np.isfinite(found)
            table = table.with_known(problem.space.effective(codes[there]), {cost: found[there]})
    return replace(problem, table=table)


def _twins_over(
    problem: Problem, codes: Codes, cost: str, values: NDArray[np.float64]
) -> tuple[Codes, NDArray[np.float64]]:
    """Returns architectures that compute the same as ones over a budget, shape (M, D), and what they cost.

    They are other networks, of which nothing is known but that: they cost as much, or their own prediction if it is
    larger.

    Args:
        problem: The problem.
        codes: Architectures that were measured or planned, shape (N, D).
        cost: What was measured or planned.
        values: The result, shape (N,); NaN where there is none.
    """
    limits = [budget.limit for budget in problem.budgets if budget.cost == cost]
    over = values > min(limits, default=np.inf)
    classes = problem.pool.representatives
    found = dict(zip(classes[problem.pool.rows(codes[over])].tolist(), values[over].tolist(), strict=True))
    twins = np.flatnonzero(np.isin(classes, list(found)))
    at_least = np.array([found[one] for one in classes[twins].tolist()])
    return problem.codes[twins], np.maximum(at_least, problem.costs[cost][twins])


def lookup_table(
    problem: Problem, labels: StudyLabels, scores: SpaceScores, choice: FinalistChoice, label_error_percent: float
) -> LookupTable:
    """Returns the lookup table of every connected architecture of the pool."""
    space = problem.space
    rows = np.flatnonzero(problem.connected)
    codes = problem.codes[rows]
    label = np.full(len(problem.pool), np.nan)
    label[problem.pool.rows(labels.codes)] = labels.accuracy_percent
    return LookupTable.build(
        replace(_metadata(problem, choice, scores), label_error_percent=float(label_error_percent)),
        codes=space.digits(codes),
        architectures=space.texts(codes),
        canonical=space.digits(problem.codes[problem.pool.representatives[rows]]),
        score=scores.mean[rows],
        predicted_accuracy_percent=np.clip(scores.mean[rows], 0, 100),
        accuracy_std_percent=scores.std[rows],
        costs=_lookup_costs(problem, rows),
        labels={"label_accuracy_percent": label[rows], **_trained(problem, scores, rows)},
    )


def _trained(problem: Problem, scores: SpaceScores, rows: NDArray[np.int64]) -> dict[str, NDArray[np.float64]]:
    """Returns the column of accuracies after trainings, of every architecture that computes what was trained."""
    if scores.trained is None:
        return {}
    known, space, classes = scores.trained.accuracy_percent, problem.space, problem.pool.representatives
    accuracy = np.full(len(problem.pool), np.nan)
    codes = np.array([space.parse(digits) for digits in known], dtype=np.int8).reshape(-1, space.num_decisions)
    accuracy[classes[problem.pool.rows(codes)]] = list(known.values())
    return {TRAINED: accuracy[classes[rows]]}


def _metadata(problem: Problem, choice: FinalistChoice, scores: SpaceScores) -> TableMetadata:
    """Returns the description of the table: of what, for which device and budgets, and with which answer."""
    space = problem.space
    return TableMetadata(
        space_name=space.name,
        space_fingerprint=space.fingerprint,
        device=problem.latency_device,
        batch_size=problem.settings.hardware.batch,
        network=problem.deployed.described(),
        primary_cost=problem.budgets[0].cost,
        created_with=__version__,
        seed=problem.settings.seed,
        complete=problem.pool.complete,
        conditions=problem.latency_conditions,
        budgets={budget.cost: budget.limit for budget in problem.budgets},
        answer=space.digits(choice.code)[0],
        accuracy_basis=scores.basis,
        notes={
            "confidence": f"{problem.settings.hardware.confidence:g}, of columns whose names have 'upper' in them",
            "costs": "of the deployed network without dead operations"
            if problem.cost_model.can_measure
            else "latency from a table of networks as written; other costs without dead operations",
            **({} if problem.knows_latency else {UNPROFILED: _UNPROFILED}),
        },
        decisions=[{"name": one.name, "choices": list(one.choices)} for one in space.decisions],
    )


def _compared(found: RivalFindings) -> list[dict[str, Any]]:
    """Returns how the space compares with trained off-the-shelf networks, at each set of budgets asked for so far."""
    return [asdict(one) for one in found.records.comparisons]


def _lookup_costs(problem: Problem, rows: NDArray[np.int64]) -> dict[str, NDArray[np.float64]]:
    """Returns costs of some architectures; a predicted one also has its upper bound, which budgets are held to."""
    costs = {cost: values[rows] for cost, values in problem.costs.items()}
    for cost in problem.costs:
        upper = upper_of(cost)
        if upper is not None and len(problem.table.held_out_errors(cost)):
            costs[upper] = problem.bounds[cost][rows]
    return costs


def write_best(problem: Problem, scores: SpaceScores, choice: FinalistChoice, folder: RunFolder) -> None:
    """Writes the chosen architecture as JSON, and removes the trained model of another one, whose original is kept."""
    space, digits = problem.space, problem.space.digits(choice.code)[0]
    row = int(problem.pool.rows(choice.code)[0])
    if _code_in(folder.answer) != digits:
        remove_best(folder)
    write_json(
        folder.answer,
        {
            "schema_version": 1,
            "space": space.name,
            "space_fingerprint": space.fingerprint,
            "code": digits,
            "architecture": space.format(choice.code[0]),
            "effective_code": space.digits(space.effective(choice.code))[0],
            "network": problem.deployed.described(),
            "class_names": list(problem.splits.class_names),
            "predicted_accuracy_percent": round(float(np.clip(scores.mean[row], 0, 100)), 4),
            "accuracy_std_percent": round(float(scores.std[row]), 4),
            "costs": {cost: float(values[row]) for cost, values in problem.costs.items()},
            "measured_latency_ms": choice.measured_ms,
            "budgets": {budget.cost: budget.limit for budget in problem.budgets},
            "outcome": choice.outcome,
        },
    )


def _code_in(path: Path) -> str | None:
    try:
        return str(read_json(path, "answer of the run", "continue the study to write it again").get("code"))
    except StoreError:
        return None


def remove_best(folder: RunFolder) -> None:
    """Removes the architecture of former budgets."""
    shutil.rmtree(folder.best, ignore_errors=True)


def withdraw_answer(problem: Problem, folder: RunFolder) -> None:
    """Removes the answer to former budgets, where none meets the present ones.

    A table of an earlier process stays, for other budgets: without an answer.
    """
    remove_best(folder)
    folder.answers.unlink(missing_ok=True)
    try:
        table = LookupTable.load(folder.path)
    except (RunFolderError, StoreError):  # there is none, or whoever reads it gets to know that it is damaged
        return
    budgets = {budget.cost: budget.limit for budget in problem.budgets}
    table.metadata = replace(table.metadata, budgets=budgets, answer=None)
    table.write(folder.path)
