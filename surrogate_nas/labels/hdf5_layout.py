"""Stores labels in an HDF5 file, such that a process killed at any moment leaves a file that opens.

HDF5 has no journal: a process killed while its library rewrites structure (chunk indices, headers, lengths) may leave
a file that no program opens. So structure is only ever written into a new file, which replaces the old one whole. In
between, rows go into space that already exists in fixed contiguous datasets, and 8 bytes hold the number of valid ones:

    attributes   format, schema_version, and the fields of LabelIdentity
    committed    number of valid rows; everything beyond is unwritten or half-written
    codes        int8 (capacity, D)
    accuracy_percent, loss     float64 (capacity,)
    source       enumeration on int8 (capacity,)
    member       int32 (capacity,)
    seed, steps  int64 (capacity,)
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import fields
from pathlib import Path

import h5py
import numpy as np
from numpy.typing import NDArray

from surrogate_nas._support.files import UNREADABLE, atomic_write
from surrogate_nas.errors import RunFolderError, SettingsError, SpaceError, StoreError, SurrogateNasError
from surrogate_nas.labels.records import SOURCES, LabelIdentity, Labels, check_codes, check_measures

FORMAT = "surrogate_nas labels"
SCHEMA_VERSION = 1
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
        raise RunFolderError(f"{path} cannot be opened: {_one_line(error)}") from None
    except IsADirectoryError:
        raise StoreError(f"{path} is a folder, not a label file") from None
    except (*UNREADABLE, OSError, RuntimeError, KeyError, TypeError, AttributeError) as error:
        raise StoreError(f"{path} is damaged or not a label file ({_one_line(error)}); {_REMEDY}") from None


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())[:200] or type(error).__name__


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
        file.create_dataset("committed", data=np.int64(len(labels)))
        for name, column in columns_of(labels).items():
            padded = np.zeros((capacity, *column.shape[1:]), dtype=column.dtype)
            padded[: len(column)] = column
            # Data given at creation makes HDF5 take the space now instead of at the first append.
            file.create_dataset(name, data=padded, dtype=_DTYPES[name])


def columns_of(labels: Labels) -> dict[str, NDArray[np.generic]]:
    """Returns the columns as they are stored: sources as numbers, each of shape (n,), codes (n, D)."""
    columns = {name: getattr(labels, name) for name in _DTYPES}
    columns["source"] = np.array([_SOURCE_NUMBER[source] for source in labels.source.tolist()], dtype=np.int8)
    return columns


def read_identity_of(file: h5py.File) -> LabelIdentity:
    """Returns the identity of the labels of an open file.

    Raises:
        StoreError: If the file is of another kind or of a later version of this project.
    """
    if file.attrs.get("format") != np.bytes_(FORMAT):
        raise StoreError(f"{file.filename} is an HDF5 file but not a label file; {_REMEDY}")
    version = int(file.attrs["schema_version"])
    if version != SCHEMA_VERSION:
        raise StoreError(
            f"{file.filename} has labels of schema {version}, this version reads {SCHEMA_VERSION}; "
            f"use the version of surrogate_nas that wrote it"
        )
    values = {field.name: file.attrs[field.name] for field in fields(LabelIdentity)}
    values = {name: value.decode() if isinstance(value, bytes) else value for name, value in values.items()}
    values["choices"] = tuple(int(count) for count in values["choices"])
    try:
        return LabelIdentity(**values)
    except SpaceError as error:
        raise StoreError(f"{file.filename} is damaged ({error}); {_REMEDY}") from None


def read_labels_of(file: h5py.File, identity: LabelIdentity) -> tuple[Labels, int]:
    """Returns the acknowledged rows of an open file, and the number of rows it has room for.

    Raises:
        StoreError: If the columns do not belong together or hold values that are never accepted.
    """
    for name in ("committed", *_DTYPES):
        if not isinstance(file.get(name, getlink=True), h5py.HardLink):
            raise StoreError(f"{file.filename} is damaged (column {name} is missing or a link); {_REMEDY}")
    if file["committed"].shape != ():
        raise StoreError(f"{file.filename} is damaged (the number of rows is not one number); {_REMEDY}")
    # The count comes first: a writer may be adding rows at the same time.
    committed = int(file["committed"][()])
    capacity = len(file["codes"])
    shapes = {name: (capacity, identity.num_decisions) if name == "codes" else (capacity,) for name in _DTYPES}
    for name, shape in shapes.items():
        if file[name].shape != shape or file[name].dtype != _DTYPES[name]:
            raise StoreError(f"{file.filename} is damaged (column {name} has shape {file[name].shape}); {_REMEDY}")
        # A dataset may state any number of rows and store none of them, until reading makes them.
        if file[name].id.get_storage_size() != file[name].nbytes or file[name].external:
            raise StoreError(f"{file.filename} is damaged (column {name} is not stored whole); {_REMEDY}")
    if not 0 <= committed <= capacity:
        raise StoreError(f"{file.filename} is damaged ({committed} rows in room for {capacity}); {_REMEDY}")
    columns = {name: file[name][:committed] for name in _DTYPES}
    if not np.isin(columns["source"], np.arange(len(SOURCES))).all():
        raise StoreError(f"{file.filename} is damaged (unknown source); {_REMEDY}")
    columns["source"] = np.array(SOURCES)[columns["source"]]
    try:
        check_codes(columns["codes"], identity.choices)
        check_measures(columns["accuracy_percent"], columns["loss"])
    except SettingsError as error:
        raise StoreError(f"{file.filename} is damaged ({error}); {_REMEDY}") from None
    return Labels(**columns), capacity
