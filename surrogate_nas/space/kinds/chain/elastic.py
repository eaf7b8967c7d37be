"""Chains that see their images at a size of their choice: elastic resolution (Once-for-All, arXiv 1908.09791).

The first decision is the resolution, all others are those of the chain. Images come in at the network's largest size
and are resized before the first layer, so that whoever calls a network need not know which size it chose. Weights do
not depend on the resolution; all other costs do.

Symbols:
    N: architectures in the batch.
    D: decisions, one more than the chain has.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import ArrayLike, NDArray

from surrogate_nas.errors import SpaceError
from surrogate_nas.space.hashing import mix
from surrogate_nas.space.kinds.chain.space import ChainSpace
from surrogate_nas.space.network import RESOLUTION, Layer, NetworkSpec
from surrogate_nas.space.operations.fixed import find_fixed_layer
from surrogate_nas.space.operations.shapes import BlockSpec
from surrogate_nas.space.space import Codes, Decision, Graphs, Space

_RESIZE = find_fixed_layer("resize")


class ResolutionSpace(Space):
    """A chain and the resolutions at which its networks may see their images.

    Args:
        chain: The chain, whose own network has the largest resolution.
        fingerprint: Of the definition.
        resolutions: Sides in pixels, at least two, rising; in networks of other image sizes they stay in proportion.
    """

    def __init__(self, chain: ChainSpace, fingerprint: str, resolutions: Sequence[int]) -> None:
        decision = Decision("resolution", tuple(f"r{side}" for side in resolutions))
        super().__init__(chain.name, fingerprint, (decision, *chain.decisions), chain.network)
        self.chain = chain
        self.resolutions = tuple(resolutions)

    def sizes(self, network: NetworkSpec) -> tuple[NetworkSpec, ...]:
        """The network at each resolution.

        Raises:
            SpaceError: If two resolutions come to the same number of pixels.
        """
        sides = self.sides(network.image_size)
        if len(set(sides)) < len(sides):
            enough = network.image_size
            while len(set(self.sides(enough))) < len(sides):
                enough += 1
            raise SpaceError(
                f"image_size must be at least {enough} for the {len(sides)} resolutions of {self.name} to differ (got"
                f" {network.image_size}: {', '.join(map(str, sides))} pixels)"
            )
        return tuple(replace(network, image_size=side) for side in sides)

    def sides(self, image_size: int) -> list[int]:
        """The side in pixels at each resolution, where it is ``image_size`` at the largest."""
        # Halves upwards, or python's rounding to even numbers would space them unevenly.
        return [max(1, (2 * image_size * side // self.resolutions[-1] + 1) // 2) for side in self.resolutions]

    @property
    def always_connected(self) -> bool:
        """Nothing cuts a chain."""
        return True

    # Text

    def format(self, code: ArrayLike) -> str:
        """The resolution, ``+`` and the chain, such as ``r160+mbconv_k3_e3|identity``."""
        row = self.check([np.asarray(code)])[0]
        return f"{self.decisions[0].choices[row[0]]}+{self.chain.format(row[1:])}"

    def _parse_long(self, text: str) -> Codes:
        resolution, plus, chain = text.partition("+")
        if not plus or resolution not in self.decisions[0].choices:
            raise SpaceError(
                f"an architecture of {self.name} is {self.num_decisions} digits, or begins with one of"
                f" {', '.join(f'{name}+' for name in self.decisions[0].choices)} (got {text!r})"
            )
        return np.array([self.decisions[0].choices.index(resolution), *self.chain.parse(chain)], dtype=np.int8)

    # What is computed

    def effective(self, codes: ArrayLike) -> Codes:
        """Those of the chain at the same resolution, shape (N, D)."""
        return self._each(codes, self.chain.effective)

    def canonical(self, codes: ArrayLike) -> Codes:
        """Those of the chain at the same resolution, shape (N, D)."""
        return self._each(codes, self.chain.canonical)

    def _each(self, codes: ArrayLike, change: Callable[[Codes], Codes]) -> Codes:
        checked = self.check(codes)
        return np.column_stack([checked[:, :1], change(checked[:, 1:])])

    def canonical_keys(self, codes: ArrayLike) -> NDArray[np.uint64]:
        """Keys of resolution and chain, shape (N,)."""
        checked = self.check(codes)
        keys = self.chain.canonical_keys(checked[:, 1:])
        return mix(keys * np.uint64(37) + checked[:, 0].astype(np.uint64) + np.uint64(1))

    @property
    def networks(self) -> int:
        """Number of different effective codes."""
        return len(self.resolutions) * self.chain.networks

    def is_connected(self, codes: ArrayLike) -> NDArray[np.bool_]:
        """Every chain is, shape (N,)."""
        return self.chain.is_connected(self.check(codes)[:, 1:])

    def live_operations(self, codes: ArrayLike) -> NDArray[np.int64]:
        """Layers of the chain, shape (N,)."""
        return self.chain.live_operations(self.check(codes)[:, 1:])

    # Nonlinear functions and draws

    def nonlinear_count(self, codes: ArrayLike) -> NDArray[np.int64]:
        """Those of the chain, shape (N,): resizing is linear."""
        return self.chain.nonlinear_count(self.check(codes)[:, 1:])

    def layer_counts(self, code: ArrayLike, layers: Sequence[Layer]) -> tuple[int, ...]:
        """0 for resizing, then those of the chain."""
        own = [replace(layer, decision=layer.decision - 1) for layer in layers if layer.decision]
        counts = iter(self.chain.layer_counts(np.asarray(code)[1:], own))
        return tuple(next(counts) if layer.decision else 0 for layer in layers)

    def largest_count(self, network: NetworkSpec) -> int:
        """That of the chain."""
        return self.chain.largest_count(network)

    def nonlinear_populations(self) -> dict[int, int]:
        """Networks of the chain at every resolution, for each count."""
        return {count: ways * len(self.resolutions) for count, ways in self.chain.nonlinear_populations().items()}

    def sample_nonlinear(self, count: int, size: int, rng: np.random.Generator) -> Codes:
        """Uniform draws among the networks of one count of nonlinear functions, shape (size, D).

        Raises:
            SpaceError: If no architecture has this count.
        """
        return self._with_resolution(self.chain.sample_nonlinear(count, size, rng), rng)

    def sample(self, count: int, rng: np.random.Generator, *, replace: bool = True) -> Codes:
        """Uniform draws of effective codes, shape (count, D), or of all codes where none may be drawn twice.

        Raises:
            SpaceError: If the count is negative, or more distinct codes are asked for than there are.
        """
        if not replace:
            return super().sample(count, rng, replace=False)
        return self._with_resolution(self.chain.sample(count, rng), rng)

    def _with_resolution(self, codes: Codes, rng: np.random.Generator) -> Codes:
        drawn = rng.integers(len(self.resolutions), size=len(codes)).astype(np.int8)
        return np.column_stack([drawn, codes])

    # Graphs

    def graphs(self, codes: ArrayLike) -> Graphs:
        """The chain's with a node for the resolution behind the input: V = D + 2."""
        checked = self.check(codes)
        chain = self.chain.graphs(checked[:, 1:])
        resized = chain.num_types + checked[:, :1].astype(np.int64)
        operations = np.column_stack([chain.operations[:, :1], resized, chain.operations[:, 1:]])
        line = np.eye(self.num_decisions + 2, k=1, dtype=bool)
        adjacency = np.broadcast_to(line, (len(checked), *line.shape))
        return Graphs(operations, adjacency, chain.num_types + len(self.resolutions))

    @property
    def graph_operations(self) -> tuple[BlockSpec, ...]:
        """The chain's, then one for each resolution."""
        return (*self.chain.graph_operations, *[_RESIZE] * len(self.resolutions))

    @property
    def graph_names(self) -> tuple[str, ...]:
        """The chain's, then the resolutions."""
        return (*self.chain.graph_names, *self.decisions[0].choices)

    def coarse_types(self) -> NDArray[np.int64]:
        """The chain's, then each resolution for itself."""
        chain = self.chain.coarse_types()
        return np.concatenate([chain, chain.max() + 1 + np.arange(len(self.resolutions))])

    # Counts on a network

    def layout(self, network: NetworkSpec) -> tuple[Layer, ...]:
        """A place where images are resized, then the chain's layers at the largest resolution.

        Raises:
            SpaceError: If the network has another number of stages or cells, or resolutions do not differ in it.
        """
        return self.layouts(network)[-1]

    def layouts(self, network: NetworkSpec) -> tuple[tuple[Layer, ...], ...]:
        """A place where images are resized, then the chain's layers, at each resolution.

        Raises:
            SpaceError: As ``layout``.
        """
        channels, side = network.input_channels, network.image_size
        return tuple(
            (Layer(RESOLUTION, channels, channels, side, sizes.image_size, 0, 0), *self._shifted(sizes))
            for sizes in self.sizes(network)
        )

    def _shifted(self, sizes: NetworkSpec) -> tuple[Layer, ...]:
        """The chain's layers, with the columns of its decisions here."""
        return tuple(
            layer if layer.decision is None else replace(layer, decision=layer.decision + 1)
            for layer in self.chain.layout(sizes)
        )

    def size_choices(self, codes: ArrayLike) -> NDArray[np.int64]:
        """The resolution of each architecture, shape (N,)."""
        return self.check(codes)[:, 0].astype(np.int64)

    def parameters(self, codes: ArrayLike, network: NetworkSpec) -> NDArray[np.int64]:
        """Weights, affine batch-norm included, shape (N,): the same at every resolution."""
        return self.chain.parameters(self.check(codes)[:, 1:], network)

    def parameter_range(self, network: NetworkSpec) -> tuple[int, int]:
        """That of the chain."""
        return self.chain.parameter_range(network)

    def flops(self, codes: ArrayLike, network: NetworkSpec) -> NDArray[np.int64]:
        """Multiply-accumulates of convolutions and linear layers for one image, shape (N,); none for resizing."""
        return self.by_resolution(codes, network, self.chain.flops)

    def by_resolution(
        self, codes: ArrayLike, network: NetworkSpec, value: Callable[[Codes, NetworkSpec], NDArray[np.int64]]
    ) -> NDArray[np.int64]:
        """A number of every architecture, shape (N,), by a function of the chain's codes and a network."""
        checked = self.check(codes)
        found = np.zeros(len(checked), dtype=np.int64)
        for choice, sizes in enumerate(self.sizes(network)):
            rows = np.flatnonzero(checked[:, 0] == choice)
            found[rows] = value(checked[rows, 1:], sizes)
        return found
