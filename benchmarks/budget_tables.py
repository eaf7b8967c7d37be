"""Reads the tables of the benchmark of budgets: labels, accuracies of trained networks, latencies of devices."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from benchmarks.latency_tables import read_devices
from surrogate_nas.errors import SettingsError
from surrogate_nas.predictor.fusion.fusion import fusion_weights
from surrogate_nas.predictor.fusion.priors import PRIOR_CORRELATION, make_prior
from surrogate_nas.predictor.fusion.rank_transform import rank_transform
from surrogate_nas.predictor.predictor import fit_predictor
from surrogate_nas.predictor.protocol import Floats
from surrogate_nas.predictor.settings import PredictorSettings
from surrogate_nas.report.truth.truth import read_truth
from surrogate_nas.space.space import Space


@dataclass(frozen=True)
class BudgetTables:
    """The known figures of every architecture of a space, in the order of ``space.all_codes()``.

    Attributes:
        space: The space.
        label_percent: Accuracy that the supernet gave, shape (size,); NaN where there is no label.
        revealed_percent: What a training reveals, shape (size,).
        truth_percent: What the answer is judged by, shape (size,).
        latency_ms: Device to latencies, shape (size,) each.
    """

    space: Space
    label_percent: Floats
    revealed_percent: Floats
    truth_percent: Floats
    latency_ms: Mapping[str, Floats]


def read_budget_tables(
    space: Space, labels: Path, column: str, truth: Path, latency: Path, *, revealed: str, judged: str
) -> BudgetTables:
    """Reads the files.

    Args:
        space: The space.
        labels: CSV with a column per supernet.
        column: The supernet.
        truth: CSV with accuracies of trained networks.
        latency: CSV with a column per device.
        revealed: Column of the truth that a training reveals.
        judged: Column of the truth that answers are judged by.

    Raises:
        TruthError: If labels or truth cannot be read, or a column is unknown.
        CostTableError: If the latencies cannot be read.
        SettingsError: If the truth does not cover the space.
    """
    table = read_devices(latency, space.name)
    order = np.argsort(space.index(table.codes))
    columns = {what: read_truth(truth, space, what).accuracy_percent for what in (revealed, judged)}
    for what, values in columns.items():
        if not np.isfinite(values).all() or len(order) != space.size:
            raise SettingsError(f"the benchmark needs {what} and latencies of all {space.size} architectures: {truth}")
    return BudgetTables(
        space,
        read_truth(labels, space, column).accuracy_percent,
        columns[revealed],
        columns[judged],
        {device: values[order] for device, values in table.latency_ms.items()},
    )


def score_of_labels(tables: BudgetTables, train: int | None, seed: int) -> Floats:
    """Returns scores that are known before any training, shape (size,), larger is better.

    With labels of the whole space each isomorphism class has the mean of its own labels, joined with the prior by the
    predictor's weights; nothing is left to predict. With fewer the predictor learns from ``train`` of them.

    Raises:
        SettingsError: If there are not as many labels.
    """
    space, label = tables.space, tables.label_percent
    known = np.flatnonzero(np.isfinite(label))
    codes = space.all_codes()
    if train is not None:
        if not 0 < train <= len(known):
            raise SettingsError(f"--train must be between 1 and the number of labels, {len(known)} (got {train})")
        drawn = np.random.default_rng(seed).permutation(known)[:train]
        fitted = fit_predictor(space, codes[drawn], label[drawn], label[drawn], PredictorSettings(), seed)
        return fitted.score(codes)
    if len(known) < space.size:
        raise SettingsError(f"without --train every architecture needs a label ({len(known)} of {space.size} have one)")
    classes = space.index(space.canonical(codes))
    sums, counts = np.bincount(classes, label), np.bincount(classes)
    means = (sums / np.maximum(counts, 1))[classes]
    ranks = rank_transform(means, "labels")(means)
    prior = make_prior(space, codes).score(codes)
    return fusion_weights(ranks, prior, PRIOR_CORRELATION)(ranks, prior)
