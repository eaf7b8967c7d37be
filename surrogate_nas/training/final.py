"""Trains the network to deploy, in one or several processes, and continues from its last checkpoint."""

import math
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import torch
from torch import nn

from surrogate_nas.data.batches import Batches
from surrogate_nas.data.final_images import FinalImages
from surrogate_nas.errors import TrainingError
from surrogate_nas.training.data_parallel import Processes
from surrogate_nas.training.learner import Learner, evaluate
from surrogate_nas.training.recipes import Recipe

Progress = Callable[[int, int], None]


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

    @property
    def belongs_to(self) -> dict[str, str]:
        """Identity of the checkpoint; any difference would give other weights."""
        recipe = self.recipe.settings.model_dump(exclude={"checkpoint_seconds", "evaluation_batch"})
        return {
            **self.identity,
            "images": self.images.train.fingerprint(),
            "recipe": str(recipe),
            "augmentation": f"flip={self.recipe.flip} shift={self.recipe.shift}",
            "seed": str(self.seed),
            "processes": str(self.processes.count),
        }


@dataclass(frozen=True)
class Trained:
    """Result of a final training.

    Attributes:
        network: In evaluation mode, on the CPU.
        accuracy_percent: Accuracy on the test images, which are used only here.
        loss: Mean cross-entropy there.
        steps: Optimizer steps.
    """

    network: nn.Module
    accuracy_percent: float
    loss: float
    steps: int


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
    batches = Batches(images, settings.batch_size, seed=job.seed, flip=job.recipe.flip, shift=job.recipe.shift)
    total = settings.epochs * batches.steps_per_epoch
    learner = Learner(job.network, settings, total, job.device, distributed=job.processes.count > 1)
    identity = job.belongs_to
    step = learner.load(job.checkpoint, identity) if job.checkpoint.exists() else 0
    saved, loss, losses = time.monotonic(), 0.0, list[float]()
    report(step, total)
    while step < total:
        loss, stop = job.processes.agree(loss, stopped())
        if not math.isfinite(loss):
            raise TrainingError(
                f"the loss is {loss} after step {step:,} of {total:,}; start over with a lower --learning-rate than"
                f" {settings.learning_rate:.3g} and --overwrite"
            )
        due = time.monotonic() - saved > settings.checkpoint_seconds
        if (stop or due) and job.processes.is_first:
            learner.save(job.checkpoint, step, identity)
            saved = time.monotonic()
        if stop:
            return None
        loss = learner.step(*job.processes.share(*batches.batch(step)), step)
        losses.append(loss)
        step += 1
        report(step, total)
        if job.record is not None and step % batches.steps_per_epoch == 0:
            job.record(step // batches.steps_per_epoch, sum(losses) / len(losses))
            losses.clear()
    if not job.processes.is_first:
        return Trained(learner.result, math.nan, math.nan, step)
    if not math.isfinite(loss):
        raise TrainingError(f"the loss is {loss} after the last step; start over with a lower --learning-rate")
    learner.save(job.checkpoint, step, identity)
    accuracy, mean_loss = evaluate(learner.result, images.test, images.mean, images.std, settings.evaluation_batch)
    return Trained(learner.result.cpu().eval(), accuracy, mean_loss, step)
