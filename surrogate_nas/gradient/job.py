"""Input of a process that learns a distribution: the space, sizes, settings, images and the file of its state."""

from dataclasses import dataclass, replace
from pathlib import Path

from surrogate_nas.data.settings import DataSettings
from surrogate_nas.errors import SettingsError, SpaceError
from surrogate_nas.gradient.alpha_steps import RowCosts
from surrogate_nas.gradient.distributions.controller import Controller
from surrogate_nas.gradient.distributions.distribution import Distribution, Independent
from surrogate_nas.gradient.settings import GradientSettings
from surrogate_nas.space.network import NetworkSpec
from surrogate_nas.space.space import Space
from surrogate_nas.supernet.rules.sharing import REDUCTIONS, WEIGHTS
from surrogate_nas.supernet.settings import SupernetSettings
from surrogate_nas.supernet.shared_network import SharedNetwork, initialise


@dataclass(frozen=True)
class LearningJob:
    """Input of one process that learns a distribution.

    Attributes:
        space: The search space.
        network: Sizes of the supernet.
        settings: The search by gradients.
        supernet: Batches, learning rate and weights of the supernet.
        seed: Seed of weights, draws and halves.
        images: Folder of cached images.
        data: How images are augmented.
        file: Path that the state is written to and resumed from.
        identity: What the state belongs to.
        costs: Costs for ``settings.cost_weight``.
        device: Torch device.
        threads: Threads of this process.
    """

    space: Space
    network: NetworkSpec
    settings: GradientSettings
    supernet: SupernetSettings
    seed: int
    images: Path
    data: DataSettings
    file: Path
    identity: dict[str, str]
    costs: RowCosts | None = None
    device: str = "cpu"
    threads: int = 1

    def build(self) -> SharedNetwork:
        """Returns the shared weights as they begin.

        Raises:
            SettingsError: If choices of the space cannot be mixed, or not with these settings.
        """
        row, settings = self.settings.row, self.supernet
        sizes = replace(self.network, light_reductions=REDUCTIONS[settings.reductions])
        try:
            network = SharedNetwork(self.space, sizes, nested=WEIGHTS[settings.weights], parts=row.partial_channels)
        except SpaceError as error:
            raise SettingsError(
                f"gradient.partial_channels = {row.partial_channels} does not fit supernet.channels ="
                f" {settings.channels} or the space: {error}"
            ) from None
        refusal = network.refusal_to_mix()
        if refusal is not None:
            raise SettingsError(
                f"gradient.method = {self.settings.method!r} cannot mix the choices of space = {self.space.name!r}:"
                f" {refusal}; set gradient.method to 'none'"
            )
        initialise(network, self.seed)
        return network

    def distribution(self) -> Distribution:
        """Returns the distribution as it begins."""
        kind = Controller if self.settings.row.controller else Independent
        return kind(self.space, self.seed)
