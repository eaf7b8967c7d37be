"""Predicts latencies of chains too large to enumerate: a value for every choice of a layer, fitted to a table's rows.

Rows are fewer than choices as a rule. So an operation costs about the same in layers near each other, as far as rows
left out of the fit bear this out.

Symbols:
    M: rows of the table. D: layers. F: choices of all layers but the first one of each, and one.
"""

from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from surrogate_nas._support.words import choose_from
from surrogate_nas.errors import CostTableError, SettingsError
from surrogate_nas.hardware.protocol import CostSource
from surrogate_nas.hardware.regression.features import ChainFeatures
from surrogate_nas.hardware.regression.sparse import fit_views
from surrogate_nas.hardware.regression.weighted_sum import weighted_sum
from surrogate_nas.hardware.tables.cell_numbers import positive_numbers
from surrogate_nas.hardware.tables.device_columns import code_column, device_column
from surrogate_nas.hardware.tables.full import TableLatency
from surrogate_nas.hardware.tables.latency_units import UNITS, doubt_of_unit
from surrogate_nas.hardware.tables.predicted import is_own, read_conditions, read_drift, require_own, typical_error
from surrogate_nas.hardware.tables.row_codes import code_texts, parse_rows, require_once
from surrogate_nas.hardware.tables.text_columns import read_columns
from surrogate_nas.space.layouts import ChoosesSize, decides_by_layer
from surrogate_nas.space.space import Codes, Space

_FEWEST_ROWS = 30
_MANY_ROWS = 1_000  # from here on each choice is in so many that layers need not learn from each other
_REFERENCE = 2_000  # architectures that features are scaled by
# Small compared to counts of hundreds: a choice that hardly any row has gets the cost of the first choice.
_RIDGE = 0.1
_FLOOR = 0.25  # of the smallest latency in the table; a sum that is not one may come out below zero


def read_latencies(space: Space, path: Path, device: str, unit: str = "auto") -> CostSource:
    """Returns the latencies of a table, which predicts from its rows where the space is too large to enumerate.

    Raises:
        CostTableError: If the table cannot be read, is not complete or not large enough, or latencies of the space
            follow from pieces as well: see ``needs_pieces``.
    """
    if needs_pieces(space):
        raise CostTableError(
            f"{path}: {space.name} is too large to list, and its architectures differ in size: it takes a table of one"
            " device, the study's own"
        )
    return (TableLatency if space.listable else LayerLatency)(space, path, device, unit)


def require_latencies(space: Space, path: Path, device: str, unit: str = "auto") -> None:
    """Refuses a table that a study could not use.

    Raises:
        CostTableError: If it cannot be read, or is not complete or not large enough.
    """
    if space.listable:
        read_latencies(space, path, device, unit)
    else:
        read_rows(space, path, device, unit)


def needs_pieces(space: Space) -> bool:
    """Returns whether a table has some rows alone, from which others follow by the pieces that networks consist of."""
    return not space.listable and not _adds_up(space)


def rows_needed(space: Space) -> int:
    """Returns how many rows a latency table needs: one for every architecture, or some of a space too large to list."""
    return space.size if space.listable else _FEWEST_ROWS


def _adds_up(space: Space) -> bool:
    """Returns whether a latency is roughly a sum over the decisions: each of them concerns one layer."""
    return not isinstance(space, ChoosesSize) and decides_by_layer(space.layout(space.network))


class Rows(NamedTuple):
    """Some architectures of a table, with their latencies.

    Attributes:
        device: The column that was read.
        codes: As written, shape (M, D).
        ms: Shape (M,).
    """

    device: str
    codes: Codes
    ms: NDArray[np.float64]


def read_rows(space: Space, path: Path, device: str, unit: str = "auto") -> Rows:
    """Returns the rows of a table of a part of the space.

    Args:
        space: A space too large to list.
        path: The file, ``.csv`` or ``.parquet``, with some of its architectures.
        device: The column; ``auto`` takes the only one.
        unit: As in ``TableLatency``.

    Raises:
        CostTableError: If the file cannot be read, has too few rows, or has a row twice.
    """
    columns = read_columns(path)
    require_own(path, space, unit)
    key = code_column(columns)
    column = device_column(columns, device)
    texts, needed = code_texts(space, columns, key), rows_needed(space)
    if len(texts) < needed:
        raise CostTableError(
            f"{path}: latencies of {space.name} need at least {needed} architectures (got {len(texts)}); measure more"
            " of them"
        )
    codes = np.array(parse_rows(space, texts, columns, key))
    require_once(columns, key, np.unique(codes, axis=0, return_inverse=True)[1].reshape(-1))
    values = positive_numbers(columns, column) * UNITS[unit]
    # Measurements that this project wrote are in milliseconds, even if they are small.
    doubt = None if is_own(path) else doubt_of_unit(values, column, unit)
    if doubt is not None:
        raise CostTableError(f"{path}, column {column}: {doubt}")
    return Rows(column, codes, values)


class LayerLatency:
    """Latency of a chain as a sum over its layers, fitted to the rows of a table.

    Args:
        space: A chain; codes mean architectures as written.
        path: The file, ``.csv`` or ``.parquet``, with some of its architectures.
        device: The column; ``auto`` takes the only one.
        unit: As in ``TableLatency``.

    Raises:
        CostTableError: If the file cannot be read, has too few rows, or has a row twice.
    """

    names: tuple[str, ...] = ("latency_ms",)

    def __init__(self, space: Space, path: Path, device: str, unit: str = "auto") -> None:
        self._space, self._path = space, path
        self._device, codes, values = read_rows(space, path, device, unit)
        codes = space.effective(codes)  # one network has one latency, whichever of its codes is asked for
        self._rows, self._floor = len(values), _FLOOR * float(values.min())
        if len(values) < _MANY_ROWS:
            self._weights, errors = _fit_few(space, codes.tobytes(), values.tobytes())
        else:
            self._weights, left_out = _fit(self._features(codes), values)
            errors = values / np.maximum(left_out, self._floor) - 1
        self._drift = read_drift(path)
        self._held_out = errors + self._drift
        self._measured_with = read_conditions(path)

    def evaluate(self, codes: ArrayLike) -> dict[str, NDArray[np.float64]]:
        """Returns predicted latency in ms of codes (N, D), shape (N,); at least a quarter of the table's smallest."""
        predicted = weighted_sum(self._features(self._space.effective(codes)), self._weights)
        return {"latency_ms": np.maximum(predicted, self._floor)}

    def relative_error(self, cost: str) -> float | None:
        """Returns the median relative error on rows left out of the fit.

        Raises:
            SettingsError: If the cost is not the latency.
        """
        return typical_error(self.held_out_errors(cost), self._drift)

    def held_out_errors(self, cost: str) -> NDArray[np.float64]:
        """Returns measured / predicted - 1 of each row left out of the fit, shape (M,).

        Raises:
            SettingsError: If the cost is not the latency.
        """
        if cost not in self.names:
            raise SettingsError(f"unknown cost {cost!r}; {choose_from(self.names, cost)}")
        return self._held_out

    def describe(self) -> dict[str, Any]:
        """Returns file, column, and how the table was used."""
        said = {
            "kind": "table",
            "file": self._path.name,
            "device": self._device,
            "measured_with": self._measured_with,
            "architectures": self._rows,
            "notes": [f"a sum over layers, fitted to {self._rows:,} architectures of the table"],
        }
        return {"latency_ms": said}

    def _features(self, codes: Codes) -> NDArray[np.float64]:
        """Returns ones, and for each layer an indicator of each of its choices but the first, shape (N, F)."""
        chosen = [
            codes[:, [column]] == np.arange(1, len(decision.choices))
            for column, decision in enumerate(self._space.decisions)
        ]
        return np.hstack([np.ones((len(codes), 1)), *chosen]).astype(np.float64)


def _fit(features: NDArray[np.float64], values: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Returns the weights (F,) of the ridge regression, and its prediction for each row without that row, (M,)."""
    penalty = np.full(features.shape[1], _RIDGE)
    penalty[0] = 0.0
    inverse = np.linalg.inv(features.T @ features + np.diag(penalty))
    weights = inverse @ features.T @ values
    leverage = np.einsum("mf,fg,mg->m", features, inverse, features, optimize=True)
    residual = (values - features @ weights) / (1 - leverage)
    return weights, np.asarray(values - residual)


# A study reads the table of a device several times, and each fit takes seconds.
@lru_cache(maxsize=16)
def _fit_few(space: Space, codes: bytes, values: bytes) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Returns weights of indicators of choices, (F,), and errors of rows left out, where layers learn from others.

    Args:
        space: The space.
        codes: Bytes of the codes, shape (M, D).
        values: Bytes of the latencies, shape (M,), in ms.
    """
    measured = np.frombuffer(codes, dtype=np.int8).reshape(-1, space.num_decisions)
    choices = [len(decision.choices) for decision in space.decisions]
    reference = space.sample(_REFERENCE, np.random.default_rng(0))
    features = ChainFeatures(np.concatenate([reference, measured]), max(choices))
    fit = fit_views(features.views(measured), np.frombuffer(values), seed=0, least=_FLOOR, rounds=False)
    # All features are sums over layers, so a change of one layer gives the value of its choice.
    base = np.zeros(space.num_decisions, dtype=np.int8)
    changed = [base] + [
        np.where(np.arange(len(base)) == layer, np.int8(choice), base)
        for layer, of_layer in enumerate(choices)
        for choice in range(1, of_layer)
    ]
    sums = fit.sums(features.views(np.stack(changed)))
    return np.array([sums[0], *(sums[1:] - sums[0])]), fit.errors
