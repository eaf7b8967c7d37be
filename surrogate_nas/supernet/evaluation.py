"""What a sub-supernet says of an architecture: accuracy and loss on held-out images.

Every architecture is evaluated with batch-norm statistics of its own, recorded on images kept for that purpose.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

from surrogate_nas.data.cache import load_splits
from surrogate_nas.errors import StoreError
from surrogate_nas.nets.normalization import NormMode, set_mode
from surrogate_nas.supernet.checkpoint import load_checkpoint
from surrogate_nas.supernet.plan import SupernetPlan
from surrogate_nas.supernet.sharing import SharedNetwork

Batch = tuple[Tensor, Tensor]


@dataclass(frozen=True)
class EvaluationJob:
    """Some architectures of one member to evaluate.

    Attributes:
        plan: The plan.
        member: Which member answers for all these architectures.
        codes: The architectures, a tuple of codes.
        images: Folder of cached images.
        validation_images: How many held-out images to use; all where there are fewer.
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
    """Accuracy in percent and mean cross-entropy of some architectures, each of shape (N,)."""

    accuracy_percent: NDArray[np.float64]
    loss: NDArray[np.float64]


def evaluate_member(
    job: EvaluationJob, report: Callable[[int], None], stopped: Callable[[], bool]
) -> Evaluation | None:
    """Evaluates the architectures of a job, on one thread so that the result does not depend on how many there are.

    Returns:
        The evaluation, or ``None`` if it was stopped before the last architecture.

    Raises:
        StoreError: If the member's training is damaged or not finished.
    """
    torch.set_num_threads(1)
    network = _trained(job.plan, job.member, job.checkpoint, tuple(job.identity.items()), job.device)
    recalibration, validation = _batches(job.images, job.validation_images, job.batch_size, job.device)
    results = []
    for done, code in enumerate(job.codes):
        if stopped():
            return None
        results.append(evaluate(network, code, recalibration, validation))
        report(done + 1)
    accuracy, loss = zip(*results, strict=True)
    return Evaluation(np.array(accuracy), np.array(loss))


@torch.inference_mode()
def evaluate(
    network: SharedNetwork, code: tuple[int, ...], recalibration: list[Batch], validation: list[Batch]
) -> tuple[float, float]:
    """Accuracy in percent and mean cross-entropy of one architecture.

    Args:
        network: Owner of the weights.
        code: The architecture, length D.
        recalibration: Batches that batch-norm statistics are averaged over; their labels are not used.
        validation: Batches to judge by.
    """
    set_mode(network, NormMode.RECORD)
    for images, _ in recalibration:
        network(images, code)
    set_mode(network, NormMode.RECORDED)
    correct, loss, count = 0, 0.0, 0
    for images, labels in validation:
        scores = network(images, code)
        correct += int((scores.argmax(dim=1) == labels).sum())
        loss += float(F.cross_entropy(scores.double(), labels, reduction="sum"))
        count += len(labels)
    set_mode(network, NormMode.BATCH)
    return 100.0 * correct / count, loss / count


# One process evaluates many jobs of few members: networks and images stay loaded between them.


@lru_cache(maxsize=8)
def _trained(
    plan: SupernetPlan, member: int, checkpoint: Path, identity: tuple[tuple[str, str], ...], device: str
) -> SharedNetwork:
    state = load_checkpoint(checkpoint, dict(identity))
    if state.step != plan.steps(member):
        raise StoreError(f"the training in {checkpoint} stopped at step {state.step} of {plan.steps(member)}")
    network = plan.build(member)
    network.load_state_dict(dict(state.weights))
    network.to(device=device, memory_format=torch.channels_last)  # type: ignore[call-overload]
    network.eval()
    return network


@lru_cache(maxsize=2)
def _batches(images: Path, validation_images: int, batch_size: int, device: str) -> tuple[list[Batch], list[Batch]]:
    splits = load_splits(images).to(device)
    # Parts are stratified and shuffled, so the first images are a fair sample.
    chosen = splits.validation.take(torch.arange(min(validation_images, len(splits.validation))))

    def ready(part: object) -> list[Batch]:
        batches = part.in_order(batch_size)  # type: ignore[attr-defined]
        return [
            (splits.normalise(image).contiguous(memory_format=torch.channels_last), label) for image, label in batches
        ]

    return ready(splits.recalibration), ready(chosen)
