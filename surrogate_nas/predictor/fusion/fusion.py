"""Joins two noisy measures of one quality, each weighted by its reliability.

Symbols:
    q: the quality, here the rank of the accuracy after training, standardised.
    l: the rank that a supernet's labels give, standardised; rho_l its correlation with q.
    p: the rank that the prior gives, standardised; rho_p its correlation with q.

With errors of l and p that are independent given q, the regression of q on both is proportional to
    rho_l / (1 - rho_l^2) * l + rho_p / (1 - rho_p^2) * p,
and corr(l, p) = rho_l * rho_p (Spearman's one-factor model). So corr(l, p), which needs no trained network, determines
rho_l once rho_p is known. Supernets underrate large architectures, which makes corr(l, p) smaller and so lowers their
weight. The two may also agree because they share errors, so labels never weigh more than the prior.

Parts of one pretrained network are another case. They differ less in size than new networks do, and labels that say
nothing of size may order them well; a setting fixes the weights there.
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from surrogate_nas.predictor.ensemble import Ensemble
from surrogate_nas.predictor.fusion.priors import PRIOR_CORRELATION, ExtraScores, Prior, restored_prior
from surrogate_nas.predictor.fusion.rank_transform import RankTransform, rank_transform
from surrogate_nas.predictor.protocol import Codes, Floats, Prediction, StoredArrays
from surrogate_nas.space.class_table import ClassTable
from surrogate_nas.space.space import Space


@dataclass(frozen=True)
class FusionWeights:
    """Weights of the two measures.

    Attributes:
        label: Weight of the labels' rank, at least 0.
        prior: Weight of the prior's rank.
        label_correlation: Estimated correlation of the labels with the quality.
    """

    label: float
    prior: float
    label_correlation: float

    def __call__(self, label: Floats, prior: Floats) -> Floats:
        """Returns the weighted sum, shape (N,), of ranks of shape (N,)."""
        return np.asarray(self.label * label + self.prior * prior, dtype=np.float64)


def fusion_weights(
    label: Floats, prior: Floats, prior_correlation: float, label_share: float | None = None
) -> FusionWeights:
    """Returns weights from the agreement of labels and prior over a reference set.

    Args:
        label: Standardised ranks, shape (R,).
        prior: Standardised ranks, shape (R,).
        prior_correlation: rho_p, in (0, 1).
        label_share: The labels' part of both weights, in [0, 1], where their agreement says nothing; None where it
            decides.
    """
    agreement = float(np.corrcoef(label, prior)[0, 1])
    correlation = min(max(agreement / prior_correlation, 0.0), prior_correlation)
    if label_share is not None:
        return FusionWeights(label_share, 1 - label_share, correlation)
    return FusionWeights(_worth(correlation), _worth(prior_correlation), correlation)


def _worth(correlation: float) -> float:
    return correlation / (1 - correlation**2)


@dataclass(frozen=True)
class Fusion:
    """A prior joined with a model of a supernet's labels.

    Attributes:
        prior: The prior.
        transform: Maps scores that follow the labels to ranks among the reference architectures.
        weights: Weights of the two.
    """

    prior: Prior
    transform: RankTransform
    weights: FusionWeights

    def __call__(self, codes: Codes, labels: Prediction) -> Prediction:
        """Returns the fused score, mean 0 and standard deviation near 1.

        Args:
            codes: Shape (N, D).
            labels: Prediction of the labels, for the same codes; only its weight scales its spread, since the prior
                has none.
        """
        total = self.weights.label + self.weights.prior
        mean = self.weights(self.transform(labels.mean), self.prior.score(codes)) / total
        # Scores of an ensemble are standardised, so their slope to ranks is about 1.
        return Prediction(mean, labels.std * (self.weights.label / total))

    def arrays(self) -> dict[str, NDArray[np.generic]]:
        """Returns everything except the space, by name, for a file."""
        weights = np.array([self.weights.label, self.weights.prior, self.weights.label_correlation])
        kept: dict[str, NDArray[np.generic]] = {
            "labels.values": self.transform.values,
            "labels.ranks": self.transform.ranks,
            "weights": weights,
        }
        if self.prior.extra is not None:
            kept |= {"extra.codes": self.prior.extra.table.codes, "extra.values": self.prior.extra.table.values}
        return kept | {f"prior.{name}": values for name, values in self.prior.arrays().items()}


def restored_fusion(space: Space, arrays: StoredArrays, extra_weights: dict[str, float] | None) -> Fusion:
    """Returns the fusion whose ``arrays()`` were kept.

    Args:
        space: Space of the codes.
        arrays: As kept.
        extra_weights: Votes of the scores from elsewhere by name; None without any.

    Raises:
        KeyError: If an array is missing.
        ValueError: If the arrays do not belong together.
    """

    def floats(name: str) -> Floats:
        return np.asarray(arrays[name], dtype=np.float64)

    extra = None
    if extra_weights is not None:
        codes = space.check(arrays["extra.codes"])
        extra = ExtraScores(ClassTable(space, tuple(extra_weights), codes, floats("extra.values")), extra_weights)
    of_prior = {name.removeprefix("prior."): values for name, values in arrays.items() if name.startswith("prior.")}
    label, prior, correlation = floats("weights").tolist()
    if not (min(label, prior) >= 0 and 0 < label + prior < math.inf):
        raise ValueError(f"weights of a fusion are positive (got {label} and {prior})")
    return Fusion(
        restored_prior(space, of_prior, extra),
        RankTransform(floats("labels.values"), floats("labels.ranks")),
        FusionWeights(label, prior, correlation),
    )


def fuse(prior: Prior, codes: Codes, scores: Floats, label_share: float | None = None) -> Fusion:
    """Joins a prior with scores that follow labels.

    Args:
        prior: The prior.
        codes: Reference architectures, shape (R, D).
        scores: Their scores, shape (R,).
        label_share: As in ``fusion_weights``.

    Raises:
        TrainingError: If all scores are equal.
    """
    transform = rank_transform(scores, "scores of the labels")
    ranks = transform(scores), prior.score(codes)
    return Fusion(prior, transform, fusion_weights(*ranks, PRIOR_CORRELATION, label_share))


@dataclass(frozen=True)
class FusedPredictor:
    """A ``FittedModel`` that joins a prior with an ensemble that learnt a supernet's labels.

    Attributes:
        space: Space of the codes.
        prior: The prior.
        ensemble: Ensemble fitted to the labels; None without labels.
        fusion: Fusion of the two; None without labels.
    """

    space: Space
    prior: Prior
    ensemble: Ensemble | None = None
    fusion: Fusion | None = None

    def predict(self, codes: Codes) -> Prediction:
        """Returns scores of codes of shape (N, D), with the spread of the ensemble's members.

        Raises:
            SpaceError: If the codes are not codes of the space.
        """
        codes = self.space.check(codes)
        if self.ensemble is None or self.fusion is None:
            prior = self.prior.score(codes)
            return Prediction(prior, np.zeros(len(prior)))
        return self.fusion(codes, self.ensemble.predict(codes))
