"""Tables of others as text, in little memory."""

import struct
import tracemalloc
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from surrogate_nas._support.parquet_texts import read_parquet_texts


def test_cells_are_what_they_were(tmp_path: Path) -> None:
    path = tmp_path / "t.parquet"
    table = pa.table({"code": ["007", None, "007"], "ms": [1.1, 2.0, None], "n": [1, 2, 3], "b": [b"x", b"y", None]})
    for options in ({}, {"use_dictionary": False}, {"row_group_size": 1}):
        pq.write_table(table, path, **options)
        assert read_parquet_texts(path) == [
            ("code", ["007", "", "007"]),
            ("ms", ["1.1", "2.0", ""]),
            ("n", ["1", "2", "3"]),
            ("b", ["b'x'", "b'y'", ""]),
        ]


def test_a_text_that_comes_again_is_kept_once(tmp_path: Path) -> None:
    path = tmp_path / "t.parquet"
    pq.write_table(pa.table({"code": pa.array(["0" * 2000]).take(pa.array([0] * 100_000))}), path, compression="zstd")
    before = pa.total_allocated_bytes()
    tracemalloc.start()
    [(_, texts)] = read_parquet_texts(path)
    peak = tracemalloc.get_traced_memory()[1] + pa.total_allocated_bytes() - before
    tracemalloc.stop()
    assert texts == ["0" * 2000] * 100_000
    assert peak < 20e6


def test_more_cells_than_any_table_has_are_refused_before_they_take_memory(tmp_path: Path) -> None:
    path = tmp_path / "t.parquet"
    pq.write_table(pa.table({"code": pa.nulls(16_000_001, pa.int32())}), path)
    assert path.stat().st_size < 100_000
    with pytest.raises(ValueError, match="it holds 16,000,001 cells"):
        read_parquet_texts(path)


def test_bytes_that_are_no_text_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "t.parquet"
    content = pa.array([b"\xff\xfe"], pa.binary())
    pq.write_table(pa.table({"code": pa.Array.from_buffers(pa.string(), 1, content.buffers())}), path)
    with pytest.raises(ValueError, match="UTF8"):
        read_parquet_texts(path)


def test_a_page_with_another_checksum_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "t.parquet"
    values = [1.5, 2.5, 3.5]
    options = {"use_dictionary": False, "write_page_checksum": True, "compression": "none"}
    pq.write_table(pa.table({"ms": values}), path, **options)
    whole = path.read_bytes()
    # The header of the page has the least and the largest value too.
    place = whole.index(struct.pack("<d", 2.5))
    path.write_bytes(whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1 :])
    with pytest.raises(OSError, match="CRC"):
        read_parquet_texts(path)
