"""One random change of colour or shape for each image, as TrivialAugment draws them (arXiv 2103.10158).

The functions are of ``torchvision.transforms.v2``. The draws are not: its transforms use torch's global generator,
and a batch must depend on its step alone. A strength scales the paper's wide ranges. Two sizes of each operation are
drawn a step, one upwards and one downwards, so that whole groups of images are changed at once.

Symbols:
    B: images of a batch; C: channels; S: side in pixels.
"""

from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor
from torchvision.transforms import InterpolationMode
from torchvision.transforms.v2 import functional as v2

_FARTHEST = 0.45  # of the side
_BILINEAR = InterpolationMode.BILINEAR


def _affine(images: Tensor, *, right: float = 0, down: float = 0, shear: tuple[float, float] = (0, 0)) -> Tensor:
    side = images.shape[-1]
    moved = [round(right * side), round(down * side)]
    result: Tensor = v2.affine(images, 0.0, moved, 1.0, list(shear), interpolation=_BILINEAR)
    return result


def _degrees(slope: float) -> float:
    return float(np.degrees(np.arctan(slope)))


OPERATIONS: dict[str, Callable[[Tensor, float], Tensor]] = {
    "shear along rows": lambda images, size: _affine(images, shear=(_degrees(size), 0)),
    "shear along columns": lambda images, size: _affine(images, shear=(0, _degrees(size))),
    "move right": lambda images, size: _affine(images, right=_FARTHEST * size),
    "move down": lambda images, size: _affine(images, down=_FARTHEST * size),
    "turn": lambda images, size: v2.rotate(images, 135 * size, interpolation=_BILINEAR),
    "brightness": lambda images, size: v2.adjust_brightness(images, 1 + 0.99 * size),
    "colour": lambda images, size: v2.adjust_saturation(images, 1 + 0.99 * size),
    "contrast": lambda images, size: v2.adjust_contrast(images, 1 + 0.99 * size),
    "sharpness": lambda images, size: v2.adjust_sharpness(images, 1 + 0.99 * size),
    "fewer levels": lambda images, size: v2.posterize(images, 8 - round(6 * abs(size))),
    "bright parts inverted": lambda images, size: v2.solarize(images, 255 * (1 - abs(size))),
    "full contrast": lambda images, _: v2.autocontrast(images),
    "even histogram": lambda images, _: v2.equalize(images),
}
"""A change of images (B, C, S, S), uint8, by a size from -1 to 1, 0 being the smallest; in words."""


def changed(images: Tensor, strength: float, rng: np.random.Generator) -> Tensor:
    """Returns images of which some were changed.

    Args:
        images: uint8, shape (B, C, S, S); they stay as they are.
        strength: Share of the images that are changed, and share of the ranges that sizes are drawn from; 0 to 1.
        rng: Source of the draws.

    Returns:
        uint8, shape (B, C, S, S).
    """
    count = len(images)
    chosen = rng.integers(len(OPERATIONS), size=count)
    groups = 2 * np.where(rng.random(count) < strength, chosen, len(OPERATIONS)) + rng.integers(2, size=count)
    sizes = strength * rng.random((len(OPERATIONS), 2)) * (1, -1)
    result = images.clone()
    for number, operation in enumerate(OPERATIONS.values()):
        for sign, size in enumerate(sizes[number].tolist()):
            members = np.flatnonzero(groups == 2 * number + sign)
            if len(members):
                index = torch.from_numpy(members).to(images.device)
                result[index] = operation(images[index], size)
    return result
