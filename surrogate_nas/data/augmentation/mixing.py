"""Images that are a mixture of two, with labels that are mixed as they are.

``torchvision.transforms.v2`` has the same two, drawn from torch's global generator; a batch that depends on its step
alone needs draws of its own.

Symbols:
    B: images of a batch; C: channels; K: classes; S: side in pixels.
"""

import numpy as np
import torch.nn.functional as F
from torch import Tensor

from surrogate_nas.data.augmentation.erasing import inside


def mixed_up(images: Tensor, alpha: float, rng: np.random.Generator) -> tuple[Tensor, float]:
    """Returns the weighted mean of each image and the one before it, and the weight of the former (arXiv 1710.09412).

    Args:
        images: float32, shape (B, C, S, S).
        alpha: Both parameters of the beta distribution of the weight.
        rng: Source of the draws.
    """
    weight = float(rng.beta(alpha, alpha))
    return images.lerp(images.roll(1, 0), 1 - weight), weight


def cut_mixed(images: Tensor, alpha: float, rng: np.random.Generator) -> tuple[Tensor, float]:
    """Returns images with a box of the image before each, and the share of pixels that stayed (arXiv 1905.04899).

    The box has the same place in all images; a part outside the image is cut off. Arguments as of ``mixed_up``.
    """
    length = float(np.sqrt(1 - rng.beta(alpha, alpha)))
    centre = rng.random(2)
    low, high = np.clip(centre - length / 2, 0, 1), np.clip(centre + length / 2, 0, 1)
    box = inside(np.concatenate([low, high - low])[None], images.shape[-1]).to(images.device)
    return images.where(~box, images.roll(1, 0)), 1 - float(box.float().mean())


def mixed_labels(labels: Tensor, classes: int, weight: float) -> Tensor:
    """Returns the share of each class, shape (B, K): the weight for an image's own label, the rest for the one before.

    Args:
        labels: int64, shape (B,).
        classes: Number of classes K.
        weight: Share of each image's own label.
    """
    own = F.one_hot(labels, classes).float()
    return own.lerp(own.roll(1, 0), 1 - weight)
