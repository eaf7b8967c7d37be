"""Checks the columns of a lookup table: of a new one, and the numbers of one that is read."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from surrogate_nas._support.words import choose_from
from surrogate_nas.costs.cost import COSTS
from surrogate_nas.errors import SettingsError

_NOT_NEGATIVE = ("accuracy_std_percent",)


def checked_columns(
    texts: Mapping[str, Sequence[str]],
    numbers: Mapping[str, ArrayLike],
    costs: Mapping[str, ArrayLike],
    labels: Mapping[str, ArrayLike],
    primary_cost: str,
) -> dict[str, NDArray[Any]]:
    """Returns all columns as arrays of shape (N,), in the order in which they are stored.

    Args:
        texts: Name to N texts; ``code`` among them.
        numbers: Name to values of shape (N,).
        costs: Key of ``costs.cost.COSTS`` to values of shape (N,).
        labels: Name that starts with ``label_`` to percentages of shape (N,), NaN where unknown.
        primary_cost: One of ``costs``.

    Raises:
        SettingsError: If a column does not fit, naming it.
    """
    columns: dict[str, NDArray[Any]] = {name: np.array(values, dtype=object) for name, values in texts.items()}
    codes = columns["code"]
    if not len(codes):
        raise SettingsError("a lookup table needs at least one architecture (got none)")
    if len(set(codes.tolist())) < len(codes) or len({len(code) for code in codes}) > 1:
        raise SettingsError("codes of a lookup table must all differ and be of one width")
    for name in costs:
        if name not in COSTS:
            raise SettingsError(f"unknown cost {name!r}; {choose_from(COSTS, name)}")
    for name in labels:
        if not name.startswith("label_"):
            raise SettingsError(f"the name of a label column must start with 'label_' (got {name!r})")
    if primary_cost not in costs:
        raise SettingsError(f"the primary cost must be one of {', '.join(costs)} (got {primary_cost!r})")
    columns |= {name: np.asarray(values, dtype=np.float64) for name, values in {**numbers, **labels}.items()}
    columns |= {name: _whole_or_float(values) for name, values in costs.items()}
    for name, column in columns.items():
        if column.shape != codes.shape:
            raise SettingsError(f"column {name} needs one value per code, {len(codes)} (got shape {column.shape})")
    for name in (*numbers, *costs, *labels):
        if wrong := wrong_numbers(name, columns[name]):
            raise SettingsError(wrong)
    return columns


def _whole_or_float(values: ArrayLike) -> NDArray[Any]:
    array = np.asarray(values)
    return array.astype(np.int64 if np.issubdtype(array.dtype, np.integer) else np.float64)


def wrong_numbers(name: str, values: NDArray[Any]) -> str:
    """Returns what is wrong with the numbers of a column, in words; empty where nothing is.

    Labels are percentages, NaN where unknown; all other numbers are finite, costs and spreads at least 0.

    Args:
        name: Name of the column.
        values: Its numbers, shape (N,).
    """
    rule, good = "finite", np.isfinite(values)
    if name.startswith("label_"):
        rule, good = "a percentage", np.isnan(values) | ((values >= 0) & (values <= 100))
    elif name in COSTS or name in _NOT_NEGATIVE:
        rule, good = "finite and at least 0", good & (values >= 0)
    if good.all():
        return ""
    row = int(np.argmin(good))
    return f"column {name} must be {rule} (got {values[row]} in row {row})"
