"""Arrays are taken only where all of them are what they should be."""

import numpy as np
import pytest

from surrogate_nas.errors import StoreError
from surrogate_nas.predictor.protocol import Arrays
from surrogate_nas.predictor.stored_numbers import Form, checked_arrays

FORMS: dict[str, Form] = {"weights": (1, np.float64), "nodes": (2, np.int64)}
GOOD: Arrays = {"weights": np.zeros(3), "nodes": np.zeros((2, 2), dtype=np.int64)}


def test_good_ones_are_copied() -> None:
    taken = checked_arrays(GOOD, FORMS, "ridge")
    taken["weights"][0] = 1
    assert GOOD["weights"][0] == 0


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("weights", np.zeros((3, 1))),
        ("weights", np.zeros(3, dtype=np.float32)),
        ("nodes", np.zeros((0, 2), dtype=np.int64)),
        ("extra", np.zeros(1)),
    ],
)
def test_one_of_another_form_is_named(name: str, value: np.ndarray) -> None:
    with pytest.raises(StoreError, match=rf"ridge predictor.*wrong or missing: {name}"):
        checked_arrays(GOOD | {name: value}, FORMS, "ridge")


def test_a_missing_one_is_named() -> None:
    with pytest.raises(StoreError, match="wrong or missing: weights"):
        checked_arrays({"nodes": GOOD["nodes"]}, FORMS, "ridge")
