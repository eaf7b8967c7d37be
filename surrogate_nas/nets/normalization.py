"""Batch normalisation for shared weights: by batch statistics while training, by recorded ones while evaluating.

The running averages of one supernet mix the statistics of all its subnets and fit none of them, so an evaluated subnet
gets statistics of its own, recorded on images kept for that purpose.
"""

from enum import Enum

import torch
from torch import Tensor, nn
from torch.nn import functional as F


class NormMode(Enum):
    """The source of a ``RecordingBatchNorm``'s statistics."""

    BATCH = "batch"
    RECORD = "record"
    RECORDED = "recorded"


class RecordingBatchNorm(nn.Module):
    """Batch normalisation whose statistics are recorded on demand.

    In mode ``BATCH`` it normalises by the batch. ``RECORD`` does the same and adds the batch's mean and variance to an
    average, which ``RECORDED`` then normalises by. Inputs with fewer channels use the first statistics.

    Args:
        channels: Largest number of channels C of inputs of shape (B, C, H, W).
        scaled: Whether it has a learnt scale and shift for each channel, as pretrained networks do.
    """

    mean: Tensor
    variance: Tensor
    weight: nn.Parameter | None
    bias: nn.Parameter | None

    def __init__(self, channels: int, *, scaled: bool = False) -> None:
        super().__init__()
        self.mode = NormMode.BATCH
        self.batches = 0
        self.weight = nn.Parameter(torch.ones(channels)) if scaled else None
        self.bias = nn.Parameter(torch.zeros(channels)) if scaled else None
        # Statistics belong to one subnet, never to the checkpoint.
        self.register_buffer("mean", torch.zeros(channels), persistent=False)
        self.register_buffer("variance", torch.ones(channels), persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        """Normalises (B, C, H, W).

        Raises:
            RuntimeError: In mode ``RECORDED``, if nothing was recorded since ``RECORD`` was entered.
        """
        scale, shift = self._learnt(x)
        if self.mode is NormMode.BATCH:
            return F.batch_norm(x, None, None, scale, shift, training=True)
        if self.mode is NormMode.RECORDED:
            if not self.batches:
                raise RuntimeError("a RecordingBatchNorm has nothing recorded to normalise by; run it in RECORD first")
            return F.batch_norm(x, *self._statistics(x), scale, shift, training=False)
        self.batches += 1
        # A momentum of 1/n makes the running statistics the plain average over n batches.
        return F.batch_norm(x, *self._statistics(x), scale, shift, training=True, momentum=1.0 / self.batches)

    def _statistics(self, x: Tensor) -> tuple[Tensor, Tensor]:
        return self.mean[: x.shape[1]], self.variance[: x.shape[1]]

    def _learnt(self, x: Tensor) -> tuple[Tensor, Tensor] | tuple[None, None]:
        if self.weight is None or self.bias is None:
            return None, None
        return self.weight[: x.shape[1]], self.bias[: x.shape[1]]


def scaled_norm(channels: int) -> RecordingBatchNorm:
    """Returns a batch normalisation with a learnt scale and shift."""
    return RecordingBatchNorm(channels, scaled=True)


def set_mode(module: nn.Module, mode: NormMode) -> None:
    """Switches every ``RecordingBatchNorm`` inside; entering ``RECORD`` starts new averages."""
    for part in module.modules():
        if isinstance(part, RecordingBatchNorm):
            part.mode = mode
            if mode is NormMode.RECORD:
                part.batches = 0
                # Not only forgotten by the first momentum of 1: nothing times zero undoes a NaN of diverged weights.
                part.mean.zero_()
                part.variance.fill_(1.0)
