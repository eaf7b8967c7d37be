"""The result of a search by gradients: an architecture of every subspace, the chosen one, and probabilities of all.

The chosen architecture has the least loss on validation images, with the shared weights of its own subspace and
batch-norm statistics that are recorded for it. The papers choose among subspaces by the accuracy of trained networks
that a benchmark has recorded, which no user could know.

Symbols:
    N: architectures. D: decisions. L: subspaces.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from surrogate_nas.errors import StoreError
from surrogate_nas.gradient.distributions.derivation import (
    Collapse,
    Keeps,
    candidates,
    collapse_of,
    derive,
    log_probabilities,
)
from surrogate_nas.gradient.distributions.distribution import Distribution
from surrogate_nas.gradient.distributions.draws import draw
from surrogate_nas.gradient.distributions.subspace import Subspace
from surrogate_nas.gradient.job import LearningJob
from surrogate_nas.gradient.learning import Learner
from surrogate_nas.space.class_table import ClassTable
from surrogate_nas.space.space import Codes, Space
from surrogate_nas.supernet.evaluation import EvaluationJob, evaluate_member

VOTE = "learned"
"""Name of the vote of a distribution over architectures."""


@dataclass(frozen=True, eq=False)
class Leaf:
    """The distribution of a subspace, and its derived architecture.

    Attributes:
        subspace: The subspace.
        code: The derived architecture, shape (D,).
        collapse: What speaks against it.
        distribution: The distribution.
        accuracy_percent: Accuracy of the derived architecture on validation images, with the shared weights.
        loss: Its mean cross-entropy on them.
        within: The architecture that is derived among the ones that keep the budgets, shape (D,); None where the
            derived one keeps them itself, or none was found.
    """

    subspace: Subspace
    code: Codes
    collapse: Collapse
    distribution: Distribution
    accuracy_percent: float
    loss: float
    within: Codes | None = None

    def log_probabilities(self, codes: Codes) -> NDArray[np.float64]:
        """Returns the log-probability of codes (N, D) in the subspace, shape (N,); minus infinity outside it.

        Where the space is small enough to list, probabilities of the subspace sum to 1. In others draws that are not
        accepted have a part of the probability.
        """
        found = np.full(len(codes), -np.inf)
        inside = self.subspace.holds(codes)
        if inside.any():
            found[inside] = log_probabilities(self.distribution, codes[inside]) - self._whole
        return found

    @cached_property
    def _whole(self) -> float:
        """Logarithm of the probability of all accepted draws."""
        if not self.subspace.space.listable:
            return 0.0
        return float(np.logaddexp.reduce(log_probabilities(self.distribution, self.subspace.codes())))


@dataclass(frozen=True)
class Learned:
    """A finished search by gradients.

    Attributes:
        leaves: One of each subspace.
        shares: Share of each subspace in the space's architectures, length L.
    """

    leaves: tuple[Leaf, ...]
    shares: tuple[float, ...]

    @property
    def chosen(self) -> Leaf:
        """The leaf whose derived architecture has the least validation loss; the first among equals."""
        return next(self.best_first)

    @property
    def best_first(self) -> Iterator[Leaf]:
        """The leaves, the one with the least validation loss first."""
        return iter(sorted(self.leaves, key=lambda leaf: leaf.loss))

    @property
    def code(self) -> Codes:
        """The chosen architecture, shape (D,)."""
        return self.chosen.code

    def log_probabilities(self, codes: Codes) -> NDArray[np.float64]:
        """Returns the log-probability of codes (N, D), shape (N,); subspaces have their share of the architectures."""
        parts = [
            leaf.log_probabilities(codes) + np.log(share) for leaf, share in zip(self.leaves, self.shares, strict=True)
        ]
        return np.asarray(np.max(parts, axis=0))  # every architecture lies in one subspace

    def votes(self, space: Space) -> ClassTable:
        """Returns the largest log-probability in every isomorphism class of a space that is small enough to list."""
        codes: Codes = space.all_codes()
        codes = codes[space.is_connected(codes)]
        classes, rows = np.unique(space.index(space.canonical(codes)), return_inverse=True)
        values = np.full(len(classes), -np.inf)
        np.maximum.at(values, rows, self.log_probabilities(codes))
        return ClassTable(space, (VOTE,), space.codes_at(classes), values[:, None])

    def draw(self, count: int, rng: np.random.Generator) -> Codes:
        """Returns draws that lead from input to output, shape (count, D)."""
        drawn_by = rng.choice(len(self.leaves), size=count, p=self.shares)
        codes = np.zeros((count, len(self.leaves[0].code)), dtype=np.int8)
        for number in np.unique(drawn_by).tolist():
            leaf, rows = self.leaves[number], np.flatnonzero(drawn_by == number)
            codes[rows] = draw(leaf.subspace, leaf.distribution, len(rows), rng).codes.numpy()
        return codes


def read_learned(
    jobs: list[LearningJob], validation_images: int, batch_size: int, keeps: Keeps | None = None
) -> Learned:
    """Returns the result of a finished search.

    Args:
        jobs: The members of its plan.
        validation_images: Images that derived architectures are compared on.
        batch_size: Images at once.
        keeps: Tells which architectures keep the budgets; if not given, no budget counts.

    Raises:
        StoreError: If a file is missing or damaged, or not of the last step.
        RunFolderError: If one belongs to something else.
        TrainingError: If a loss is not finite.
    """
    population = np.array(jobs[0].plan.split.population(), dtype=np.float64)
    leaves = tuple(_read_leaf(job, validation_images, batch_size, keeps) for job in jobs)
    return Learned(leaves, tuple((population / population.sum()).tolist()))


def _read_leaf(job: LearningJob, validation_images: int, batch_size: int, keeps: Keeps | None) -> Leaf:
    learner, last = Learner(job), job.training.last_step
    if learner.step != last or not job.file.exists():
        raise StoreError(f"the distribution in {job.file} stopped at step {learner.step} of {last}")
    subspace, distribution = job.subspace, learner.distribution
    how, within = job.settings.row.derives, None
    asked = subspace, distribution, how, job.settings.candidates, job.seed
    code = derive(candidates(*asked), learner.accuracy)
    if keeps is not None and not keeps(code[None])[0] and len(found := candidates(*asked, keeps)):
        within = derive(found, learner.accuracy)
    work = job.work
    judged = EvaluationJob(
        job.plan,
        work.member,
        (tuple(code.tolist()),),
        work.images,
        validation_images,
        batch_size,
        job.file,
        work.belongs_to,
        work.device,
    )
    made = evaluate_member(judged, lambda _: None, lambda: False)
    assert made is not None
    collapse = collapse_of(subspace, distribution, code, job.seed, judged=how != "argmax")
    return Leaf(subspace, code, collapse, distribution, float(made.accuracy_percent[0]), float(made.loss[0]), within)
