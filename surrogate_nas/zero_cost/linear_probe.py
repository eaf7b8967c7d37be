"""Judges features by a linear classifier, on images that it was not fitted to, each left out once.

A network with pretrained weights may be judged before it is trained: by how well a linear classifier on its features
names the classes (Alain and Bengio, arXiv 1610.01644). With the squared error, a classifier that was fitted without an
image follows in closed form from the one that was fitted to all (Allen, Technometrics 1974, "PRESS"), so that every
image judges and no image judges itself.

Symbols:
    N: images; F: features; K: classes; R: the smaller of N and F.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

# Of the penalty on weights, in units of the mean eigenvalue of the features' covariance over R. The best by the images
# left out is taken.
_PENALTIES = (0.1, 0.3, 1.0, 3.0, 10.0, 30.0, 100.0)
_LEAST = 1e-9  # of an eigenvalue, as a share of the largest, and of what an image says about itself


class Probed(NamedTuple):
    """Quality of a linear classifier on images that it was not fitted to.

    Attributes:
        accuracy_percent: Share of the left-out images whose class has the largest score.
        squared_error: Mean over left-out images of the squared distance between scores and class, 0 where every image
            has score 1 for its own class and 0 for others.
    """

    accuracy_percent: float
    squared_error: float


def probe(features: Floats, labels: NDArray[np.int64], classes: int, *, by_class: bool = False) -> Probed:
    """Returns the quality of a ridge classifier on images that are left out one by one.

    Args:
        features: Shape (N, F), finite.
        labels: Class of each image in 0..K-1, shape (N,).
        classes: Number of classes K.
        by_class: Whether every class counts the same, not every image.
    """
    count = len(features)
    wanted = np.eye(classes)[labels]
    centred = features - features.mean(axis=0)
    values, vectors = _spectrum(centred)
    weights = _image_weights(labels, classes) if by_class else np.full(count, 1 / count)
    best = Probed(0.0, np.inf)
    outside = wanted - wanted.mean(axis=0)
    parts = vectors.T @ outside
    unit = values.mean() if len(values) and values.sum() > 0 else 1.0
    for penalty in _PENALTIES:
        shrunk = values / (values + penalty * unit)
        # Residuals of images that are left out: those of the fit to all, over the share that others say of the image.
        own = 1 / count + (vectors**2) @ shrunk
        left_out = (outside - vectors @ (shrunk[:, None] * parts)) / np.maximum(1 - own, _LEAST)[:, None]
        error = float(weights @ (left_out**2).sum(axis=1))
        if error < best.squared_error:
            right = (wanted - left_out).argmax(axis=1) == labels
            best = Probed(min(100.0, 100 * float(weights @ right)), error)  # weights sum to 1 up to rounding
    return best


def _spectrum(centred: Floats) -> tuple[Floats, Floats]:
    """Returns eigenvalues of the covariance that are not 0, shape (R,), and scores of the images, shape (N, R)."""
    count, width = centred.shape
    if count <= width:
        values, vectors = np.linalg.eigh(centred @ centred.T)
    else:
        values, directions = np.linalg.eigh(centred.T @ centred)
        vectors = centred @ directions / np.sqrt(np.maximum(values, np.finfo(np.float64).tiny))
    kept = values > _LEAST * max(float(values[-1]), np.finfo(np.float64).tiny)
    return values[kept], vectors[:, kept]


def _image_weights(labels: NDArray[np.int64], classes: int) -> Floats:
    """Returns weights of images, shape (N,), by which classes count the same; their sum is 1."""
    counts = np.bincount(labels, minlength=classes)
    return np.asarray(1 / (counts[labels] * (counts > 0).sum()), dtype=np.float64)
