"""A small table of random rows, and how to make others."""

from typing import Any

import numpy as np
import pytest

from surrogate_nas.lookup.metadata import TableMetadata
from surrogate_nas.lookup.table import LookupTable

METADATA = TableMetadata(
    space_name="toy",
    space_fingerprint="0123456789abcdef",
    device="this cpu, 1 thread",
    batch_size=1,
    network={"channels": 16, "cells": 5, "image_size": 32},
    primary_cost="latency_ms",
    created_with="0.1.0",
    seed=3,
    budgets={"latency_ms": 3.0},
    answer="0001",
    notes={"why": ["a test", 1]},
)


def columns_of(count: int, seed: int = 0, ties: bool = False) -> dict[str, Any]:
    """Columns of a table whose codes are numbers of four digits; pairs of rows compute the same."""
    rng = np.random.default_rng(seed)
    codes = [f"{number:04d}" for number in rng.permutation(count)]
    accuracy = rng.uniform(10, 95, count).round(0 if ties else 6)
    latency = (accuracy / 20 + rng.uniform(0.5, 5, count)).round(0 if ties else 6)
    return {
        "codes": codes,
        "architectures": [f"|op{code[0]}~0|+|op{code[1]}, or more~1|" for code in codes],
        "canonical": [f"{int(code) // 2 * 2:04d}" for code in codes],
        "score": accuracy / 10 - 3,
        "predicted_accuracy_percent": accuracy,
        "accuracy_std_percent": rng.uniform(0, 2, count),
        "costs": {"latency_ms": latency, "flops": rng.integers(10**6, 10**8, count)},
        "labels": {"label_accuracy_percent": np.where(rng.random(count) < 0.3, accuracy, np.nan)},
    }


@pytest.fixture(scope="session")
def table() -> LookupTable:
    """Returns a table of 5,000 rows, so of several row groups."""
    return LookupTable.build(METADATA, **columns_of(5000))
