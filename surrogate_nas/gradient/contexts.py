"""Mixtures as the context in which gradients of a decision's choices are compared (GM-NAS, arXiv 2203.15207).

Where the weights of a supernet are trained through mixtures, the other decisions stay as they are trained: a mixture by
the frozen distribution (DARTS), or one draw of a Gumbel softmax (SNAS). The examined decision is one-hot. A choice of
the examined decision has gradients if any architecture with it leads from input to output.

Symbols:
    D: decisions of the space. O: choices of a decision that the subspace has.
"""

from functools import partial

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

from surrogate_nas.gradient.distributions.distribution import Independent
from surrogate_nas.gradient.distributions.draws import gumbel
from surrogate_nas.gradient.distributions.relaxations import Relaxation
from surrogate_nas.nets.places.mixture import Mixture
from surrogate_nas.space.space import Space
from surrogate_nas.supernet.gradient_matching import distances_between
from surrogate_nas.supernet.shared_network import SharedNetwork
from surrogate_nas.supernet.splits.boxes import Box, box_population


class MixtureContext:
    """Mixture of the other decisions while the choices of one are compared.

    Args:
        space: The space.
        box: The subspace.
        decision: The column whose choices are compared.
        distribution: The frozen distribution.
        relaxation: Turns it into a mixture, with noise of a mini-batch and a temperature; and that temperature.
    """

    def __init__(
        self,
        space: Space,
        box: Box,
        decision: int,
        distribution: Independent,
        relaxation: tuple[Relaxation, float],
    ) -> None:
        self._decision, self._choices, self._distribution = decision, box[decision], distribution
        self._relaxation, self._temperature = relaxation
        parts = [(*box[:decision], (choice,), *box[decision + 1 :]) for choice in self._choices]
        self.alive = np.array([box_population(space, part) > 0 for part in parts])

    def distances(
        self, network: SharedNetwork, rng: np.random.Generator, images: Tensor, labels: Tensor
    ) -> NDArray[np.float64]:
        """Returns 1 - cosine between the gradients under the choices on a mini-batch, shape (O, O)."""
        noise = gumbel(tuple(self._distribution.allowed.shape), rng).to(images.device)
        with torch.no_grad():
            mixture = self._relaxation(self._distribution, noise, self._temperature)
        forwards = [partial(network.mixed, mixture=self._chosen(mixture, choice)) for choice in self._choices]
        return distances_between(network, self._decision, forwards, self.alive, (images, labels))

    def _chosen(self, mixture: Mixture, choice: int) -> Mixture:
        """Returns the mixture with one choice of the examined decision."""
        at, weights = self._decision, mixture.weights
        hot = F.one_hot(torch.tensor(choice), len(weights[at])).to(weights[at])
        computed = mixture.computed
        return Mixture((*weights[:at], hot, *weights[at + 1 :]), (*computed[:at], (choice,), *computed[at + 1 :]))
