"""The whole space where it is small, a sample where it is not."""

import numpy as np
import pytest

from surrogate_nas.predictor.fusion import reference_set as reference
from surrogate_nas.predictor.fusion.reference_set import reference_codes
from surrogate_nas.space.space import Space


def test_a_small_space_is_its_own_reference(space: Space, monkeypatch: pytest.MonkeyPatch) -> None:
    assert np.array_equal(reference_codes(space, 0), space.all_codes())
    monkeypatch.setattr(reference, "REFERENCE_SIZE", 100)
    first, again, other = (reference_codes(space, seed) for seed in (0, 0, 1))
    assert first.shape == (100, 6)
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)
