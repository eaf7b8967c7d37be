"""Checks stored arrays against the form of a fitted scorer."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from surrogate_nas.errors import StoreError
from surrogate_nas.predictor.protocol import StoredArrays

# Number of dimensions and kind of numbers.
Form = tuple[int, type[np.generic]]


def checked_arrays(arrays: StoredArrays, forms: Mapping[str, Form], kind: str) -> dict[str, NDArray[Any]]:
    """Returns copies of the arrays after a check of their names and forms; none may be missing, extra or empty.

    Args:
        arrays: As stored.
        forms: Expected forms, by name.
        kind: Name of the model, for the message.

    Raises:
        StoreError: If they do not belong to such a model.
    """
    wrong = sorted(name for name in forms.keys() | arrays.keys() if not _has_form(arrays.get(name), forms.get(name)))
    if wrong:
        raise wrong_numbers(kind, wrong)
    return {name: np.array(values) for name, values in arrays.items()}


def _has_form(values: NDArray[np.generic] | None, form: Form | None) -> bool:
    return values is not None and form is not None and (values.ndim, values.dtype.type) == form and values.size > 0


def wrong_numbers(kind: str, names: list[str]) -> StoreError:
    """Returns the error for numbers that do not belong together."""
    return StoreError(
        f"the stored numbers do not belong to a {kind} predictor of this space"
        f" (wrong or missing: {', '.join(names[:3])})"
    )
