"""Fits a Gaussian process to all features of an architecture: the member of a stack for few trained networks.

Symbols:
    N: architectures to predict.
    M: trained networks.
    R: architectures of the reference set.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.stats import norm

from surrogate_nas.predictor.features.graph_features import path_features
from surrogate_nas.predictor.features.path_counts import path_sums
from surrogate_nas.predictor.fusion.priors import Prior
from surrogate_nas.predictor.models.gaussian_process import GaussianProcess, fit_gaussian_process
from surrogate_nas.predictor.protocol import Codes, Floats, Prediction
from surrogate_nas.space.space import Space

# Returns groups of columns for codes of shape (N, D), shape (N, k_g) each.
Groups = Callable[[Codes], list[Floats]]


@dataclass(frozen=True)
class Standardised:
    """Groups of columns with mean 0 and standard deviation 1 over a reference set; constant columns are left out.

    Attributes:
        raw: Returns the unscaled columns.
        means: By group, shape (k_g,).
        spreads: By group, shape (k_g,); 0 for a constant column.
    """

    raw: Groups
    means: tuple[Floats, ...]
    spreads: tuple[Floats, ...]

    def __call__(self, codes: Codes) -> list[Floats]:
        """Returns the standardised groups."""
        return [
            (columns - mean)[:, spread > 0] / spread[spread > 0]
            for columns, mean, spread in zip(self.raw(codes), self.means, self.spreads, strict=True)
        ]


def standardised(raw: Groups, reference: Codes) -> Standardised:
    """Returns groups standardised over reference architectures, shape (R, D)."""
    groups = raw(reference)
    return Standardised(
        raw, tuple(columns.mean(axis=0) for columns in groups), tuple(columns.std(axis=0) for columns in groups)
    )


def known_groups(
    space: Space, prior: Prior, scores: Sequence[Callable[[Codes], Floats]], structure: bool = True
) -> Groups:
    """Returns the inputs of the process, in groups with learnt weights.

    Args:
        space: Space of the codes.
        prior: Prior, of which the rank and the ranks of its counts and scores are inputs.
        scores: Ranks that need no trained networks, shape (N,) each, such as a supernet's labels give.
        structure: Whether to use the graphs too, for which twenty trained networks are too few.

    Returns:
        Groups: each score; the prior's rank; the ranks of its votes; and of the graphs, square roots of the counts of
        connected operations, and sums along paths.
    """

    def groups(codes: Codes) -> list[Floats]:
        known = [score(codes)[:, None] for score in scores] + [prior.score(codes)[:, None], prior.ranks(codes)]
        if structure:
            known += [np.sqrt(path_features(space, codes)), path_sums(space, codes).columns()]
        return known

    return groups


def normal_scores(targets: Floats) -> Floats:
    """Returns normal quantiles at the targets' ranks, shape (M,): the ends count for more than the middle."""
    order = np.argsort(np.argsort(targets, kind="stable"), kind="stable")
    scores = norm.ppf((order + 0.5) / len(targets))
    # Equal targets share the mean of their scores.
    _, group = np.unique(targets, return_inverse=True)
    shared = np.bincount(group, scores) / np.bincount(group)
    return np.asarray((shared[group] - scores.mean()) / scores.std(), dtype=np.float64)


@dataclass(frozen=True)
class ProcessModel:
    """A ``FittedModel`` around a Gaussian process, with the process's spread.

    Attributes:
        space: Space of the codes.
        groups: Inputs of the process.
        process: The fitted process.
    """

    space: Space
    groups: Groups
    process: GaussianProcess

    def predict(self, codes: Codes) -> Prediction:
        """Returns the expected normal score and its standard deviation for codes of shape (N, D).

        Raises:
            SpaceError: If the codes are not codes of the space.
        """
        codes = self.space.check(codes)
        return Prediction(*self.process.predict(self.groups(codes)))


def fit_process(space: Space, groups: Groups, codes: Codes, targets: Floats) -> ProcessModel:
    """Fits a process to trained networks.

    Args:
        space: Space of the codes.
        groups: Inputs of the process, standardised.
        codes: Shape (M, D).
        targets: Shape (M,), larger is better; only their order is used.
    """
    return ProcessModel(space, groups, fit_gaussian_process(groups(codes), normal_scores(targets)))
