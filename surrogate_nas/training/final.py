"""Trains the network to deploy, in one or several processes, and continues from its last checkpoint."""

import math
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import torch
from torch import nn

from surrogate_nas._processes.process_group import Processes
from surrogate_nas.data.ahead import Ahead
from surrogate_nas.data.augmentation.augmented import AugmentedBatches
from surrogate_nas.data.final_images import FinalImages
from surrogate_nas.errors import TrainingError
from surrogate_nas.training.distillation import Teacher
from surrogate_nas.training.half_precision import Precision, resolved_precision
from surrogate_nas.training.learner import Learner, evaluate
from surrogate_nas.training.network_checkpoint import stored_identity
from surrogate_nas.training.recipes import Recipe

Progress = Callable[[int, int], None]

_ACTIVATIONS = "activations"
"""Field of a checkpoint's identity: the precision that was decided on when the training began."""


@dataclass(frozen=True)
class FinalJob:
    """Inputs of one final training.

    Attributes:
        network: The network with its first weights; it is trained in place.
        images: Images to train and evaluate on.
        recipe: Recipe of the training.
        seed: Seed of the order of images and their augmentation.
        checkpoint: File of the checkpoint; kept at the end.
        identity: Identity of the checkpoint in addition to recipe, seed and images.
        device: Device to train on.
        processes: Processes that train together.
        record: Called after every epoch with its number, from 1, and the mean loss of the steps of this process in it.
        teacher: Trained network to learn from as well; ``identity`` has to name it.
    """

    network: nn.Module
    images: FinalImages
    recipe: Recipe
    seed: int
    checkpoint: Path
    identity: Mapping[str, str]
    device: torch.device
    processes: Processes = field(default_factory=Processes)
    record: Callable[[int, float], None] | None = None
    teacher: nn.Module | None = None

    @property
    def belongs_to(self) -> dict[str, str]:
        """Identity of the checkpoint; any difference would give other weights."""
        recipe = self.recipe.settings.identity()
        return {
            **self.identity,
            "images": self.images.train.fingerprint(),
            **{f"training.{name}": str(value) for name, value in recipe.items()},
            "seed": str(self.seed),
            "processes": str(self.processes.count),
        }


@dataclass(frozen=True)
class Trained:
    """Result of a final training.

    Attributes:
        network: In evaluation mode, on the CPU.
        accuracy_percent: Accuracy on the test images, which are used only here; computed in float32.
        loss: Mean cross-entropy there.
        steps: Optimizer steps.
        precision: Precision of activations in training.
    """

    network: nn.Module
    accuracy_percent: float
    loss: float
    steps: int
    precision: Precision


def train_final(job: FinalJob, report: Progress, stopped: Callable[[], bool]) -> Trained | None:
    """Trains a network to its end; all processes that train together call it with the same job.

    Args:
        job: What to train.
        report: Called with the steps done and the steps in total.
        stopped: Called before every step.

    Returns:
        The trained network, or None where it was stopped; the checkpoint is then saved.

    Raises:
        TrainingError: If the loss is not finite, or a checkpoint cannot be written.
        StoreError, RunFolderError: If an existing checkpoint cannot be continued.
    """
    images, settings = job.images.to(job.device), job.recipe.settings
    batches = AugmentedBatches(images, settings.batch_size, seed=job.seed, augmentation=job.recipe.augmentation)
    total = settings.epochs * batches.steps_per_epoch
    precision = _precision(job, batches, total)
    identity = job.belongs_to | {_ACTIVATIONS: precision}
    learner = _learner(job, precision, total)
    learner.weigh(batches.class_weights)
    step = learner.load(job.checkpoint, identity) if job.checkpoint.exists() else 0
    with Ahead(batches.batch, total) as ahead:
        run = _Run(job, learner, identity, ahead, batches.steps_per_epoch)
        if not run.to_the_end(step, report, stopped):
            return None
    accuracy = loss = math.nan
    if job.processes.is_first:
        accuracy, loss = evaluate(learner.result, images.test, images.normalise, settings.evaluation_batch)
    return Trained(learner.result.cpu().eval(), accuracy, loss, total, precision)


def _precision(job: FinalJob, batches: AugmentedBatches, total: int) -> Precision:
    """Returns the precision that the checkpoint was made with, or a new decision."""
    settings = job.recipe.settings
    stored = stored_identity(job.checkpoint).get(_ACTIVATIONS) if job.checkpoint.exists() else None
    if stored is not None:
        return "bfloat16" if stored == "bfloat16" else "float32"

    def decide() -> bool:
        return resolved_precision(job.network, settings, total, batches.batch(0), job.device) == "bfloat16"

    return "bfloat16" if job.processes.first_one_s(decide) else "float32"


def _learner(job: FinalJob, precision: Precision, total: int) -> Learner:
    settings = job.recipe.settings
    resolved = settings.model_copy(update={"precision": precision})
    learner = Learner(
        job.network,
        resolved,
        total,
        job.device,
        distributed=job.processes.count > 1,
        seed=(job.seed, job.processes.rank),
    )
    if job.teacher is not None:
        network = job.teacher.to(device=job.device, memory_format=torch.channels_last).eval()  # type: ignore[call-overload]
        learner.learn_from(Teacher(network, settings.teacher_weight, settings.temperature))
    return learner


@dataclass(frozen=True)
class _Run:
    """The steps of a training, from where its checkpoint is."""

    job: FinalJob
    learner: Learner
    identity: Mapping[str, str]
    batches: Ahead
    steps_per_epoch: int

    def to_the_end(self, step: int, report: Progress, stopped: Callable[[], bool]) -> bool:
        """Trains all steps that are left, and returns False where it was stopped; the checkpoint is saved."""
        job, total = self.job, self.batches.steps
        saved, loss, losses = time.monotonic(), 0.0, list[float]()
        report(step, total)
        while step < total:
            loss, stop = job.processes.agree(loss, stopped())
            self._require_finite(loss, step)
            if stop or time.monotonic() - saved > job.recipe.settings.checkpoint_seconds:
                self._save(step)
                saved = time.monotonic()
            if stop:
                return False
            batch = self.batches.batch(step)
            images, labels = job.processes.share(*batch)
            loss = self.learner.step(images, labels, step, len(labels) * job.processes.count / len(batch[1]))
            losses.append(loss)
            step += 1
            report(step, total)
            if job.record is not None and step % self.steps_per_epoch == 0:
                job.record(step // self.steps_per_epoch, sum(losses) / len(losses))
                losses.clear()
        if job.processes.is_first:
            self._require_finite(loss, step)
            self._save(step)
        return True

    def _save(self, step: int) -> None:
        if self.job.processes.is_first:
            self.learner.save(self.job.checkpoint, step, self.identity)

    def _require_finite(self, loss: float, step: int) -> None:
        if not math.isfinite(loss):
            raise TrainingError(
                f"the loss is {loss} after step {step:,} of {self.batches.steps:,}; start over with a lower"
                f" --learning-rate than {self.job.recipe.settings.learning_rate:.3g} and --overwrite"
            )
