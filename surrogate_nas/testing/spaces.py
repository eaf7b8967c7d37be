"""Conformance kit."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from surrogate_nas.space.graphs import FIRST_TYPE
from surrogate_nas.space.space import Space


def live_operations(space: Space, codes: ArrayLike) -> NDArray[np.int64]:
    """Returns the number of operations on a path from input to output, identities included, shape (N,)."""
    checked, types = space.check(codes), space.graph_types
    parts = np.array_split(checked, max(1, len(checked) // 4096))
    kinds = [space.graphs(part).operations for part in parts]
    live = [((kind >= FIRST_TYPE) & (kind < types.number - types.marks)).sum(axis=1) for kind in kinds]
    return np.concatenate(live)
