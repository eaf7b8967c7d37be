"""Columns as they were, whether decoded at once or when they are used."""

import re
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from surrogate_nas.errors import StoreError
from surrogate_nas.lookup.parquet_columns import ParquetColumns, encode


@pytest.mark.parametrize("at_once", [False, True])
def test_columns_come_back_exactly(at_once: bool) -> None:
    rng = np.random.default_rng(0)
    count = 5001
    columns: dict[str, Any] = {
        "code": np.array([f"{row:05d}" for row in range(count)], dtype=object),
        "label_ratio": np.where(rng.random(count) < 0.5, rng.uniform(0, 100, count), np.nan),
        "count": rng.integers(0, 2**62, count),
        "pareto": rng.random(count) < 0.5,
    }
    decoded = ParquetColumns(encode(columns), "a test")
    if at_once:
        decoded.decode_small()
    for name in ("label_ratio", "count", "pareto"):
        np.testing.assert_array_equal(decoded.numbers(name), columns[name])
        assert decoded.numbers(name).dtype == columns[name].dtype
    assert ["".join(map(chr, row)) for row in decoded.letters("code").T.tolist()] == columns["code"].tolist()
    for row in (0, 1, 2047, 2048, 4095, 4096, 5000):
        values = decoded.row(row)
        assert (values["code"], values["count"], values["pareto"]) == (
            columns["code"][row],
            columns["count"][row],
            columns["pareto"][row],
        )
        assert values["label_ratio"] == (None if np.isnan(columns["label_ratio"][row]) else columns["label_ratio"][row])


def test_bytes_that_are_no_parquet_file_are_refused() -> None:
    with pytest.raises(StoreError, match="the lookup table is damaged: here"):
        ParquetColumns(b"PAR1 but no more", "here")


def image_of(**columns: pa.Array) -> bytes:
    names, arrays = zip(*((name.rstrip("_"), column) for name, column in columns.items()), strict=True)
    sink = pa.BufferOutputStream()
    pq.write_table(pa.Table.from_arrays(arrays, names), sink, use_dictionary=False, compression="snappy")
    return bytes(sink.getvalue())


CODES, FLOPS = pa.array(["01", "10"]), pa.array([1.5, 2.5])
NOT_TEXT = pa.Array.from_buffers(pa.string(), 2, [None, *pa.array([b"\xff\xfe", b"ab"], pa.binary()).buffers()[1:]])


@pytest.mark.parametrize(
    "columns",
    [
        {"code": CODES, "flops": pa.array([1, 2], pa.int32())},
        {"code": CODES, "flops": pa.array([1, 2], pa.float32())},
        {"code": CODES.cast(pa.large_string()), "flops": FLOPS},
        {"code": CODES.dictionary_encode(), "flops": FLOPS},
        {"code": CODES.cast(pa.binary()), "flops": FLOPS},
        {"code": CODES, "flops": pa.array([[1.0], [2.0]])},
        {"code": CODES, "code_": CODES, "flops": FLOPS},
        {"code": CODES[:0], "flops": FLOPS[:0]},
        {"code": NOT_TEXT, "flops": FLOPS},
        {"code": pa.array(["0", "101"]), "flops": FLOPS},
        {"code": pa.array([None, "10"]), "flops": FLOPS},
        {"code": CODES, "flops": pa.array([None, 1.0])},
        {"code": CODES, "flops": pa.array([None, None], pa.float64())},
        {"code": CODES, "flops": pa.array([None, 1], pa.int64())},
        {"code": pa.array([1, 10]), "flops": FLOPS},
        {"code": CODES, "flops": pa.array(["x", "y"])},
        {"code": CODES, "flops": pa.array([float("nan"), 1.0])},
        {"code": CODES, "flops": pa.array([float("inf"), 1.0])},
        {"code": CODES, "flops": pa.array([-1, 1], pa.int64())},
        {"code": CODES, "flops": FLOPS, "pareto": pa.array([1, 0])},
    ],
    ids=lambda columns: " ".join(f"{name}:{column.type}" for name, column in columns.items()),
)
@pytest.mark.parametrize("at_once", [False, True])
def test_columns_that_are_never_written_are_refused(columns: dict[str, pa.Array], at_once: bool) -> None:
    with pytest.raises(StoreError, match="the lookup table is damaged: here: ") as caught:
        use(ParquetColumns(image_of(**columns), "here"), at_once)
    assert len(str(caught.value)) < 300


@pytest.mark.parametrize(
    ("name", "values", "message"),
    [
        ("predicted_accuracy_percent", [1.0, float("nan")], "must be finite (got nan in row 1)"),
        ("accuracy_std_percent", [-1.0, 1.0], "must be finite and at least 0 (got -1.0 in row 0)"),
        ("label_trained_percent", [float("nan"), 101.0], "must be a percentage (got 101.0 in row 1)"),
    ],
)
def test_numbers_that_no_table_has_are_refused_with_their_place(name: str, values: list[float], message: str) -> None:
    with pytest.raises(StoreError, match=re.escape(f"damaged: here: column {name} {message}")):
        ParquetColumns(image_of(code=CODES, flops=FLOPS, **{name: pa.array(values)}), "here").decode_small()


def test_a_name_of_a_column_that_is_no_text_is_refused() -> None:
    image = image_of(code=CODES, flops=FLOPS)
    with pytest.raises(StoreError, match="the lookup table is damaged: here: "):
        ParquetColumns(image.replace(b"flops", b"fl\xffps"), "here")


def use(decoded: ParquetColumns, at_once: bool) -> None:
    if at_once:
        decoded.decode_small()
    decoded.letters("code")
    decoded.numbers("flops")
    decoded.row(0)


def test_rows_that_take_far_more_memory_than_the_file_are_refused() -> None:
    image = image_of(code=pa.array(["01" * 1000] * 100_000))
    sink = pa.BufferOutputStream()
    pq.write_table(pq.read_table(pa.BufferReader(image)), sink, use_dictionary=False, compression="zstd")
    with pytest.raises(StoreError, match="100000 rows that take"):
        ParquetColumns(bytes(sink.getvalue()), "here")
