"""A place for one layer of a chain, where a block is chosen."""

import copy
from collections.abc import Iterator, Sequence
from functools import lru_cache

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from surrogate_nas.nets.blocks import build_block
from surrogate_nas.nets.normalization import RecordingBatchNorm
from surrogate_nas.nets.operations import Norm
from surrogate_nas.nets.places.mixture import Mixture
from surrogate_nas.nets.places.protocol import Apply, MixingPlace
from surrogate_nas.nets.slices import Nest
from surrogate_nas.nets.workload import Piece, Workload
from surrogate_nas.space.network import Layer
from surrogate_nas.space.operations.families import find_block, structure_of
from surrogate_nas.space.operations.registry import OwnOperation, find_own
from surrogate_nas.space.operations.spec import Shape
from surrogate_nas.space.space import Codes, Space

_NOTHING = -1
_Size = tuple[int, int, int]  # channels in and out, stride


def _decision(layer: Layer) -> int:
    assert layer.decision is not None
    return layer.decision


def _blocks(space: Space, layer: Layer) -> tuple[str, ...]:
    """Returns the names of the blocks to choose from."""
    return space.decisions[_decision(layer)].choices


class SharedChoice(MixingPlace):
    """Every block that may stand at one layer, with weights of its own, or nested in the weights of the largest.

    Args:
        space: A space with a chain.
        layers: One of its chosen layers at every size, the largest last; smaller ones use its first channels.
        nested: Whether blocks that differ in kernel and expansion alone are parts of one, as large as the largest of
            both. Otherwise each has weights of its own.
        norm: Builds the normalisations.
    """

    def __init__(
        self, space: Space, layers: Sequence[Layer], *, nested: bool = False, norm: Norm = RecordingBatchNorm
    ) -> None:
        super().__init__()
        self.decision = _decision(layers[-1])
        names = _blocks(space, layers[-1])
        stride = layers[-1].shape.stride
        # One pixel has no stride; but only where the shape is kept does that make another block.
        sizes = [(one.in_channels, one.out_channels, 1 if one.shape.keeps else stride) for one in layers]
        owners: dict[str, list[str]] = {}
        for name in names:
            owners.setdefault(structure_of(name) if nested else name, []).append(name)
        self.blocks = nn.ModuleList()
        found: dict[tuple[str, _Size], nn.Module] = {}
        for structure, members in owners.items():
            wanted: list[tuple[str, _Size]] = [(name, size) for name in members for size in dict.fromkeys(sizes)]
            if len(wanted) == 1:
                self.blocks.append(build_block(members[0], layers[-1].shape, norm))
                found[wanted[0]] = self.blocks[-1]
                continue
            nest = Nest([_template(name, find_own(name), size, norm) for name, size in wanted], structure)
            self.blocks.append(nest)
            found |= {each: nest.member(number) for number, each in enumerate(wanted)}
        # In lists, so that they are not registered: the weights are those of the blocks.
        runs = [[found[name, size] for name in names] for size in sizes]
        self._runs = runs[-1]
        self._sizes = [copy.copy(self) for _ in layers]
        for place, run in zip(self._sizes, runs, strict=True):
            place._runs = run

    def at(self, size: int) -> "SharedChoice":
        """Returns the same blocks with the channels of a smaller layer."""
        return self._sizes[size]

    def forward(self, x: Tensor, code: Sequence[int]) -> Tensor:
        """Maps (B, in, S, S) to (B, out, S', S'), for an architecture of length D."""
        y: Tensor = self._runs[code[self.decision]](x)
        return y

    def mixed(self, x: Tensor, mixture: Mixture) -> Tensor:
        """Maps (B, in, S, S) to (B, out, S', S'), the weighted sum of the blocks' outputs."""
        weights = mixture.weights[self.decision]
        first, *others = mixture.computed[self.decision]
        total: Tensor = weights[first] * self._runs[first](x)
        for choice in others:
            total = total + weights[choice] * self._runs[choice](x)
        return total

    def weights_of(self, decision: int) -> Iterator[nn.Parameter]:
        """Yields all weights of the layer if the decision is its own, otherwise none."""
        if decision == self.decision:
            yield from self.parameters()

    def counterparts(self, own: nn.Module, code: Codes) -> Iterator[tuple[nn.Module, nn.Module]]:
        """Yields the chosen block and the network's own."""
        yield self._runs[int(code[self.decision])], own


@lru_cache(maxsize=4096)
def _template(name: str, _own: OwnOperation | None, size: _Size, norm: Norm) -> nn.Module:
    """Returns a block without numbers; one that a user wrote is known by its registration, not by its name."""
    inputs, outputs, stride = size
    with torch.device("meta"):
        return build_block(name, Shape(inputs, outputs, stride, 1), norm)


class ChoiceVariants:
    """Every block that may stand at one layer.

    Args:
        space: A space with a chain.
        layer: One of its chosen layers.
        norm: Builds the normalisations.
    """

    def __init__(self, space: Space, layer: Layer, norm: Norm) -> None:
        self._decision = _decision(layer)
        self.rows = [[build_block(name, layer.shape, norm) for name in _blocks(space, layer)]]

    def run(self, chosen: Tensor, x: Tensor, apply: Apply) -> Tensor:
        """Maps (A, B, C, H, W) to (A, B, C', H', W'), for codes of shape (A, D)."""
        everyone = torch.arange(len(x))
        choices = chosen[:, self._decision]
        groups = [(module, everyone[choices == choice]) for choice, module in enumerate(self.rows[0])]
        parts = [(who, apply(module, x[who], who)) for module, who in groups if len(who)]
        total = x.new_zeros(len(x), *parts[0][1].shape[1:])
        for who, part in parts:
            total = total.index_add(0, who, part)
        return total


class ChoicePlace:
    """The place of a layer whose block one decision chooses; the decision's choices are names of blocks."""

    measures_own = True
    stacks = False

    def standalone(self, space: Space, layer: Layer, code: Codes, norm: Norm) -> nn.Module:
        """Returns the chosen block."""
        return build_block(_blocks(space, layer)[code[_decision(layer)]], layer.shape, norm)

    def shared(self, space: Space, layer: Layer) -> SharedChoice:
        """Returns all blocks."""
        return SharedChoice(space, [layer])

    def sized(self, space: Space, layers: Sequence[Layer], *, nested: bool, norm: Norm) -> SharedChoice:
        """Returns all blocks at all sizes of a layer."""
        return SharedChoice(space, layers, nested=nested, norm=norm)

    def variants(self, space: Space, layer: Layer, norm: Norm) -> ChoiceVariants:
        """Returns all blocks, for architectures side by side."""
        return ChoiceVariants(space, layer, norm)

    def workload(self, space: Space, layers: Sequence[Layer]) -> Workload:
        """Returns each different block at each different shape; identities run nothing."""
        rows: dict[Piece, int] = {}
        pieces = [  # of every choice of every layer
            [
                _NOTHING
                if find_block(name).is_identity and layer.shape.keeps
                else rows.setdefault(Piece.at("block", name, layer), len(rows))
                for name in _blocks(space, layer)
            ]
            for layer in layers
        ]

        def counts(codes: Codes) -> NDArray[np.int64]:
            found = np.zeros((len(codes), len(rows) + 1), dtype=np.int64)  # the last column is of what runs nothing
            everyone = np.arange(len(codes))
            for layer, of_choices in zip(layers, pieces, strict=True):
                np.add.at(found, (everyone, np.array(of_choices)[codes[:, _decision(layer)]]), 1)
            return found[:, :-1]

        return Workload(tuple(rows), counts)

    def alive(self, space: Space, layers: Sequence[Layer], codes: Codes) -> Iterator[NDArray[np.int64]]:
        """Yields the most numbers that the chosen block has alive, shape (N,) for each place."""
        for layer in layers:
            of_choices = [find_block(name).alive(layer.shape) for name in _blocks(space, layer)]
            yield np.array(of_choices, dtype=np.int64)[codes[:, _decision(layer)]]
