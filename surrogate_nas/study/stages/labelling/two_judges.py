"""Joins the labels of two judges, whose errors have different reasons."""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from surrogate_nas.study.findings import StudyLabels

_Floats = NDArray[np.float64]


def mean_of(labels: StudyLabels, others: StudyLabels) -> StudyLabels:
    """Returns the mean labels of two judges of the same architectures, in which both count the same.

    Each judge's labels are moved and stretched to a mean of 0 and a standard deviation of 1. The means are on the scale
    of the first judge.
    """
    accuracy = _mean(labels.accuracy_percent, others.accuracy_percent)
    loss = _mean(labels.loss, others.loss)
    return replace(labels, accuracy_percent=accuracy.clip(0, 100), loss=np.maximum(loss, 0))


def _mean(values: _Floats, others: _Floats) -> _Floats:
    scale = float(values.std())
    return np.asarray(values.mean() + scale * (_standardised(values) + _standardised(others)) / 2)


def _standardised(values: _Floats) -> _Floats:
    spread = float(values.std())
    return np.asarray((values - values.mean()) / (spread if spread > 0 else 1.0))
