"""Images resized to the resolution of an architecture."""

from torch import Tensor, nn
from torch.nn import functional as F


def resized(images: Tensor, side: int) -> Tensor:
    """Square images (B, C, S, S) as (B, C, side, side), bilinear between centres of pixels; the same where S is it.

    Not antialiased, which ONNX Runtime's quantised models lack: meant for sides of half of S and more.
    """
    if images.shape[-1] == side:
        return images
    return F.interpolate(images, size=(side, side), mode="bilinear", align_corners=False)


class Resize(nn.Module):
    """Resizes images; see ``resized``.

    Args:
        side: Of what comes out, in pixels.
    """

    def __init__(self, side: int) -> None:
        super().__init__()
        self.side = side

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, S, S) to (B, C, side, side)."""
        return resized(x, self.side)
