"""The architectures among which ranks are taken."""

import numpy as np

from surrogate_nas.predictor.protocol import Codes
from surrogate_nas.space.space import Space

REFERENCE_SIZE = 20_000


def reference_codes(space: Space, seed: int) -> Codes:
    """The whole space where it can be listed and is small enough, a uniform sample otherwise, shape (R, D)."""
    if space.listable and space.size <= REFERENCE_SIZE:
        return space.all_codes()
    return space.sample(REFERENCE_SIZE, np.random.default_rng(seed))
