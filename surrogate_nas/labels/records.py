"""Defines labels, and the identity of a file of labels.

Symbols:
    n: labels at hand.
    D: decisions of the space, so the width of a code.
"""

from dataclasses import dataclass, fields
from typing import Literal, Self, get_args

import numpy as np
from numpy.typing import NDArray

from surrogate_nas._support.words import shown
from surrogate_nas.errors import RunFolderError, SettingsError, SpaceError
from surrogate_nas.space.space import Space

Source = Literal["supernet", "training"]
SOURCES: tuple[Source, ...] = get_args(Source)

LABELS_VERSION = "0.1.0"
"""Version of the package since which labels and trainings are measured as they are now.

It changes with what they measure alone: hours of labels outlast other changes of the package.
"""

NO_MEMBER = -1
"""The member of a label without a sub-supernet, such as the label of a real training."""

_LARGEST = {"member": np.iinfo(np.int32).max, "seed": np.iinfo(np.int64).max, "steps": np.iinfo(np.int64).max}
_SMALLEST = {"member": NO_MEMBER, "seed": 0, "steps": 0}

_REMEDIES = {
    "space_name": "use the space that the labels were made of, or another run folder",
    "space_fingerprint": "the definition of the space was changed: restore it, or use another run folder",
    "choices": "the definition of the space was changed: restore it, or use another run folder",
    "data_fingerprint": "use the images that the labels were measured on, or another run folder",
    "code_version": "use the version that made them, or remove the file: they are made again, and supernets stay",
}


@dataclass(frozen=True)
class LabelIdentity:
    """Identity of all labels of one file; labels that differ in any of its fields must not be mixed.

    Attributes:
        space_name: Name of the search space.
        space_fingerprint: Hash of its definition.
        choices: Number of choices of each decision, length D.
        data_fingerprint: Hash of the images that the accuracies were measured on.
        code_version: Version of the package since which they are measured as they were.
    """

    space_name: str
    space_fingerprint: str
    choices: tuple[int, ...]
    data_fingerprint: str
    code_version: str

    def __post_init__(self) -> None:
        if not self.choices or not all(1 <= count <= 128 for count in self.choices):
            raise SpaceError(f"a space needs decisions of 1 to 128 choices each (got {shown(self.choices)})")

    @classmethod
    def of_space(cls, space: Space, *, data_fingerprint: str, code_version: str) -> Self:
        """Returns the identity of labels of a space."""
        choices = tuple(len(decision.choices) for decision in space.decisions)
        return cls(space.name, space.fingerprint, choices, data_fingerprint, code_version)

    @property
    def num_decisions(self) -> int:
        """Width of a code, D."""
        return len(self.choices)

    def require(self, asked: Self, where: object) -> None:
        """Refuses another identity.

        Args:
            asked: The identity that the caller works with.
            where: The file with this identity, for the message.

        Raises:
            RunFolderError: If they differ; the message names the first differing field, both values, and a remedy.
        """
        for field in fields(self):
            held, wanted = getattr(self, field.name), getattr(asked, field.name)
            if held != wanted:
                raise RunFolderError(
                    f"{where} holds labels of another {field.name}: {shown(held)} (asked for {shown(wanted)}); "
                    f"{_REMEDIES[field.name]}"
                )


def check_codes(codes: NDArray[np.integer], choices: tuple[int, ...]) -> NDArray[np.int8]:
    """Returns the codes as they are stored, shape (n, D).

    Args:
        codes: Index of the choice of each decision, shape (n, D).
        choices: Number of choices of each decision, length D.

    Raises:
        SpaceError: If the shape is wrong or an index is not one of the decision's choices.
    """
    array = np.asarray(codes)
    if array.ndim != 2 or array.shape[1] != len(choices) or not np.issubdtype(array.dtype, np.integer):
        raise SpaceError(
            f"codes must be integers of shape (n, {len(choices)}) (got {array.dtype} of shape {array.shape})"
        )
    outside = (array < 0) | (array >= np.array(choices))
    if outside.any():
        row, column = (int(position) for position in np.argwhere(outside)[0])
        raise SpaceError(
            f"decision {column} has the choices 0 to {choices[column] - 1} (got {array[row, column]} in row {row})"
        )
    return array.astype(np.int8)


def check_measures(accuracy_percent: NDArray[np.floating], loss: NDArray[np.floating]) -> None:
    """Refuses measures that cannot be learnt from, both of shape (n,).

    Raises:
        SettingsError: If an accuracy is not within 0 to 100 or a loss is not finite; the message names the first row.
    """
    for name, values, good, rule in (
        ("accuracy_percent", accuracy_percent, (accuracy_percent >= 0) & (accuracy_percent <= 100), "within 0 to 100"),
        ("loss", loss, np.isfinite(loss), "finite"),
    ):
        if not good.all():
            row = int(np.argmin(good))
            raise SettingsError(f"{name} must be {rule} (got {values[row]} in row {row})")


@dataclass(frozen=True)
class Labels:
    """Labelled architectures, one row each, in the order in which they were acknowledged.

    Attributes:
        codes: Architectures, shape (n, D).
        accuracy_percent: Shape (n,), within 0 to 100.
        loss: Cross-entropy, shape (n,), or the squared error of a linear probe. It ranks weak networks better than the
            accuracy does.
        source: One of ``SOURCES``, shape (n,).
        member: Index of the sub-supernet that gave the label, or ``NO_MEMBER``, shape (n,).
        seed: Seed of the weights behind the label, shape (n,).
        steps: Optimizer steps of those weights, shape (n,).
    """

    codes: NDArray[np.int8]
    accuracy_percent: NDArray[np.float64]
    loss: NDArray[np.float64]
    source: NDArray[np.str_]
    member: NDArray[np.int32]
    seed: NDArray[np.int64]
    steps: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.codes)

    def __getitem__(self, rows: slice | NDArray[np.bool_] | NDArray[np.integer]) -> "Labels":
        """Returns the labels of some rows: a slice, a mask of shape (n,), or positions."""
        return Labels(**{field.name: getattr(self, field.name)[rows] for field in fields(self)})


def concatenate(parts: list[Labels]) -> Labels:
    """Returns the rows of all parts, which must be of one space, one after the other."""
    columns = {field.name: np.concatenate([getattr(part, field.name) for part in parts]) for field in fields(Labels)}
    return Labels(**columns)


@dataclass(frozen=True)
class LabelBatch:
    """Labels of one origin, acknowledged together.

    Attributes:
        codes: Architectures, shape (n, D).
        accuracy_percent: Shape (n,), within 0 to 100.
        loss: Shape (n,), finite.
        source: Origin of the weights: a shared supernet, or a training of each network alone.
        member: Index of the sub-supernet; ``NO_MEMBER`` for a real training, and for pretrained weights of the supernet
            before any training.
        seed: Seed of the weights.
        steps: Optimizer steps of the weights.
    """

    codes: NDArray[np.integer]
    accuracy_percent: NDArray[np.floating]
    loss: NDArray[np.floating]
    source: Source
    member: int = NO_MEMBER
    seed: int = 0
    steps: int = 0

    def rows(self, choices: tuple[int, ...]) -> Labels:
        """Returns the batch as rows, after a check of all its values.

        Args:
            choices: Number of choices of each decision, length D.

        Raises:
            SpaceError: If a code is not of the space.
            SettingsError: If anything else is out of its range.
        """
        codes = check_codes(self.codes, choices)
        count = len(codes)
        if self.source not in SOURCES:
            raise SettingsError(f"source must be one of {', '.join(SOURCES)} (got {shown(self.source)})")
        for name, smallest in _SMALLEST.items():
            value = getattr(self, name)
            if not isinstance(value, int | np.integer) or not smallest <= value <= _LARGEST[name]:
                raise SettingsError(
                    f"{name} must be an integer from {smallest} to {_LARGEST[name]} (got {shown(value)})"
                )
        accuracy_percent = np.asarray(self.accuracy_percent, dtype=np.float64)
        loss = np.asarray(self.loss, dtype=np.float64)
        for name, values in (("accuracy_percent", accuracy_percent), ("loss", loss)):
            if values.shape != (count,):
                raise SettingsError(f"{name} needs one value per code, shape ({count},) (got {values.shape})")
        check_measures(accuracy_percent, loss)
        return Labels(
            codes=codes,
            accuracy_percent=accuracy_percent,
            loss=loss,
            source=np.full(count, self.source),
            member=np.full(count, self.member, dtype=np.int32),
            seed=np.full(count, self.seed, dtype=np.int64),
            steps=np.full(count, self.steps, dtype=np.int64),
        )
