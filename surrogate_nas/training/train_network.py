"""Trains the standalone network of one architecture, or any other network, with checkpoints to continue from.

Initial weights, order of images and augmentation follow from the seed alone: one seed, one result on one kind of
machine and number of threads, whether the training was interrupted or not.

Symbols:
    D: decisions of the space.
"""

import math
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import torch
from torch import nn

from surrogate_nas.data.batches import Batches
from surrogate_nas.data.cache import load_splits
from surrogate_nas.errors import TrainingError
from surrogate_nas.nets.pretrained.first_weights import FirstWeights
from surrogate_nas.nets.standalone import build_network
from surrogate_nas.space.network import NetworkSpec
from surrogate_nas.space.space import Space
from surrogate_nas.training.learner import Learner, evaluate
from surrogate_nas.training.settings import TrainingSettings

Progress = Callable[[int], None]


class Buildable(Protocol):
    """A network that a worker process builds; it must be picklable."""

    @property
    def identity(self) -> Mapping[str, str]:
        """Everything that its weights belong to."""

    @property
    def title(self) -> str:
        """Its name for people."""

    def build(self) -> nn.Module:
        """Returns the network with random weights."""


@dataclass(frozen=True)
class ArchitectureNetwork:
    """The network of an architecture.

    Attributes:
        space: The search space.
        code: The architecture, length D.
        network: Sizes of the network.
        first_weights: File of the pretrained weights that it begins with a part of; ``None`` for random ones.
        pretrained: Digest of these weights.
    """

    space: Space
    code: tuple[int, ...]
    network: NetworkSpec
    first_weights: Path | None = None
    pretrained: str | None = None

    @property
    def identity(self) -> dict[str, str]:
        """Space, code and sizes, and the first weights where they are not random."""
        code = "".join(map(str, self.code))
        pretrained = {} if self.pretrained is None else {"pretrained": self.pretrained}
        return {"space": self.space.fingerprint, "code": code, "network": str(self.network), **pretrained}

    @property
    def title(self) -> str:
        """Its name for people."""
        return f"architecture {self.identity['code']}"

    def build(self) -> nn.Module:
        """Returns the network with random weights, or its part of pretrained ones."""
        if self.first_weights is None:
            return build_network(self.space, list(self.code), self.network)
        return FirstWeights.load(self.first_weights, self.space).part(self.space, list(self.code), self.network)


@dataclass(frozen=True)
class NetworkJob:
    """Inputs of one training, for a worker process.

    Attributes:
        network: What is trained.
        images: Folder of cached images.
        flip: Whether images are mirrored.
        shift: Pixels by which they are moved at most.
        settings: The recipe.
        seed: Seed of initial weights and batches.
        checkpoint: File of the checkpoint; kept at the end.
        device: Device to train on.
        threads: Threads of this process.
    """

    network: Buildable
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
        """Identity of the checkpoint; it includes the length, so that a longer training does not continue it."""
        recipe = self.settings.identity()
        return {
            **self.network.identity,
            "recipe": str(recipe),
            "augmentation": f"flip={self.flip} shift={self.shift}",
            "seed": str(self.seed),
        }

    def build(self) -> nn.Module:
        """Returns the network with its first weights."""
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(self.seed)
            return self.network.build()


@dataclass(frozen=True)
class TrainedNetwork:
    """Result of a training.

    Attributes:
        accuracy_percent: Accuracy on the validation images, of balanced images the balanced accuracy.
        loss: Mean cross-entropy there.
        steps: Optimizer steps.
        seconds: Time of this process, evaluation included.
    """

    accuracy_percent: float
    loss: float
    steps: int
    seconds: float


def train_network(job: NetworkJob, report: Progress, stopped: Callable[[], bool]) -> TrainedNetwork | None:
    """Trains a network to its end; a task of ``_processes.workers.Workers``.

    Args:
        job: What to train.
        report: Called with the number of steps done.
        stopped: Called before every step; once true, the checkpoint is saved and ``None`` returned.

    Raises:
        TrainingError: If the loss is not finite, or a checkpoint cannot be written.
        StoreError, RunFolderError: If an existing checkpoint cannot be continued.
    """
    torch.set_num_threads(job.threads)
    began = time.monotonic()
    splits = load_splits(job.images, checked=True)
    device = torch.device(job.device)
    parts = splits.to(device)
    batches = Batches(
        parts, min(job.settings.batch_size, len(splits.train)), seed=job.seed, flip=job.flip, shift=job.shift
    )
    step, total = 0, job.settings.epochs * batches.steps_per_epoch
    learner = Learner(job.build(), job.settings, total, device, distributed=False, seed=(job.seed,))
    learner.weigh(batches.class_weights)
    if job.checkpoint.exists():
        step = learner.load(job.checkpoint, job.identity)
    saved = time.monotonic()
    while step < total:
        if stopped():
            learner.save(job.checkpoint, step, job.identity)
            return None
        loss = learner.step(*batches.batch(step), step)
        if not math.isfinite(loss):
            raise TrainingError(
                f"the loss of {job.network.title} is {loss} after step {step:,}; set a lower training.learning_rate"
            )
        step += 1
        report(step)
        if time.monotonic() - saved > job.settings.checkpoint_seconds:
            learner.save(job.checkpoint, step, job.identity)
            saved = time.monotonic()
    learner.save(job.checkpoint, step, job.identity)
    accuracy, mean_loss = evaluate(
        learner.result, parts.validation, parts.normalise, job.settings.evaluation_batch, by_class=parts.balance
    )
    return TrainedNetwork(accuracy, mean_loss, step, time.monotonic() - began)
