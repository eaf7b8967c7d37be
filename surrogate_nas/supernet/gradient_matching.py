"""Compares the gradients that the choices of a decision cause in the weights they share (gradient matching, GM-NAS).

Symbols:
    O: choices of a decision. P: shared weights outside it. M: mini-batches.

GM-NAS, arXiv 2203.15207. For each decision that is left to cut, the other decisions are drawn, and the gradient of all
weights that do not belong to the decision itself is taken once with each of its choices:
D[i, j] = mean over M of 1 - cos(g_i, g_j). A weight that one choice leaves unused (a later edge that is dead without
it) has zero gradient there.

The other decisions are drawn so that data reach the output with every choice, ``none`` included: uniformly among such
draws, the same for all choices in a mini-batch. Where an edge is on every path there is no such draw: then they are
drawn for the other choices, and the choice that cuts the network has no gradient and distance 1 from all others.
"""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional as F

from surrogate_nas.data.batches import Batches
from surrogate_nas.errors import StoreError, TrainingError
from surrogate_nas.nets.own_draws import drawn_by
from surrogate_nas.nets.precision import in_double
from surrogate_nas.space.space import Codes, Space
from surrogate_nas.supernet.checkpoint import load_checkpoint, restore
from surrogate_nas.supernet.plan import SupernetPlan
from surrogate_nas.supernet.shared_network import SharedNetwork
from surrogate_nas.supernet.splits.boxes import Box, box_population, draw_box, in_box
from surrogate_nas.supernet.splits.gradient_cuts import Cut, best_cut, write_cut
from surrogate_nas.supernet.training import TrainingJob, network_of

Forward = Callable[[Tensor], Tensor]
_CONTEXT_STREAM = 800_000  # of the random draws of a plan's seed


class Context(Protocol):
    """The other decisions while the choices of one are compared."""

    def distances(
        self, network: SharedNetwork, rng: np.random.Generator, images: Tensor, labels: Tensor
    ) -> NDArray[np.float64]:
        """Returns 1 - cosine between the gradients under the choices on a mini-batch, shape (O, O)."""


def cut_member(job: TrainingJob, report: Callable[[int], None], stopped: Callable[[], bool]) -> Cut | None:
    """Finds where to cut the subspace of a finished training in two, and writes the cut next to its checkpoint.

    Args:
        job: The training.
        report: Called with the part of ``cut_steps`` that is done.
        stopped: Whether to return early.

    Returns:
        The cut, or ``None`` if it was stopped early.

    Raises:
        StoreError, RunFolderError: If the training is damaged, not finished or belongs to something else.
        SettingsError: If no cut leaves two halves with enough architectures.
        TrainingError: If gradients are not finite.
        WriteError: If the file cannot be written.
    """
    space, box = job.plan.space, job.plan.box(job.training)
    return find_cut(job, job.batches(), lambda decision: Contexts(space, box, decision), report, stopped)


def find_cut(
    job: TrainingJob,
    batches: Batches,
    context_of: Callable[[int], Context],
    report: Callable[[int], None],
    stopped: Callable[[], bool],
) -> Cut | None:
    """Finds a cut like ``cut_member``, on given mini-batches and in given contexts.

    Args:
        job: The training.
        batches: Mini-batches whose gradients are compared.
        context_of: Returns the context of a decision.
        report: As for ``cut_member``.
        stopped: As for ``cut_member``.
    """
    torch.set_num_threads(job.threads)
    plan, training = job.plan, job.training
    network = network_of(job)
    state = load_checkpoint(job.checkpoint, job.belongs_to)
    if state.step != training.last_step:
        raise StoreError(f"the training in {job.checkpoint} stopped at step {state.step} of {training.last_step}")
    restore(job.checkpoint, state, network)
    box = plan.box(training)
    contexts = {decision: context_of(decision) for decision in uncut_decisions(plan.space, box)}
    totals = {decision: np.zeros((len(box[decision]),) * 2) for decision in contexts}
    for number in range(plan.settings.split_batches):
        if stopped():
            return None
        images, labels = batches.batch(training.last_step + number)
        images = images.to(memory_format=torch.channels_last)
        for decision, context in contexts.items():
            rng = np.random.default_rng([plan.seed, _CONTEXT_STREAM, training.stream, number, decision])
            with drawn_by((plan.seed, _CONTEXT_STREAM, training.stream, number, decision), images.device):
                totals[decision] += context.distances(network, rng, images, labels)
        if not all(np.isfinite(total).all() for total in totals.values()):
            raise TrainingError(
                f"gradients of supernet {training.name} are not finite: start over with a lower supernet.learning_rate"
            )
        report((number + 1) * cut_steps(plan, training.level) // plan.settings.split_batches)
    distances = {decision: total / plan.settings.split_batches for decision, total in totals.items()}
    cut = best_cut(plan.space, box, distances, plan.settings.split_rounds - training.level - 1)
    write_cut(job.cut, plan.space, cut, distances, job.belongs_to)
    return cut


def cut_steps(plan: SupernetPlan, level: int) -> int:
    """Returns roughly how many training steps a cut costs: one for every choice and mini-batch of a level."""
    choices = sum(len(decision.choices) for decision in plan.space.decisions) / plan.space.num_decisions
    return round(plan.settings.split_batches * (plan.space.num_decisions - level) * choices)


def uncut_decisions(space: Space, box: Box) -> list[int]:
    """Returns the columns of the decisions of which a box still has every choice, and more than one."""
    complete = [len(allowed) == len(decision.choices) for allowed, decision in zip(box, space.decisions, strict=True)]
    return [column for column, allowed in enumerate(box) if complete[column] and len(allowed) > 1]


class Contexts:
    """Draws of the other decisions while the choices of one are compared.

    Args:
        space: A space small enough to enumerate, or one in which everything is connected.
        box: The subspace.
        decision: The column whose choices are compared.

    Attributes:
        alive: True for the choices that lead from input to output in every draw, shape (O,).
    """

    def __init__(self, space: Space, box: Box, decision: int) -> None:
        self._decision, self._choices = decision, np.array(box[decision], dtype=np.int8)
        self._space, self._open = space, space.always_connected
        if self._open:
            box = self._box = standing_box(space, box, decision)
            parts = [(*box[:decision], (choice,), *box[decision + 1 :]) for choice in box[decision]]
            self.alive = np.array([box_population(space, part) > 0 for part in parts])
            return
        codes = space.all_codes()
        first = codes[in_box(codes, (*box[:decision], box[decision][:1], *box[decision + 1 :]))]  # (others, D)
        reaches = np.stack([space.is_connected(self._with(first, choice)) for choice in self._choices])
        everywhere = bool(reaches.all(axis=0).any())
        self.alive = np.array([everywhere or bool(row.any()) for row in reaches])
        self._others = first[reaches[self.alive].all(axis=0)]

    def draw(self, rng: np.random.Generator) -> Codes:
        """Returns one draw of the other decisions with every choice, shape (O, D)."""
        other = (
            draw_box(self._space, self._box, 1, rng)[0] if self._open else self._others[rng.integers(len(self._others))]
        )
        codes = np.tile(other, (len(self._choices), 1))
        codes[:, self._decision] = self._choices
        return codes

    def distances(
        self, network: SharedNetwork, rng: np.random.Generator, images: Tensor, labels: Tensor
    ) -> NDArray[np.float64]:
        """Returns 1 - cosine between the gradients under the choices on a mini-batch, shape (O, O)."""
        return gradient_distances(network, self._decision, self.draw(rng), self.alive, images, labels)

    def _with(self, codes: Codes, choice: np.int8) -> Codes:
        changed = codes.copy()
        changed[:, self._decision] = choice
        return changed


def standing_box(space: Space, box: Box, decision: int) -> Box:
    """Returns the part of a box in which all choices of a decision are networks that differ in it alone.

    In a stage of elastic depth its layer is the last one that may stand: an earlier one that was left out, or a later
    one that stands, would make another layer of it.
    """
    narrowed = list(box)
    for run in (run for run in space.elastic_runs if decision in run):
        for column in run:
            left_out = len(space.decisions[column].choices) - 1
            wanted = tuple(choice for choice in box[column] if (choice == left_out) == (column > decision))
            if column != decision and wanted:
                narrowed[column] = wanted
    return tuple(narrowed)


def gradient_distances(
    network: SharedNetwork,
    decision: int,
    codes: Codes,
    alive: NDArray[np.bool_],
    images: Tensor,
    labels: Tensor,
) -> NDArray[np.float64]:
    """Returns 1 - cosine between the gradients under the choices of a decision, shape (O, O).

    Args:
        network: A supernet.
        decision: Column of the decision.
        codes: The subnets, which differ in that column alone, shape (O, D).
        alive: True for the subnets that have gradients, shape (O,); the others are at distance 1.
        images: Shape (B, C, H, W).
        labels: Shape (B,).
    """
    forwards = [partial(network, code=tuple(code)) for code in codes.tolist()]
    return distances_between(network, decision, forwards, alive, (images, labels))


def distances_between(
    network: SharedNetwork,
    decision: int,
    forwards: Sequence[Forward],
    alive: NDArray[np.bool_],
    batch: tuple[Tensor, Tensor],
) -> NDArray[np.float64]:
    """Returns 1 - cosine between the gradients of weights outside a decision, shape (O, O).

    Args:
        network: A supernet.
        decision: Column of the decision.
        forwards: Return class scores (B, classes) of images (B, C, H, W) under each choice, length O.
        alive: True for the choices that have gradients, shape (O,); the others are at distance 1.
        batch: Images (B, C, H, W) and labels (B,).
    """
    images, labels = batch
    own = {id(weight) for weight in network.weights_of(decision)}
    shared = [parameter for parameter in network.parameters() if id(parameter) not in own]
    # Dropout and the like draw the same numbers under each choice, so that distances are of the choices alone.
    own_draws, rows = (int(torch.randint(2**31, ())),), list[Tensor | None]()
    for forward, lives in zip(forwards, alive.tolist(), strict=True):
        with drawn_by(own_draws, images.device):
            rows.append(_gradient(forward, shared, images, labels) if lives else None)
    size = sum(parameter.numel() for parameter in shared)
    unused = in_double(torch.zeros(size, device=labels.device))
    gradients = torch.stack([unused if row is None else row for row in rows])
    unit = F.normalize(gradients, dim=1)
    distances = (1 - unit @ unit.T).cpu().numpy().astype(np.float64)
    np.fill_diagonal(distances, 0.0)
    return distances


def _gradient(forward: Forward, shared: list[nn.Parameter], images: Tensor, labels: Tensor) -> Tensor:
    """Returns the gradient of some weights as one vector, zero where a weight is not used, shape (P,)."""
    with torch.autocast(images.device.type, dtype=torch.bfloat16, enabled=images.is_cuda):
        loss = F.cross_entropy(forward(images), labels)
    found = torch.autograd.grad(loss, shared, allow_unused=True)
    pairs = zip(found, shared, strict=True)
    parts = [torch.zeros_like(weight) if gradient is None else gradient for gradient, weight in pairs]
    return in_double(torch.cat([part.flatten() for part in parts]))
