"""Boxes of the mean colour in some images: random erasing (arXiv 1708.04896).

Symbols:
    B: images of a batch; C: channels; S: side in pixels.
"""

import numpy as np
import torch
from torch import Tensor

from surrogate_nas.data.augmentation.crops import Floats, draw_boxes

_AREAS, _STRETCH = (0.02, 0.33), 3.3


def erased(images: Tensor, share: float, rng: np.random.Generator) -> Tensor:
    """Returns normalised images (B, C, S, S), with a box of zeros, the mean colour, in a share of them."""
    count = len(images)
    areas = np.where(rng.random(count) < share, rng.uniform(*_AREAS, size=count), 0)
    return images.masked_fill(inside(draw_boxes(areas, _STRETCH, rng), images.shape[-1]).to(images.device), 0)


def inside(boxes: Floats, side: int) -> Tensor:
    """Returns True for each pixel of a square image whose centre is in its box, shape (B, 1, S, S).

    Args:
        boxes: Top, left, height and width as shares of the side, shape (B, 4).
        side: Side S in pixels.
    """
    centres = (np.arange(side) + 0.5) / side
    first, length = boxes[:, :2, None], boxes[:, 2:, None]
    rows, columns = np.moveaxis((centres >= first) & (centres < first + length), 1, 0)  # each (B, S)
    return torch.from_numpy(rows[:, None, :, None] & columns[:, None, None, :])
