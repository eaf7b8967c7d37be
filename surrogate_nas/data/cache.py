"""Decoded parts on disk, which worker processes open without decoding anything or copying each other's memory.

A folder holds ``splits.json`` and two ``.npy`` files per part. Their names carry the fingerprint and the JSON file is
written last, so a folder is complete if its JSON file is there, and a crash while saving leaves the former one valid.
"""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from tokenize import TokenError
from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from torch import Tensor

from surrogate_nas._support.files import NO_SUCH_CALL, UNREADABLE, atomic_write, read_json, write_json
from surrogate_nas._support.stored.checksums import DIFFERS, checksum, checksum_of
from surrogate_nas._support.words import one_line
from surrogate_nas.data.images import DataSplits, ImageSet, Pixels, in_chunks
from surrogate_nas.data.on_disk.image_file import ImageFile, Shape
from surrogate_nas.errors import DataError, StoreError

SCHEMA = 1
_REMEDY = "remove the folder, and the images are read again"
INDEX = "splits.json"
PartName = Literal["train", "validation", "recalibration"]
PARTS: tuple[PartName, ...] = ("train", "validation", "recalibration")


class _Index(BaseModel):
    """Content of ``splits.json``."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    schema_version: Literal[1]
    fingerprint: str = Field(pattern="^[0-9a-f]{16}$")
    class_names: tuple[str, ...] = Field(min_length=2)
    mean: tuple[float, ...] = Field(min_length=1)
    std: tuple[float, ...] = Field(min_length=1)
    native_image_size: int = Field(ge=1)
    notes: tuple[str, ...]
    warnings: tuple[str, ...] = ()
    balance: bool = False
    on_disk: bool = False
    own_validation: bool = False
    weighted: bool = False
    shapes: dict[PartName, tuple[int, int, int, int]] = Field(min_length=3)
    checksums: dict[str, str] = {}  # of arrays, by file; version 0.1.0 kept none


def save_splits(folder: Path, splits: DataSplits) -> None:
    """Writes all parts to a folder, which is made if it is missing; older parts in it are removed."""
    checksums = {}
    for name in PARTS:
        part: ImageSet = getattr(splits, name)
        images, labels = (folder / _file(name, kind, splits.fingerprint) for kind in ("images", "labels"))
        with atomic_write(images) as temporary:
            checksums[images.name] = _write_images(temporary, part.images)
        array = part.labels.cpu().numpy()
        with atomic_write(labels) as temporary:
            np.save(temporary, array, allow_pickle=False)
        checksums[labels.name] = checksum(array.data)
    index = _Index(
        schema_version=SCHEMA,
        fingerprint=splits.fingerprint,
        class_names=splits.class_names,
        mean=splits.mean,
        std=splits.std,
        native_image_size=splits.native_image_size,
        notes=splits.notes,
        warnings=splits.warnings,
        balance=splits.balance,
        on_disk=any(isinstance(getattr(splits, name).images, ImageFile) for name in PARTS),
        own_validation=splits.own_validation,
        weighted=splits.weighted,
        shapes={name: tuple(getattr(splits, name).images.shape) for name in PARTS},
        checksums=checksums,
    )
    write_json(folder / INDEX, index.model_dump(mode="json"))
    for name in PARTS:
        for path in folder.glob(_file(name, "*", "*")):
            if path.name not in checksums:
                # Where a process still maps it, some systems refuse; the next call removes it.
                with suppress(OSError):
                    path.unlink()


def _write_images(path: Path, images: Pixels) -> str:
    """Writes images as numpy does, part by part, and returns the checksum of the pixels."""

    def write() -> Iterator[memoryview]:
        with path.open("wb") as file:
            header = {"descr": "|u1", "fortran_order": False, "shape": tuple(images.shape)}
            np.lib.format.write_array_header_1_0(file, header)
            for chunk in in_chunks(images):
                file.write(chunk.data)
                yield chunk.data

    return checksum_of(write())


def load_splits(folder: Path, *, checked: bool = False) -> DataSplits:
    """Opens what ``save_splits`` wrote; images are mapped from the files, and changing them changes no file.

    Images that were in a file when they were saved, as they are too many for memory, are in a file again.

    Args:
        folder: Folder of the files.
        checked: Whether all bytes were compared with their checksums before, as by the process that began this one.

    Raises:
        StoreError: If a file is missing, damaged, or does not belong to the others.
    """
    path = folder / INDEX
    try:
        index = _Index.model_validate(read_json(path, "index of the cached images", _REMEDY))
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(step) for step in first["loc"])
        raise StoreError(f"the index of the cached images is damaged: {path}: {where}: {first['msg']}") from None
    train, validation, recalibration = (_load_part(folder, name, index, checked) for name in PARTS)
    if not len(index.mean) == len(index.std) == train.channels:
        raise StoreError(
            f"the index of the cached images is damaged: {path}: {train.channels} channels need a mean each"
        )
    return DataSplits(
        train,
        validation,
        recalibration,
        index.mean,
        index.std,
        index.native_image_size,
        index.fingerprint,
        index.notes,
        index.warnings,
        index.balance,
        index.own_validation,
        index.weighted,
    )


def _load_part(folder: Path, name: PartName, index: _Index, checked: bool) -> ImageSet:
    shape = index.shapes[name]
    images_path, labels_path = (folder / _file(name, kind, index.fingerprint) for kind in ("images", "labels"))
    images = _open_images(images_path, shape) if index.on_disk else _map_images(images_path, shape)
    labels = torch.from_numpy(_load_array(labels_path, shape[:1], np.dtype(np.int64)))
    for path, parts in ((images_path, in_chunks(images)), (labels_path, iter([labels.numpy()]))):
        wanted = index.checksums.get(path.name)
        if not checked and wanted is not None and checksum_of(part.data for part in parts) != wanted:
            raise StoreError(f"cached images are damaged: {path}: {DIFFERS}")
    try:
        return ImageSet(images, labels, index.class_names)
    except DataError as error:
        raise StoreError(f"cached images are damaged: {labels_path}: {error}") from None


def _map_images(path: Path, shape: tuple[int, ...]) -> Tensor:
    return torch.from_numpy(_load_array(path, shape, np.dtype(np.uint8)))


def _open_images(path: Path, shape: Shape) -> ImageFile:
    with _named(path):
        with path.open("rb") as file:
            if np.lib.format.read_magic(file) != (1, 0):
                raise ValueError("not the header that it was written with")
            header = np.lib.format.read_array_header_1_0(file)
            offset = file.tell()
        _check_header(path, header[0], header[2], shape, np.dtype(np.uint8))
        if header[1]:
            raise ValueError("columns come first in it")
        return ImageFile.open(path, offset, shape)


def _load_array(path: Path, shape: tuple[int, ...], dtype: np.dtype[np.generic]) -> NDArray[np.generic]:
    with _named(path):
        array = _mapped(path)
    if not isinstance(array, np.ndarray):
        raise StoreError(f"cached images do not belong together: {path} holds no array")
    _check_header(path, array.shape, array.dtype, shape, dtype)
    return array


@contextmanager
def _named(path: Path) -> Iterator[None]:
    """Says which file is missing, cannot be read, or is damaged."""
    try:
        yield
    except FileNotFoundError:
        raise StoreError(f"a file of the cached images is missing: {path}") from None
    except OSError as error:
        raise StoreError(f"cached images cannot be read: {path}: {error.strerror or error}") from None
    # The header is a Python literal, which numpy reads by Python's own tokenizer and parser.
    except (*UNREADABLE, EOFError, SyntaxError, TokenError) as error:
        raise StoreError(f"cached images are damaged or cut short: {path}: {one_line(error, 100)}") from None


def _check_header(
    path: Path, got: tuple[int, ...], kind: np.dtype[np.generic], shape: tuple[int, ...], dtype: np.dtype[np.generic]
) -> None:
    if got != shape or kind != dtype:
        raise StoreError(
            f"cached images do not belong together: {path} must hold {dtype} of shape {shape} (got {kind} of shape"
            f" {got})"
        )


def _mapped(path: Path) -> object:
    """Returns an array whose pages processes share; a copy, where the file system maps no files."""
    try:
        # Copy on write: torch wants memory that it may write to, and the pages stay shared until somebody does.
        return np.load(path, mmap_mode="c", allow_pickle=False)
    except OSError as error:
        if error.errno not in NO_SUCH_CALL:
            raise
        return np.load(path, allow_pickle=False)


def _file(part: str, kind: str, fingerprint: str) -> str:
    return f"{part}-{kind}-{fingerprint}.npy"
