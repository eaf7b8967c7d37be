"""Learns a distribution over architectures and the weights that it is judged by, in turns, on two halves of the images.

Every random number follows from the seed and the step, so that a search resumed between two steps goes on exactly as if
it had not stopped.
"""

import time
from collections.abc import Callable
from typing import cast, final

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from surrogate_nas.errors import StoreError, TrainingError
from surrogate_nas.gradient.alpha_steps import Baseline, score_function
from surrogate_nas.gradient.distributions.distribution import Independent
from surrogate_nas.gradient.distributions.draws import DISTRIBUTION, WEIGHTS, draw, generator, gumbel
from surrogate_nas.gradient.distributions.relaxations import RELAXATIONS
from surrogate_nas.gradient.job import LearningJob
from surrogate_nas.gradient.learned_state import LearnedState
from surrogate_nas.gradient.unrolled import Optimizer, unrolled_gradients
from surrogate_nas.nets.own_draws import drawn_by
from surrogate_nas.space.space import Codes
from surrogate_nas.supernet.checkpoint import Checkpoint, load_checkpoint, restore, save_checkpoint
from surrogate_nas.supernet.rules.momenta import Momenta
from surrogate_nas.supernet.rules.schedules import Cosine
from surrogate_nas.supernet.training import LOSS_PARTS, network_of, training_identity

_REACH, _MOST_RATE = 5.0, 0.01  # a logit moves at most by its rate in a step of Adam
_SECOND_DECAY, _BASELINE_DECAY = 0.999, 0.99
_JUDGED_IMAGES = 512
_REMEDY = "remove it to learn it again"
_EXPLODED = 1e4  # a cross-entropy that no training recovers from
Batch = tuple[Tensor, Tensor]


def run_learning(job: LearningJob, report: Callable[[int], None], stopped: Callable[[], bool]) -> bool:
    """Learns to the last step, from the file if there is one, else from the weights of the parent.

    Args:
        job: What to learn.
        report: Called with the number of its own steps done.
        stopped: Whether to save and return early.

    Returns:
        Whether it is complete.

    Raises:
        TrainingError: If a loss is not finite, or the state cannot be written; the last good one is kept.
        StoreError, RunFolderError: If the state, or the parent's, is damaged or belongs to something else.
    """
    torch.set_num_threads(job.work.threads)
    learner, first, last = Learner(job), job.training.first_step, job.training.last_step
    report(learner.step - first)
    saved_step, saved_at = learner.step, time.monotonic()
    while learner.step < last and not stopped():
        learner.advance()
        report(learner.step - first)
        if time.monotonic() - saved_at > job.plan.settings.checkpoint_seconds:
            learner.save()
            saved_step, saved_at = learner.step, time.monotonic()
    if learner.step > saved_step:
        learner.save()
    return learner.step == last


@final
class Learner:
    """A search in progress: weights, distribution, what moves them, and the steps done.

    Attributes:
        network: The shared weights.
        distribution: The distribution.
        step: Steps of the weights done, counted from the beginning of the first parent.
        moves: Steps of the distribution done.
        rate: Learning rate of the distribution.

    Args:
        job: What to learn; begun from its file if there is one.
    """

    def __init__(self, job: LearningJob) -> None:
        self._job, self._row, self._settings = job, job.settings.row, job.plan.settings
        self.network = network_of(job.work)
        self.distribution = job.distribution().to(torch.device(job.work.device))
        self._momenta = Momenta(self.network, self._settings)
        steps = range(job.training.first_step, job.training.last_step)
        self._moves_in_all = sum(map(self._is_due, steps))
        self.rate = job.settings.rate or min(_MOST_RATE, _REACH / max(1, self._moves_in_all))
        self._adam = torch.optim.Adam(
            self.distribution.parameters(),
            self.rate,
            (self._row.first_decay, _SECOND_DECAY),
            weight_decay=self._row.weight_decay,
        )
        self._baseline = Baseline(_BASELINE_DECAY)
        self.step, self.moves = job.training.first_step, 0
        self._loss_sum = torch.zeros(LOSS_PARTS, dtype=torch.float64)
        self._subspace, self._halves = job.subspace, job.halves()
        self._batches = [job.batches(half) for half in self._halves]
        self._rates = Cosine(self._settings.learning_rate, self._settings.last_rate)
        if job.file.exists():
            self._resume()
        elif job.training.inherits != "nothing":
            self._inherit()

    def advance(self) -> None:
        """Takes one step of the weights and, where it is due, one of the distribution.

        Raises:
            TrainingError: If a loss is not finite, or beyond all bounds.
        """
        due = self._is_due(self.step)
        with drawn_by((self._job.seed, self.step), torch.device(self._job.work.device)):
            if due and self._row.before_weights:
                self._move_distribution()
            self._train_weights()
            if due and not self._row.before_weights:
                self._move_distribution()
        self.step += 1

    def accuracy(self, code: Codes) -> float:
        """Returns the accuracy of an architecture, shape (D,), on one batch of the distribution's images."""
        half = self._halves[1]
        images = half.normalise(half.train.images[:_JUDGED_IMAGES]).to(memory_format=torch.channels_last)
        batch = images, half.train.labels[:_JUDGED_IMAGES]
        self.network.eval()  # batch norms have a mode of their own, and dropout has no place here
        try:
            return self._accuracy(code.tolist(), batch)
        finally:
            self.network.train()

    def save(self) -> None:
        """Writes the state.

        Raises:
            TrainingError: If a number is not finite, or it cannot be written; the state before it is kept.
        """
        weights, parameters = dict(self.network.named_parameters()), dict(self.distribution.named_parameters())
        if not all(bool(each.isfinite().all()) for each in (*weights.values(), *parameters.values())):
            raise self._diverged("weights became infinite or NaN")
        means, squares = (
            {name: self._adam.state[each][kind] for name, each in parameters.items() if each in self._adam.state}
            for kind in ("exp_avg", "exp_avg_sq")
        )
        learnt = LearnedState(self.moves, self._baseline.value, parameters, means, squares)
        state = Checkpoint(self.step, weights, self._momenta.buffers(), self._loss_sum.clone(), learnt=learnt.tensors())
        save_checkpoint(self._job.file, state, self._job.work.belongs_to)

    def _resume(self) -> None:
        path, training, parameters = self._job.file, self._job.training, dict(self.distribution.named_parameters())
        state = load_checkpoint(path, self._job.work.belongs_to)
        restore(path, state, self.network)
        try:
            learnt = LearnedState.of(state.learnt)
            self.distribution.load_state_dict(dict(learnt.distribution))
            self._momenta.restore(state.momenta)
            for name, mean in learnt.means.items():
                if mean.shape != parameters[name].shape or learnt.squares[name].shape != mean.shape:
                    raise ValueError(name)
                # Adam counts its steps on the CPU.
                count = torch.tensor(float(learnt.moves))
                square = learnt.squares[name].to(parameters[name])
                self._adam.state[parameters[name]] = {
                    "step": count,
                    "exp_avg": mean.to(parameters[name]),
                    "exp_avg_sq": square,
                }
        except (RuntimeError, KeyError, ValueError) as error:
            raise StoreError(f"the distribution in {path} is not the one of this search; {_REMEDY}") from error
        sound = (
            state.loss_sum.shape == self._loss_sum.shape
            and training.first_step <= state.step <= training.last_step
            and learnt.moves <= state.step - training.first_step
            and all(bool(each.isfinite().all()) for each in parameters.values())
        )
        if not sound:
            raise StoreError(f"the distribution in {path} is damaged; {_REMEDY}")
        self.step, self.moves, self._baseline.value = state.step, learnt.moves, learnt.baseline
        self._loss_sum = state.loss_sum.clone()

    def _inherit(self) -> None:
        """Takes over what the parent's training has left: weights, and momenta if they are to stay."""
        plan, training = self._job.plan, self._job.training
        parent = next(each for each in plan.phases[training.level - 1] if each.name == training.parent)
        path = self._job.work.folder / parent.file
        state = load_checkpoint(path, training_identity(plan, parent, self._job.work.identity))
        if state.step != parent.last_step:
            raise StoreError(f"the training in {path} stopped at step {state.step} of {parent.last_step}")
        restore(path, state, self.network)
        if training.inherits == "state":
            self._momenta.restore(state.momenta)

    def _is_due(self, step: int) -> bool:
        """Returns whether the distribution moves in a step of the weights; a parent's never does."""
        done = step - self._job.training.first_step
        if self._row.distribution_sees == "nothing" or not self._job.learns:
            return False
        if done < self._row.begins * self._job.training.steps:
            return False
        return done % self._row.every == self._row.every - 1

    # Weights

    def _train_weights(self) -> None:
        for parameter in self._momenta.parameters:
            parameter.grad = None
        loss = self._weights_loss(self._batch(WEIGHTS))
        loss.backward()  # type: ignore[no-untyped-call]
        value = loss.item()
        if not abs(value) < _EXPLODED:
            raise self._diverged(f"loss became {value:.3g}")
        if self._settings.clip_norm:
            torch.nn.utils.clip_grad_norm_(self._momenta.parameters, self._settings.clip_norm, foreach=True)
        done, training = self.step - self._job.training.first_step, self._job.training
        self._loss_sum[done * LOSS_PARTS // training.steps] += value
        self._momenta.step(0, self._weights_rate)

    def _weights_loss(self, batch: Batch) -> Tensor:
        """Returns the loss of the subnets that weights see; it has no gradient by the distribution."""
        rng, part, sees = generator(self._job.seed, WEIGHTS, self.step), self._subspace, self._row.weights_see
        if sees == "uniform":
            return self._loss(part.uniform(rng).tolist(), batch)
        if sees == "path":
            return self._loss(draw(part, self.distribution, 1, rng).codes[0].tolist(), batch)
        with torch.no_grad():
            mixture = RELAXATIONS[sees](self._independent, self._noise(rng), self._temperature)
        return F.cross_entropy(self.network.mixed(batch[0], mixture), batch[1])

    # The distribution

    def _move_distribution(self) -> None:
        sees = self._row.distribution_sees
        parameters = list(self.distribution.parameters())
        if sees == "reward":
            gradients = torch.autograd.grad(self._reward_loss(), parameters)
        elif self._row.order == 2:
            gradients = self._second_order(parameters)
        else:
            gradients = torch.autograd.grad(self._relaxed_loss(), parameters)
        for parameter, gradient in zip(parameters, gradients, strict=True):
            parameter.grad = gradient
        self._adam.step()
        self.moves += 1

    def _relaxed_loss(self) -> Tensor:
        """Returns the loss of the mixture that the distribution sees, on its own images."""
        rng, sees = generator(self._job.seed, DISTRIBUTION, self.step), self._row.distribution_sees
        if sees in ("hard", "gate"):
            noise = draw(self._subspace, self.distribution, 1, rng).noise[0].to(self.distribution.allowed.device)
        else:
            noise = self._noise(rng)
        mixture = RELAXATIONS[sees](self._independent, noise, self._temperature)
        images, labels = self._batch(DISTRIBUTION)
        return F.cross_entropy(self.network.mixed(images, mixture), labels) + self._penalty()

    def _reward_loss(self) -> Tensor:
        rng, batch = generator(self._job.seed, DISTRIBUTION, self.step), self._batch(DISTRIBUTION)
        codes = draw(self._subspace, self.distribution, self._row.draws, rng).codes
        rewards = torch.tensor([self._accuracy(code, batch) for code in codes.tolist()])
        codes, advantages = (
            each.to(self.distribution.allowed.device) for each in (codes, self._baseline.advantages(rewards))
        )
        return score_function(self.distribution, codes, advantages, self._job.settings.entropy) + self._penalty()

    def _second_order(self, parameters: list[torch.nn.Parameter]) -> tuple[Tensor, ...]:
        held, settings = self._momenta.buffers()[0], self._settings
        buffers = [held.get(name) for name in self._momenta.names]
        images, labels = self._batch(WEIGHTS)

        def loss() -> Tensor:
            mixture = RELAXATIONS["mixture"](self._independent, self._noise(np.random.default_rng(0)), 1.0)
            return F.cross_entropy(self.network.mixed(images, mixture), labels)

        optimizer = Optimizer(self._weights_rate, settings.momentum, settings.weight_decay, buffers)
        return unrolled_gradients(self._momenta.parameters, parameters, optimizer, loss, self._relaxed_loss)

    def _penalty(self) -> Tensor | float:
        if self._job.costs is None or not self._job.settings.cost_weight:
            return 0.0
        return self._job.settings.cost_weight * self._job.costs.penalty(self._independent)

    # What both need

    @property
    def _independent(self) -> Independent:
        return cast(Independent, self.distribution)  # settings refuse relaxations of a controller

    @property
    def _weights_rate(self) -> float:
        training = self._job.training
        share, (first, last) = (self.step - training.first_step) / training.steps, training.progress
        progress = np.array([first + (last - first) * share])
        return float(self._rates.rates(progress, np.empty((1, 0, 0), dtype=np.int8))[0][0])

    @property
    def _temperature(self) -> float:
        first, last = self._row.temperature
        # The weights' last step comes after the distribution's.
        return first + (last - first) * min(1.0, self.moves / max(1, self._moves_in_all - 1))

    def _noise(self, rng: np.random.Generator) -> Tensor:
        allowed = self.distribution.allowed
        return gumbel(tuple(allowed.shape), rng).to(allowed.device)

    def _batch(self, stream: int) -> Batch:
        images, labels = self._batches[stream].batch(self.step)
        return images.to(memory_format=torch.channels_last), labels

    def _loss(self, code: list[int], batch: Batch) -> Tensor:
        return F.cross_entropy(self.network(batch[0], code), batch[1])

    @torch.no_grad()
    def _accuracy(self, code: list[int], batch: Batch) -> float:
        """Returns the share of a batch that an architecture gets right, with statistics of the batch."""
        return float((self.network(batch[0], code).argmax(dim=1) == batch[1]).double().mean())

    def _diverged(self, what: str) -> TrainingError:
        return TrainingError(
            f"the {what} at step {self.step} of gradient.method = {self._job.settings.method!r}: lower"
            " supernet.learning_rate or gradient.rate; the last good state is kept"
        )
