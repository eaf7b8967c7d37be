"""Average pooling that is quick on small, channels-last feature maps."""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

_SMALLEST_SIDE = 8  # below it torch's own pooling is as quick


class AveragePool3x3(nn.Module):
    """The mean of the 3x3 neighbourhood, pixels outside the image not counted, at stride 1.

    The same function as ``nn.AvgPool2d(3, stride=1, padding=1, count_include_pad=False)``. That one walks through
    channels-last maps channel by channel, so narrow maps leave most of a vector register empty; sums of shifted maps
    fill it whatever the width.
    """

    def forward(self, x: Tensor) -> Tensor:
        """Maps (B, C, H, W) to the same shape."""
        if x.is_cuda or min(x.shape[-2:]) < _SMALLEST_SIDE or not x.is_contiguous(memory_format=torch.channels_last):
            return F.avg_pool2d(x, 3, stride=1, padding=1, count_include_pad=False)
        y: Tensor = _ShiftedSums.apply(x)
        return y


class _ShiftedSums(torch.autograd.Function):
    """Sums of shifted maps over the number of pixels that each sum has."""

    @staticmethod
    def forward(_context: object, x: Tensor) -> Tensor:
        return _sums(x).mul_(_shares(x))

    @staticmethod
    def backward(_context: object, *gradients: Tensor) -> Tensor:
        # The sum over neighbours is its own transpose; the division came after it and so is undone before it.
        gradient = gradients[0].contiguous(memory_format=torch.channels_last)
        return _sums(gradient * _shares(gradient))


def _sums(x: Tensor) -> Tensor:
    """Returns the sum of the 3x3 neighbourhood, zeros outside, of (B, C, H, W) in channels-last order."""
    pixels = x.permute(0, 2, 3, 1)
    rows = pixels.clone()
    rows[:, 1:] += pixels[:, :-1]
    rows[:, :-1] += pixels[:, 1:]
    both = rows.clone()
    both[:, :, 1:] += rows[:, :, :-1]
    both[:, :, :-1] += rows[:, :, 1:]
    return both.permute(0, 3, 1, 2)


def _shares(x: Tensor) -> Tensor:
    """Returns one over the number of pixels in every pixel's neighbourhood, shape (1, 1, H, W)."""
    height, width = (_counts(side, x) for side in x.shape[-2:])
    return (height[:, None] * width[None, :]).reciprocal()[None, None]


def _counts(side: int, x: Tensor) -> Tensor:
    counts = torch.full((side,), 3.0, dtype=x.dtype, device=x.device)
    counts[0] -= 1
    counts[-1] -= 1
    return counts
