"""The result of a search by gradients: an architecture, the signs of a collapse, and a probability of every other."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from surrogate_nas.errors import StoreError
from surrogate_nas.gradient.distributions.derivation import Collapse, candidates, collapse_of, derive, log_probabilities
from surrogate_nas.gradient.distributions.distribution import Distribution
from surrogate_nas.gradient.distributions.draws import draw
from surrogate_nas.gradient.job import LearningJob
from surrogate_nas.gradient.learning import Learner
from surrogate_nas.space.space import Codes, Space


@dataclass(frozen=True)
class Learned:
    """A finished search by gradients.

    Attributes:
        space: The space.
        code: The derived architecture, shape (D,).
        collapse: What speaks against it.
        distribution: The distribution.
    """

    space: Space
    code: Codes
    collapse: Collapse
    distribution: Distribution

    def log_probabilities(self, codes: Codes) -> NDArray[np.float64]:
        """Returns the log-probability of codes (N, D), shape (N,)."""
        return log_probabilities(self.distribution, codes)

    def draw(self, count: int, rng: np.random.Generator) -> Codes:
        """Returns draws that lead from input to output, shape (count, D)."""
        return np.asarray(draw(self.space, self.distribution, count, rng).codes.numpy().astype(np.int8))


def read_learned(job: LearningJob) -> Learned:
    """Returns the result of a finished job.

    Raises:
        StoreError: If its file is missing or damaged, or not of the last step.
        RunFolderError: If it belongs to something else.
    """
    learner, steps, space = Learner(job), job.settings.steps, job.space
    if learner.step != steps:
        raise StoreError(f"the distribution in {job.file} stopped at step {learner.step} of {steps}")
    how = job.settings.row.derives
    found = candidates(space, learner.distribution, how, job.settings.candidates, job.seed)
    code = derive(found, learner.accuracy)
    collapse = collapse_of(space, learner.distribution, code, job.seed, judged=how != "argmax")
    return Learned(space, code, collapse, learner.distribution)
