"""Trains the standalone network of one architecture, with checkpoints, so that it goes on wherever it was stopped.

Initial weights, order of images and augmentation follow from the seed alone: one seed, one result on one kind of
machine and number of threads, whether the training was interrupted or not.

Symbols:
    D: decisions of the space.
"""

import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import nn

from surrogate_nas.data.batches import Batches
from surrogate_nas.data.cache import load_splits
from surrogate_nas.data.images import DataSplits, ImageSet
from surrogate_nas.errors import TrainingError
from surrogate_nas.nets.network import build_network
from surrogate_nas.space.network import NetworkSpec
from surrogate_nas.space.space import Space
from surrogate_nas.training.checkpoint import load_training, save_training
from surrogate_nas.training.settings import TrainingSettings

Progress = Callable[[int], None]


@dataclass(frozen=True)
class NetworkJob:
    """One training, as a worker process takes it.

    Attributes:
        space: The search space.
        code: The architecture, length D.
        network: Sizes of the network.
        images: Folder of cached images.
        flip: Whether images are mirrored.
        shift: Pixels by which they are moved at most.
        settings: The recipe.
        seed: Of initial weights and batches.
        checkpoint: File of the checkpoint; kept at the end.
        device: Where it is trained.
        threads: Threads of this process.
    """

    space: Space
    code: tuple[int, ...]
    network: NetworkSpec
    images: Path
    flip: bool
    shift: int
    settings: TrainingSettings
    seed: int
    checkpoint: Path
    device: str = "cpu"
    threads: int = 1

    @property
    def identity(self) -> dict[str, str]:
        """What the checkpoint belongs to; its length is none of it, so that a longer training cannot pass for it."""
        recipe = self.settings.model_dump(exclude={"checkpoint_seconds", "evaluation_batch"})
        return {
            "space": self.space.fingerprint,
            "code": "".join(map(str, self.code)),
            "network": str(self.network),
            "recipe": str(recipe),
            "augmentation": f"flip={self.flip} shift={self.shift}",
            "seed": str(self.seed),
        }


@dataclass(frozen=True)
class TrainedNetwork:
    """What a training came to.

    Attributes:
        accuracy_percent: On the validation images.
        loss: Mean cross-entropy there.
        steps: Optimizer steps.
        seconds: Time of this process, evaluation included.
    """

    accuracy_percent: float
    loss: float
    steps: int
    seconds: float


def train_network(job: NetworkJob, report: Progress, stopped: Callable[[], bool]) -> TrainedNetwork | None:
    """Trains a network to its end; a task of ``supernet.workers.Workers``.

    Args:
        job: What to train.
        report: Told the number of steps done.
        stopped: Asked before every step; once true, the checkpoint is saved and nothing returned.

    Raises:
        TrainingError: If the loss is not finite, or a checkpoint cannot be written.
        StoreError, RunFolderError: If a checkpoint in the way cannot be gone on from.
    """
    torch.set_num_threads(job.threads)
    began = time.monotonic()
    splits = load_splits(job.images)
    device = torch.device(job.device)
    parts = splits.to(device)
    batches = Batches(
        parts, min(job.settings.batch_size, len(splits.train)), seed=job.seed, flip=job.flip, shift=job.shift
    )
    network, optimizer = _begin(job, device)
    step, total = 0, job.settings.epochs * batches.steps_per_epoch
    if job.checkpoint.exists():
        step = load_training(job.checkpoint, network, optimizer, job.identity)
    saved = time.monotonic()
    while step < total:
        if stopped():
            save_training(job.checkpoint, network, optimizer, step, job.identity)
            return None
        images, labels = batches.batch(step)
        loss = _step(network, optimizer, job.settings, images, labels, step / total)
        if not math.isfinite(loss):
            raise TrainingError(
                f"the loss of architecture {job.identity['code']} is {loss} after {step} steps; set a lower"
                " learning_rate"
            )
        step += 1
        report(step)
        if time.monotonic() - saved > job.settings.checkpoint_seconds:
            save_training(job.checkpoint, network, optimizer, step, job.identity)
            saved = time.monotonic()
    save_training(job.checkpoint, network, optimizer, step, job.identity)
    accuracy, mean_loss = evaluate(network, parts, parts.validation, job.settings.evaluation_batch)
    return TrainedNetwork(accuracy, mean_loss, step, time.monotonic() - began)


def _begin(job: NetworkJob, device: torch.device) -> tuple[nn.Module, torch.optim.SGD]:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(job.seed)
        network = build_network(job.space, list(job.code), job.network)
    network.to(device=device, memory_format=torch.channels_last)  # type: ignore[call-overload]
    settings = job.settings
    optimizer = torch.optim.SGD(
        network.parameters(),
        lr=settings.learning_rate,
        momentum=settings.momentum,
        weight_decay=settings.weight_decay,
        nesterov=settings.momentum > 0,
    )
    return network, optimizer


def _step(
    network: nn.Module,
    optimizer: torch.optim.SGD,
    settings: TrainingSettings,
    images: torch.Tensor,
    labels: torch.Tensor,
    progress: float,
) -> float:
    """One optimizer step on images (B, C, S, S); gives the loss."""
    network.train()
    for group in optimizer.param_groups:
        group["lr"] = settings.learning_rate * 0.5 * (1 + math.cos(math.pi * progress))
    optimizer.zero_grad(set_to_none=True)
    scores = network(images.contiguous(memory_format=torch.channels_last))
    loss = F.cross_entropy(scores, labels, label_smoothing=settings.label_smoothing)
    loss.backward()  # type: ignore[no-untyped-call]
    if settings.clip_norm is not None:
        nn.utils.clip_grad_norm_(network.parameters(), settings.clip_norm)
    optimizer.step()
    return float(loss.detach())


@torch.no_grad()
def evaluate(network: nn.Module, splits: DataSplits, images: ImageSet, batch_size: int) -> tuple[float, float]:
    """Accuracy in percent and mean cross-entropy on a set of images."""
    network.eval()
    correct, loss = 0, 0.0
    for pixels, labels in images.in_order(batch_size):
        scores = network(splits.normalise(pixels).contiguous(memory_format=torch.channels_last))
        correct += int((scores.argmax(dim=1) == labels).sum())
        loss += float(F.cross_entropy(scores, labels, reduction="sum"))
    return 100 * correct / len(images), loss / len(images)
