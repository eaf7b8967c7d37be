"""Batches of a final training: cropped, mirrored, changed, erased and mixed, each piece by its own setting.

Symbols:
    N: training images; B: images of a batch; C: channels; K: classes; S: side in pixels.
"""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from surrogate_nas.data.augmentation.crops import cropped, draw_boxes
from surrogate_nas.data.augmentation.erasing import erased
from surrogate_nas.data.augmentation.mixing import cut_mixed, mixed_labels, mixed_up
from surrogate_nas.data.batches import AUGMENTATION, Batches, TrainingImages, moved

# Streams of random numbers of a step, one a piece: one piece draws the same whatever the others do.
_PLACE, _TRIVIAL, _ERASING, _MIXING = range(4)

_STRETCH = 4 / 3  # of width to height of a crop, or the reverse


@dataclass(frozen=True)
class Augmentation:
    """Random changes of the images of a final training; each is off by its default.

    Attributes:
        flip: Whether half of the images are mirrored left to right.
        shift: Largest move in pixels, each way in both directions; black follows.
        crop: Smallest area of a random resized crop, as a share of the image; 1 crops nothing.
        trivial_augment: Strength of random changes of colour and shape, 0 to 1.
        erasing: Share of the images in which a box is erased.
        mixup: Parameter of mixup's beta distribution; 0 mixes nothing.
        cutmix: Likewise of CutMix; where both mix, each does half of the batches.
    """

    flip: bool = False
    shift: int = 0
    crop: float = 1.0
    trivial_augment: float = 0.0
    erasing: float = 0.0
    mixup: float = 0.0
    cutmix: float = 0.0


class AugmentedBatches:
    """Batches as a function of the step, like ``Batches``, with every kind of augmentation.

    Args:
        images: Images; batches are made on the device where the training part is.
        batch_size: Images per batch, B.
        seed: Seed of order and augmentation.
        augmentation: Random changes.

    Raises:
        DataError: If there are fewer images than a batch has, or a shift moves whole images out.
    """

    def __init__(self, images: TrainingImages, batch_size: int, *, seed: int, augmentation: Augmentation) -> None:
        self._plain = Batches(images, batch_size, seed=seed, flip=augmentation.flip, shift=augmentation.shift)
        self._images, self._seed, self._augmentation = images, seed, augmentation
        self.steps_per_epoch, self.class_weights = self._plain.steps_per_epoch, self._plain.class_weights

    def batch(self, step: int) -> tuple[Tensor, Tensor]:
        """Returns the batch of a step, counted from 0 over all epochs.

        Returns:
            Images, float32, shape (B, C, S, S), and labels: int64, shape (B,), or where images are mixed the share of
            each class, float32, shape (B, K).

        Raises:
            DataError: If the step is negative.
        """
        one, train = self._augmentation, self._images.train
        indices = torch.from_numpy(self._plain.indices(step)).to(train.images.device)
        images, labels = self._placed(train.images[indices], step), train.labels[indices]
        if one.trivial_augment:
            from surrogate_nas.data.augmentation.trivial import changed  # torchvision takes seconds to import

            images = changed(images, one.trivial_augment, self._draws(step, _TRIVIAL))
        pixels = self._images.normalise(images)
        if one.erasing:
            pixels = erased(pixels, one.erasing, self._draws(step, _ERASING))
        return self._mixed(pixels, labels, step) if one.mixup or one.cutmix else (pixels, labels)

    def _draws(self, step: int, stream: int) -> np.random.Generator:
        return np.random.default_rng([AUGMENTATION, self._seed, step, stream])

    def _placed(self, images: Tensor, step: int) -> Tensor:
        one, rng = self._augmentation, self._draws(step, _PLACE)
        mirrored = (rng.random(len(images)) < 0.5) & one.flip
        if one.crop < 1:
            boxes = draw_boxes(rng.uniform(one.crop, 1, len(images)), _STRETCH, rng)
            images = cropped(images, boxes, mirrored)
            mirrored = np.zeros_like(mirrored)
        down, right = rng.integers(-one.shift, one.shift + 1, size=(2, len(images)))
        return moved(images, down, right, mirrored) if one.shift or mirrored.any() else images

    def _mixed(self, images: Tensor, labels: Tensor, step: int) -> tuple[Tensor, Tensor]:
        one, rng = self._augmentation, self._draws(step, _MIXING)
        by_box = rng.random() < 0.5 if one.mixup and one.cutmix else bool(one.cutmix)
        mixture, weight = cut_mixed(images, one.cutmix, rng) if by_box else mixed_up(images, one.mixup, rng)
        return mixture, mixed_labels(labels, len(self._images.train.class_names), weight)
