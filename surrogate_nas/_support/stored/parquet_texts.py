"""Reads Parquet tables of any origin, and refuses one that would take too much memory before decoding it."""

from pathlib import Path
from typing import BinaryIO

import pyarrow as pa
import pyarrow.parquet as pq

from surrogate_nas._support.stored.parquet_pages import chunks_of, extent_of
from surrogate_nas._support.words import shown

_MOST_CELLS = 16_000_000
_MOST_BYTES = 2**29
_TEXTS = frozenset({"string", "large_string", "string_view", "binary", "large_binary", "binary_view"})


def read_parquet_texts(path: Path) -> list[tuple[str, list[str]]]:
    """Returns each column's name and cells, which are empty where there is no value.

    Raises:
        OSError, pyarrow.ArrowException, ValueError: If it cannot be read, or is larger than any table of a space.
    """
    # Opened here: pyarrow would look for a missing file in its own way, and expand '~'.
    with path.open("rb") as source:
        table = read_parquet(source)
    return [(name, as_texts(table.column(place))) for place, name in enumerate(table.column_names)]


def read_parquet(source: BinaryIO) -> pa.Table:
    """Returns a table, in which every text is kept once: columns of texts are dictionaries.

    What it takes is known by the headers of its pages and by its types, whatever its table of contents says.

    Raises:
        OSError, pyarrow.ArrowException, ValueError: If it cannot be read, or is larger than any table of a space.
    """
    file = pq.ParquetFile(source)
    metadata, schema = file.metadata, file.schema_arrow
    if nested := [field.name for field in schema if pa.types.is_nested(field.type)]:
        raise ValueError(f"the cells of its column {shown(nested[0])} are lists or records; leave it out")
    groups = [metadata.row_group(group) for group in range(metadata.num_row_groups)]
    _check_extent(
        max(metadata.num_rows, sum(group.num_rows for group in groups)) * metadata.num_columns,
        sum(group.total_byte_size for group in groups),
    )
    chunks = chunks_of(source)
    if [len(columns) for columns in chunks] != [group.num_columns for group in groups]:
        raise ValueError("its table of contents is damaged")
    pages = extent_of(source, (column for columns in chunks for column in columns))
    width = sum(map(_width, schema))
    _check_extent(pages.values, max(pages.size, sum(group.num_rows for group in groups) * width))
    # A text that comes again and again is stored once, and is kept once.
    texts = [field.name for field in schema if _is_text(field.type)]
    table = pq.ParquetFile(source, read_dictionary=texts, page_checksum_verification=True).read(use_threads=False)
    # Damaged pages may name texts that there are not.
    table.validate(full=True)
    return table


def _check_extent(cells: int, size: int) -> None:
    if cells > _MOST_CELLS or size > _MOST_BYTES:
        raise ValueError(
            f"it holds {cells:,} cells of {size:,} bytes; at most {_MOST_CELLS:,} of {_MOST_BYTES:,} can be read"
        )


def _is_text(kind: pa.DataType) -> bool:
    """Returns whether cells are of any length."""
    return pa.types.is_dictionary(kind) or str(kind) in _TEXTS


def _width(field: pa.Field) -> int:
    """Returns the bytes of a cell; a text is kept elsewhere, and the cell holds its number."""
    if _is_text(field.type):
        return 4
    return 0 if pa.types.is_null(field.type) else (int(field.type.bit_width) + 7) // 8


def as_texts(column: pa.ChunkedArray) -> list[str]:
    """Returns the cells of a column as texts, empty where there is no value."""
    texts: list[str] = []
    for chunk in column.chunks:
        if pa.types.is_dictionary(chunk.type):
            known = ["" if value is None else str(value) for value in chunk.dictionary.to_pylist()]
            texts += ["" if place is None else known[place] for place in chunk.indices.to_pylist()]
        else:
            # Through Python, since str keeps every digit of a float and writes an integer without a point.
            texts += ["" if value is None else str(value) for value in chunk.to_pylist()]
    return texts
