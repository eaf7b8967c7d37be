"""Networks whose subnets share weights.

Symbols:
    D: decisions of the space. K: copies of a cell or chosen layer.
"""

from collections.abc import Callable, Iterator, Sequence
from itertools import repeat
from typing import Any, cast

import torch
from torch import Tensor, nn

from surrogate_nas.errors import SpaceError
from surrogate_nas.nets.latest import Latest, furthest
from surrogate_nas.nets.layers import build_sizes
from surrogate_nas.nets.normalization import RecordingBatchNorm, scaled_norm
from surrogate_nas.nets.operations import Norm
from surrogate_nas.nets.places.mixture import Mixture
from surrogate_nas.nets.places.protocol import MixingPlace, PartialPlace, SharedPlace, SizedPlace
from surrogate_nas.nets.places.table import PLACES
from surrogate_nas.nets.slices import Nest
from surrogate_nas.space.layouts import ChoosesSize, Layers, chosen_variants, layer_variants
from surrogate_nas.space.network import NetworkSpec
from surrogate_nas.space.space import Codes, Space


class SharedNetwork(nn.Module):
    """A supernet: one set of weights from which every architecture takes its part.

    Several copies of its cells or chosen layers make it the depth-wise few-shot supernet of EFS-NAS (arXiv
    2412.14678): the number of nonlinear functions up to and including a cell, or a chosen layer, decides which of its
    copies is used; fixed layers are shared by all.

    Where architectures choose widths, narrower layers use the first channels of the widest.

    Args:
        space: The search space.
        network: Sizes of the supernet.
        thresholds: Running counts of nonlinear functions, ascending, length K - 1; copy k is used where exactly k of
            them are exceeded.
        shared_stages: Stages at the start whose cells have one copy only.
        nested: Whether the choices of a layer are parts of one another, where a place can do that.
        scaled: Whether normalisations have a learnt scale and shift, where a place can do that.
        parts: Operations see one in so many channels of a place.

    Raises:
        SpaceError: If no place of the space can do with a part of the channels.
    """

    def __init__(
        self,
        space: Space,
        network: NetworkSpec,
        thresholds: Sequence[float] = (),
        shared_stages: int = 0,
        *,
        nested: bool = False,
        scaled: bool = False,
        parts: int = 1,
    ) -> None:
        super().__init__()
        self.space = space
        self.thresholds = tuple(thresholds)
        self.layers = nn.ModuleList()
        self._searched = tuple(layer for layer in space.layout(network) if not layer.is_fixed)
        positions = layer_variants(space, network)
        self._network = network
        norm = scaled_norm if scaled else RecordingBatchNorm
        for layers in positions:
            if layers[-1].is_fixed:
                self.layers.append(build_sizes(layers, norm))
            else:
                copies = 1 if layers[-1].stage < shared_stages else len(self.thresholds) + 1
                self.layers.append(
                    nn.ModuleList(
                        _shared(space, layers, nested, norm) if parts == 1 else _partial(space, layers, parts)
                        for _ in range(copies)
                    )
                )

        self._sized = isinstance(space, ChoosesSize) and any(isinstance(part, Nest) for part in self.modules())
        self._kept = furthest(self.modules())

    def forward(self, x: Tensor, code: Sequence[int]) -> Tensor:
        """Returns class scores (B, classes) of images (B, input channels, S, S) under one architecture, length D.

        Dead edges are not computed, so codes need not be effective.
        """
        live = self.space.effective([code])
        choices = live[0].tolist()
        return self._run(x, self.used(live[0]), lambda place, values: place(values, choices))

    def mixed(self, x: Tensor, mixture: Mixture) -> Tensor:
        """Returns class scores (B, classes) of images (B, input channels, S, S) under a mixture of architectures.

        With one-hot weights the scores are the same as from ``forward``. Supernets that cannot mix are known by
        ``refusal_to_mix``.
        """
        used: list[nn.Module] = [layer[0] if isinstance(layer, nn.ModuleList) else layer for layer in self.layers]
        return self._run(x, used, lambda place, values: cast(MixingPlace, place).mixed(values, mixture))

    def refusal_to_mix(self) -> str | None:
        """Returns why choices cannot be mixed in this supernet; ``None`` where they can."""
        places = [layer[0] for layer in self.layers if isinstance(layer, nn.ModuleList)]
        if not all(isinstance(place, MixingPlace) for place in places) or self._sized:
            return f"{self.space.name} has widths or resolutions to choose from, which do not mix"
        if self.space.elastic_runs:
            return (
                f"in {self.space.name} the number of layers of a stage is chosen, and a mixture of layers has no number"
            )
        return "copies of cells are chosen by a count, which a mixture has not" if self.thresholds else None

    def _run(self, x: Tensor, used: Sequence[nn.Module], place: Callable[[SharedPlace, Any], Tensor]) -> Tensor:
        """Runs one module per layer; ``place`` runs a searched one on the values that it looks back on."""
        latest = Latest(x, self._kept)
        for layer, module in zip(self.layers, used, strict=True):
            if isinstance(layer, nn.ModuleList):
                latest.add(place(module, latest.given_to(module)))  # type: ignore[arg-type]
            else:
                latest.add(module(latest.value))
        return latest.value

    def used(self, live: Codes) -> list[nn.Module]:
        """Returns the modules that an architecture runs, one per layer; its counts choose among copies.

        Args:
            live: Its effective code, length D.
        """
        counts = iter(self.space.layer_counts(live, self._searched) if self.thresholds else ())
        sizes = chosen_variants(self.space, [live], self._network)[0].tolist() if self._sized else repeat(0)
        running, modules = 0, list[nn.Module]()
        for layer, size in zip(self.layers, sizes, strict=False):
            if isinstance(layer, nn.ModuleList):
                running += next(counts, 0)
                copy = layer[sum(running > bound for bound in self.thresholds) if len(layer) > 1 else 0]
                modules.append(copy.at(size) if self._sized else copy)  # type: ignore[operator]
            else:
                modules.append(layer.member(size) if isinstance(layer, Nest) else layer)
        return modules

    def all_used(self, live: Codes) -> list[list[nn.Module]]:
        """Returns the modules that an architecture runs, and their copies that others run, for each layer.

        Args:
            live: Its effective code, length D.
        """
        sizes = chosen_variants(self.space, [live], self._network)[0].tolist()
        return [
            [copy.at(size) for copy in layer]  # type: ignore[operator]
            if isinstance(layer, nn.ModuleList)
            else [layer.member(size) if isinstance(layer, Nest) else layer]
            for layer, size in zip(self.layers, sizes, strict=True)
        ]

    def weights_of(self, decision: int) -> Iterator[nn.Parameter]:
        """Yields the weights that a decision chooses among, at every place where it is made."""
        for layer in self.layers:
            if isinstance(layer, nn.ModuleList):
                for copy in layer:
                    yield from copy.weights_of(decision)  # type: ignore[operator]

    def subnet(self, code: Sequence[int]) -> "Subnet":
        """Returns one architecture as a network of its own on the shared weights."""
        return Subnet(self, code)


def _shared(space: Space, layers: Layers, nested: bool, norm: Norm) -> SharedPlace:
    place = PLACES[layers[-1].kind]
    if isinstance(place, SizedPlace):
        return place.sized(space, layers, nested=nested, norm=norm)
    return place.shared(space, layers[-1])


def _partial(space: Space, layers: Layers, parts: int) -> SharedPlace:
    place = PLACES[layers[-1].kind]
    if not isinstance(place, PartialPlace):
        raise SpaceError(f"a part of the channels needs cells with operations on edges; {space.name} has none")
    return place.partial(space, layers[-1], parts)


class Subnet(nn.Module):
    """Architecture of a supernet as a network that borrows the supernet's weights.

    Args:
        supernet: Owner of the weights.
        code: The architecture, length D.
    """

    def __init__(self, supernet: SharedNetwork, code: Sequence[int]) -> None:
        super().__init__()
        self.supernet = supernet
        self.code = tuple(int(choice) for choice in code)

    def forward(self, x: Tensor) -> Tensor:
        """Returns class scores (B, classes) of images (B, input channels, S, S)."""
        y: Tensor = self.supernet(x, self.code)
        return y


def initialise(network: nn.Module, seed: int) -> None:
    """Draws all weights from one seed: Kaiming normal in convolutions, torch's default in linear layers.

    Convolutions that have a bias begin with zero there.
    """
    generator = torch.Generator().manual_seed(seed)
    for module in network.modules():
        if isinstance(module, nn.Conv2d):
            nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu", generator=generator)
            if module.bias is not None:
                nn.init.zeros_(module.bias)
        elif isinstance(module, nn.Linear):
            bound = module.in_features**-0.5
            nn.init.uniform_(module.weight, -bound, bound, generator=generator)
            nn.init.uniform_(module.bias, -bound, bound, generator=generator)
