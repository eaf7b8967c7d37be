"""Images resized to the resolution of an architecture: bilinear between centres of pixels.

Not antialiased, which not every runtime is: meant for sides of half the images' and more.
"""

from torch import Tensor, nn


def resizing(side: int, out: int) -> nn.Module:
    """A module from square images (B, C, side, side) to (B, C, out, out)."""
    if side == out:
        return nn.Identity()
    return nn.Upsample((out, out), mode="bilinear", align_corners=False)


def resized(images: Tensor, out: int) -> Tensor:
    """Square images (B, C, S, S) as (B, C, out, out)."""
    y: Tensor = resizing(images.shape[-1], out)(images)
    return y
