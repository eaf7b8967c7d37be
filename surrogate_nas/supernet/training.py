"""One training loop for every combination of sharing, path sampler and learning-rate rule.

Paths that a step does not sample get neither momentum nor weight decay in it: their gradients are absent, not zero.
(The code of DYNAS, arXiv 2503.10740, under torch 1.8 gave them both; absent gradients are cheaper and let a path rest.)
"""

import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor
from torch.nn import functional as F

from surrogate_nas.data.batches import Batches
from surrogate_nas.data.cache import load_splits
from surrogate_nas.data.settings import DataSettings
from surrogate_nas.errors import TrainingError
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
        TrainingError: If a loss is not finite; the last good checkpoint is kept.
        StoreError, RunFolderError: If the checkpoint is damaged or belongs to something else.
    """
    torch.set_num_threads(job.threads)
    settings, steps = job.plan.settings, job.plan.steps(job.member)
    device = torch.device(job.device)
    network = job.plan.build(job.member).to(device=device, memory_format=torch.channels_last)  # type: ignore[call-overload]
    optimizer = torch.optim.SGD(
        network.parameters(),
        lr=settings.learning_rate,
        momentum=settings.momentum,
        weight_decay=settings.weight_decay,
        nesterov=settings.momentum > 0,
        foreach=True,
    )
    step, loss_sum = 0, torch.zeros(LOSS_PARTS, dtype=torch.float64)
    if job.checkpoint.exists():
        state = load_checkpoint(job.checkpoint, job.identity)
        restore(state, network, optimizer)
        step, loss_sum = state.step, state.loss_sum
    report(step)

    def save() -> None:
        weights = dict(network.named_parameters())
        save_checkpoint(
            job.checkpoint, Checkpoint(step, weights, momenta_of(network, optimizer), loss_sum), job.identity
        )

    splits = load_splits(job.images).to(device)
    # The same batches for every member: subnets of one step see one mini-batch.
    batches = Batches(splits, settings.batch_size, seed=job.plan.seed, flip=job.data.flip, shift=job.data.shift)
    sampler = job.plan.sampler(job.member)
    schedule = Cosine(settings.learning_rate, settings.final_learning_rate, steps)
    saved_at = time.monotonic()
    while step < steps and not stopped():
        images, labels = batches.batch(step)
        images = images.to(memory_format=torch.channels_last)
        loss = _step(
            network, optimizer, schedule, step, sampler.draw(step).tolist(), images, labels, settings.clip_norm
        )
        if not math.isfinite(loss):
            raise TrainingError(
                f"the training loss of supernet {job.member} became {loss} at step {step}, subnet"
                f" {', '.join(job.plan.space.digits(sampler.draw(step)))}: lower supernet.learning_rate; the last good"
                " checkpoint is kept"
            )
        loss_sum[step * LOSS_PARTS // steps] += loss
        step += 1
        report(step)
        if time.monotonic() - saved_at > settings.checkpoint_seconds:
            save()
            saved_at = time.monotonic()
    save()
    return step == steps


def _step(
    network: SharedNetwork,
    optimizer: torch.optim.SGD,
    schedule: Schedule,
    step: int,
    codes: list[list[int]],
    images: Tensor,
    labels: Tensor,
    clip_norm: float | None,
) -> float:
    """One optimizer step on the summed gradients of some subnets; returns their mean loss."""
    optimizer.zero_grad(set_to_none=True)
    rates = [schedule.rate(step, code) for code in codes]
    highest = max(rates)
    total = 0.0
    for code, rate in zip(codes, rates, strict=True):
        with torch.autocast(images.device.type, dtype=torch.bfloat16, enabled=images.is_cuda):
            loss = F.cross_entropy(network(images, code), labels)
        # Subnets with rates of their own share one optimizer step: the ratio goes into the gradient.
        (loss if rate == highest else loss * (rate / highest)).backward()
        total += loss.item()
    if clip_norm is not None:
        torch.nn.utils.clip_grad_norm_(network.parameters(), clip_norm, foreach=True)
    optimizer.param_groups[0]["lr"] = highest
    optimizer.step()
    return total / len(codes)


def mean_losses(loss_sum: Tensor, steps: int) -> list[float]:
    """The training curve: mean loss in each part of the training; parts without steps are left out."""
    bounds = [-(-part * steps // LOSS_PARTS) for part in range(LOSS_PARTS + 1)]
    return [
        float(total) / (end - start)
        for total, start, end in zip(loss_sum.tolist(), bounds, bounds[1:], strict=False)
        if end > start
    ]
