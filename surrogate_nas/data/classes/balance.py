"""Classes of unequal size made to count equally: in the order of training images, in the loss, and in accuracies.

With balanced draws, an image of a small class is drawn several times an epoch, one of a large class not in every epoch.
Of the ways to train convolutional networks on classes of unequal size, this one was the best or as good in Buda et al.
(arXiv 1710.05381). With weights, every image is drawn once an epoch, and its loss counts by the size of its class.

Symbols:
    N: images; B: images of a batch; K: classes.
"""

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor


def balanced_order(labels: NDArray[np.int64], rng: np.random.Generator) -> NDArray[np.int64]:
    """Draws as many images as there are, equally many of every class, in random order.

    Images of one class are drawn equally often, to within one time.

    Args:
        labels: Class of each image, shape (N,).
        rng: Random numbers.

    Returns:
        Positions of the images, shape (N,).
    """
    classes = np.unique(labels)
    shares = np.full(len(classes), len(labels) // len(classes))
    shares[rng.permutation(len(classes))[: len(labels) % len(classes)]] += 1
    drawn = [_drawn(np.flatnonzero(labels == one), share, rng) for one, share in zip(classes, shares, strict=True)]
    return rng.permutation(np.concatenate(drawn))


def _drawn(members: NDArray[np.int64], share: int, rng: np.random.Generator) -> NDArray[np.int64]:
    rounds = [rng.permutation(members) for _ in range(-(-share // len(members)))]
    return np.concatenate([members[:0], *rounds])[:share]


def class_weights(labels: Tensor, classes: int) -> Tensor:
    """Returns what the loss of an image of each class counts, shape (K,): classes the same, and images 1 on average.

    Args:
        labels: Class of each training image, shape (N,), on the device of the training.
        classes: Number of classes K.
    """
    return _weights(labels.cpu().bincount(minlength=classes)).float().to(labels.device)


def image_weights(targets: Tensor, weights: Tensor | None) -> Tensor | None:
    """Returns what the loss of each image counts, shape (B,); None where all count the same.

    Args:
        targets: Class of each image, shape (B,), or the share of each class in it, shape (B, K).
        weights: What an image of each class counts, shape (K,); None likewise.
    """
    if weights is None:
        return None
    return weights[targets] if targets.ndim == 1 else targets @ weights


def weighted_loss(scores: Tensor, targets: Tensor, weights: Tensor | None, *, label_smoothing: float = 0.0) -> Tensor:
    """Returns the mean cross-entropy of a batch, a scalar.

    The sum is divided by the images, not by their weights, so that the mean over batches is the loss of all images.

    Args:
        scores: Shape (B, K).
        targets: Class of each image, shape (B,), or the share of each class in it, shape (B, K).
        weights: What each image counts, shape (B,), by ``image_weights``.
        label_smoothing: Share of the target that is divided among all classes.
    """
    if weights is None:
        return F.cross_entropy(scores, targets, label_smoothing=label_smoothing)
    losses = F.cross_entropy(scores, targets, reduction="none", label_smoothing=label_smoothing)
    return (losses * weights).mean()


def class_weighted_loss(
    scores: Tensor, targets: Tensor, weights: Tensor | None, *, label_smoothing: float = 0.0
) -> Tensor:
    """Returns the mean cross-entropy of a batch, a scalar, in which each class counts by its weight.

    In a mixed image, the share of each class counts by the weight of that class. A weight of the image as a whole would
    be of both, so that a common class counted more together with a rare one.

    Args:
        scores: Shape (B, K).
        targets: Class of each image, shape (B,), or the share of each class in it, shape (B, K).
        weights: What an image of each class counts, shape (K,); None where all count the same.
        label_smoothing: Share of the target that is divided among all classes.
    """
    counts = image_weights(targets, weights)
    if weights is None or counts is None or targets.ndim == 1:
        return weighted_loss(scores, targets, counts, label_smoothing=label_smoothing)
    logs = F.log_softmax(scores, dim=1)
    own, even = (targets * weights * logs).sum(dim=1), logs.mean(dim=1) * counts
    return -((1 - label_smoothing) * own + label_smoothing * even).mean()


def images_behind(labels: Tensor, *, by_class: bool) -> int:
    """Returns the number of images that an accuracy rests on.

    A balanced accuracy rests on fewer than there are: so many of equal classes would leave the same to chance.

    Args:
        labels: Class of each image, shape (N,).
        by_class: Whether it is a balanced accuracy.
    """
    counts = labels.bincount()
    present = counts[counts > 0].double()
    return round(len(present) ** 2 / float((1 / present).sum())) if by_class else len(labels)


class Tally:
    """Accuracy and mean cross-entropy over labelled images, of which every image counts the same, or every class.

    Add scores and labels of all images, batch by batch, and then read the result.

    Args:
        labels: Class of each image, shape (N,).
        by_class: Whether every class counts the same (balanced accuracy); classes without images do not count.
    """

    def __init__(self, labels: Tensor, *, by_class: bool) -> None:
        self._counts = labels.bincount().cpu()
        self._right, self._loss = torch.zeros_like(self._counts), 0.0
        self._weights = _weights(self._counts) if by_class else None

    def add(self, scores: Tensor, labels: Tensor) -> None:
        """Counts a batch: scores (B, K) and labels (B,)."""
        right = labels[scores.argmax(dim=1) == labels]
        self._right += right.bincount(minlength=len(self._right)).cpu()
        if self._weights is None:
            self._loss += float(F.cross_entropy(scores, labels, reduction="sum"))
            return
        weights = self._weights.to(scores)[labels]
        self._loss += float((F.cross_entropy(scores, labels, reduction="none") * weights).sum())

    @property
    def accuracy_percent(self) -> float:
        """Share of correct images, or the mean of the shares in each class, in percent."""
        if self._weights is None:
            return 100 * int(self._right.sum()) / int(self._counts.sum())
        present = self._counts > 0
        return 100 * float((self._right[present].double() / self._counts[present]).mean())

    @property
    def loss(self) -> float:
        """Mean cross-entropy."""
        return self._loss / int(self._counts.sum())


def _weights(counts: Tensor) -> Tensor:
    """Returns the weight of an image of each class, (K,), so that classes weigh the same and images 1 on average."""
    present = counts > 0
    return torch.where(present, counts.sum().double() / (present.sum() * counts.clamp(min=1)), 0.0)
