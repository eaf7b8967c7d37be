"""Random resized crops of whole batches, as Inception was trained with (arXiv 1409.4842).

Symbols:
    B: images of a batch; C: channels; S: side in pixels.
"""

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

Floats = NDArray[np.float64]


def draw_boxes(areas: Floats, stretch: float, rng: np.random.Generator) -> Floats:
    """Draws shape and place of boxes within an image.

    Args:
        areas: Area of each box as a share of the image, shape (B,).
        stretch: Largest ratio of the longer side to the shorter one; less where a side would be longer than the image.
        rng: Source of the draws.

    Returns:
        Top, left, height and width of each as shares of the side, shape (B, 4).
    """
    ratio = np.exp(rng.uniform(-1, 1, len(areas)) * np.log(stretch))
    ratio = np.clip(ratio, areas, 1 / np.maximum(areas, 1e-12))
    height, width = np.minimum(np.sqrt(areas / ratio), 1), np.minimum(np.sqrt(areas * ratio), 1)
    top, left = rng.random((2, len(areas))) * (1 - np.stack([height, width]))
    return np.stack([top, left, height, width], axis=1)


def cropped(images: Tensor, boxes: Floats, mirrored: NDArray[np.bool_]) -> Tensor:
    """Returns a box of each image, enlarged to its whole side by bilinear interpolation.

    Args:
        images: uint8, shape (B, C, S, S).
        boxes: Top, left, height and width as shares of the side, shape (B, 4).
        mirrored: Images that are mirrored left to right as well, shape (B,).

    Returns:
        uint8, shape (B, C, S, S).
    """
    top, left, height, width = boxes.T
    theta = np.zeros((len(boxes), 2, 3), dtype=np.float32)
    theta[:, 0, 0] = np.where(mirrored, -width, width)
    theta[:, 0, 2] = 2 * left + width - 1  # positions run from -1 to 1
    theta[:, 1, 1] = height
    theta[:, 1, 2] = 2 * top + height - 1
    grid = F.affine_grid(torch.from_numpy(theta).to(images.device), list(images.shape), align_corners=False)
    sampled = F.grid_sample(images.float(), grid, mode="bilinear", padding_mode="border", align_corners=False)
    return sampled.round_().to(torch.uint8)
