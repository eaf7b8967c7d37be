"""Evaluates architectures with the weights of a sub-supernet: accuracy and loss on held-out images.

Every architecture is evaluated with batch-norm statistics of its own, recorded on images kept for that purpose.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from surrogate_nas._support.files import file_state
from surrogate_nas.data.cache import INDEX, load_splits
from surrogate_nas.data.classes.balance import Tally, balanced_order
from surrogate_nas.data.classes.folds import fold_of
from surrogate_nas.errors import DataError, StoreError, TrainingError
from surrogate_nas.nets.normalization import NormMode, set_mode
from surrogate_nas.nets.precision import in_double
from surrogate_nas.space.layouts import smallest_map
from surrogate_nas.supernet.checkpoint import load_checkpoint, restore_weights
from surrogate_nas.supernet.plan import SupernetPlan
from surrogate_nas.supernet.shared_network import SharedNetwork

Batch = tuple[Tensor, Tensor]


@dataclass(frozen=True)
class EvaluationJob:
    """Some architectures of one member to evaluate.

    Attributes:
        plan: The plan.
        member: The member that evaluates all these architectures.
        codes: The architectures, a tuple of codes.
        images: Folder of cached images.
        validation_images: Number of held-out images to use; all where there are fewer.
        batch_size: Images at once.
        checkpoint: The member's finished training.
        identity: What the training belongs to.
        device: Torch device.
    """

    plan: SupernetPlan
    member: int
    codes: tuple[tuple[int, ...], ...]
    images: Path
    validation_images: int
    batch_size: int
    checkpoint: Path
    identity: dict[str, str]
    device: str = "cpu"


@dataclass(frozen=True)
class Evaluation:
    """Accuracy in percent and mean cross-entropy of some architectures, each of shape (N,).

    Of balanced images they are means over classes.
    """

    accuracy_percent: NDArray[np.float64]
    loss: NDArray[np.float64]


def evaluate_member(
    job: EvaluationJob, report: Callable[[int], None], stopped: Callable[[], bool]
) -> Evaluation | None:
    """Evaluates the architectures of a job, on one thread so that the result does not depend on their number.

    Returns:
        The evaluation, or ``None`` if it was stopped before the last architecture.

    Raises:
        StoreError: If the member's training is missing, damaged or not finished.
        RunFolderError: If it belongs to something else.
        DataError: If there are too few images to recalibrate with.
        TrainingError: If a loss is not finite.
    """
    torch.set_num_threads(1)
    identity = tuple(job.identity.items())
    network = _trained(_Trained(job.checkpoint, file_state(job.checkpoint), identity, job.device, job.member, job.plan))
    fold = job.plan.fold(job.plan.training(job.member))
    kept = _Kept(job.images, file_state(job.images / INDEX), fold, job.plan.folds)
    recalibration, validation, by_class = _batches(kept, job.validation_images, job.batch_size, job.device)
    _check_recalibration(job.plan, recalibration)
    results = np.empty((len(job.codes), 2))
    for done, code in enumerate(job.codes):
        if stopped():
            return None
        results[done] = evaluate(network, code, recalibration, validation, by_class=by_class)
        if not np.isfinite(results[done]).all():
            raise TrainingError(
                f"the loss of subnet {job.plan.space.digits([code])[0]} of supernet {job.member} is not finite: start"
                " over with a lower supernet.learning_rate and --overwrite"
            )
        report(done + 1)
    return Evaluation(results[:, 0].copy(), results[:, 1].copy())


@torch.inference_mode()
def evaluate(
    network: SharedNetwork,
    code: tuple[int, ...],
    recalibration: list[Batch],
    validation: list[Batch],
    *,
    by_class: bool = False,
) -> tuple[float, float]:
    """Returns the accuracy in percent and the mean cross-entropy of one architecture.

    Args:
        network: Owner of the weights.
        code: The architecture, length D.
        recalibration: Batches that batch-norm statistics are averaged over; their labels are not used.
        validation: Batches to evaluate on.
        by_class: Whether every class counts the same, not every image.
    """
    set_mode(network, NormMode.RECORD)
    for images, _ in recalibration:
        network(images, code)
    set_mode(network, NormMode.RECORDED)
    tally = Tally(torch.cat([labels for _, labels in validation]), by_class=by_class)
    for images, labels in validation:
        scores = in_double(network(images, code))
        tally.add(scores, labels.to(scores.device))
    set_mode(network, NormMode.BATCH)
    return tally.accuracy_percent, tally.loss


# One process evaluates many jobs of few members: networks and images stay loaded between them, until a file changes.


@dataclass(frozen=True)
class _Trained:
    """Key of a finished training; every job brings a copy of the plan, so the identity is compared instead."""

    checkpoint: Path
    version: tuple[int, int]
    identity: tuple[tuple[str, str], ...]
    device: str
    member: int
    plan: SupernetPlan = field(compare=False)


@lru_cache(maxsize=8)
def _trained(wanted: _Trained) -> SharedNetwork:
    steps = wanted.plan.steps(wanted.member)
    state = load_checkpoint(wanted.checkpoint, dict(wanted.identity))
    if state.step != steps:
        raise StoreError(f"the training in {wanted.checkpoint} stopped at step {state.step} of {steps}")
    network = wanted.plan.build(wanted.member)
    restore_weights(wanted.checkpoint, state, network)
    network.to(device=wanted.device, memory_format=torch.channels_last)  # type: ignore[call-overload]
    network.eval()
    return network


@dataclass(frozen=True)
class _Kept:
    """Key of the images of a fold."""

    folder: Path
    version: tuple[int, int]
    fold: int
    folds: int


@lru_cache(maxsize=2)
def _batches(
    images: _Kept, validation_images: int, batch_size: int, device: str
) -> tuple[list[Batch], list[Batch], bool]:
    """Returns batches to recalibrate with, batches to evaluate on, and whether classes count the same in them."""
    splits = fold_of(load_splits(images.folder, checked=True), images.fold, images.folds).to(device)
    # Parts are stratified and shuffled, so the first images are a fair sample.
    chosen = splits.validation.take(torch.arange(min(validation_images, len(splits.validation))))
    # Statistics are averaged over batches that count the same, so these are of one size, and none is of one image.
    count = len(splits.recalibration)
    number = min(-(-count // batch_size), max(1, count // 2))
    part = splits.recalibration
    if splits.balance and not splits.weighted:  # as the training drew them
        order = balanced_order(part.labels.cpu().numpy(), np.random.default_rng(0))
        part = part.take(torch.from_numpy(order).to(part.labels.device))
    recalibration = zip(part.images[:].tensor_split(number), part.labels.tensor_split(number), strict=True)

    def ready(batches: Iterable[Batch]) -> list[Batch]:
        return [
            (splits.normalise(image).contiguous(memory_format=torch.channels_last), label) for image, label in batches
        ]

    return ready(recalibration), ready(chosen.in_order(batch_size)), splits.balance


def _check_recalibration(plan: SupernetPlan, recalibration: list[Batch]) -> None:
    side = smallest_map(plan.space, plan.network)
    if any(len(images) * side**2 < 2 for images, _ in recalibration):
        raise DataError("a variance needs two images to recalibrate with (got 1): give more images, or larger ones")
