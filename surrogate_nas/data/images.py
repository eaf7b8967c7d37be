"""Labelled images, in memory or in a file, and the parts that a study divides them into.

Symbols:
    N: images; B: images of a batch; C: channels; S: side in pixels; K: classes.
"""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from surrogate_nas.data.on_disk.image_file import ImageFile
from surrogate_nas.errors import DataError

Pixels = Tensor | ImageFile
"""Images, uint8, shape (N, C, S, S), in memory or in a file."""

DIGEST_BYTES = 8
LEAST_STD = 1 / 255  # of a channel that never changes
LEVELS = 256
CHUNK = 1024


@dataclass(frozen=True, eq=False)
class ImageSet:
    """Labelled images of one size.

    Attributes:
        images: uint8, shape (N, C, S, S), in memory or in a file; a slice or indices give a tensor.
        labels: int64 in 0..K-1, shape (N,).
        class_names: Name of each of the K classes.

    Raises:
        DataError: If a tensor has the wrong shape or type, or a label belongs to no class.
    """

    images: Pixels
    labels: Tensor
    class_names: tuple[str, ...]

    def __post_init__(self) -> None:
        if self.images.ndim != 4 or self.images.dtype != torch.uint8:
            raise DataError(f"images must be uint8 of shape (N, C, S, S) (got {_described(self.images)})")
        if self.labels.shape != self.images.shape[:1] or self.labels.dtype != torch.int64:
            raise DataError(
                f"labels must be int64, one per image, ({len(self.images)},) (got {_described(self.labels)})"
            )
        if len(self) and (int(self.labels.min()) < 0 or int(self.labels.max()) >= len(self.class_names)):
            got = f"{int(self.labels.min())}..{int(self.labels.max())}"
            raise DataError(f"labels must be in 0..{len(self.class_names) - 1}, one of the classes (got {got})")

    def __len__(self) -> int:
        return len(self.images)

    @property
    def channels(self) -> int:
        """Colour channels C."""
        return self.images.shape[1]

    @property
    def image_size(self) -> int:
        """Side S in pixels."""
        return self.images.shape[-1]

    def take(self, indices: Tensor) -> "ImageSet":
        """Returns the images at ``indices``, shape (M,), in that order."""
        images = self.images.take(indices) if isinstance(self.images, ImageFile) else self.images[indices]
        return replace(self, images=images, labels=self.labels[indices])

    def in_order(self, batch_size: int) -> Iterator[tuple[Tensor, Tensor]]:
        """Yields images (B, C, S, S), uint8, and labels (B,), from first to last; the last batch may be smaller."""
        if batch_size < 1:
            raise DataError(f"a batch has at least 1 image (got {batch_size})")
        for start in range(0, len(self), batch_size):
            yield self.images[start : start + batch_size], self.labels[start : start + batch_size]

    def each(self) -> Iterator[NDArray[np.uint8]]:
        """Yields the images one by one, shape (C, S, S); no more than a few are copied at a time."""
        for images in in_chunks(self.images):
            yield from images

    def to(self, device: torch.device | str) -> "ImageSet":
        """Returns the same images on a device; images in a file go there when they are asked for."""
        return replace(self, images=self.images.to(device), labels=self.labels.to(device))

    def fingerprint(self) -> str:
        """Returns 16 hexadecimal digits of the pixels, labels and class names, whatever the order of the images."""
        digests = sorted(
            hashlib.blake2b(image.data, digest_size=DIGEST_BYTES, salt=label.to_bytes(8, "little")).digest()
            for image, label in zip(self.each(), self.labels.cpu().tolist(), strict=True)
        )
        total = hashlib.blake2b(repr((tuple(self.images.shape), self.class_names)).encode(), digest_size=DIGEST_BYTES)
        total.update(b"".join(digests))
        return total.hexdigest()


@dataclass(frozen=True, eq=False)
class DataSplits:
    """Images divided for a study; no image is in two parts, and each part is in random order.

    Attributes:
        train: Images that supernets are trained on.
        validation: Images that label architectures.
        recalibration: Images that batch-norm statistics are recomputed with.
        mean: Mean of each channel over ``train``, black 0 and white 1, length C.
        std: Standard deviation of each channel over ``train``, length C.
        native_image_size: Median of the image files' short sides.
        fingerprint: 16 hexadecimal digits of what is in which part, and of ``balance`` where it is on.
        notes: Sentences for the report on images left out or changed.
        warnings: Sentences on what may be wrong with the images.
        balance: Whether trainings make every class count the same, by draws or weights, and accuracies do.
        own_validation: Whether ``validation`` is a part of its own in the source, which is never trained on.
        weighted: Whether trainings weigh classes in the loss, in place of drawing them equally often.
    """

    train: ImageSet
    validation: ImageSet
    recalibration: ImageSet
    mean: tuple[float, ...]
    std: tuple[float, ...]
    native_image_size: int
    fingerprint: str
    notes: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    balance: bool = False
    own_validation: bool = False
    weighted: bool = False

    @property
    def class_names(self) -> tuple[str, ...]:
        """Names of the classes."""
        return self.train.class_names

    @property
    def image_size(self) -> int:
        """Side in pixels."""
        return self.train.image_size

    @property
    def channels(self) -> int:
        """Colour channels."""
        return self.train.channels

    def balanced(self, *, weighted: bool = False) -> "DataSplits":
        """Returns the same parts with classes that count the same; what is made of them belongs to them alone.

        Args:
            weighted: Whether by weights in the loss, not by draws.
        """
        word = "weighted" if weighted else "balanced"
        digest = hashlib.blake2b(f"{word} {self.fingerprint}".encode(), digest_size=DIGEST_BYTES)
        return replace(self, balance=True, weighted=weighted, fingerprint=digest.hexdigest())

    def normalise(self, images: Tensor) -> Tensor:
        """Converts images (B, C, S, S), uint8, to float32 of mean 0 and deviation 1 by channel of the training part."""
        return normalise(images, self.mean, self.std)

    def to(self, device: torch.device | str) -> "DataSplits":
        """Returns the same parts on a device."""
        return replace(
            self,
            train=self.train.to(device),
            validation=self.validation.to(device),
            recalibration=self.recalibration.to(device),
        )


def normalise(images: Tensor, mean: tuple[float, ...], std: tuple[float, ...]) -> Tensor:
    """(images / 255 - mean) / std per channel, float32, in the memory format of ``images``, shape (B, C, S, S)."""
    centre = torch.tensor(mean, dtype=torch.float64)
    spread = torch.tensor(std, dtype=torch.float64)
    scale = (1 / (255 * spread)).float().to(images.device).view(-1, 1, 1)
    offset = (-centre / spread).float().to(images.device).view(-1, 1, 1)
    return images.to(torch.float32).mul_(scale).add_(offset)


def in_chunks(images: Pixels) -> Iterator[NDArray[np.uint8]]:
    """Yields images (N, C, S, S) in parts of shape (M, C, S, S) with M up to 1,024, on the processor, in C order."""
    for start in range(0, len(images), CHUNK):
        yield images[start : start + CHUNK].cpu().contiguous().numpy()


def channel_statistics(images: Pixels) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Returns mean and deviation per channel of uint8 images (N, C, S, S), white being 1; exact, from histograms.

    A deviation is at least one grey level, so that images of one colour do not divide by zero.
    """
    counts = np.zeros((images.shape[1], LEVELS), dtype=np.int64)
    for pixels in in_chunks(images):
        for channel, count in enumerate(counts):
            count += np.bincount(pixels[:, channel].ravel(), minlength=LEVELS)
    share = counts / counts.sum(axis=1, keepdims=True)
    levels = np.arange(LEVELS) / 255
    mean = share @ levels
    std = np.sqrt((share * (levels - mean[:, None]) ** 2).sum(axis=1))
    return tuple(mean.tolist()), tuple(np.maximum(std, LEAST_STD).tolist())


def _described(tensor: Pixels) -> str:
    return f"{str(tensor.dtype).removeprefix('torch.')} of shape {tuple(tensor.shape)}"
