"""Room for decoded images: memory up to a limit, and a file above it.

Symbols:
    N: images; C: channels; S: side in pixels.
"""

import math
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from surrogate_nas.data.on_disk.image_file import ImageFile, Shape
from surrogate_nas.errors import DataError

GIGABYTE = 10**9


@dataclass(frozen=True)
class Room:
    """Room for decoded images.

    Attributes:
        memory_gb: Largest size of images that are kept in memory, in 10^9 bytes.
        folder: Where larger ones are kept; the nearest folder above it where it does not exist yet. None is the
            system's folder for temporary files.
        copies: How often the disk must have room for them: 2 where they are divided into files afterwards.
    """

    memory_gb: float
    folder: Path | None = None
    copies: int = 1

    def holds(self, shape: Shape) -> bool:
        """Returns whether images of shape (N, C, S, S) are kept in memory."""
        return math.prod(shape) / GIGABYTE <= self.memory_gb

    def make(self, shape: Shape) -> NDArray[np.uint8] | ImageFile:
        """Returns room for images, uint8, shape (N, C, S, S).

        Raises:
            DataError: If neither memory nor the disk has room.
            WriteError: If the folder takes no file.
        """
        if self.holds(shape):
            return np.empty(shape, dtype=np.uint8)
        folder = self._existing_folder()
        needed, free = math.prod(shape) * self.copies / GIGABYTE, shutil.disk_usage(folder).free / GIGABYTE
        if needed > free:
            count, *one = shape
            raise DataError(
                f"{count:,} images of {'x'.join(map(str, one))} need {needed:.3g} GB in {folder}, whose disk has"
                f" {free:.3g} GB left: make room, or set a smaller data.image_size or data.max_images (images of at"
                f" most data.memory_gb = {self.memory_gb:g} GB stay in memory)"
            )
        return ImageFile.temporary(folder, shape)

    def _existing_folder(self) -> Path:
        if self.folder is None:
            return Path(tempfile.gettempdir())
        whole = self.folder.absolute()
        return next(one for one in (whole, *whole.parents) if one.is_dir())
