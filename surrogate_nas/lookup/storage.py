"""The columns of a lookup table as one Parquet image, and the three files that carry it.

The image is held in memory whole (a megabyte for 15,625 architectures) and its columns are decoded when they are first
asked for. So an open table stays what it was when a study replaces the files meanwhile.
"""

import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from surrogate_nas.errors import RunFolderError, StoreError
from surrogate_nas.files import atomic_write, read_json, write_json

FORMAT = "surrogate_nas lookup table"
SCHEMA_VERSION = 1
# An answer decodes the row group of its row only; smaller groups would make files larger.
_ROW_GROUP = 2048
_DECIMALS = 6
_PERCENT_DECIMALS = 3
_REMEDY = "run the study again to write all three files"


class ParquetColumns:
    """Columns of one Parquet image, decoded on demand."""

    def __init__(self, image: bytes, where: object) -> None:
        """Reads the image's table of contents.

        Args:
            image: The bytes of a Parquet file.
            where: Where they come from, for messages.

        Raises:
            StoreError: If they are not a Parquet file.
        """
        self.image = image
        self._where = where
        try:
            self._file = pq.ParquetFile(pa.BufferReader(image))
        except (pa.ArrowException, OSError) as error:
            raise self._damaged(error) from None
        self.names: list[str] = self._file.schema_arrow.names
        self.num_rows: int = self._file.metadata.num_rows
        groups = [self._file.metadata.row_group(group).num_rows for group in range(self._file.num_row_groups)]
        self._group_ends = np.cumsum(groups)
        self._groups: dict[int, pa.Table] = {}
        self._numbers: dict[str, NDArray[Any]] = {}
        self._letters: dict[str, NDArray[np.uint8]] = {}

    def row(self, row: int, names: Sequence[str] | None = None) -> dict[str, Any]:
        """One row, by column name, all of it or some columns; what is absent is ``None``."""
        group = int(np.searchsorted(self._group_ends, row, side="right"))
        if group not in self._groups:
            try:
                self._groups[group] = self._file.read_row_group(group, use_threads=False)
            except (pa.ArrowException, OSError) as error:
                raise self._damaged(error) from None
        rows = self._groups[group]
        place = row - (int(self._group_ends[group]) - rows.num_rows)
        return {name: rows[name][place].as_py() for name in names or self.names}

    def numbers(self, name: str) -> NDArray[Any]:
        """A column of numbers or truth values, shape (N,); what is absent is NaN."""
        if name not in self._numbers:
            self._numbers[name] = _as_numpy(pa.concat_arrays(self._column(name).chunks))
        return self._numbers[name]

    def letters(self, name: str) -> NDArray[np.uint8]:
        """A column of ASCII texts of one length D as letters, shape (N, D)."""
        if name not in self._letters:
            _, ends, content = pa.concat_arrays(self._column(name).chunks).buffers()
            count = int(np.frombuffer(ends, dtype=np.int32, count=self.num_rows + 1)[-1])
            self._letters[name] = np.frombuffer(content, np.uint8, count=count).reshape(self.num_rows, -1)
        return self._letters[name]

    def write_csv(self, path: Path) -> None:
        """Writes all columns as CSV, rounded to what is meant to be read."""
        # Only writing needs these, and a deployed table that answers should start quickly.
        import pyarrow.compute as pc
        import pyarrow.csv as pa_csv

        table = self._file.read(use_threads=False)
        for position, name in enumerate(self.names):
            if pa.types.is_floating(table.schema.types[position]):
                decimals = _PERCENT_DECIMALS if name.endswith("_percent") else _DECIMALS
                table = table.set_column(position, name, pc.round(table[name], decimals))
        pa_csv.write_csv(table, path, write_options=pa_csv.WriteOptions(quoting_style="needed"))

    def _column(self, name: str) -> pa.ChunkedArray:
        try:
            return self._file.read(columns=[name], use_threads=False)[name]
        except (pa.ArrowException, OSError, KeyError) as error:
            raise self._damaged(error) from None

    def _damaged(self, error: Exception) -> StoreError:
        return StoreError(f"the lookup table is damaged: {self._where}: {' '.join(str(error).split())}")


def _as_numpy(column: pa.Array) -> NDArray[Any]:
    """A column of truth values, whole numbers or floats; what is absent is NaN.

    Made from the buffers, since pyarrow's own conversion imports pandas wherever that is installed, which takes longer
    than everything else here together.
    """
    present, content = column.buffers()
    if pa.types.is_boolean(column.type):
        return np.unpackbits(np.frombuffer(content, dtype=np.uint8), count=len(column), bitorder="little").astype(bool)
    if pa.types.is_integer(column.type):
        return np.frombuffer(content, dtype=np.int64, count=len(column))
    values = np.frombuffer(content, dtype=np.float64, count=len(column))
    if column.null_count:
        bits = np.unpackbits(np.frombuffer(present, dtype=np.uint8), count=len(column), bitorder="little")
        values = np.where(bits, values, np.nan)
    return values


def encode(columns: Mapping[str, NDArray[Any] | pa.Array]) -> bytes:
    """The Parquet image of columns of equal length; NaN becomes absent, as other readers expect it."""
    arrays = {name: pa.array(column, from_pandas=True) for name, column in columns.items()}
    sink = pa.BufferOutputStream()
    pq.write_table(pa.table(arrays), sink, row_group_size=_ROW_GROUP, compression="zstd")
    return bytes(sink.getvalue())


def write_files(folder: Path, columns: ParquetColumns, facts: dict[str, Any]) -> None:
    """Writes lookup.parquet, lookup.csv and lookup.json; the last one vouches for the first.

    Raises:
        RunFolderError: If the folder cannot be written to.
    """
    try:
        with atomic_write(folder / "lookup.parquet") as temporary:
            temporary.write_bytes(columns.image)
        with atomic_write(folder / "lookup.csv") as temporary:
            columns.write_csv(temporary)
        content = {
            "format": FORMAT,
            "schema_version": SCHEMA_VERSION,
            "rows": columns.num_rows,
            "sha256": hashlib.sha256(columns.image).hexdigest(),
            "columns": columns.names,
            **facts,
        }
        write_json(folder / "lookup.json", content)
    except OSError as error:
        raise RunFolderError(f"the lookup table cannot be written to {folder}: {error}") from None


def read_files(path: Path) -> tuple[ParquetColumns, dict[str, Any]]:
    """The columns and facts of a table.

    Args:
        path: The folder that holds the three files, or one of the files beside the others.

    Raises:
        RunFolderError: If there is no table.
        StoreError: If a file is missing, damaged, foreign, or not written together with the others.
    """
    if not path.exists():
        raise RunFolderError(f"there is no {path}; give the run folder of a study, which holds its lookup table")
    parquet = path / "lookup.parquet" if path.is_dir() else path.with_suffix(".parquet")
    facts_path = parquet.with_suffix(".json")
    if path.is_dir() and not parquet.exists() and not facts_path.exists():
        raise RunFolderError(f"{path} has no lookup table yet; the study writes it (python -m surrogate_nas.study)")
    if path.is_file() and path.suffix not in (".parquet", ".json", ".csv"):
        raise RunFolderError(f"a lookup table is a run folder or a .parquet file (got {path})")
    facts = read_json(facts_path, "lookup table metadata")
    if facts.get("format") != FORMAT:
        raise StoreError(f"{facts_path} does not describe a lookup table")
    if facts.get("schema_version") != SCHEMA_VERSION:
        raise StoreError(
            f"the lookup table has schema {facts.get('schema_version')!r}, this version reads {SCHEMA_VERSION}; "
            f"use the version of surrogate_nas that wrote it: {facts_path}"
        )
    try:
        image = parquet.read_bytes()
    except OSError as error:
        raise StoreError(f"the lookup table cannot be read: {error}; {_REMEDY}") from None
    if hashlib.sha256(image).hexdigest() != facts.get("sha256"):
        raise StoreError(
            f"{parquet.name} and {facts_path.name} do not belong together or are damaged; {_REMEDY}: {path}"
        )
    columns = ParquetColumns(image, parquet)
    if columns.num_rows != facts.get("rows") or columns.names != facts.get("columns"):
        raise StoreError(f"{parquet} has not the rows and columns that {facts_path.name} says; {_REMEDY}")
    return columns, facts
