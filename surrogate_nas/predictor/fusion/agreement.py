"""Measures the agreement of the labels of each source with a predictor.

Symbols:
    N: architectures to predict.
    M: labels of a source.
"""

import warnings
from collections.abc import Mapping

import numpy as np

from surrogate_nas.errors import SurrogateNasWarning
from surrogate_nas.predictor.protocol import FittedModel
from surrogate_nas.predictor.training_set import SourceLabels
from surrogate_nas.ranking import kendall_tau

# Labels of recorded supernets agree with a predictor fitted to them with tau 0.6 or more.
DISAGREEMENT = 0.4


def agreement(model: FittedModel, sources: Mapping[str, SourceLabels]) -> dict[str, float]:
    """Returns Kendall's tau of a predictor's scores with the labels of each source, by name.

    Warns:
        SurrogateNasWarning: If a source disagrees with the predictor: one of them is wrong.
    """
    taus = {
        name: kendall_tau(model.predict(source.codes).mean, np.asarray(source.values, dtype=np.float64))
        for name, source in sources.items()
    }
    for name, tau in taus.items():
        if not tau >= DISAGREEMENT:
            warnings.warn(
                f"labels of {name} agree with the predictor with tau {tau:.2f} only, less than {DISAGREEMENT}:"
                " one of the two is wrong; train a few networks to find out which",
                SurrogateNasWarning,
                stacklevel=2,
            )
    return taus
