"""REINFORCE (Williams, "Simple Statistical Gradient-Following Algorithms", Machine Learning 8, 1992) as a sampler.

A policy holds one softmax distribution for each decision. A batch is drawn from it, and one step along the gradient of
the expected reward makes choices likelier that beat a moving baseline. The reward is a rank, so it needs no scale of
accuracies, and budgets take part in it: feasible architectures win against infeasible ones, as in evolution.

Symbols:
    N: architectures drawn. D: decisions. C: largest number of choices; the choices that a decision lacks have
    probability 0.
"""

from bisect import bisect_left, bisect_right
from collections import deque
from collections.abc import Sequence

import numpy as np

from surrogate_nas.search.candidates import Candidates, Floats, class_keys
from surrogate_nas.search.evaluator import Evaluator
from surrogate_nas.search.samplers.evolution import fitness
from surrogate_nas.search.settings import SearchSettings
from surrogate_nas.space.space import Codes

# Chosen on two columns of labels and on `cifar100_valid` of NAS-Bench-201; none of them is reported.
RATE = 0.5
# Share of each decision that is drawn uniformly, so that a policy that has settled still meets new architectures.
EXPLORATION = 0.1
# A reward is the share of so many last architectures that one beats.
WINDOW = 100
DECAY = 0.9
# Batches without any new architecture, one after another, after which the policy has nothing new to propose.
_PATIENCE = 50


class Policy:
    """A distribution over architectures: a softmax for each decision, mixed with uniform draws.

    Attributes:
        logits: Shape (D, C); minus infinity for choices that a decision lacks.

    Args:
        choices: Number of choices of each decision, length D.
    """

    def __init__(self, choices: Sequence[int]) -> None:
        self._known = np.arange(max(choices)) < np.array(choices)[:, None]
        self._uniform = self._known / self._known.sum(axis=1, keepdims=True)
        self.logits: Floats = np.where(self._known, 0.0, -np.inf)

    def softmax(self) -> Floats:
        """Returns the probabilities without the uniform draws, shape (D, C)."""
        weights = np.exp(self.logits - self.logits.max(axis=1, keepdims=True))
        return np.asarray(weights / weights.sum(axis=1, keepdims=True))

    def probabilities(self) -> Floats:
        """Returns the probability of each choice, shape (D, C)."""
        return np.asarray((1 - EXPLORATION) * self.softmax() + EXPLORATION * self._uniform)

    def draw(self, count: int, rng: np.random.Generator) -> Codes:
        """Returns codes, shape (count, D)."""
        ends = self.probabilities().cumsum(axis=1)
        # The last end is a rounding error away from 1, and a draw must not lie beyond it.
        thresholds = rng.random((count, len(ends), 1)) * ends[:, -1:]
        return np.asarray((thresholds >= ends).sum(axis=2), dtype=np.int8)

    def gradient(self, codes: Codes) -> Floats:
        """Returns the gradient of each code's log-probability by the logits, shape (N, D, C)."""
        softmax, mixed = self.softmax(), self.probabilities()
        rows = np.arange(len(softmax))
        by_softmax = (1 - EXPLORATION) * softmax[rows, codes] / mixed[rows, codes]
        taken = codes[:, :, None] == np.arange(softmax.shape[1])
        return np.asarray(by_softmax[:, :, None] * (taken - softmax))

    def step(self, codes: Codes, advantage: Floats) -> None:
        """Moves the logits by the score-function estimate: codes of shape (N, D), advantages of shape (N,)."""
        self.logits = self.logits + RATE * np.einsum("n,ndc->dc", advantage, self.gradient(codes))


class ReinforceSampler:
    """Proposes draws of a policy that learns from each batch.

    Args:
        evaluator: Evaluator of the search.
        settings: ``batch`` is the number of draws of a step.
        seed: Seed of all draws.
    """

    def __init__(self, evaluator: Evaluator, settings: SearchSettings, seed: int) -> None:  # noqa: ARG002 - as all
        self._evaluator = evaluator
        self._rng = np.random.default_rng(seed)
        self._policy = Policy([len(decision.choices) for decision in evaluator.space.decisions])
        self._seen: set[bytes] = set()
        self._drawn: Codes = np.empty((0, evaluator.space.num_decisions), dtype=np.int8)
        self._last: deque[tuple[float, float]] = deque(maxlen=WINDOW)
        self._baseline = 0.5

    def propose(self, count: int) -> Codes:
        """Returns at most ``count`` new codes, shape (n, D)."""
        drawn: list[Codes] = []
        found: list[Codes] = []
        idle = 0
        while len(found) < count and idle < _PATIENCE:
            codes = self._policy.draw(count, self._rng)
            alike = self._evaluator.cheapest_alike(codes)
            before = len(found)
            for row, key in enumerate(class_keys(self._evaluator.space, alike)):
                if len(found) < count and key not in self._seen:
                    self._seen.add(key)
                    drawn.append(codes[row])
                    found.append(alike[row])
            idle = 0 if len(found) > before else idle + 1
        self._drawn = np.array(drawn, dtype=np.int8).reshape(-1, self._evaluator.space.num_decisions)
        return np.array(found, dtype=np.int8).reshape(self._drawn.shape)

    def observe(self, candidates: Candidates) -> None:
        """Moves the policy along the rewards of the last proposal, and the baseline towards their mean."""
        reward = self._rewards(candidates)
        # The draws rather than their cheapest members: the policy drew those.
        self._policy.step(self._drawn, reward - self._baseline)
        self._baseline = DECAY * self._baseline + (1 - DECAY) * float(reward.mean())

    def _rewards(self, candidates: Candidates) -> Floats:
        """Returns the share of the last architectures that each beats, ties by half, shape (N,)."""
        values = fitness(candidates)
        self._last.extend(values)
        ordered = sorted(self._last)
        beaten = [bisect_left(ordered, value) + bisect_right(ordered, value) for value in values]
        return np.array(beaten, dtype=np.float64) / (2 * len(ordered))
