"""Images that stay in a file, where they are more than memory should hold: rows are read when they are asked for.

The file is read and not mapped: pages of a map count as memory of the process until the system wants them back.

Symbols:
    N: images; B: images of a batch; C: channels; S: side in pixels.
"""

import math
import os
import tempfile
import threading
from dataclasses import dataclass, field, replace
from io import FileIO
from pathlib import Path
from typing import BinaryIO, ClassVar, cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from surrogate_nas.errors import StoreError, WriteError

Shape = tuple[int, int, int, int]


@dataclass(frozen=True, eq=False)
class _Bytes:
    """A file of which several threads read and write parts.

    Attributes:
        file: The file, without a buffer.
        name: What messages call it.
        lock: Held while the position of the file matters, where the system cannot read at a position.
    """

    file: FileIO
    name: str
    lock: threading.Lock = field(default_factory=threading.Lock)

    def read(self, at: int, into: memoryview) -> None:
        """Fills a buffer from a position on.

        Raises:
            StoreError: If the file cannot be read, or ends before.
        """
        done = 0
        try:
            while done < len(into):
                count = self._read_some(at + done, into[done:])
                if count == 0:
                    raise StoreError(f"{self.name} is cut short")
                done += count
        except OSError as error:
            raise StoreError(f"{self.name} cannot be read: {error.strerror or error}") from None

    def write(self, at: int, content: memoryview) -> None:
        """Writes a buffer to a position.

        Raises:
            WriteError: If the disk refuses.
        """
        done = 0
        try:
            while done < len(content):
                done += self._write_some(at + done, content[done:])
        except OSError as error:
            raise WriteError(f"{self.name} cannot be written: {error.strerror or error}") from None

    def _read_some(self, at: int, into: memoryview) -> int:
        if hasattr(os, "preadv"):
            return os.preadv(self.file.fileno(), [into], at)
        with self.lock:
            self.file.seek(at)
            return self.file.readinto(into) or 0

    def _write_some(self, at: int, content: memoryview) -> int:
        if hasattr(os, "pwrite"):
            return os.pwrite(self.file.fileno(), content, at)
        with self.lock:
            self.file.seek(at)
            return self.file.write(content) or 0


@dataclass(frozen=True, eq=False)
class ImageFile:
    """Images of one size in a file, in the place of a tensor, uint8, shape (N, C, S, S).

    Rows that are asked for become a tensor; nothing else is in memory. Every process opens the file for itself.

    Attributes:
        shape: (N, C, S, S).
        device: Where rows are put that are asked for.
    """

    shape: Shape
    device: torch.device
    _bytes: _Bytes
    _offset: int
    _rows: NDArray[np.int64] | None = None

    ndim: ClassVar[int] = 4
    dtype: ClassVar[torch.dtype] = torch.uint8

    @classmethod
    def open(cls, path: Path, offset: int, shape: Shape) -> "ImageFile":
        """Opens images that begin ``offset`` bytes behind the beginning of a file.

        Raises:
            OSError: If the file cannot be opened.
            StoreError: If the file is not as long as the images are.
        """
        file = FileIO(path)
        length, wanted = os.fstat(file.fileno()).st_size, offset + math.prod(shape)
        if length != wanted:
            file.close()
            raise StoreError(f"{path} has {length:,} bytes where its images have {wanted:,}")
        return cls(shape, torch.device("cpu"), _Bytes(file, str(path)), offset)

    @classmethod
    def temporary(cls, folder: Path, shape: Shape) -> "ImageFile":
        """Makes room for images in a file without a name, which is gone once nobody uses it, even after a kill.

        Raises:
            WriteError: If the folder takes no file.
        """
        try:
            file: BinaryIO = tempfile.TemporaryFile(dir=folder, buffering=0)  # noqa: SIM115 - it lives as long as this
        except OSError as error:
            raise WriteError(f"{folder} takes no file of images: {error.strerror or error}") from None
        # Windows wraps the file to delete it at the end; the methods are the same.
        raw = _Bytes(cast("FileIO", file), f"a file of images in {folder}")
        return cls(shape, torch.device("cpu"), raw, 0)

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, wanted: slice | Tensor) -> Tensor:
        """Returns the images of a slice, or at indices of shape (B,), as a tensor of shape (B, C, S, S)."""
        if isinstance(wanted, slice):
            chosen = np.arange(len(self))[wanted]
        else:
            chosen = np.arange(len(self))[wanted.cpu().numpy()]
        rows = chosen if self._rows is None else self._rows[chosen]
        images = np.empty((len(rows), *self.shape[1:]), dtype=np.uint8)
        size = math.prod(self.shape[1:])
        content = images.reshape(-1).data
        if len(rows) and np.array_equal(rows, np.arange(rows[0], rows[0] + len(rows))):
            self._bytes.read(self._offset + int(rows[0]) * size, content)
        else:  # in the order of the file, for disks that turn
            for place in np.argsort(rows, kind="stable").tolist():
                start = place * size
                self._bytes.read(self._offset + int(rows[place]) * size, content[start : start + size])
        return torch.from_numpy(images).to(self.device)

    def take(self, indices: Tensor) -> "ImageFile":
        """Returns the images at ``indices``, shape (M,), in that order; nothing is read."""
        chosen = np.arange(len(self))[indices.cpu().numpy()]
        rows = chosen if self._rows is None else self._rows[chosen]
        return replace(self, shape=(len(rows), *self.shape[1:]), _rows=rows)

    def to(self, device: torch.device | str) -> "ImageFile":
        """Returns the same images, whose rows go to a device when they are asked for."""
        return replace(self, device=torch.device(device))

    def write(self, start: int, images: NDArray[np.uint8]) -> None:
        """Writes images, shape (B, C, S, S), to the rows from ``start`` on; several threads may at a time.

        Raises:
            WriteError: If the disk refuses.
        """
        content = np.ascontiguousarray(images).reshape(-1).data
        self._bytes.write(self._offset + start * math.prod(self.shape[1:]), content)
