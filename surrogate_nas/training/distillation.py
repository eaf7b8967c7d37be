"""Learns from the scores of a larger, trained network as well as from labels (arXiv 1503.02531).

Symbols:
    B: images of a batch; C: channels; K: classes; S: side in pixels.
"""

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn


@dataclass(frozen=True)
class Teacher:
    """A trained network that teaches another.

    Attributes:
        network: In evaluation mode, on the device of the training; it stays as it is.
        weight: Weight of the teacher in the loss; the labels have the rest.
        temperature: Divides the scores of both, which softens their probabilities.
    """

    network: nn.Module
    weight: float
    temperature: float

    @torch.no_grad()
    def scores(self, images: Tensor) -> Tensor:
        """Returns the teacher's scores of images (B, C, S, S), shape (B, K)."""
        scores: Tensor = self.network(images)
        return scores.float()

    def loss(self, by_labels: Tensor, scores: Tensor, taught: Tensor, weights: Tensor | None = None) -> Tensor:
        """Returns the weighted mean of the loss by labels and of the divergence from the teacher.

        The divergence is multiplied by the square of the temperature, so that gradients keep their size.

        Args:
            by_labels: Loss by labels, a scalar.
            scores: Scores of the student, shape (B, K).
            taught: Scores of the teacher, shape (B, K).
            weights: What each image counts, shape (B,), as in the loss by labels; None where all count the same.
        """
        softened = F.log_softmax(scores / self.temperature, dim=1)
        wanted = F.log_softmax(taught / self.temperature, dim=1)
        divergences = F.kl_div(softened, wanted, reduction="none", log_target=True).sum(dim=1)
        divergence = (divergences if weights is None else divergences * weights).mean() * self.temperature**2
        return by_labels.lerp(divergence, self.weight)
