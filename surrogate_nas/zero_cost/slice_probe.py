"""Labels architectures by a linear probe of their parts of pretrained weights, which nothing was trained on.

No image was trained on, so that all images of a study judge, and a label is far less noisy than an accuracy on a
validation part. It costs an architecture one pass over these images.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from surrogate_nas._support.files import file_state
from surrogate_nas.data.cache import INDEX, load_splits
from surrogate_nas.data.images import DataSplits, ImageSet
from surrogate_nas.errors import TrainingError
from surrogate_nas.nets.pretrained.first_weights import FirstWeights
from surrogate_nas.space.network import NetworkSpec
from surrogate_nas.space.space import Space
from surrogate_nas.zero_cost.linear_probe import probe


@dataclass(frozen=True)
class ProbeJob:
    """Some architectures to label, for a worker process.

    Attributes:
        space: The search space.
        codes: Effective codes.
        network: Sizes of the networks.
        first_weights: File of the pretrained weights.
        images: Folder of cached images.
        most_images: Images to judge by, at most.
        batch_size: Images at once.
        device: Torch device.
    """

    space: Space
    codes: tuple[tuple[int, ...], ...]
    network: NetworkSpec
    first_weights: Path
    images: Path
    most_images: int
    batch_size: int
    device: str = "cpu"


@dataclass(frozen=True)
class ProbeLabels:
    """Accuracy in percent and mean squared error of some architectures, each of shape (N,)."""

    accuracy_percent: NDArray[np.float64]
    loss: NDArray[np.float64]


def probe_slices(job: ProbeJob, report: Callable[[int], None], stopped: Callable[[], bool]) -> ProbeLabels | None:
    """Labels the architectures of a job, on one thread so that the result does not depend on their number.

    Returns:
        The labels, or ``None`` if it was stopped before the last architecture.

    Raises:
        StoreError: If the file of the weights or of the images is damaged.
        TrainingError: If a feature is not finite.
    """
    torch.set_num_threads(1)
    first = _loaded(_Weights(job.first_weights, file_state(job.first_weights), job.space.fingerprint, job.space))
    judges = _judges(job.images, file_state(job.images / INDEX), job.most_images, job.batch_size, job.device)
    found = np.empty((len(job.codes), 2))
    for done, code in enumerate(job.codes):
        if stopped():
            return None
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(0)  # of the classifier, which is not used
            network = first.part(job.space, list(code), job.network)
        features = features_of(network.to(job.device), judges.recalibration, judges.batches)
        if not np.isfinite(features).all():
            raise TrainingError(
                f"the features of {job.space.digits([code])[0]} with its part of the pretrained weights are not finite:"
                " use other weights"
            )
        found[done] = probe(features, judges.labels, judges.classes, by_class=judges.by_class)
        report(done + 1)
    return ProbeLabels(found[:, 0].copy(), found[:, 1].copy())


@torch.no_grad()
def features_of(network: nn.Module, recalibration: list[Tensor], batches: list[Tensor]) -> NDArray[np.float64]:
    """Returns the features that a network's classifier takes, with batch-norm statistics of its own, shape (N, F).

    Args:
        network: Its last linear layer is the classifier.
        recalibration: Normalised images that statistics are averaged over.
        batches: Normalised images, N in all.
    """
    layers = list(network.modules())
    norms = [layer for layer in layers if isinstance(layer, nn.BatchNorm2d)]
    for norm in norms:
        norm.reset_running_stats()
        norm.momentum = None  # the mean over all batches
    network.eval()
    for norm in norms:
        norm.train()
    for images in recalibration:
        network(images)
    network.eval()
    caught: list[Tensor] = []
    classifier = [layer for layer in layers if isinstance(layer, nn.Linear)][-1]
    hook = classifier.register_forward_pre_hook(lambda _, inputs: caught.append(inputs[0].flatten(1).double().cpu()))
    for images in batches:
        network(images)
    hook.remove()
    return np.asarray(torch.cat(caught).numpy())


def judging(splits: DataSplits, most: int) -> ImageSet:
    """Returns the images that labels rest on: all of the study's, or so many of every part in proportion."""
    pixels = torch.cat([part.images[:count] for part, count in _shares(splits, most)])
    return ImageSet(pixels, judging_labels(splits, most), splits.class_names)


def judging_labels(splits: DataSplits, most: int) -> Tensor:
    """Returns the classes of the images that labels rest on, without reading the images."""
    return torch.cat([part.labels[:count] for part, count in _shares(splits, most)])


def _shares(splits: DataSplits, most: int) -> list[tuple[ImageSet, int]]:
    """Returns the parts, with how many of their first images judge; they are in random order, so this is fair."""
    parts = (splits.validation, splits.train, splits.recalibration)
    total = sum(map(len, parts))
    return [(part, len(part) * min(most, total) // total) for part in parts]


@dataclass(frozen=True)
class _Weights:
    """Key of pretrained weights; every job brings a copy of the space, so its fingerprint is compared instead."""

    path: Path
    version: tuple[int, int]
    fingerprint: str
    space: Space = field(compare=False)


@lru_cache(maxsize=1)
def _loaded(weights: _Weights) -> FirstWeights:
    return FirstWeights.load(weights.path, weights.space)


@dataclass(frozen=True)
class _Judges:
    recalibration: list[Tensor]
    batches: list[Tensor]
    labels: NDArray[np.int64]
    classes: int
    by_class: bool


@lru_cache(maxsize=1)
def _judges(images: Path, _version: tuple[int, int], most: int, batch_size: int, device: str) -> _Judges:
    splits = load_splits(images, checked=True)
    chosen = judging(splits, most).to(device)

    def ready(part: ImageSet) -> list[Tensor]:
        # Statistics are averaged over batches that count the same, so these are nearly of one size.
        return [splits.normalise(one) for one in part.images[:].tensor_split(max(1, -(-len(part) // batch_size)))]

    labels = chosen.labels.cpu().numpy()
    recalibration = ready(splits.recalibration.to(device))
    return _Judges(recalibration, ready(chosen), labels, len(splits.class_names), splits.balance)
