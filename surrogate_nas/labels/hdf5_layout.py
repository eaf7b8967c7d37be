"""Stores labels in an HDF5 file, such that a process killed at any moment leaves a file that opens.

HDF5 has no journal: a process killed while its library rewrites structure (chunk indices, headers, lengths) may leave
a file that no program opens. So structure is only ever written into a new file, which replaces the old one whole. In
between, rows go into space that already exists in fixed contiguous datasets, and 8 bytes hold the number of valid ones:

    attributes   format, schema_version, and the fields of LabelIdentity
    committed    number of valid rows, below its own checksum; everything beyond is unwritten or half-written
    codes        int8 (capacity, D)
    accuracy_percent, loss     float64 (capacity,)
    source       enumeration on int8 (capacity,)
    member       int32 (capacity,)
    seed, steps  int64 (capacity,)
    checksum     uint32 (capacity,), of the row's other columns

HDF5's own checksums are of chunks, which a batch would rewrite, and a kill in the middle would damage. Version 1 of
the layout had no checksums; the store rewrites such a file when it opens it.
"""

import zlib
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import fields
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

from surrogate_nas._support.files import UNREADABLE, atomic_write
from surrogate_nas._support.stored.checksums import DIFFERS
from surrogate_nas._support.stored.versions import require_version
from surrogate_nas._support.words import one_line
from surrogate_nas.errors import RunFolderError, SettingsError, SpaceError, StoreError, SurrogateNasError
from surrogate_nas.labels.records import SOURCES, LabelIdentity, Labels, check_codes, check_measures

FORMAT = "surrogate_nas labels"
SCHEMA_VERSION = 2
_COMMITTED, _CHECKSUM = "committed", "checksum"
_SOURCE_NUMBER = {source: number for number, source in enumerate(SOURCES)}
_DTYPES = {
    "codes": np.dtype(np.int8),
    "accuracy_percent": np.dtype(np.float64),
    "loss": np.dtype(np.float64),
    "source": h5py.enum_dtype(_SOURCE_NUMBER, basetype=np.int8),
    "member": np.dtype(np.int32),
    "seed": np.dtype(np.int64),
    "steps": np.dtype(np.int64),
}
# Structure of the 1.8 format carries checksums, without which HDF5 loops for ever on some damaged files. Structure of
# 1.10 and later also marks a file whose writer was killed, so that it cannot be opened.
_LIBVER = ("v108", "v108")
_REMEDY = "restore a copy, or remove it and label again"
_LOW = 0xFFFF_FFFF


@contextmanager
def hdf5_file(path: Path, mode: str) -> Iterator[h5py.File]:
    """Opens an existing file; every failure inside the block becomes an error of this project.

    HDF5's own lock is off: the store has its own lock, and readers need none, since rows within a count that they have
    read are never rewritten in place.

    Raises:
        RunFolderError: If the file is missing or held by another program.
        StoreError: If it is not such a file or is damaged.
    """
    try:
        with h5py.File(path, mode, locking=False) as file:
            yield file
    except SurrogateNasError:
        raise
    except FileNotFoundError:
        raise RunFolderError(f"label file not found: {path}; the stage `labels` of a study writes it") from None
    except (BlockingIOError, PermissionError) as error:
        raise RunFolderError(f"{path} cannot be opened: {one_line(error)}") from None
    except IsADirectoryError:
        raise StoreError(f"{path} is a folder, not a label file") from None
    except (*UNREADABLE, OSError, RuntimeError, KeyError, TypeError, AttributeError) as error:
        raise StoreError(f"{path} is damaged or not a label file ({one_line(error)}); {_REMEDY}") from None


def write_file(path: Path, identity: LabelIdentity, labels: Labels, capacity: int) -> None:
    """Replaces ``path`` in one piece by a file of these labels with room for ``capacity`` rows.

    Raises:
        OSError: If the folder cannot be written to; ``path`` is then unchanged.
    """
    with atomic_write(path) as temporary, h5py.File(temporary, "w", libver=_LIBVER, locking=False) as file:
        file.attrs["format"] = np.bytes_(FORMAT)
        file.attrs["schema_version"] = SCHEMA_VERSION
        for field in fields(identity):
            value = getattr(identity, field.name)
            # Fixed length, since text of variable length lies in a heap that has no checksum.
            file.attrs[field.name] = np.bytes_(value.encode()) if isinstance(value, str) else value
        file.create_dataset(_COMMITTED, data=_sealed_count(len(labels)))
        for name, column in columns_of(labels).items():
            padded = np.zeros((capacity, *column.shape[1:]), dtype=column.dtype)
            padded[: len(column)] = column
            # Data given at creation makes HDF5 take the space now instead of at the first append.
            file.create_dataset(name, data=padded, dtype=_DTYPES.get(name, column.dtype))


def columns_of(labels: Labels) -> dict[str, NDArray[np.generic]]:
    """Returns the columns as they are stored: sources as numbers, each of shape (n,), codes (n, D)."""
    columns = {name: getattr(labels, name) for name in _DTYPES}
    columns["source"] = np.array([_SOURCE_NUMBER[source] for source in labels.source.tolist()], dtype=np.int8)
    return {**columns, _CHECKSUM: _checksums(columns)}


def commit(file: h5py.File, count: int) -> None:
    """Makes rows valid, by a write of eight bytes."""
    file[_COMMITTED][()] = _sealed_count(count)


def _sealed_count(count: int) -> np.uint64:
    """Returns a number of rows with its checksum above it, so that one write changes both."""
    return np.uint64(count | zlib.crc32(count.to_bytes(4, "little")) << 32)


def _checksums(columns: Mapping[str, NDArray[np.generic]]) -> NDArray[np.uint32]:
    """Returns the checksum of every row of some columns, shape (n,)."""
    parts = [np.ascontiguousarray(columns[name]) for name in _DTYPES]
    rows = np.concatenate([part.view(np.uint8).reshape(len(part), part[:1].nbytes) for part in parts], axis=1)
    return np.array([zlib.crc32(row) for row in rows], dtype=np.uint32)


def read_identity_of(file: h5py.File) -> LabelIdentity:
    """Returns the identity of the labels of an open file.

    Raises:
        StoreError: If the file is of another kind or of a later version of this project.
    """
    if file.attrs.get("format") != np.bytes_(FORMAT):
        raise StoreError(f"{file.filename} is an HDF5 file but not a label file; {_REMEDY}")
    if not has_no_checksums(file):
        require_version(f"the label file {file.filename}", int(file.attrs["schema_version"]), SCHEMA_VERSION, _REMEDY)
    values = {field.name: file.attrs[field.name] for field in fields(LabelIdentity)}
    values = {name: value.decode() if isinstance(value, bytes) else value for name, value in values.items()}
    values["choices"] = tuple(int(count) for count in values["choices"])
    try:
        return LabelIdentity(**values)
    except SpaceError as error:
        raise _damaged(file, error) from None


def has_no_checksums(file: h5py.File) -> bool:
    """Returns whether an open file is of the first version of the layout."""
    return int(file.attrs["schema_version"]) == 1


def read_labels_of(file: h5py.File, identity: LabelIdentity) -> tuple[Labels, int]:
    """Returns the acknowledged rows of an open file, and the number of rows it has room for.

    Raises:
        StoreError: If the columns do not belong together, are not what was written, or hold values that are never
            accepted.
    """
    sealed = not has_no_checksums(file)
    dtypes = {**_DTYPES, _CHECKSUM: np.dtype(np.uint32)} if sealed else _DTYPES
    _check_links(file, (_COMMITTED, *dtypes))
    # The count comes first: a writer may be adding rows at the same time.
    held = int(file[_COMMITTED][()])
    committed = held & _LOW if sealed else held
    if sealed and held != _sealed_count(committed):
        raise _damaged(file, f"number of rows: {DIFFERS}")
    capacity = _check_columns(file, dtypes, identity)
    if not 0 <= committed <= capacity:
        raise _damaged(file, f"{committed} rows in room for {capacity}")
    columns = {name: file[name][:committed] for name in _DTYPES}
    if sealed:
        wrong = np.flatnonzero(file[_CHECKSUM][:committed] != _checksums(columns)).tolist()
        if wrong:
            raise _damaged(file, f"row {wrong[0]}: {DIFFERS}")
    if not np.isin(columns["source"], np.arange(len(SOURCES))).all():
        raise _damaged(file, "unknown source")
    columns["source"] = np.array(SOURCES)[columns["source"]]
    try:
        check_codes(columns["codes"], identity.choices)
        check_measures(columns["accuracy_percent"], columns["loss"])
    except SettingsError as error:
        raise _damaged(file, error) from None
    return Labels(**columns), capacity


def _check_links(file: h5py.File, names: Iterable[str]) -> None:
    """Refuses columns of other files, and a count that is not one number."""
    for name in names:
        if not isinstance(file.get(name, getlink=True), h5py.HardLink):
            raise _damaged(file, f"column {name} is missing or a link")
    if file[_COMMITTED].shape != ():
        raise _damaged(file, "the number of rows is not one number")


def _check_columns(file: h5py.File, dtypes: Mapping[str, np.dtype[Any]], identity: LabelIdentity) -> int:
    """Returns the number of rows that all columns have room for, after a check that they are stored."""
    capacity = len(file["codes"])
    for name, dtype in dtypes.items():
        shape = (capacity, identity.num_decisions) if name == "codes" else (capacity,)
        if file[name].shape != shape or file[name].dtype != dtype:
            raise _damaged(file, f"column {name} has shape {file[name].shape}")
        # A dataset may state any number of rows and store none of them, until reading makes them.
        if file[name].id.get_storage_size() != file[name].nbytes or file[name].external:
            raise _damaged(file, f"column {name} is not stored whole")
    return capacity


def _damaged(file: h5py.File, reason: object) -> StoreError:
    return StoreError(f"{file.filename} is damaged ({reason!s:.200}); {_REMEDY}")
