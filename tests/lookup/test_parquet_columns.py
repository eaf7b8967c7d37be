"""Columns as they were, whether decoded at once or when they are used."""

from typing import Any

import numpy as np
import pytest

from surrogate_nas.errors import StoreError
from surrogate_nas.lookup.parquet_columns import ParquetColumns, encode


@pytest.mark.parametrize("at_once", [False, True])
def test_columns_come_back_exactly(at_once: bool) -> None:
    rng = np.random.default_rng(0)
    count = 5001
    columns: dict[str, Any] = {
        "code": np.array([f"{row:05d}" for row in range(count)], dtype=object),
        "ratio": np.where(rng.random(count) < 0.5, rng.normal(size=count), np.nan),
        "count": rng.integers(0, 2**62, count),
        "flag": rng.random(count) < 0.5,
    }
    decoded = ParquetColumns(encode(columns), "a test")
    if at_once:
        decoded.decode_small()
    for name in ("ratio", "count", "flag"):
        np.testing.assert_array_equal(decoded.numbers(name), columns[name])
        assert decoded.numbers(name).dtype == columns[name].dtype
    assert ["".join(map(chr, row)) for row in decoded.letters("code").T.tolist()] == columns["code"].tolist()
    for row in (0, 1, 2047, 2048, 4095, 4096, 5000):
        values = decoded.row(row)
        assert (values["code"], values["count"], values["flag"]) == (
            columns["code"][row],
            columns["count"][row],
            columns["flag"][row],
        )
        assert values["ratio"] == (None if np.isnan(columns["ratio"][row]) else columns["ratio"][row])


def test_bytes_that_are_no_parquet_file_are_refused() -> None:
    with pytest.raises(StoreError, match="the lookup table is damaged: here"):
        ParquetColumns(b"PAR1 but no more", "here")
