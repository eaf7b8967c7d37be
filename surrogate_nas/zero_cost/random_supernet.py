"""One set of random weights that all architectures share, and a way to run many architectures side by side.

Symbols:
    A: architectures of a batch.
    B: images.
    C: channels; H, W: height and width.

Architectures that choose one operation at one place have the same weights there, so scores differ by what was
chosen and not by the luck of the draw, and one call serves all of them. Normalisation is by the batch of each
architecture alone.
"""

from collections.abc import Callable

import torch
from torch import Tensor, nn

from surrogate_nas.nets.blocks import SqueezeExcitation, build_block
from surrogate_nas.nets.layers import build_layer
from surrogate_nas.nets.operations import Norm, build_operation
from surrogate_nas.space.kinds.cell.space import CellSpace
from surrogate_nas.space.kinds.chain.space import ChainSpace
from surrogate_nas.space.network import CELL, Layer, NetworkSpec
from surrogate_nas.space.operations.table import operation_spec

# (A', B, C, H, W) of some architectures to the same, with their positions in the batch, shape (A',)
Apply = Callable[[nn.Module, Tensor, Tensor], Tensor]


class NormPerArchitecture(nn.Module):
    """Batch normalisation without scale and shift, over the images of each architecture by itself.

    Args:
        images: Images B per architecture in inputs of shape (A * B, C, H, W).
    """

    def __init__(self, images: int) -> None:
        super().__init__()
        self.images = images

    def forward(self, x: Tensor) -> Tensor:
        """Normalises (A * B, C, H, W)."""
        grouped = x.reshape(-1, self.images, *x.shape[1:])
        variance, mean = torch.var_mean(grouped, dim=(1, 3, 4), keepdim=True, correction=0)
        normal: Tensor = (grouped - mean) * torch.rsqrt(variance + 1e-5)
        return normal.flatten(0, 1)


class RandomSupernet:
    """Layers of a network with every operation at every place, with random weights.

    Args:
        space: Space of cells, or a chain.
        network: Sizes.
        images: Images per batch and architecture.
        generator: Draws the weights, by Kaiming's rule for the inputs of a layer (arXiv 1502.01852).
        linear: For synflow: no normalisation, weights without their signs.
    """

    def __init__(
        self,
        space: CellSpace | ChainSpace,
        network: NetworkSpec,
        images: int,
        generator: torch.Generator,
        linear: bool = False,
    ) -> None:
        def norm(_channels: int) -> nn.Module:
            return nn.Identity() if linear else NormPerArchitecture(images)

        self._space = space
        self.layers: list[tuple[Layer, list[list[nn.Module]]]] = []
        for layer in space.layout(network):
            modules = self._modules(layer, norm)
            self.layers.append((layer, modules))
            for module in (one for row in modules for one in row):
                if linear:
                    _make_linear(module)
                _draw_weights(module.double() if linear else module, generator, linear)

    def _modules(self, layer: Layer, norm: Norm) -> list[list[nn.Module]]:
        """What may stand at a layer: a row of choices for each edge of a cell, one row otherwise."""
        space = self._space
        if isinstance(space, CellSpace) and layer.kind == CELL:
            return [[build_operation(name, layer.in_channels, norm) for name in space.operations] for _ in space.edges]
        if layer.decision is not None:
            return [[build_block(name, layer.shape, norm) for name in space.decisions[layer.decision].choices]]
        return [[build_layer(layer, norm)]]

    def run(self, index: int, chosen: Tensor, x: Tensor, apply: Apply) -> Tensor:
        """One layer for all architectures of a batch.

        Args:
            index: Which layer.
            chosen: Codes, shape (A, E).
            x: Shape (A, B, C, H, W).
            apply: Runs a module.

        Returns:
            Shape (A, B, C', H', W').
        """
        layer, modules = self.layers[index]
        everyone = torch.arange(len(x))
        if layer.decision is not None:
            groups = [(module, everyone[chosen[:, layer.decision] == row]) for row, module in enumerate(modules[0])]
            parts = [(who, apply(module, x[who], who)) for module, who in groups if len(who)]
            total = x.new_zeros(len(x), *parts[0][1].shape[1:])
            for who, part in parts:
                total = total.index_add(0, who, part)
            return total
        if not isinstance(self._space, CellSpace) or layer.kind != CELL:
            return apply(modules[0][0], x, everyone)
        nodes = {0: x}
        for edge, (start, end) in enumerate(self._space.edges):
            total = nodes.get(end, torch.zeros_like(x))
            for operation, name in enumerate(self._space.operations):
                who = everyone[chosen[:, edge] == operation]
                if len(who) and not operation_spec(name).is_zero and start in nodes:
                    total = total.index_add(0, who, apply(modules[edge][operation], nodes[start][who], who))
            nodes[end] = total
        return nodes[self._space.output]


def _make_linear(module: nn.Module) -> None:
    """Takes out of a chain's blocks what is not linear for positive numbers: bounds, and scales that end at one."""
    for part in module.modules():
        for name, child in part.named_children():
            if isinstance(child, nn.ReLU6 | SqueezeExcitation):
                setattr(part, name, nn.Identity())


def _draw_weights(module: nn.Module, generator: torch.Generator, linear: bool) -> None:
    for part in module.modules():
        if isinstance(part, nn.Conv2d | nn.Linear):
            with torch.no_grad():
                scale = (2 / part.weight[0].numel()) ** 0.5
                weights = scale * torch.randn(part.weight.shape, generator=generator)
                part.weight.copy_(weights.abs() if linear else weights)
                if part.bias is not None:
                    part.bias.zero_()
        for parameter in part.parameters():
            parameter.requires_grad_(False)
