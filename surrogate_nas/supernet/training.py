"""One training loop for every combination of sharing, path sampler and learning-rate rule.

Paths that a step does not sample get neither momentum nor weight decay in it: their gradients are absent, not zero.
(The code of DYNAS, arXiv 2503.10740, under torch 1.8 gave them both; absent gradients are cheaper and let a path rest.)
"""

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import final

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from surrogate_nas.data.batches import Batches
from surrogate_nas.data.cache import load_splits
from surrogate_nas.data.settings import DataSettings
from surrogate_nas.errors import StoreError, TrainingError
from surrogate_nas.space.space import Codes
from surrogate_nas.supernet.checkpoint import Checkpoint, load_checkpoint, momenta_of, restore, save_checkpoint
from surrogate_nas.supernet.plan import SupernetPlan
from surrogate_nas.supernet.schedules import Cosine, Schedule
from surrogate_nas.supernet.sharing import SharedNetwork

LOSS_PARTS = 200  # points of a training curve


@dataclass(frozen=True)
class TrainingJob:
    """What one process needs to train one member of a plan.

    Attributes:
        plan: The plan.
        member: Which of its members.
        images: Folder of cached images.
        data: How images are augmented.
        checkpoint: Where the state goes, and is taken up from.
        identity: What the training belongs to.
        device: Torch device.
        threads: Threads of this process.
    """

    plan: SupernetPlan
    member: int
    images: Path
    data: DataSettings
    checkpoint: Path
    identity: dict[str, str]
    device: str = "cpu"
    threads: int = 1


def train_member(job: TrainingJob, report: Callable[[int], None], stopped: Callable[[], bool]) -> bool:
    """Trains one member to its last step, from its checkpoint if there is one.

    Args:
        job: What to train.
        report: Is told the number of steps done.
        stopped: Whether to save and return early.

    Returns:
        Whether the training is complete.

    Raises:
        TrainingError: If a loss or a weight is not finite, or a checkpoint cannot be written; the last good checkpoint
            is kept.
        StoreError, RunFolderError: If the checkpoint is damaged or belongs to something else.
    """
    torch.set_num_threads(job.threads)
    settings, member = job.plan.settings, _Member(job)
    report(member.step)
    if member.step == member.steps:
        return True
    splits = load_splits(job.images).to(member.device)
    # The same batches for every member: subnets of one step see one mini-batch.
    batches = Batches(splits, settings.batch_size, seed=job.plan.seed, flip=job.data.flip, shift=job.data.shift)
    sampler = job.plan.sampler(job.member)
    schedule = Cosine(settings.learning_rate, settings.final_learning_rate, member.steps)
    saved_step, saved_at = member.step, time.monotonic()
    while member.step < member.steps and not stopped():
        images, labels = batches.batch(member.step)
        member.train(sampler.draw(member.step), schedule, images, labels)
        report(member.step)
        if time.monotonic() - saved_at > settings.checkpoint_seconds:
            member.save()
            saved_step, saved_at = member.step, time.monotonic()
    if member.step > saved_step:
        member.save()
    return member.step == member.steps


@final
class _Member:
    """A member in training: its network, its optimizer and how far they are, from the checkpoint if there is one."""

    def __init__(self, job: TrainingJob) -> None:
        settings = job.plan.settings
        self._job = job
        self.device = torch.device(job.device)
        self.steps = job.plan.steps(job.member)
        self._network = job.plan.build(job.member).to(device=self.device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        self._optimizer = torch.optim.SGD(
            self._network.parameters(),
            lr=settings.learning_rate,
            momentum=settings.momentum,
            weight_decay=settings.weight_decay,
            nesterov=settings.momentum > 0,
            foreach=True,
        )
        self.step, self._loss_sum = 0, torch.zeros(LOSS_PARTS, dtype=torch.float64)
        self._last_step, self._last_codes = 0, np.empty((0, 0), dtype=np.int8)
        if job.checkpoint.exists():
            state = load_checkpoint(job.checkpoint, job.identity)
            if state.loss_sum.shape != self._loss_sum.shape or not 0 <= state.step <= self.steps:
                raise StoreError(f"the checkpoint {job.checkpoint} is damaged; remove it to train this supernet again")
            restore(job.checkpoint, state, self._network, self._optimizer)
            self.step, self._loss_sum = state.step, state.loss_sum.clone()

    def train(self, codes: Codes, schedule: Schedule, images: Tensor, labels: Tensor) -> None:
        """One step on some subnets, shape (S, D), and a batch of images (B, C, H, W) with labels (B,).

        Raises:
            TrainingError: If a loss is not finite.
        """
        self._last_step, self._last_codes = self.step, codes
        losses = train_step(
            self._network,
            self._optimizer,
            [(code, schedule.rate(self.step, code)) for code in codes.tolist()],
            images.to(memory_format=torch.channels_last),
            labels,
            self._job.plan.settings.clip_norm,
        )
        for code, loss in zip(codes, losses, strict=True):
            if not math.isfinite(loss):
                raise self._diverged(f"training loss of supernet {self._job.member} became {loss}", code[None])
        self._loss_sum[self.step * LOSS_PARTS // self.steps] += sum(losses) / len(losses)
        self.step += 1

    def save(self) -> None:
        """Writes the checkpoint.

        Raises:
            TrainingError: If a weight is not finite, or it cannot be written; the checkpoint before it is kept.
        """
        weights = dict(self._network.named_parameters())
        # A gradient may overflow under a finite loss; no later loss tells in the last step, or of a path that rests.
        if not all(bool(weight.isfinite().all()) for weight in weights.values()):
            raise self._diverged(f"weights of supernet {self._job.member} became infinite or NaN", self._last_codes)
        state = Checkpoint(self.step, weights, momenta_of(self._network, self._optimizer), self._loss_sum)
        save_checkpoint(self._job.checkpoint, state, self._job.identity)

    def _diverged(self, what: str, codes: Codes) -> TrainingError:
        subnets = ", ".join(self._job.plan.space.digits(codes))
        return TrainingError(
            f"the {what} at step {self._last_step}, subnet {subnets}: lower supernet.learning_rate; the last good"
            " checkpoint is kept"
        )


def train_step(
    network: SharedNetwork,
    optimizer: torch.optim.SGD,
    subnets: Sequence[tuple[Sequence[int], float]],
    images: Tensor,
    labels: Tensor,
    clip_norm: float | None,
) -> list[float]:
    """One optimizer step on the summed gradients of some subnets.

    Args:
        network: Owner of the weights.
        optimizer: Of the network's parameters.
        subnets: Code and learning rate of each.
        images: Shape (B, C, H, W).
        labels: Shape (B,).
        clip_norm: Largest norm of the summed gradients.

    Returns:
        The loss of each subnet.
    """
    optimizer.zero_grad(set_to_none=True)
    highest = max(rate for _, rate in subnets)
    losses = []
    for code, rate in subnets:
        with torch.autocast(images.device.type, dtype=torch.bfloat16, enabled=images.is_cuda):
            loss = F.cross_entropy(network(images, code), labels)
        # Subnets with rates of their own share one optimizer step: the ratio goes into the gradient.
        (loss if rate == highest else loss * (rate / highest)).backward()
        losses.append(loss.item())
    if clip_norm is not None:
        # The optimizer lists the parameters already; walking through the network for them takes longer than the norm.
        torch.nn.utils.clip_grad_norm_(optimizer.param_groups[0]["params"], clip_norm, foreach=True)
    optimizer.param_groups[0]["lr"] = highest
    optimizer.step()
    return losses


def mean_losses(loss_sum: Tensor, steps: int) -> list[float]:
    """The training curve: mean loss in each part of the training; parts without steps are left out."""
    bounds = [-(-part * steps // LOSS_PARTS) for part in range(LOSS_PARTS + 1)]
    return [
        float(total) / (end - start)
        for total, start, end in zip(loss_sum.tolist(), bounds, bounds[1:], strict=False)
        if end > start
    ]
