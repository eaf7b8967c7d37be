"""Estimates an architecture's accuracy before any training from counts and scores, each of them as a rank.

Symbols:
    N: architectures.
    R: architectures of the reference set.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from surrogate_nas.errors import SettingsError
from surrogate_nas.predictor.features.graph_features import longest_path, node_types
from surrogate_nas.predictor.features.path_counts import path_sums
from surrogate_nas.predictor.fusion.rank_transform import RankTransform, rank_transform
from surrogate_nas.predictor.protocol import Codes, Floats, StoredArrays
from surrogate_nas.space.class_table import ClassTable
from surrogate_nas.space.layouts import ChoosesSize
from surrogate_nas.space.space import Space

# Correlation of the prior's ranks with the ranks of accuracy after training, measured on another space whose trained
# networks are public, NAS-Bench-Macro (a chain of 8 layers, 6,561 networks): operations 0.75, depth 0.83, reach 0.82,
# their sum 0.825. It uses no data of the searched space.
PRIOR_CORRELATION = 0.825

# Votes of the prior. Equal weights, because weights fitted to one other space would be too much of that space (unit
# weights: Dawes, "The robust beauty of improper linear models in decision making", 1979).
COMPLEXITY = ("operations", "depth", "reach")
# The votes in a space that chooses sizes. At one cost a deeper network there is a narrower one, or one of fewer pixels,
# so that depth and reach do not speak for it.
SIZED = ("operations",)

# A path without computation, around which deep networks train better (He et al., arXiv 1512.03385). As a yes or no it
# has a seventh of all votes: one next to six others, half of one next to the three counts alone.
SHORTCUT = "shortcut"
SHORTCUT_SHARE = 1 / 7
_MOST_OF_SHORTCUT = 3.0  # standard deviations

_BATCH = 4096


@dataclass(frozen=True)
class ExtraScores:
    """Scores of architectures from another source, such as networks with random weights.

    Attributes:
        table: Scores by isomorphism class, larger is better.
        weights: Votes in the prior, one for each column; models that learn from trained networks also see a score
            without a vote.
    """

    table: ClassTable
    weights: dict[str, float]

    def __post_init__(self) -> None:
        if self.table.names != tuple(self.weights):
            raise SettingsError(f"scores {', '.join(self.table.names)} need one weight each (got {self.weights})")

    def columns(self, codes: Codes) -> dict[str, Floats]:
        """Returns scores of codes of shape (N, D) by name, shape (N,) each.

        Raises:
            SettingsError: If a score is missing.
        """
        rows = self.table.columns(codes)
        missing = ~np.isfinite(rows).all(axis=1)
        if missing.any():
            first = self.table.space.digits(codes[missing][:1])[0]
            raise SettingsError(
                f"a prior needs a finite score of every architecture ({int(missing.sum())} of {len(codes)} have none,"
                f" such as {first})"
            )
        return dict(zip(self.table.names, rows.T, strict=True))


def with_vote(scores: ExtraScores | None, votes: ClassTable) -> ExtraScores:
    """Returns scores with another one, a table of one column, which votes as much as one of them."""
    (name,) = votes.names
    if scores is None:
        return ExtraScores(votes, {name: 1.0})
    table = scores.table
    values = np.column_stack([table.values, votes.columns(table.codes)])
    return ExtraScores(ClassTable(table.space, (*table.names, name), table.codes, values), scores.weights | {name: 1.0})


def complexity_counts(space: Space, codes: Codes) -> Floats:
    """Returns how much an architecture computes, how deep it is, and how far it sees.

    Args:
        space: Space of the codes.
        codes: Shape (N, D).

    Returns:
        Shape (N, 3): multiply-accumulates of the live operations in the space's own network; most nonlinear functions
        on a path of the cell; most pixels by which convolutions on a path of the cell widen what is seen.
    """
    parts = [_counts(space, codes[start : start + _BATCH]) for start in range(0, len(codes), _BATCH)]
    return np.concatenate(parts) if parts else np.empty((0, 3))


def _counts(space: Space, codes: Codes) -> Floats:
    graphs = space.graphs(codes)
    reach = node_types(space).reach[graphs.operations]
    columns = (
        space.flops(space.effective(codes), space.network),
        space.nonlinear_count(codes),
        longest_path(graphs.adjacency.astype(np.float64), reach),
    )
    return np.stack(columns, axis=1).astype(np.float64)


def prior_columns(space: Space, codes: Codes) -> dict[str, Floats]:
    """Returns the counts that vote, by name, shape (N,) each, larger is better."""
    counts = complexity_counts(space, codes)
    shortcut = path_sums(space, codes).shortcuts > 0
    return dict(zip(COMPLEXITY, counts.T, strict=True)) | {SHORTCUT: shortcut.astype(np.float64)}


@dataclass(frozen=True)
class Prior:
    """Weighted sum of the ranks that counts and scores give, itself as a rank.

    Attributes:
        space: Space of the codes.
        votes: For each count or score its weight and its transform to ranks; constant ones have no vote.
        total: Transform of their sum.
        extra: Extra scores; None without.
    """

    space: Space
    votes: dict[str, tuple[float, RankTransform]]
    total: RankTransform
    extra: ExtraScores | None = None

    def score(self, codes: Codes) -> Floats:
        """Returns scores with mean 0 and standard deviation 1 over the reference set, shape (N,).

        Raises:
            SettingsError: If an extra score is missing.
        """
        return self.total(_summed(self.votes, _columns(self.space, codes, self.extra)))

    def ranks(self, codes: Codes) -> Floats:
        """Returns the rank of each count or score by itself, shape (N, votes)."""
        columns = _columns(self.space, codes, self.extra)
        return np.stack([transform(columns[name]) for name, (_, transform) in self.votes.items()], axis=1)

    def arrays(self) -> dict[str, NDArray[np.generic]]:
        """Returns everything except the space and the extra scores, by name, for a file."""
        kept: dict[str, NDArray[np.generic]] = {}
        for name, transform in [*((name, vote[1]) for name, vote in self.votes.items()), ("total", self.total)]:
            kept |= {f"{name}.values": transform.values, f"{name}.ranks": transform.ranks}
        return kept | {f"{name}.weight": np.array([weight]) for name, (weight, _) in self.votes.items()}


def make_prior(space: Space, reference: Codes, extra: ExtraScores | None = None) -> Prior:
    """Returns the prior of a space.

    Args:
        space: The space.
        reference: Codes among which the ranks are, shape (R, D).
        extra: Extra scores.

    Raises:
        SettingsError: If an extra score is missing for an architecture of the reference set.
        TrainingError: If no count differs between architectures.
    """
    columns = _columns(space, reference, extra)
    counts = SIZED if isinstance(space, ChoosesSize) else COMPLEXITY
    weights = dict.fromkeys(counts, 1.0) | (extra.weights if extra else {})
    kept = {name: values for name, values in columns.items() if np.ptp(values) > 0}
    others = sum(weight for name, weight in weights.items() if name in kept)
    weights[SHORTCUT] = others * SHORTCUT_SHARE / (1 - SHORTCUT_SHARE) or 1.0  # alone it is the prior
    votes = {name: (weights[name], rank_transform(values, name)) for name, values in kept.items() if name in weights}
    if SHORTCUT in votes:
        votes[SHORTCUT] = (weights[SHORTCUT], _bounded(votes[SHORTCUT][1]))
    return Prior(space, votes, rank_transform(_summed(votes, columns), "counts of complexity"), extra)


def _bounded(transform: RankTransform) -> RankTransform:
    """Returns the transform of a yes or no whose rare answer does not outvote everything else.

    One yes among n has a standardised rank near the root of n.
    """
    return RankTransform(transform.values, transform.ranks.clip(-_MOST_OF_SHORTCUT, _MOST_OF_SHORTCUT))


def restored_prior(space: Space, arrays: StoredArrays, extra: ExtraScores | None) -> Prior:
    """Returns the prior whose ``arrays()`` were kept.

    Raises:
        KeyError: If an array is missing.
    """

    def transform(name: str) -> RankTransform:
        return RankTransform(
            np.asarray(arrays[f"{name}.values"], np.float64), np.asarray(arrays[f"{name}.ranks"], np.float64)
        )

    known = [*COMPLEXITY, SHORTCUT, *(extra.weights if extra else ())]
    votes = {
        name: (float(np.asarray(arrays[f"{name}.weight"], np.float64)[0]), transform(name))
        for name in known
        if f"{name}.weight" in arrays
    }
    return Prior(space, votes, transform("total"), extra)


def _columns(space: Space, codes: Codes, extra: ExtraScores | None) -> dict[str, Floats]:
    return prior_columns(space, codes) | (extra.columns(codes) if extra else {})


def _summed(votes: dict[str, tuple[float, RankTransform]], columns: dict[str, Floats]) -> Floats:
    ranks = [weight * transform(columns[name]) for name, (weight, transform) in votes.items()]
    return np.asarray(np.sum(ranks, axis=0), dtype=np.float64)
