"""The stages that answer: score the space, search it, measure the winners, write the lookup table and the best one."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from surrogate_nas import __version__
from surrogate_nas.budgets import Budget
from surrogate_nas.errors import Interrupted
from surrogate_nas.files import write_json
from surrogate_nas.hardware.measurement import Measurement
from surrogate_nas.lookup.metadata import TableMetadata
from surrogate_nas.lookup.table import LookupTable
from surrogate_nas.predictor.fitted import FittedPredictor
from surrogate_nas.predictor.protocol import Prediction
from surrogate_nas.search.result import SearchResult
from surrogate_nas.search.run import run_search
from surrogate_nas.space.space import Codes, Space
from surrogate_nas.study.console import StudyConsole
from surrogate_nas.study.learn import StudyLabels, predictor_inputs
from surrogate_nas.study.prepare import Prepared
from surrogate_nas.study.run_folder import RunFolder, digest

Outcome = Literal["met", "predicted to meet, measured over"]
_ROUNDS = 3  # of measuring finalists, each under a tighter bound where all before exceeded the budget


@dataclass(frozen=True)
class SpaceScores:
    """What the predictor says of every architecture, in listing order; itself a scorer of the search.

    Attributes:
        space: The space.
        mean: Predicted accuracy in percent, on the scale of the labels, shape (size,).
        std: Its spread, shape (size,).
    """

    space: Space
    mean: NDArray[np.float64]
    std: NDArray[np.float64]

    def predict(self, codes: Codes) -> Prediction:
        """Scores of codes of shape (N, D)."""
        rows = self.space.index(codes)
        return Prediction(self.mean[rows], self.std[rows])


@dataclass(frozen=True)
class Winners:
    """The finalists and the one that was chosen.

    Attributes:
        outcome: Whether the chosen one keeps the budget where it was measured.
        chosen: Row of the chosen one among the finalists.
        codes: Finalists, the best predicted first, shape (F, D).
        measured: Their measured latency; empty where this machine is not the device of the budget.
    """

    outcome: Outcome
    chosen: int
    codes: Codes
    measured: tuple[Measurement, ...]


def score_space(prepared: Prepared, predictor: FittedPredictor) -> SpaceScores:
    """Scores the whole space in one call."""
    prediction = predictor.predict(prepared.codes)
    return SpaceScores(prepared.space, prediction.mean, prediction.std)


def search(
    prepared: Prepared,
    labels: StudyLabels,
    scores: SpaceScores,
    folder: RunFolder,
    console: StudyConsole,
    should_stop: Callable[[], bool],
) -> SearchResult:
    """Searches the space under the budgets, as an Optuna study in the run folder's journal.

    Raises:
        Interrupted: If a stop was asked for; trials written so far are kept.
    """
    costs = {cost: np.round(values, 9).tolist() for cost, values in prepared.costs.items()}
    with console.progress("search") as advance:

        def progress(done: int, total: int) -> None:
            advance(done, total)
            if should_stop():
                raise Interrupted("stopped while searching")

        return run_search(
            prepared.space,
            scores,
            prepared.table,
            prepared.budgets,
            prepared.settings.search,
            seed=prepared.settings.seed,
            journal=folder.journal,
            study=prepared.settings.name,
            inputs=digest({"predictor": predictor_inputs(prepared, labels), "costs": costs}),
            progress=progress,
        )


def choose_winner(prepared: Prepared, scores: SpaceScores, result: SearchResult, console: StudyConsole) -> Winners:
    """Measures the finalists and takes the best that keeps the budget.

    Where every finalist exceeds a latency budget that it was predicted to meet, the next ones are sought under a bound
    that is tighter by as much as the measurements exceeded the predictions.
    """
    budget = next((budget for budget in prepared.budgets if budget.cost == "latency_ms"), None)
    finalists = result.finalists
    if not prepared.cost_model.can_measure:
        return Winners("met", 0, finalists, ())
    measured: list[Measurement] = []
    seen: Codes = finalists[:0]
    limit = budget.limit if budget else np.inf
    for _ in range(_ROUNDS):
        with console.progress(f"measuring {len(finalists)} finalists whole"):
            measured += prepared.cost_model.measure_architectures(finalists)
        seen = np.concatenate([seen, finalists])
        within = [row for row, one in enumerate(measured) if budget is None or one.median_ms <= budget.limit]
        if within:
            return Winners("met", within[0], seen, tuple(measured))
        predicted = prepared.table.evaluate(seen)["latency_ms"]
        excess = float(np.median([one.median_ms for one in measured] / predicted))
        limit = min(limit, budget.limit / max(excess, 1.0)) * 0.98 if budget else limit
        console.warn(f"every finalist measured over the latency budget; looking again under {limit:.3g} ms predicted")
        finalists = _next_finalists(prepared, scores, limit, seen)
        if not len(finalists):
            break
    nearest = int(np.argmin([one.median_ms for one in measured]))
    return Winners("predicted to meet, measured over", nearest, seen, tuple(measured))


def _next_finalists(prepared: Prepared, scores: SpaceScores, limit_ms: float, seen: Codes) -> Codes:
    """The best architectures of distinct classes under a tighter latency bound that were not measured yet."""
    space = prepared.space
    feasible = np.flatnonzero(prepared.feasible & (prepared.costs["latency_ms"] <= limit_ms))
    order = feasible[np.lexsort((prepared.costs["latency_ms"][feasible], -scores.mean[feasible]))]
    classes = space.canonical_keys(prepared.codes[order])
    _, first = np.unique(classes, return_index=True)
    known = set(space.canonical_keys(seen).tolist()) if len(seen) else set()
    fresh = [row for row in sorted(first.tolist()) if int(classes[row]) not in known]
    return prepared.codes[order[fresh[: prepared.settings.search.finalists]]]


def write_lookup(
    prepared: Prepared, labels: StudyLabels, scores: SpaceScores, winners: Winners, folder: RunFolder
) -> LookupTable:
    """Writes the lookup table of every connected architecture."""
    space = prepared.space
    rows = np.flatnonzero(prepared.connected)
    codes = prepared.codes[rows]
    label = np.full(space.size, np.nan)
    label[space.index(labels.codes)] = labels.accuracy_percent
    deployed = prepared.deployed
    metadata = TableMetadata(
        space_name=space.name,
        space_fingerprint=space.fingerprint,
        device=prepared.latency_device,
        batch_size=prepared.settings.hardware.batch,
        network={
            "channels": deployed.channels,
            "cells": deployed.cells,
            "stages": deployed.stages,
            "image_size": deployed.image_size,
            "input_channels": deployed.input_channels,
            "classes": deployed.classes,
        },
        primary_cost=prepared.budgets[0].cost,
        created_with=__version__,
        seed=prepared.settings.seed,
        budgets={budget.cost: budget.limit for budget in prepared.budgets},
        answer=space.digits(winners.codes[winners.chosen : winners.chosen + 1])[0],
        notes={
            "accuracy": "of subnets with shared weights, as the supernet labels measure it, not of trained networks",
            "costs": "of the deployed network without dead operations"
            if prepared.cost_model.can_measure
            else "latency from a table of networks as written; other costs without dead operations",
        },
    )
    table = LookupTable.build(
        metadata,
        codes=space.digits(codes),
        architectures=[space.format(code) for code in codes],
        canonical=space.digits(space.canonical(codes)),
        score=scores.mean[rows],
        predicted_accuracy_percent=np.clip(scores.mean[rows], 0, 100),
        accuracy_std_percent=scores.std[rows],
        costs={cost: values[rows] for cost, values in prepared.costs.items()},
        labels={"label_accuracy_percent": label[rows]},
    )
    table.write(folder.path)
    return table


def write_best(prepared: Prepared, scores: SpaceScores, winners: Winners, folder: RunFolder) -> None:
    """Writes the chosen architecture as JSON."""
    space, code = prepared.space, winners.codes[winners.chosen : winners.chosen + 1]
    row = int(space.index(code)[0])
    measured = winners.measured[winners.chosen] if winners.measured else None
    deployed = prepared.deployed
    write_json(
        folder.best / "architecture.json",
        {
            "schema_version": 1,
            "space": space.name,
            "space_fingerprint": space.fingerprint,
            "code": space.digits(code)[0],
            "architecture": space.format(code[0]),
            "effective_code": space.digits(space.effective(code))[0],
            "network": {
                name: getattr(deployed, name)
                for name in ("channels", "cells", "stages", "image_size", "input_channels", "classes")
            },
            "class_names": list(prepared.splits.class_names),
            "predicted_accuracy_percent": round(float(np.clip(scores.mean[row], 0, 100)), 4),
            "accuracy_std_percent": round(float(scores.std[row]), 4),
            "costs": {cost: float(values[row]) for cost, values in prepared.costs.items()},
            "measured_latency_ms": measured.median_ms if measured else None,
            "budgets": _as_json(prepared.budgets),
            "outcome": winners.outcome,
        },
    )


def _as_json(budgets: Sequence[Budget]) -> dict[str, float]:
    return {budget.cost: budget.limit for budget in budgets}
