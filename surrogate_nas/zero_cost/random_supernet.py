"""A supernet with one set of random weights, which runs many architectures next to each other.

Symbols:
    A: architectures of a batch.
    B: images.
    C: channels; H, W: height and width.

Architectures with the same operation at a place have the same weights there, so scores differ only by the choices, not
by random draws, and one call serves all of them. Each architecture is normalised by its own batch.
"""

from typing import Any

import torch
from torch import Tensor, nn

from surrogate_nas.errors import SpaceError
from surrogate_nas.nets.blocks import SqueezeExcitation
from surrogate_nas.nets.layers import build_layer
from surrogate_nas.nets.operations import Norm
from surrogate_nas.nets.places.protocol import Apply, ScoredPlace, Variants
from surrogate_nas.nets.places.table import PLACES, places_of
from surrogate_nas.space.layouts import ChoosesSize
from surrogate_nas.space.network import Layer, NetworkSpec
from surrogate_nas.space.space import Space


class NormPerArchitecture(nn.Module):
    """Batch normalisation without scale and shift, over the images of each architecture separately.

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


def scored_places(space: Space) -> tuple[ScoredPlace[Any], ...]:
    """Returns the kinds of places of a space if there are scores for all of them, otherwise none.

    Networks that choose their sizes cannot be run side by side, so there are none for them.
    """
    if isinstance(space, ChoosesSize):
        return ()
    places = tuple(place for place in places_of(space) if isinstance(place, ScoredPlace))
    return places if len(places) == len(places_of(space)) else ()


class FixedVariants:
    """Layer that no decision changes: the same module for every architecture.

    Args:
        layer: The layer.
        norm: Builds the normalisations.
    """

    def __init__(self, layer: Layer, norm: Norm) -> None:
        self.rows = [[build_layer(layer, norm)]]

    def run(self, chosen: Tensor, x: Tensor, apply: Apply) -> Tensor:  # noqa: ARG002 - choices elsewhere do not matter
        """Maps (A, B, C, H, W) to (A, B, C', H', W')."""
        return apply(self.rows[0][0], x, torch.arange(len(x)))


class RandomSupernet:
    """Layers of a network with every operation at every place, with random weights.

    Args:
        space: A space with ``scored_places``.
        network: Sizes.
        images: Images per batch and architecture.
        generator: Draws the weights, by Kaiming's rule for the inputs of a layer (arXiv 1502.01852).
        linear: For synflow: no normalisation, weights without their signs.
    """

    def __init__(
        self, space: Space, network: NetworkSpec, images: int, generator: torch.Generator, linear: bool = False
    ) -> None:
        def norm(_channels: int) -> nn.Module:
            return nn.Identity() if linear else NormPerArchitecture(images)

        self.layers: list[Variants] = []
        for layer in space.layout(network):
            variants = _variants(space, layer, norm)
            self.layers.append(variants)
            for module in (one for row in variants.rows for one in row):
                if linear:
                    _make_linear(module)
                _draw_weights(module.double() if linear else module, generator, linear)

    def run(self, index: int, chosen: Tensor, x: Tensor, apply: Apply) -> Tensor:
        """Runs one layer for all architectures of a batch.

        Args:
            index: Index of the layer.
            chosen: Codes, shape (A, D).
            x: Shape (A, B, C, H, W).
            apply: Runs a module.

        Returns:
            Shape (A, B, C', H', W').
        """
        return self.layers[index].run(chosen, x, apply)


def _variants(space: Space, layer: Layer, norm: Norm) -> Variants:
    if layer.is_fixed:
        return FixedVariants(layer, norm)
    place = PLACES[layer.kind]
    if not isinstance(place, ScoredPlace):
        raise SpaceError(f"architectures cannot be run side by side where a place is of the kind {layer.kind!r}")
    return place.variants(space, layer, norm)


def _make_linear(module: nn.Module) -> None:
    """Removes the parts of a chain's blocks that are not linear for positive numbers: ReLU6, Hardswish and gates."""
    for part in module.modules():
        for name, child in part.named_children():
            if isinstance(child, nn.ReLU6 | nn.Hardswish | SqueezeExcitation):
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
