"""Tables of others as text, in little memory."""

import struct
import tracemalloc
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from surrogate_nas._support.stored.parquet_texts import as_texts, read_parquet, read_parquet_texts


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


def varint(number: int, length: int = 0) -> bytes:
    """Returns a whole number as Thrift writes it, padded to a length."""
    number *= 2
    parts: list[int] = []
    while number or len(parts) < max(length, 1):
        parts.append(number & 127)
        number >>= 7
    return bytes([*(part | 128 for part in parts[:-1]), parts[-1]])


@pytest.mark.parametrize("compression", ["zstd", "gzip", "snappy"])
def test_pages_are_refused_by_what_they_take_and_not_by_what_the_footer_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, compression: str
) -> None:
    path = tmp_path / "t.parquet"
    table = pa.table({"code": pa.array(["0" * 2000 + str(row) for row in range(1000)])})
    pq.write_table(table, path, compression=compression, use_dictionary=False, write_statistics=False)
    size = pq.ParquetFile(path).metadata.row_group(0).total_byte_size
    true = varint(size)
    content = path.read_bytes()
    assert content.count(true) >= 1
    path.write_bytes(content.replace(true, varint(1000, len(true))))
    assert pq.ParquetFile(path).metadata.row_group(0).total_byte_size == 1000
    monkeypatch.setattr("surrogate_nas._support.stored.parquet_texts._MOST_BYTES", 10**6)
    with pytest.raises(ValueError, match=r"it holds 1,000 cells of 2,\d\d\d,\d\d\d bytes; at most .* of 1,000,000"):
        read_parquet_texts(path)


def test_wide_cells_that_come_again_are_counted_one_by_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "t.parquet"
    pq.write_table(pa.table({"code": pa.array([b"0" * 2000] * 1000, pa.binary(2000))}), path)
    monkeypatch.setattr("surrogate_nas._support.stored.parquet_texts._MOST_BYTES", 10**6)
    with pytest.raises(ValueError, match="it holds 1,000 cells of 2,000,000 bytes"):
        read_parquet_texts(path)


def test_cells_that_are_lists_are_refused_with_their_column(tmp_path: Path) -> None:
    path = tmp_path / "t.parquet"
    pq.write_table(pa.table({"code": ["0"], "tags": [["a", "b"]]}), path)
    with pytest.raises(ValueError, match="the cells of its column 'tags' are lists or records; leave it out"):
        read_parquet_texts(path)


@pytest.mark.parametrize("kind", [pa.large_string(), pa.string_view(), pa.dictionary(pa.int32(), pa.string())])
def test_texts_of_every_type_are_kept_once(tmp_path: Path, kind: pa.DataType) -> None:
    path = tmp_path / "t.parquet"
    texts = pa.array(["a", None, "a"])
    column = texts.dictionary_encode() if pa.types.is_dictionary(kind) else texts.cast(kind)
    pq.write_table(pa.table({"code": column, "none": pa.nulls(3), "yes": [True, None, False]}), path)
    with path.open("rb") as source:
        table = read_parquet(source)
    assert pa.types.is_dictionary(table["code"].type)
    assert as_texts(table["code"]) == ["a", "", "a"]
    assert as_texts(table["none"]) == [""] * 3
    assert as_texts(table["yes"]) == ["True", "", "False"]


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
