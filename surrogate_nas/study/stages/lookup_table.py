"""Writes the answer: the lookup table of the listed architectures, and the best one."""

import shutil
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from surrogate_nas import __version__
from surrogate_nas._support.files import read_json, write_json
from surrogate_nas.costs.budgets import LATENCY_UPPER
from surrogate_nas.errors import StoreError
from surrogate_nas.lookup.metadata import TableMetadata
from surrogate_nas.lookup.table import LookupTable
from surrogate_nas.runs.run_folder import RunFolder
from surrogate_nas.study.stages.finalists import Winners
from surrogate_nas.study.stages.learn import StudyLabels
from surrogate_nas.study.stages.prepare import Prepared
from surrogate_nas.study.stages.search import SpaceScores

_ANSWER = "architecture.json"


def write_lookup(
    prepared: Prepared, labels: StudyLabels, scores: SpaceScores, winners: Winners, folder: RunFolder
) -> LookupTable:
    """Writes the lookup table of every listed architecture that is connected."""
    space = prepared.space
    rows = np.flatnonzero(prepared.connected)
    codes = prepared.codes[rows]
    label = np.full(len(prepared.pool), np.nan)
    label[prepared.pool.rows(labels.codes)] = labels.accuracy_percent
    metadata = TableMetadata(
        space_name=space.name,
        space_fingerprint=space.fingerprint,
        device=prepared.latency_device,
        batch_size=prepared.settings.hardware.batch,
        network=prepared.deployed.described(),
        primary_cost=prepared.budgets[0].cost,
        created_with=__version__,
        seed=prepared.settings.seed,
        complete=prepared.pool.complete,
        budgets={budget.cost: budget.limit for budget in prepared.budgets},
        answer=space.digits(winners.codes[winners.chosen : winners.chosen + 1])[0],
        notes={
            "confidence": f"{prepared.settings.hardware.confidence:g}, of latency_upper_ms where there is one",
            "accuracy": "of subnets with shared weights, as the supernet labels measure it, not of trained networks",
            "costs": "of the deployed network without dead operations"
            if prepared.cost_model.can_measure
            else "latency from a table of networks as written; other costs without dead operations",
        },
        decisions=[{"name": one.name, "choices": list(one.choices)} for one in space.decisions],
    )
    table = LookupTable.build(
        metadata,
        codes=space.digits(codes),
        architectures=[space.format(code) for code in codes],
        canonical=space.digits(prepared.codes[prepared.pool.representatives[rows]]),
        score=scores.mean[rows],
        predicted_accuracy_percent=np.clip(scores.mean[rows], 0, 100),
        accuracy_std_percent=scores.std[rows],
        costs=_lookup_costs(prepared, rows),
        labels={"label_accuracy_percent": label[rows]},
    )
    table.write(folder.path)
    return table


def _lookup_costs(prepared: Prepared, rows: NDArray[np.int64]) -> dict[str, NDArray[np.float64]]:
    """Costs of some architectures; beside a predicted latency what it keeps with confidence, which budgets bind."""
    costs = {cost: values[rows] for cost, values in prepared.costs.items()}
    if len(prepared.table.held_out_errors("latency_ms")):
        costs[LATENCY_UPPER] = prepared.bounds["latency_ms"][rows]
    return costs


def write_best(prepared: Prepared, scores: SpaceScores, winners: Winners, folder: RunFolder) -> None:
    """Writes the chosen architecture as JSON; a trained model of another one is removed, whose original is kept."""
    space, code = prepared.space, winners.codes[winners.chosen : winners.chosen + 1]
    row = int(prepared.pool.rows(code)[0])
    measured = winners.measured[winners.chosen] if winners.measured else None
    if _code_in(folder.best / _ANSWER) != space.digits(code)[0]:
        remove_best(folder)
    write_json(
        folder.best / _ANSWER,
        {
            "schema_version": 1,
            "space": space.name,
            "space_fingerprint": space.fingerprint,
            "code": space.digits(code)[0],
            "architecture": space.format(code[0]),
            "effective_code": space.digits(space.effective(code))[0],
            "network": prepared.deployed.described(),
            "class_names": list(prepared.splits.class_names),
            "predicted_accuracy_percent": round(float(np.clip(scores.mean[row], 0, 100)), 4),
            "accuracy_std_percent": round(float(scores.std[row]), 4),
            "costs": {cost: float(values[row]) for cost, values in prepared.costs.items()},
            "measured_latency_ms": measured.median_ms if measured else None,
            "budgets": {budget.cost: budget.limit for budget in prepared.budgets},
            "outcome": winners.outcome,
        },
    )


def _code_in(path: Path) -> str | None:
    try:
        return str(read_json(path, "answer of the run").get("code"))
    except StoreError:
        return None


def remove_best(folder: RunFolder) -> None:
    """Removes the architecture of former budgets, where none meets the present ones."""
    shutil.rmtree(folder.best, ignore_errors=True)
