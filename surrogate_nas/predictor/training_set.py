"""Checks labels and converts them to training units: one row per distinct architecture.

Symbols:
    M: labels as they come; an architecture or its isomorphic twins may have several.
    D: decisions of the space.
    U: units, the rows that are fitted: isomorphism classes, or distinct codes where isomorphic ones are kept apart.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from surrogate_nas.errors import SettingsError
from surrogate_nas.predictor.protocol import Codes, Floats
from surrogate_nas.space.space import Space

MINIMUM_CLASSES = 20


@dataclass(frozen=True)
class SourceLabels:
    """Labels of one source.

    Attributes:
        codes: Shape (M, D).
        values: Shape (M,), larger is better; only their order is used.

    Example:
        >>> import numpy as np
        >>> from surrogate_nas import SourceLabels, load_space
        >>> space = load_space("quick")
        >>> trained = SourceLabels(space.all_codes()[:6], np.array([80.1, 82.5, 79.0, 83.3, 81.7, 80.9]))
        >>> len(trained)
        6
    """

    codes: Codes
    values: Floats

    def __len__(self) -> int:
        return len(self.codes)


@dataclass(frozen=True)
class TrainingSet:
    """Training data of a predictor.

    Attributes:
        codes: One code per unit, shape (U, D).
        targets: Mean target of each unit's labels, shape (U,), larger is better.
        accuracy_percent: Mean label accuracy of each unit, shape (U,).
        groups: Isomorphism class of each unit, shape (U,); never divided between fitting and testing.
        unit_of_label: Unit of each label, shape (M,).
    """

    codes: Codes
    targets: Floats
    accuracy_percent: Floats
    groups: NDArray[np.int64]
    unit_of_label: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.codes)

    def mean_over_labels(self, values: ArrayLike, what: str) -> Floats:
        """Returns the mean of a value per label, shape (M,), over the labels of each unit, shape (U,).

        Raises:
            SettingsError: If the values are not M finite numbers; ``what`` is their name in the message.
        """
        checked = _checked_values(values, len(self.unit_of_label), what)
        counts = np.bincount(self.unit_of_label, minlength=len(self))
        return np.asarray(np.bincount(self.unit_of_label, checked, minlength=len(self)) / counts)


def make_training_set(
    space: Space,
    codes: Codes,
    targets: ArrayLike,
    accuracy_percent: ArrayLike,
    canonical: bool,
    minimum: int = MINIMUM_CLASSES,
) -> TrainingSet:
    """Returns labels as units to fit.

    Args:
        space: Space of the codes.
        codes: Shape (M, D).
        targets: Shape (M,), larger is better.
        accuracy_percent: Label accuracy, shape (M,).
        canonical: Whether isomorphic codes become one unit, represented by their canonical code.
        minimum: Fewest architectures, no two of them isomorphic.

    Raises:
        SpaceError: If the codes are not codes of the space.
        SettingsError: If a label is not finite, all targets are equal, or there are too few distinct
            architectures.
    """
    codes = space.check(codes)
    classes = space.canonical(codes)
    distinct, unit_of_label = np.unique(classes if canonical else codes, axis=0, return_inverse=True)
    unit_of_label = unit_of_label.reshape(-1)  # numpy 2.0 gives it two dimensions
    class_codes, groups = np.unique(space.canonical(distinct), axis=0, return_inverse=True)
    nothing = np.zeros(len(distinct))
    bare = TrainingSet(distinct, nothing, nothing, groups.reshape(-1), unit_of_label)
    target_means = bare.mean_over_labels(targets, "targets")
    accuracy_means = bare.mean_over_labels(accuracy_percent, "accuracies")
    if len(class_codes) < minimum:
        raise SettingsError(
            f"a predictor needs labels of at least {minimum} architectures that are not isomorphic"
            f" (got {len(codes)} labels of {len(class_codes)}); label more architectures"
        )
    if np.ptp(target_means) == 0:
        raise SettingsError(
            f"a predictor needs labels that differ (all {len(codes)} labels are {target_means[0]:g});"
            " was the supernet trained at all?"
        )
    return TrainingSet(distinct, target_means, accuracy_means, bare.groups, unit_of_label)


def _checked_values(values: ArrayLike, count: int, what: str) -> Floats:
    array = np.asarray(values, dtype=np.float64)
    if array.shape != (count,):
        raise SettingsError(f"{what} need one value per code, shape ({count},) (got shape {array.shape})")
    wrong = np.flatnonzero(~np.isfinite(array))
    if len(wrong):
        raise SettingsError(
            f"{what} must be finite ({len(wrong)} of {count} are not; row {wrong[0]} is {array[wrong[0]]})"
        )
    return array
