"""Numbers that belong to isomorphism classes, looked up by code.

Symbols:
    N: architectures asked about.
    C: isomorphism classes in the table.
    K: columns.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from surrogate_nas.errors import SpaceError
from surrogate_nas.space.space import Codes, Space


@dataclass(frozen=True)
class ClassTable:
    """A row of numbers for each class that has a path from input to output.

    Attributes:
        space: Space of the codes.
        names: Names of the K columns.
        codes: Canonical codes, rising in listing order, shape (C, D).
        values: Shape (C, K).
    """

    space: Space
    names: tuple[str, ...]
    codes: Codes
    values: NDArray[np.float64]

    def __post_init__(self) -> None:
        if self.values.shape != (len(self.codes), len(self.names)) or not len(self.codes):
            raise SpaceError(
                f"a table of classes needs one row per code and one value per name, shape ({len(self.codes)},"
                f" {len(self.names)}) with at least one row (got {self.values.shape})"
            )
        places = self.space.index(self.codes)
        if (np.diff(places) <= 0).any() or not np.array_equal(self.codes, self.space.canonical(self.codes)):
            raise SpaceError(
                f"a table of classes needs canonical codes of {self.space.name}, each once, in their order"
            )

    def columns(self, codes: ArrayLike) -> NDArray[np.float64]:
        """Returns rows for codes of shape (N, D), shape (N, K); NaN where the table has none.

        Architectures without a path from input to output compute nothing and get the lowest of each column.
        """
        known = self.space.index(self.codes)
        wanted = self.space.index(self.space.canonical(codes))
        rows = np.minimum(np.searchsorted(known, wanted), len(known) - 1)
        found = np.where((known[rows] == wanted)[:, None], self.values[rows], np.nan)
        dead = ~self.space.is_connected(codes)
        return np.where(dead[:, None], np.nanmin(self.values, axis=0), found)

    def pick(self, names: tuple[str, ...]) -> "ClassTable":
        """Returns the table with the named columns alone, in their order.

        Raises:
            SpaceError: If there is no column of a name.
        """
        if missing := [name for name in names if name not in self.names]:
            raise SpaceError(f"no column {', '.join(missing)}; the table has {', '.join(self.names)}")
        return ClassTable(self.space, names, self.codes, self.values[:, [self.names.index(name) for name in names]])
