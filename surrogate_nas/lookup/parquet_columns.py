"""The columns of a lookup table as one Parquet image, decoded when they are first used.

The image is held in memory whole (a megabyte for 15,625 architectures), so an open table stays what it was when a study
replaces the files meanwhile.
"""

import io
from bisect import bisect_right
from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from surrogate_nas._support.files import UNREADABLE
from surrogate_nas._support.stored.parquet_pages import Chunk, Page, chunks_of, pages_of
from surrogate_nas.errors import StoreError
from surrogate_nas.lookup.columns import wrong_numbers

# An answer decodes the row groups of its rows only; smaller groups would make files larger.
_ROW_GROUP = 2048
# Tables of so many groups are decoded at once, in milliseconds, so that their first answer is as quick as any other.
_AT_ONCE = 32
_DECIMALS = 6
_PERCENT_DECIMALS = 3
_TEXTS = ("code", "architecture", "canonical")
_NUMBERS = (pa.int64(), pa.float64())
_TYPES = {**dict.fromkeys(_TEXTS, (pa.string(),)), "pareto": (pa.bool_(),)}
"""Of the columns that hold no numbers."""
_UNREADABLE = (pa.ArrowException, OSError, *UNREADABLE)
# Snappy makes nothing smaller than a twentieth.
_MOST_TIMES = 50
_NUMBER_BYTES, _MOST_ABSENT_BYTES = 8, 2**26
_ENCODINGS = (0, 2, 3, 8)  # plain values, runs of truth values, and places in a dictionary, of two versions


class _Texts:
    """Texts of a column, cut out of one buffer when they are used."""

    def __init__(self, column: pa.Array) -> None:
        _, ends, content = column.buffers()
        self._ends = np.frombuffer(ends, dtype=np.int32, count=len(column) + 1)
        # A column of empty texts may have no buffer.
        self.content = memoryview(content if content is not None else b"")[: self._ends[-1]]

    @property
    def are_of_one_length(self) -> bool:
        """True where all texts take as many bytes."""
        lengths = np.diff(self._ends)
        return bool((lengths == lengths[0]).all())

    def __getitem__(self, row: int) -> str:
        return str(self.content[self._ends[row] : self._ends[row + 1]], "utf-8")


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
        except _UNREADABLE as error:
            raise self._damaged(error) from None
        self._check_schema()
        self.names: list[str] = self._file.schema_arrow.names
        self.num_rows: int = self._file.metadata.num_rows
        self._group_ends: list[int] = np.cumsum([group.num_rows for group in self._chunks()]).tolist()
        self._known_pages: dict[tuple[int, int], Sequence[Page]] = {}
        self._unpacked = 0
        self._groups: dict[int, dict[str, NDArray[Any] | _Texts]] = {}
        self._numbers: dict[str, NDArray[Any]] = {}
        self._letters: dict[str, NDArray[np.uint8]] = {}

    def _check_schema(self) -> None:
        """Refuses columns that ``encode`` does not write, before anything is decoded."""
        schema, rows = self._file.schema_arrow, self._file.metadata.num_rows
        if len(set(schema.names)) < len(schema.names):
            raise self._damaged("two columns have one name")
        for field in schema:
            if field.type not in _TYPES.get(field.name, _NUMBERS):
                raise self._damaged(f"column {field.name} is of type {field.type}")
        size = sum(group.total_byte_size for group in self._chunks())
        if not 0 < rows <= size <= _MOST_TIMES * len(self.image):
            raise self._damaged(f"{rows} rows that take {size} bytes")
        if sum(group.num_rows for group in self._chunks()) != rows:
            raise self._damaged(f"its parts do not have {rows} rows together")
        # Absent labels take memory, and nothing in the file.
        if rows * _NUMBER_BYTES * len(schema.names) > _MOST_TIMES * len(self.image) + _MOST_ABSENT_BYTES:
            raise self._damaged(f"{rows} rows of {len(schema.names)} columns in {len(self.image)} bytes")

    def _chunks(self) -> list[Any]:
        """Returns the entries of row groups in the table of contents."""
        return [self._file.metadata.row_group(group) for group in range(self._file.metadata.num_row_groups)]

    def _read(self, groups: Sequence[int], columns: Sequence[str] | None = None) -> pa.Table:
        """Returns columns of row groups, or all columns; refuses what takes far more memory than the file.

        Plain values take what their pages take, and numbers what their type does; the table of contents may claim
        anything. Files of version 0.1.0 have dictionaries, whose texts may come again without end.
        """
        wanted = [self.names.index(name) for name in columns or self.names]
        pages = [page for group in groups for place in wanted for page in self._pages(group, place)]
        if other := {page.encoding for page in pages}.difference(_ENCODINGS):
            raise ValueError(f"its pages are of encoding {min(other)}, which is not written here")
        self._require_little(sum(page.size for page in pages))
        if not any(page.is_dictionary for page in pages):
            return self._file.read_row_groups(groups, columns=columns, use_threads=False)
        file = pq.ParquetFile(pa.BufferReader(self.image), read_dictionary=[*{*_TEXTS} & {*self.names}])
        table = file.read_row_groups(groups, columns=columns, use_threads=False)
        self._require_little(sum(map(_length, table.columns)))
        return table.cast(pa.schema([self._file.schema_arrow.field(name) for name in table.column_names]))

    @cached_property
    def _places(self) -> list[list[Chunk]]:
        """Places of the pages of each column of each row group."""
        chunks = chunks_of(io.BytesIO(self.image))
        if [len(columns) for columns in chunks] != [len(self.names)] * self._file.metadata.num_row_groups:
            raise ValueError("its table of contents is damaged")
        return chunks

    def _pages(self, group: int, place: int) -> Sequence[Page]:
        """Returns the pages of a column in a row group."""
        if (group, place) not in self._known_pages:
            self._known_pages[group, place] = tuple(pages_of(io.BytesIO(self.image), self._places[group][place]))
        return self._known_pages[group, place]

    def _require_little(self, size: int) -> None:
        if size > _MOST_TIMES * len(self.image):
            raise ValueError(f"parts that take {size:,} bytes, in a file of {len(self.image):,}")

    def _checked(self, name: str, column: pa.ChunkedArray) -> pa.Array:
        """Returns a column in one piece; only labels may be absent, texts are UTF-8 and numbers sensible."""
        whole = pa.concat_arrays(column.chunks)
        whole.validate(full=True)
        if whole.null_count and not name.startswith("label_"):
            raise self._damaged(f"column {name} has empty cells")
        if whole.type in _NUMBERS and (wrong := wrong_numbers(name, _as_numpy(whole))):
            raise self._damaged(wrong)
        return whole

    def decode_small(self) -> None:
        """Decodes a table of a few ten thousand rows at once; a larger one stays as it is."""
        if len(self._group_ends) <= _AT_ONCE:
            for group in range(len(self._group_ends)):
                self._group(group)
            for name in self.names:
                if not isinstance(self._group(0)[name], _Texts):
                    self.numbers(name)
            self.letters("code")

    def row(self, row: int) -> dict[str, Any]:
        """Returns one row, by column name; absent values are ``None``."""
        group = bisect_right(self._group_ends, row)
        place = row - (self._group_ends[group - 1] if group else 0)
        columns = self._group(group)
        return {name: _plain(column[place]) for name, column in columns.items()}

    def _group(self, group: int) -> dict[str, "NDArray[Any] | _Texts"]:
        """Returns the columns of a row group, by name."""
        if group not in self._groups:
            try:
                rows = self._read([group])
                self._unpacked += rows.nbytes
                self._require_little(self._unpacked - _MOST_ABSENT_BYTES)
                whole = {name: self._checked(name, rows[name]) for name in self.names}
            except _UNREADABLE as error:
                raise self._damaged(error) from None
            self._groups[group] = {
                name: _Texts(column) if pa.types.is_string(column.type) else _as_numpy(column)
                for name, column in whole.items()
            }
        return self._groups[group]

    def numbers(self, name: str) -> NDArray[Any]:
        """Returns a column of numbers or truth values, shape (N,); absent values are NaN."""
        if name not in self._numbers:
            self._numbers[name] = _as_numpy(self._column(name))
        return self._numbers[name]

    def letters(self, name: str) -> NDArray[np.uint8]:
        """Returns a column of ASCII texts of one length D as letters, shape (D, N): one row per place in the text."""
        if name not in self._letters:
            texts = _Texts(self._column(name))
            if len(texts.content) != self.num_rows * len(texts[0]) or not texts.are_of_one_length:
                raise self._damaged(f"texts of column {name} differ in length")
            content = texts.content
            self._letters[name] = np.ascontiguousarray(np.frombuffer(content, np.uint8).reshape(self.num_rows, -1).T)
        return self._letters[name]

    def write_csv(self, path: Path) -> None:
        """Writes all columns as CSV, rounded to what is meant to be read."""
        # Only writing needs these, and a deployed table that answers should start quickly.
        import pyarrow.compute as pc
        import pyarrow.csv as pa_csv

        try:
            table = self._read(range(len(self._group_ends)))
        except _UNREADABLE as error:
            raise self._damaged(error) from None
        for position, name in enumerate(self.names):
            if pa.types.is_floating(table.schema.types[position]):
                decimals = _PERCENT_DECIMALS if name.endswith("_percent") else _DECIMALS
                table = table.set_column(position, name, pc.round(table[name], decimals))
        pa_csv.write_csv(table, path, write_options=pa_csv.WriteOptions(quoting_style="needed"))

    def _column(self, name: str) -> pa.Array:
        try:
            return self._checked(name, self._read(range(len(self._group_ends)), [name])[name])
        except (*_UNREADABLE, IndexError, KeyError) as error:
            raise self._damaged(error) from None

    def _damaged(self, error: Exception | str) -> StoreError:
        return StoreError(f"the lookup table is damaged: {self._where}: {' '.join(str(error).split())[:200]}")


def _length(column: pa.ChunkedArray) -> int:
    """Returns the bytes that the texts of a dictionary take one by one; 0 of other columns."""
    if not pa.types.is_dictionary(column.type):
        return 0
    # As below, only old tables need these.
    import pyarrow.compute as pc

    column.validate(full=True)
    lengths = (pc.binary_length(chunk.dictionary).take(chunk.indices) for chunk in column.chunks)
    return sum(pc.sum(each).as_py() or 0 for each in lengths)


def _plain(value: Any) -> Any:  # noqa: ANN401 - an element of any column
    """Returns a text, truth value or number of Python's own; NaN, which stands for what is absent, is ``None``."""
    if isinstance(value, str):
        return value
    return None if value != value else value.item()


def _as_numpy(column: pa.Array) -> NDArray[Any]:
    """Returns a column of truth values, whole numbers or floats; absent values are NaN.

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
    """Returns the Parquet image of columns of equal length; NaN becomes absent, as other readers expect it."""
    arrays = {name: pa.array(column, from_pandas=True) for name, column in columns.items()}
    sink = pa.BufferOutputStream()
    # Hardly any value comes twice, and quick decoding is worth a larger file.
    pq.write_table(pa.table(arrays), sink, row_group_size=_ROW_GROUP, compression="snappy", use_dictionary=False)
    return bytes(sink.getvalue())
