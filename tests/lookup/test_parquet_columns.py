"""Columns as they were, whether decoded at once or when they are used."""

import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from surrogate_nas.errors import StoreError
from surrogate_nas.lookup.parquet_columns import ParquetColumns, encode
from tests._support.stored.test_parquet_texts import varint


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


@pytest.mark.parametrize("use_dictionary", [True, ["code"]])
def test_texts_that_come_again_without_end_are_refused(use_dictionary: Any) -> None:  # noqa: ANN401
    columns = {"code": pa.array(["01" * 20_000]).take(pa.array([0] * 2000)), "flops": pa.array([1.5] * 2000)}
    sink = pa.BufferOutputStream()
    pq.write_table(pa.table(columns), sink, use_dictionary=use_dictionary, compression="snappy")
    image = bytes(sink.getvalue())
    reads: list[Callable[[ParquetColumns], object]] = [
        lambda table: table.row(0),
        lambda table: table.letters("code"),
        lambda table: table.decode_small(),
    ]
    for read in reads:
        with pytest.raises(StoreError, match=r"damaged: here: parts that take 80,\d\d\d,\d\d\d bytes, in a file of"):
            read(ParquetColumns(image, "here"))


def test_a_table_with_dictionaries_is_read_as_one_without() -> None:
    sink = pa.BufferOutputStream()
    pq.write_table(pa.table({"code": CODES, "flops": FLOPS}), sink)
    table = ParquetColumns(bytes(sink.getvalue()), "here")
    table.decode_small()
    assert table.row(1) == {"code": "10", "flops": 2.5}
    assert table.letters("code").T.tolist() == [[*b"01"], [*b"10"]]


def test_values_that_stand_as_differences_are_refused() -> None:
    sink = pa.BufferOutputStream()
    table = pa.table({"code": pa.array(["01" * 20_000] * 2000)})
    encoding = {"code": "DELTA_BYTE_ARRAY"}
    pq.write_table(table, sink, use_dictionary=False, compression="snappy", column_encoding=encoding)
    image = bytes(sink.getvalue())
    with pytest.raises(StoreError, match="damaged: here: "):
        ParquetColumns(image, "here").row(0)


def test_pages_that_take_more_than_the_footer_says_are_refused() -> None:
    table = pa.table({"code": pa.array(["01" * 1000] * 10_000)})
    sink = pa.BufferOutputStream()
    pq.write_table(table, sink, use_dictionary=False, compression="zstd", write_statistics=False)
    image = bytes(sink.getvalue())
    size = pq.ParquetFile(pa.BufferReader(image)).metadata.row_group(0).total_byte_size
    true = varint(size)
    changed = image.replace(true, varint(10_000, len(true)))
    assert changed != image
    with pytest.raises(StoreError, match=r"damaged: here: parts that take 20,\d\d\d,\d\d\d bytes"):
        ParquetColumns(changed, "here").row(0)


def test_columns_of_nothing_are_counted() -> None:
    names = [f"label_{place}" for place in range(900)]
    columns = {"code": pa.array(["01"] * 20_000), **dict.fromkeys(names, pa.nulls(20_000, pa.float64()))}
    sink = pa.BufferOutputStream()
    pq.write_table(pa.table(columns), sink, use_dictionary=False, compression="zstd")
    image = bytes(sink.getvalue())
    with pytest.raises(StoreError, match="20000 rows "):
        ParquetColumns(image, "here").row(0)


def test_rows_that_take_far_more_memory_than_the_file_are_refused() -> None:
    image = image_of(code=pa.array(["01" * 1000] * 100_000))
    sink = pa.BufferOutputStream()
    pq.write_table(pq.read_table(pa.BufferReader(image)), sink, use_dictionary=False, compression="zstd")
    with pytest.raises(StoreError, match="100000 rows that take"):
        ParquetColumns(bytes(sink.getvalue()), "here")
