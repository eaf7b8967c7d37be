"""Makes a graph network a member of an ensemble: encoding, fitting and scoring around a bare module."""

from collections.abc import Callable

import numpy as np
import torch
from torch import nn

from surrogate_nas.errors import StoreError
from surrogate_nas.predictor.models.encoding import encode, encode_in_batches, num_node_types
from surrogate_nas.predictor.models.fitting import train
from surrogate_nas.predictor.protocol import Arrays, Codes, Floats, StoredArrays
from surrogate_nas.predictor.settings import PredictorSettings
from surrogate_nas.space.space import Space

# (number of node types, width, layers) -> module that maps a GraphBatch of B graphs to scores of shape (B,)
MakeNetwork = Callable[[int, int, int], nn.Module]

# Large enough that calls cost little, small enough that a batch's features stay in the processor's cache.
SCORING_BATCH = 512


class GraphScorer:
    """A ``Scorer`` around a graph network, on the CPU.

    Args:
        make_network: Returns a new network.
        space: Space of the codes.
        settings: Width, layers and everything about the fit.
        arrays: Result of ``arrays()`` of a fitted scorer, to make an equal one; without it, ``fit`` comes first.

    Raises:
        StoreError: If the arrays do not belong to this network.
    """

    def __init__(
        self,
        make_network: MakeNetwork,
        space: Space,
        settings: PredictorSettings,
        arrays: StoredArrays | None = None,
    ) -> None:
        self._make_network = make_network
        self._space = space
        self._settings = settings
        self._network: nn.Module | None = None
        if arrays is not None:
            self._network = self._restored(arrays)

    def fit(self, codes: Codes, targets: Floats, *, seed: int, should_stop: Callable[[], bool] | None = None) -> None:
        """Fits a new network; see ``Scorer.fit``."""
        network = self._initial_network(seed)
        generator = torch.Generator().manual_seed(seed)
        train(network, encode(self._space, codes), targets, self._settings, generator, should_stop)
        self._network = network

    def tuned(self, codes: Codes, targets: Floats, *, steps: int, learning_rate: float, seed: int) -> "GraphScorer":
        """Returns a scorer that continued from this one's weights, which stay unchanged.

        Args:
            codes: Shape (M, D).
            targets: Shape (M,), larger is better.
            steps: Number of steps.
            learning_rate: Learning rate at the first step.
            seed: Seed of the order of the batches.
        """
        other = GraphScorer(self._make_network, self._space, self._settings, self.arrays())
        settings = self._settings.model_copy(update={"steps": steps, "learning_rate": learning_rate})
        train(
            other._fitted_network(), encode(self._space, codes), targets, settings, torch.Generator().manual_seed(seed)
        )
        return other

    def score(self, codes: Codes) -> Floats:
        """Returns scores of codes of shape (N, D), shape (N,)."""
        network = self._fitted_network()
        with torch.inference_mode():
            batches = [network(graphs) for graphs in encode_in_batches(self._space, codes, SCORING_BATCH)]
        return torch.cat(batches).double().numpy() if batches else np.empty(0)

    def arrays(self) -> Arrays:
        """Returns the weights by name."""
        return {name: value.numpy().copy() for name, value in self._fitted_network().state_dict().items()}

    def _fitted_network(self) -> nn.Module:
        if self._network is None:
            raise RuntimeError("a scorer must be fitted before it is used")
        return self._network

    def _initial_network(self, seed: int) -> nn.Module:
        # Modules draw their weights from torch's global generator; its state belongs to the caller and is restored.
        with torch.random.fork_rng(devices=[]):
            torch.default_generator.manual_seed(seed)
            return self._make_network(num_node_types(self._space), self._settings.width, self._settings.layers)

    def _restored(self, arrays: StoredArrays) -> nn.Module:
        network = self._initial_network(seed=0)
        expected = {name: (tuple(value.shape), value.dtype) for name, value in network.state_dict().items()}
        weights = {name: torch.from_numpy(np.array(value)) for name, value in arrays.items()}
        stored = {name: (tuple(value.shape), value.dtype) for name, value in weights.items()}
        if stored != expected:
            wrong = sorted(name for name in expected | stored if expected.get(name) != stored.get(name))
            raise StoreError(
                f"the stored weights do not belong to a {self._settings.model} predictor of width"
                f" {self._settings.width} and {self._settings.layers} layers (wrong or missing: {', '.join(wrong[:3])})"
            )
        network.load_state_dict(weights)
        return network.eval()
