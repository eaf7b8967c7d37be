"""Training batches as a function of the step, so that a run resumes anywhere without replaying what came before.

Symbols:
    N: training images; B: images of a batch; C: channels; K: classes; S: side in pixels; P: side with padding.
"""

from typing import Protocol

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from surrogate_nas._support.words import count_of
from surrogate_nas.data.classes.balance import balanced_order, class_weights
from surrogate_nas.data.images import ImageSet
from surrogate_nas.errors import DataError

# Streams of random numbers drawn from one seed.
ORDER, AUGMENTATION = 0, 1
_WHOLE = slice(None)


class TrainingImages(Protocol):
    """Images to train on, and how they are normalised."""

    @property
    def train(self) -> ImageSet:
        """The images."""

    @property
    def balance(self) -> bool:
        """True where every class counts the same."""

    @property
    def weighted(self) -> bool:
        """True where it does by weights in the loss, and not by draws."""

    def normalise(self, images: Tensor) -> Tensor:
        """Converts images (B, C, S, S), uint8, to float32."""


class Batches:
    """Augmented, normalised batches of the training part: every image once per epoch, but for an incomplete last batch.

    Where classes are to be balanced by draws, an epoch has as many images, equally many of every class.

    Random numbers come from (seed, epoch) and (seed, step) alone and are drawn on the CPU: the batch of a step is the
    same in every process and on every device.

    Args:
        images: Images; batches are made on the device where the training part is.
        batch_size: Images per batch, B.
        seed: Seed of order and augmentation.
        flip: Whether images are mirrored left to right, half of the time.
        shift: Largest move in pixels, each way in both directions; black follows.

    Raises:
        DataError: If there are fewer images than a batch has, or a shift moves whole images out.
    """

    def __init__(self, images: TrainingImages, batch_size: int, *, seed: int, flip: bool, shift: int) -> None:
        if not 1 <= batch_size <= len(images.train):
            raise DataError(
                f"a batch holds at least 1 and at most all of {count_of(len(images.train), 'training image')}"
                f" (got {batch_size})"
            )
        if not 0 <= shift < images.train.image_size:
            raise DataError(
                f"a shift (data.shift of a study, training.shift of a final training) must be less than the image size,"
                f" {images.train.image_size} pixels (got {shift})"
            )
        self.batch_size = batch_size
        self.steps_per_epoch = len(images.train) // batch_size
        self._images, self._seed, self._flip, self._shift = images, seed, flip, shift
        self._ordered_epoch, self._order = -1, np.empty(0, dtype=np.int64)
        by_weight, train = images.balance and images.weighted, images.train
        self.class_weights = class_weights(train.labels, len(train.class_names)) if by_weight else None
        """What the loss of an image of each class counts, shape (K,); None where all count the same."""

    def batch(self, step: int, part: slice = _WHOLE) -> tuple[Tensor, Tensor]:
        """Returns the batch of a step, counted from 0 over all epochs.

        Args:
            step: Number of the step.
            part: Rows of the batch to make; they are the same whatever the part.

        Returns:
            Images, float32, shape (B, C, S, S), and labels, int64, shape (B,), of the rows asked for.

        Raises:
            DataError: If the step is negative.
        """
        train = self._images.train
        indices = torch.from_numpy(self.indices(step)[part]).to(train.images.device)
        return self._images.normalise(self._augment(train.images[indices], step, part)), train.labels[indices]

    def indices(self, step: int) -> NDArray[np.int64]:
        """Positions in the training part of a step's images, shape (B,)."""
        if step < 0:
            raise DataError(f"steps are counted from 0 (got {step})")
        epoch, position = divmod(step, self.steps_per_epoch)
        if epoch != self._ordered_epoch:
            rng = np.random.default_rng([ORDER, self._seed, epoch])
            self._ordered_epoch, self._order = epoch, self._draw(rng)
        return self._order[position * self.batch_size : (position + 1) * self.batch_size]

    def _draw(self, rng: np.random.Generator) -> NDArray[np.int64]:
        train = self._images.train
        if self._images.balance and not self._images.weighted:
            return balanced_order(train.labels.cpu().numpy(), rng)
        return rng.permutation(len(train))

    def _augment(self, images: Tensor, step: int, part: slice) -> Tensor:
        if not (self._flip or self._shift):
            return images
        rng, size = np.random.default_rng([AUGMENTATION, self._seed, step]), self.batch_size
        down, right = rng.integers(-self._shift, self._shift + 1, size=(2, size))
        mirrored = rng.random(size) < 0.5 if self._flip else np.zeros(size, dtype=np.bool_)
        return moved(images, down[part], right[part], mirrored[part])


def moved(images: Tensor, down: NDArray[np.int64], right: NDArray[np.int64], mirrored: NDArray[np.bool_]) -> Tensor:
    """Returns images mirrored left to right and then moved, each by its own distance, with zeros where they left.

    Args:
        images: Shape (B, C, S, S).
        down: Pixels down, negative upwards, shape (B,).
        right: Pixels to the right, negative to the left, shape (B,).
        mirrored: Whether to mirror, shape (B,).

    Returns:
        Shape (B, C, S, S).
    """
    count, channels, side, _ = images.shape
    margin = int(max(np.abs(down).max(), np.abs(right).max()))
    padded_side = side + 2 * margin
    padded = F.pad(images, (margin, margin, margin, margin)) if margin else images
    pixel = np.arange(side)
    rows = margin - down[:, None] + pixel  # (B, S)
    columns = pixel - right[:, None]
    columns = margin + np.where(mirrored[:, None], side - 1 - columns, columns)
    positions = rows[:, :, None] * padded_side + columns[:, None, :]  # (B, S, S) in a flattened plane
    index = torch.from_numpy(positions.reshape(count, 1, side * side)).to(images.device)
    planes = padded.reshape(count, channels, padded_side * padded_side)
    return planes.gather(2, index.expand(-1, channels, -1)).view(images.shape)
