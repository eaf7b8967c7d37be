"""Searches that learn a distribution over architectures by gradients: one row for each paper.

A row is four independent choices (the mixture that weights see, the one that the distribution sees, the order of its
gradient, and the steps in which it learns) and how an architecture is read off at the end. No code but this table
knows a paper by name.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

WeightsSee = Literal["mixture", "gumbel", "path", "uniform"]
DistributionSees = Literal["nothing", "mixture", "gumbel", "hard", "gate", "reward"]
Derivation = Literal["argmax", "likeliest", "drawn"]


@dataclass(frozen=True)
class Method:
    """A search by gradients.

    Attributes:
        weights_see: Subnets that a step of the weights trains. mixture: all, by their probabilities. gumbel: all, by
            weights drawn from a Gumbel softmax. path: one drawn from the distribution. uniform: one drawn uniformly.
        distribution_sees: Loss that a step of the distribution descends. mixture and gumbel: that of such a mixture.
            hard: that of one drawn path, with the gradient of a Gumbel softmax (straight-through). gate: that of one
            drawn path, with the gradient by all gates. reward: none; it prefers draws of a high accuracy
            (REINFORCE). nothing: it stays uniform.
        order: Order of the gradient: 2 takes into account that the weights follow.
        begins: Share of all steps after which the distribution begins to learn.
        every: Steps of the weights for each step of the distribution.
        before_weights: Whether a step of the distribution comes before the step of the weights.
        temperature: Temperature of Gumbel softmaxes at the first and at the last step of the distribution.
        partial_channels: Operations see one in so many channels of a cell.
        controller: Whether an LSTM decides one decision after another; otherwise decisions are independent.
        draws: Architectures rewarded in a step of the distribution.
        derives: Architecture at the end. argmax: the likeliest. likeliest: of the likeliest, and drawn: of drawn ones,
            the most accurate on a batch of the distribution's images.
        first_decay: Decay of Adam's mean gradient.
        weight_decay: Decay of the distribution's parameters.
    """

    weights_see: WeightsSee
    distribution_sees: DistributionSees
    order: Literal[1, 2] = 1
    begins: float = 0.0
    every: int = 1
    before_weights: bool = True
    temperature: tuple[float, float] = (1.0, 1.0)
    partial_channels: int = 1
    controller: bool = False
    draws: int = 1
    derives: Derivation = "argmax"
    first_decay: float = 0.5
    weight_decay: float = 1e-3


METHODS: Mapping[str, Method] = MappingProxyType(
    {
        # DARTS, arXiv 1806.09055, of first and second order.
        "darts": Method("mixture", "mixture"),
        "darts2": Method("mixture", "mixture", order=2),
        # PC-DARTS, arXiv 1907.05737, without weights of edges, which cells that keep every edge do not need.
        "pcdarts": Method("mixture", "mixture", begins=0.3, partial_channels=4),
        # SNAS, arXiv 1812.09926, alternating on two halves of the images.
        "snas": Method("gumbel", "gumbel", temperature=(1.0, 0.1)),
        # GDAS, arXiv 1910.04465; only the operations that run have a gradient.
        "gdas": Method("path", "hard", before_weights=False, temperature=(10.0, 0.1)),
        # SETN, arXiv 1910.05733.
        "setn": Method("uniform", "mixture", before_weights=False, derives="likeliest"),
        # ENAS, arXiv 1802.03268: two rewards for each step of the weights, as in its 50 x 20 an epoch.
        "enas": Method(
            "path",
            "reward",
            before_weights=False,
            every=10,
            controller=True,
            draws=20,
            derives="drawn",
            first_decay=0.0,
            weight_decay=0.0,
        ),
        # Random search with parameter sharing, arXiv 1902.07638.
        "rsps": Method("uniform", "nothing", derives="drawn"),
        # ProxylessNAS, arXiv 1812.00332, with the outputs of all gates known; uniform in the first quarter.
        "proxyless": Method(
            "path", "gate", begins=0.25, every=5, before_weights=False, first_decay=0.0, weight_decay=0.0
        ),
    }
)
