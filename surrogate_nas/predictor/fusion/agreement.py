"""Labels of several supernets in one fit, and how far each of them agrees with what came out.

Symbols:
    N: architectures asked about.
    M: labels of a source.
"""

import warnings
from collections.abc import Mapping

import numpy as np

from surrogate_nas.errors import SettingsError, SurrogateNasWarning
from surrogate_nas.predictor.fusion.recipes import SourceLabels
from surrogate_nas.predictor.models.fitting import rank_scale
from surrogate_nas.predictor.protocol import FittedModel
from surrogate_nas.ranking import kendall_tau

# Labels of recorded supernets agree with a predictor fitted to them with tau 0.6 or more.
DISAGREEMENT = 0.4


def joined(sources: Mapping[str, SourceLabels]) -> SourceLabels:
    """All labels as one source; the fit takes the mean over the labels of isomorphic architectures.

    Every source's labels become ranks among themselves first, since supernets differ in scale. That asks for sources
    that labelled architectures drawn alike; labels of sub-supernets that answer for different parts of a space are
    one source, not several.

    Raises:
        SettingsError: If there is no source, or labels are not finite.
    """
    if not sources:
        raise SettingsError("labels of at least one supernet are needed (got none)")
    for name, source in sources.items():
        if not np.isfinite(source.values).all():
            raise SettingsError(f"labels of {name} must be finite")
    return SourceLabels(
        np.concatenate([source.codes for source in sources.values()]),
        np.concatenate([rank_scale(source.values) for source in sources.values()]),
    )


def agreement(model: FittedModel, sources: Mapping[str, SourceLabels]) -> dict[str, float]:
    """Kendall's tau of a predictor's scores with the labels of each source, by name.

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
