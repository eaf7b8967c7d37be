"""Reads a Parquet table of any origin as text, and refuses one that would take too much memory before decoding it."""

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

_MOST_CELLS = 16_000_000
_MOST_BYTES = 2**30


def read_parquet_texts(path: Path) -> list[tuple[str, list[str]]]:
    """Returns each column's name and cells, which are empty where there is no value.

    Raises:
        OSError, pyarrow.ArrowException, ValueError: If it cannot be read, or is larger than any table of a space.
    """
    # Opened here: pyarrow would look for a missing file in its own way, and expand '~'.
    with path.open("rb") as source:
        file = pq.ParquetFile(source)
        metadata, schema = file.metadata, file.schema_arrow
        size = sum(metadata.row_group(group).total_byte_size for group in range(metadata.num_row_groups))
        cells = metadata.num_rows * metadata.num_columns
        if cells > _MOST_CELLS or size > _MOST_BYTES:
            raise ValueError(
                f"it holds {cells:,} cells of {size:,} bytes; at most {_MOST_CELLS:,} of {_MOST_BYTES:,} can be read"
            )
        # A text that comes again and again is stored once, and is kept once.
        texts = [field.name for field in schema if pa.types.is_string(field.type) or pa.types.is_binary(field.type)]
        table = pq.ParquetFile(source, read_dictionary=texts, page_checksum_verification=True).read(use_threads=False)
        # Damaged pages may name texts that there are not.
        table.validate(full=True)
    return [(name, _as_texts(table.column(place))) for place, name in enumerate(table.column_names)]


def _as_texts(column: pa.ChunkedArray) -> list[str]:
    texts: list[str] = []
    for chunk in column.chunks:
        if pa.types.is_dictionary(chunk.type):
            known = ["" if value is None else str(value) for value in chunk.dictionary.to_pylist()]
            texts += ["" if place is None else known[place] for place in chunk.indices.to_pylist()]
        else:
            # Through Python, since str keeps every digit of a float and writes an integer without a point.
            texts += ["" if value is None else str(value) for value in chunk.to_pylist()]
    return texts
