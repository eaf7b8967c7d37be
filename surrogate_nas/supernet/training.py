"""Trains supernets: one loop for every combination of split, sharing, sampler, learning-rate rule and momentum.

Paths that a step does not sample get neither momentum nor weight decay in it: their gradients are absent, not zero.
(The code of DYNAS, arXiv 2503.10740, under torch 1.8 gave them both; absent gradients are cheaper and let a path rest.)
"""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import final

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from surrogate_nas._processes.meeting import Meeting
from surrogate_nas._processes.process_group import Exchange, Processes
from surrogate_nas.data.batches import Batches
from surrogate_nas.data.cache import load_splits
from surrogate_nas.data.classes.balance import image_weights, weighted_loss
from surrogate_nas.data.classes.folds import fold_of
from surrogate_nas.data.settings import DataSettings
from surrogate_nas.errors import StoreError, TrainingError
from surrogate_nas.nets.own_draws import drawn_by
from surrogate_nas.nets.places.importance import by_importance
from surrogate_nas.nets.pretrained.first_weights import FirstWeights
from surrogate_nas.supernet.checkpoint import Checkpoint, load_checkpoint, restore, save_checkpoint
from surrogate_nas.supernet.extract import put_first_weights
from surrogate_nas.supernet.phases import Training
from surrogate_nas.supernet.plan import SupernetPlan
from surrogate_nas.supernet.rules.momenta import Momenta
from surrogate_nas.supernet.rules.step_plan import Step
from surrogate_nas.supernet.rules.weight_average import TailAverage
from surrogate_nas.supernet.shared_network import SharedNetwork

FIRST_WEIGHTS = "first_weights.safetensors"
"""Name of the file with pretrained weights in the folder of checkpoints."""

LOSS_PARTS = 200  # points of a training curve
_EXPLODED = 1e4  # a mean cross-entropy that no training recovers from
_ALONE = Exchange()


@dataclass(frozen=True)
class TrainingJob:
    """Input of one process for one training of a plan.

    Attributes:
        plan: The plan, with all cuts that the training depends on.
        training: The training of the plan to run.
        images: Folder of cached images.
        data: How images are augmented.
        folder: Folder that checkpoints are written to and resumed from.
        identity: What the stage belongs to.
        device: Torch device.
        threads: Threads of this process.
        meeting: Where it meets the other processes that train the same weights.
    """

    plan: SupernetPlan
    training: Training
    images: Path
    data: DataSettings
    folder: Path
    identity: dict[str, str]
    device: str = "cpu"
    threads: int = 1
    meeting: Meeting = field(default_factory=Meeting)

    @property
    def member(self) -> int:
        """Number of the training within its phase."""
        return self.plan.phases[self.training.level].index(self.training)

    @property
    def checkpoint(self) -> Path:
        """Path that the state is written to and resumed from."""
        return self.folder / self.training.file

    @property
    def cut(self) -> Path:
        """Path of the cut of its subspace."""
        return self.folder / self.training.cut_file

    @property
    def belongs_to(self) -> dict[str, str]:
        """Identity of the training, which its checkpoint stores."""
        return training_identity(self.plan, self.training, self.identity)

    def batches(self) -> Batches:
        """Returns the mini-batches, equal for all trainings of a replica: subnets of one step see one mini-batch."""
        plan, splits = self.plan, load_splits(self.images, checked=True)
        splits = fold_of(splits, plan.fold(self.training), plan.folds).to(torch.device(self.device))
        data, seed = self.data, self.plan.image_seed(self.training)
        return Batches(splits, self.plan.settings.batch_size, seed=seed, flip=data.flip, shift=data.shift)


def training_identity(plan: SupernetPlan, training: Training, identity: dict[str, str]) -> dict[str, str]:
    """Returns the identity of a training: the stage's identity, its name, its subspace and its fold.

    The first fold is the study's own division of the images, so that it is the same training as without folds.
    """
    fold = plan.fold(training)
    of_fold = {"fold": f"{fold} of {plan.folds}"} if fold else {}
    return identity | {"member": training.name, "subspace": plan.subspace(training)} | of_fold


def train_member(job: TrainingJob, report: Callable[[int], None], stopped: Callable[[], bool]) -> bool:
    """Trains to the last step, from the checkpoint if there is one, else from its parent's.

    Several processes take the same steps, each on its part of every batch. A gradient is the mean over the whole batch;
    normalisations see the process's own part. Weights are equal in all of them, and the first one writes them.

    Args:
        job: What to train.
        report: Called with the number of its own steps done; by the first process alone.
        stopped: Whether to save and return early.

    Returns:
        Whether the training is complete.

    Raises:
        TrainingError: If a loss or a weight is not finite, a checkpoint cannot be written, or the other processes do
            not come; the last good checkpoint is kept.
        OthersEndedError: If another process ends before the training does.
        StoreError, RunFolderError: If the checkpoint, or the parent's, is damaged or belongs to something else.
    """
    torch.set_num_threads(job.threads)
    with job.meeting.held(torch.device(job.device), stopped) as all_came:
        return all_came and _train(job, report if job.meeting.processes.is_first else _untold, stopped)


def _untold(_steps: int) -> None:
    pass


def _train(job: TrainingJob, report: Callable[[int], None], stopped: Callable[[], bool]) -> bool:
    training, member, processes = job.training, _Member(job), job.meeting.processes
    _require_one_step(member.step, processes, job.checkpoint)
    report(member.step - training.first_step)
    if member.step == training.last_step:
        if not job.checkpoint.exists():  # a training of no step is its parent's weights
            member.save()
        return True
    batches, agenda = job.batches(), job.plan.agenda(training)
    saved_step, saved_at = member.step, time.monotonic()
    while member.step < training.last_step and not member.exchange.ends(stopped()):
        images, labels = batches.batch(member.step, processes.part)
        member.train(agenda.step(member.step), images, labels, batches.class_weights)
        report(member.step - training.first_step)
        if time.monotonic() - saved_at > job.plan.settings.checkpoint_seconds:
            member.save()
            saved_step, saved_at = member.step, time.monotonic()
    if member.step > saved_step:
        member.save()
    return member.step == training.last_step


def _require_one_step(step: int, processes: Processes, checkpoint: Path) -> None:
    """Refuses to go on from different checkpoints, as a shared disk may show them to machines for some seconds."""
    if not processes.are_at_one(step):
        raise TrainingError(
            f"processes that train together read different checkpoints at {checkpoint}; run again with --resume"
        )


@final
class _Member:
    """State of a training in progress: network, momenta and steps done, from the checkpoint if there is one."""

    def __init__(self, job: TrainingJob) -> None:
        plan, training, processes = job.plan, job.training, job.meeting.processes
        size = plan.settings.batch_size
        self.exchange = Exchange(processes, len(range(size)[processes.part]) / size)
        self._job, self._training, self._sorted_at = job, training, plan.sorted_at(training)
        self._network = network_of(job)
        self._momenta = Momenta(self._network, plan.settings, _momentum_groups(plan, training))
        share = plan.settings.weight_average if plan.is_evaluated(training) else 0.0
        self._average = TailAverage(self._network, share, training.first_step, training.last_step)
        self.step, self._loss_sum = training.first_step, torch.zeros(LOSS_PARTS, dtype=torch.float64)
        self._last: tuple[int, tuple[tuple[int, ...], ...]] = (self.step, ())
        if job.checkpoint.exists():
            self._resume()
        elif training.parent is not None and training.inherits != "nothing":
            self._inherit(next(each for each in plan.phases[training.level - 1] if each.name == training.parent))
        elif plan.settings.weights_from is not None:
            first = FirstWeights.load(job.folder / FIRST_WEIGHTS, plan.space)
            put_first_weights(self._network, first, plan.network)

    def _resume(self) -> None:
        path, training = self._job.checkpoint, self._training
        state = load_checkpoint(path, self._job.belongs_to)
        sound = (
            state.loss_sum.shape == self._loss_sum.shape
            and training.first_step <= state.step <= training.last_step
            and len(state.momenta) == len(self._momenta.buffers())
        )
        if not sound:
            raise StoreError(f"the checkpoint {path} is damaged; remove it to train this supernet again")
        restore(path, state, self._network)
        self._momenta.restore(state.momenta)
        self._average.restore(state.mean, state.samples)
        self.step, self._loss_sum = state.step, state.loss_sum.clone()

    def _inherit(self, parent: Training) -> None:
        plan, path = self._job.plan, self._job.folder / parent.file
        state = load_checkpoint(path, training_identity(plan, parent, self._job.identity))
        if state.step != parent.last_step:
            raise StoreError(f"the training in {path} stopped at step {state.step} of {parent.last_step}")
        restore(path, state, self._network)
        if not self._training.steps:  # a subspace that keeps its parent's weights keeps their mean too
            self._average.restore(state.mean, state.samples)
        # Momenta of groups by one decision mean nothing to groups by another, which start with none.
        if self._training.inherits == "state" and plan.separation(parent) == plan.separation(self._training):
            self._momenta.restore(state.momenta)

    def train(self, step: Step, images: Tensor, labels: Tensor, class_weights: Tensor | None = None) -> None:
        """Trains one step on a batch of images (B, C, H, W) with labels (B,); classes may have weights, shape (K,).

        Raises:
            TrainingError: If a loss is not finite, or beyond all bounds.
        """
        self._last = self.step, step.codes
        if self.step == self._sorted_at:
            for change in by_importance(self._network):
                self._momenta.reorder(change)
        images = images.to(memory_format=torch.channels_last)
        plan = self._job.plan
        clip_norm = plan.settings.clip_norm
        weights = image_weights(labels, class_weights)
        seed = (plan.seed_of(self._training.stream), self._job.meeting.processes.rank, self.step)
        with drawn_by(seed, images.device):
            losses = train_step(self._network, self._momenta, step, images, labels, clip_norm, weights, self.exchange)
        for code, loss in zip(step.codes, losses, strict=True):
            if not abs(loss) < _EXPLODED:
                raise self._diverged(f"training loss of supernet {self._training.name} became {loss:.3g}", (code,))
        part = (self.step - self._training.first_step) * LOSS_PARTS // self._training.steps
        self._loss_sum[part] += sum(losses) / len(losses)
        self.step += 1
        self._average.take(self.step)

    def save(self) -> None:
        """Writes the checkpoint, if this is the first process of the training.

        Raises:
            TrainingError: If a weight is not finite, or it cannot be written; the checkpoint before it is kept.
        """
        weights = dict(self._network.named_parameters())
        # A gradient may overflow under a finite loss; no loss shows it after the last step or in a path that rests.
        if not all(bool(weight.isfinite().all()) for weight in weights.values()):
            raise self._diverged(f"weights of supernet {self._training.name} became infinite or NaN", self._last[1])
        if not self._job.meeting.processes.is_first:
            return
        average = self._average
        state = Checkpoint(self.step, weights, self._momenta.buffers(), self._loss_sum, average.mean(), average.count)
        save_checkpoint(self._job.checkpoint, state, self._job.belongs_to)

    def _diverged(self, what: str, codes: tuple[tuple[int, ...], ...]) -> TrainingError:
        subnets = ", ".join(self._job.plan.space.digits(codes))
        return TrainingError(
            f"the {what} at step {self._last[0]}, subnet {subnets}: start over with a lower"
            " supernet.learning_rate and --overwrite"
        )


def network_of(job: TrainingJob) -> SharedNetwork:
    """Returns the network of a job with its first weights, on its device."""
    network = job.plan.build(job.training.stream)
    return network.to(device=torch.device(job.device), memory_format=torch.channels_last)  # type: ignore[call-overload,no-any-return]


def _momentum_groups(plan: SupernetPlan, training: Training) -> int:
    decision = plan.separation(training)
    return 1 if decision is None else len(plan.space.decisions[decision].choices)


def train_step(
    network: nn.Module,
    momenta: Momenta,
    step: Step,
    images: Tensor,
    labels: Tensor,
    clip_norm: float,
    weights: Tensor | None = None,
    exchange: Exchange = _ALONE,
) -> list[float]:
    """Trains one step: an optimizer step for each group of momenta, on the summed gradients of its subnets.

    All gradients are taken at the weights before the step, even where several groups move.

    Args:
        network: Owner of the weights.
        momenta: Momenta of the network's parameters.
        step: Subnets, their groups, factors of their losses and the learning rate.
        images: Shape (B, C, H, W); this process's part of the batch, where several train together.
        labels: Shape (B,).
        clip_norm: Largest norm of a group's summed gradients; 0 for no limit.
        weights: What the loss of each image counts, shape (B,); all the same if None.
        exchange: Adds up gradients and losses over processes.

    Returns:
        The loss of each subnet, without its factor.
    """
    losses, lesson = [0.0] * len(step.codes), labels
    teacher_first = sorted(range(len(step.codes)), key=lambda position: position != step.teacher)
    groups = list(dict.fromkeys(step.groups[position] for position in teacher_first))
    held: dict[int, list[Tensor | None]] = {}
    for group in groups:
        for parameter in momenta.parameters:
            parameter.grad = None
        for position in teacher_first:
            if step.groups[position] == group:
                learns = labels if position == step.teacher else lesson
                losses[position], scores = _backward(network, step, position, images, (learns, weights), exchange.share)
                if position == step.teacher:
                    lesson = _lesson(scores, labels, step.distillation)
        held[group] = [parameter.grad for parameter in momenta.parameters]
    found = [gradient for group in sorted(groups) for gradient in held[group] if gradient is not None]
    losses = exchange.add_up(found, losses)
    for group in sorted(groups):
        if len(groups) > 1:
            for parameter, gradient in zip(momenta.parameters, held[group], strict=True):
                parameter.grad = gradient
        if clip_norm:
            torch.nn.utils.clip_grad_norm_(momenta.parameters, clip_norm, foreach=True)
        momenta.step(group, step.rate)
    return losses


def _backward(
    network: nn.Module,
    step: Step,
    position: int,
    images: Tensor,
    lesson: tuple[Tensor, Tensor | None],
    share: float,
) -> tuple[float, Tensor]:
    """Adds the gradients of one subnet's loss to the existing ones.

    ``lesson`` has what it learns, and the weights of the images, (B,), where they have any.

    Returns:
        The loss times the share of the batch's images that these are, and scores (B, classes).
    """
    factor, (targets, weights) = step.factors[position] * share, lesson
    with torch.autocast(images.device.type, dtype=torch.bfloat16, enabled=images.is_cuda):
        scores = network(images, step.codes[position])
        loss = weighted_loss(scores, targets, weights)
    (loss if factor == 1 else loss * factor).backward()
    return share * loss.item(), scores.detach()


def _lesson(scores: Tensor, labels: Tensor, share: float) -> Tensor:
    """Returns what a teacher's scores (B, classes) and labels (B,) make the other subnets learn, (B, classes)."""
    probabilities = scores.float().softmax(dim=1)
    return F.one_hot(labels, scores.shape[1]).to(probabilities).lerp(probabilities, share)
