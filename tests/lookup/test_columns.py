"""A new table refuses wrong columns, with the right words."""

import re
from typing import Any

import numpy as np
import pytest

from surrogate_nas.errors import SettingsError
from surrogate_nas.lookup.columns import checked_columns, wrong_numbers

GOOD: dict[str, Any] = {
    "texts": {"code": ["00", "01"], "architecture": ["a", "b"], "canonical": ["00", "00"]},
    "numbers": {"score": [1, 2], "accuracy_std_percent": [0.0, 1.0]},
    "costs": {"latency_ms": [1.5, 2.5], "flops": [10, 20]},
    "labels": {"label_accuracy_percent": [np.nan, 100]},
    "primary_cost": "latency_ms",
}


def test_columns_come_in_the_order_of_the_file_with_whole_costs_whole() -> None:
    columns = checked_columns(**GOOD)
    assert list(columns) == [
        "code", "architecture", "canonical", "score", "accuracy_std_percent", "label_accuracy_percent",
        "latency_ms", "flops",
    ]  # fmt: skip
    assert columns["flops"].dtype == np.int64
    assert {columns[name].dtype.name for name in ("score", "latency_ms", "label_accuracy_percent")} == {"float64"}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"texts": {"code": [], "architecture": []}}, "at least one architecture (got none)"),
        ({"texts": {"code": ["00", "00"]}}, "must all differ"),
        ({"texts": {"code": ["00", "000"]}}, "be of one width"),
        ({"texts": {"code": ["00", "01"], "architecture": ["a"]}}, "column architecture needs one value per code, 2"),
        ({"numbers": {"score": [1, 2, 3]}}, "column score needs one value per code, 2 (got shape (3,))"),
        ({"numbers": {"score": [1, np.nan]}}, "column score must be finite (got nan in row 1)"),
        ({"numbers": {"accuracy_std_percent": [-1, 0]}}, "must be finite and at least 0 (got -1.0 in row 0)"),
        ({"costs": {"latency_ms": [1, np.inf]}}, "column latency_ms must be finite and at least 0 (got inf in row 1)"),
        ({"costs": {"latency_ms": [-1, 2]}}, "column latency_ms must be finite and at least 0 (got -1 in row 0)"),
        ({"costs": {"latency": [1, 2]}}, "unknown cost 'latency'; choose from latency_ms, flops, params"),
        ({"labels": {"accuracy": [1, 2]}}, "must start with 'label_' (got 'accuracy')"),
        ({"labels": {"label_a": [1, 101]}}, "column label_a must be a percentage (got 101.0 in row 1)"),
        ({"primary_cost": "params"}, "one of latency_ms, flops (got 'params')"),
    ],
)
def test_what_is_refused(change: dict[str, Any], message: str) -> None:
    with pytest.raises(SettingsError, match=re.escape(message)):
        checked_columns(**{**GOOD, **change})


def test_numbers_of_columns_are_judged_by_what_they_are() -> None:
    assert not wrong_numbers("score", np.array([-1.0, 2.0]))
    assert not wrong_numbers("label_a", np.array([np.nan, 100.0]))
    assert wrong_numbers("latency_ms[phone]", np.array([1.0, -2.0])) == (
        "column latency_ms[phone] must be finite and at least 0 (got -2.0 in row 1)"
    )
