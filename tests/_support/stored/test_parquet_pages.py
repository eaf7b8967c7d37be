"""Pages of Parquet files by their own headers, whatever the table of contents claims."""

import io
import tracemalloc
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from surrogate_nas._support.stored.parquet_pages import Chunk, Extent, Page, chunks_of, extent_of, pages_of

TEXTS = pa.array([f"{row:05d}" for row in range(5000)])


def written(column: pa.Array, **options: Any) -> bytes:  # noqa: ANN401
    sink = pa.BufferOutputStream()
    pq.write_table(pa.table({"code": column}), sink, **options)
    return bytes(sink.getvalue())


def chunks(content: bytes) -> list[Chunk]:
    return [column for group in chunks_of(io.BytesIO(content)) for column in group]


@pytest.mark.parametrize("dictionary", [True, False])
def test_the_table_of_contents_is_read_as_pyarrow_reads_it(dictionary: bool) -> None:
    sink = pa.BufferOutputStream()
    table = pa.table({"code": TEXTS, "ms": pa.array([*range(4999), None]), "other": TEXTS})
    pq.write_table(table, sink, use_dictionary=dictionary, row_group_size=700)
    content = bytes(sink.getvalue())
    metadata = pq.ParquetFile(io.BytesIO(content)).metadata
    columns = [metadata.row_group(group).column(place) for group in range(8) for place in range(3)]
    assert chunks(content) == [
        (one.data_page_offset, one.dictionary_page_offset, one.total_compressed_size) for one in columns
    ]


@pytest.mark.parametrize(
    ("tail", "message"),
    [
        (b"\0\0\0\0PAR1", "has 0 bytes"),
        (b"\xff\xff\xff\x7fPAR1", "at most 4,194,304 can be read"),
        (bytes([0x49, 0x2C, 0x19, 0x1C, 4, 0, 0, 0]) + b"PAR1", "has no end"),
        (bytes([0x15, 2, 0, 3, 0, 0, 0]) + b"PAR1", "is damaged"),
        # Field 4 is a list of one group, whose field 1 is a list of one column, which describes nothing.
        (bytes([0x49, 0x1C, 0x19, 0x1C, 0, 0, 0, 7, 0, 0, 0]) + b"PAR1", "is damaged"),
    ],
)
def test_a_damaged_table_of_contents_is_refused(tail: bytes, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        chunks(b"PAR1" + bytes(20) + tail)


@pytest.mark.parametrize("version", ["1.0", "2.0"])
@pytest.mark.parametrize("compression", ["none", "snappy", "gzip", "zstd"])
def test_plain_pages_take_what_their_values_take(version: str, compression: str) -> None:
    options = {"data_page_version": version, "compression": compression, "use_dictionary": False}
    content = written(TEXTS, **options, write_page_checksum=True, data_page_size=1000, row_group_size=3000)
    pages = [page for chunk in chunks(content) for page in pages_of(io.BytesIO(content), chunk)]
    assert len(pages) > 4
    assert {(page.encoding, page.is_dictionary) for page in pages} == {(0, False)}
    found = extent_of(io.BytesIO(content), chunks(content))
    assert found.values == 5000
    assert 5000 * 9 <= found.size <= 5000 * 9 + 20 * len(pages)  # four bytes of length, and levels of each page


def test_headers_with_lists_without_end_take_no_memory() -> None:
    count = 300_000
    head = bytes([0x19, 0xFC, 0x80 | count & 127, 0x80 | count >> 7 & 127, 0x80 | count >> 14 & 127, count >> 21])
    tracemalloc.start()
    with pytest.raises(ValueError, match="no header of a page"):
        pages(head + bytes(count) + bytes(1))
    assert tracemalloc.get_traced_memory()[1] < 20 * count
    tracemalloc.stop()


def test_a_dictionary_is_a_page_without_values() -> None:
    content = written(pa.array(["a" * 1000, "b" * 1000]).take(pa.array([0, 1] * 500)))
    first, second = pages_of(io.BytesIO(content), chunks(content)[0])
    assert first.is_dictionary
    assert (first.size, first.values) == (2008, 0)
    assert (second.values, second.is_dictionary) == (1000, False)
    assert second.encoding == 8


def pages(content: bytes) -> list[Page]:
    """Pages of one chunk, which is all of the content."""
    return [*pages_of(io.BytesIO(content), Chunk(0, None, len(content)))]


# Fields 1 to 3 are the kind, the size and the packed size; 5 has values and an encoding.
HEAD, TAIL = bytes([0x15, 0, 0x15, 200, 1, 0x15, 4]), bytes([0x2C, 0x15, 6, 0x15, 0, 0, 0])


def test_fields_of_every_kind_are_passed_over() -> None:
    fields = [
        bytes([0x01, 40]),  # a truth value, of field 20
        bytes([0x13, 7]),
        bytes([0x17, *range(8)]),
        bytes([0x18, 3, *b"abc"]),
        bytes([0x19, 0x21, 1, 2]),  # a list of two truth values
        bytes([0x19, 0xF5, 16, *[1] * 16]),
        bytes([0x1C, 0x15, 2, 0]),
        bytes([0x05, 10, 9]),  # field 5, by its number
    ]
    assert pages(HEAD + b"".join(fields) + bytes([0x0C, 10]) + TAIL[1:] + b"xx") == [Page(100, 3, 0, False)]
    assert pages(HEAD + TAIL + b"xx") == [Page(100, 3, 0, False)]
    assert pages(HEAD + b"\0" + b"xx") == []  # an index, say
    assert extent_of(io.BytesIO(), ()) == Extent(0, 0)


def test_a_header_may_be_long() -> None:
    content = HEAD + bytes([0x18, 0x90, 0x4E]) + bytes(10_000) + bytes([0x1C]) + TAIL[1:] + b"xx"
    assert pages(content) == [Page(100, 3, 0, False)]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", None),
        (b"\0", "no header"),
        (b"PAR1", "unknown kind|no end|no header"),
        (HEAD, "no end"),
        (bytes([0x15, 0, 0x15, 1, 0x15, 4, 0]), "no header"),  # a negative size
        (HEAD + bytes([0x2C, 0x15, 6, 0, 0]), "no header"),  # without an encoding
        (HEAD + TAIL[:-1] + bytes([0x2C, 0x15, 6, 0x15, 0, 0, 0]), "no header"),  # of two kinds
        (bytes([0x1C]) * 50, "nested too deeply"),
        (bytes([0x19, 0x19]) * 50, "nested too deeply|no end|unknown"),
        (bytes([0x15]) + b"\xff" * 20, "too many bytes"),
        (bytes([0x1B, 0, 0]), "unknown kind 11"),
        (bytes([0x18, 100]), "no end"),
    ],
)
def test_what_is_no_header_is_refused(content: bytes, message: str | None) -> None:
    if message is None:
        assert pages(content) == []
        return
    with pytest.raises(ValueError, match=message):
        pages(content)


def test_a_flipped_bit_is_an_error_or_another_page() -> None:
    content = written(TEXTS, compression="snappy")
    (chunk,) = chunks(content)
    for place in range(4, 60):
        for bit in range(8):
            changed = content[:place] + bytes([content[place] ^ 1 << bit]) + content[place + 1 :]
            try:
                found = extent_of(io.BytesIO(changed), [chunk])
            except ValueError:
                continue
            assert min(found) >= 0
