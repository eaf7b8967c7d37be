"""Computes a network in float as its 8-bit file computes it, so that training can make up for what 8 bits cost.

Weights and feature maps are rounded to the numbers that the file has (fake quantisation), and gradients pass the
rounding as if it were not there (arXiv 1712.05877, 1308.3432). The rounding itself is torch's own,
``torch.fake_quantize_per_tensor_affine`` and ``torch.fake_quantize_per_channel_affine``. The modules around it in
``torch.ao`` are deprecated and round other places than ONNX Runtime's quantiser, which writes the file.

- Weights of convolutions and linear layers have a scale for each output channel, symmetric around zero. The file has
  batch-norms folded into them. Rounding with a scale per channel commutes with a factor per channel, so the
  batch-norms stay what they are here, with their statistics fixed.
- Feature maps have one range each, from the least to the largest value over the calibration images.
- Sums, pooling and activation functions give feature maps that are rounded too. A convolution whose only reader is an
  activation function is not: the file gives both one range, that of the function.

Symbols:
    B: images of a batch; C: channels; S: side in pixels; K: classes.
"""

import operator
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, fx, nn

_aten = torch.ops.aten
_WEIGHTED = (_aten.conv2d.default, _aten.linear.default)
_FOLDED = _aten.batch_norm.default
_ACTIVATIONS = (_aten.relu.default, _aten.relu_.default, _aten.hardtanh.default, _aten.hardtanh_.default)
# Their results have the scale of their input in ONNX Runtime's 8-bit files.
_SCALED_AS_INPUT = (_aten.avg_pool2d.default,)
# Their results hold numbers of their input alone.
_PASSING = (
    _aten.flatten.using_ints,
    _aten.view.default,
    _aten.reshape.default,
    _aten.permute.default,
    _aten.transpose.int,
    _aten.contiguous.default,
    _aten.clone.default,
    _aten.dropout.default,
    _aten.max_pool2d.default,
    _aten.slice.Tensor,
    _aten.select.int,
    _aten.chunk.default,
    _aten.split.Tensor,
    operator.getitem,
)
_BATCH = 64  # of calibration images


class RoundedWeights(nn.Module):
    """Rounds weights with a symmetric scale for each output channel.

    Args:
        levels: Largest number of the file: 127, or 64 where it has 7 of the 8 bits.
    """

    def __init__(self, levels: int) -> None:
        super().__init__()
        self._levels = levels

    def forward(self, weights: Tensor) -> Tensor:
        """Returns rounded weights, of the same shape, the output channels first."""
        largest = weights.detach().abs().amax(dim=tuple(range(1, weights.ndim)))
        scale = largest.clamp(min=torch.finfo(torch.float32).tiny) / self._levels
        zeros = torch.zeros_like(scale, dtype=torch.int32)
        return torch.fake_quantize_per_channel_affine(weights, scale, zeros, 0, -self._levels, self._levels)


class RoundedMaps(nn.Module):
    """Rounds feature maps to 256 numbers over the range that it has observed, which always has zero in it.

    Args:
        signed: Whether numbers are symmetric around zero.
    """

    low: Tensor
    high: Tensor

    def __init__(self, *, signed: bool) -> None:
        super().__init__()
        self._signed, self.observing = signed, False
        self.register_buffer("low", torch.zeros(()))
        self.register_buffer("high", torch.zeros(()))

    def forward(self, maps: Tensor) -> Tensor:
        """Returns rounded maps, of the same shape; maps as they are, and a wider range, while it observes."""
        if self.observing:
            self.low.copy_(torch.minimum(self.low, maps.min()))
            self.high.copy_(torch.maximum(self.high, maps.max()))
            return maps
        if self._signed:
            scale = torch.maximum(-self.low, self.high) / 127
            least, most = -127, 127
        else:
            scale = (self.high - self.low) / 255
            least, most = 0, 255
        scale = scale.clamp(min=torch.finfo(torch.float32).tiny)
        zero = torch.zeros_like(scale, dtype=torch.int32) if self._signed else (-self.low / scale).round().int()
        return torch.fake_quantize_per_tensor_affine(maps, scale, zero, least, most)


class FakeQuantised(nn.Module):
    """A network that computes in float what its 8-bit file computes. It shares its parameters with the network.

    Args:
        network: In evaluation mode, on the CPU; batch-norms keep their statistics.
        images: Normalised images (B, C, S, S) that ranges of feature maps are taken from, B at least 2.
        signed: Whether feature maps are signed, and weights have all 8 bits.

    Raises:
        Exception: Whatever ``torch.export`` raises for a network that it cannot export.
    """

    def __init__(self, network: nn.Module, images: Tensor, *, signed: bool) -> None:
        super().__init__()
        self._images, self._signed = images, signed
        free = ({0: torch.export.Dim("batch")},)
        program = torch.export.export(network, (images[:2],), dynamic_shapes=free).module()
        assert isinstance(program, fx.GraphModule)
        # The program's own module refuses train() and eval(), which have no effect on its graph.
        self.rounded = fx.GraphModule(program, program.graph)
        self._round()
        self.observe()

    def forward(self, images: Tensor) -> Tensor:
        """Returns scores (B, K) of normalised images (B, C, S, S)."""
        scores: Tensor = self.rounded(images)
        return scores

    def trained_weights(self) -> dict[str, Tensor]:
        """Returns the network's parameters by their names in it."""
        return {name: one.detach() for name, one in self.rounded.named_parameters()}

    @torch.no_grad()
    def observe(self) -> None:
        """Takes the ranges of feature maps from the images again, as a quantiser does for the present weights."""
        device = next(self.rounded.parameters()).device
        with self._observing():
            for part in torch.split(self._images, _BATCH):
                self.rounded(part.to(device))

    @contextmanager
    def _observing(self) -> Iterator[None]:
        places = [one for one in self.modules() if isinstance(one, RoundedMaps)]
        weights = [one for one in self.modules() if isinstance(one, RoundedWeights)]
        kept: list[Callable[..., Any]] = [one.forward for one in weights]
        for one in places:
            one.low.zero_()
            one.high.zero_()
            one.observing = True
        for weight in weights:
            weight.forward = _as_it_is  # type: ignore[method-assign]
        try:
            yield
        finally:
            for one in places:
                one.observing = False
            for weight, forward in zip(weights, kept, strict=True):
                weight.forward = forward  # type: ignore[method-assign]

    def _round(self) -> None:
        """Puts rounding into the graph."""
        graph = self.rounded.graph
        for node in list(graph.nodes):
            if node.op == "call_module":
                graph.erase_node(node)  # a check of shapes, for a caller who does not know them
            elif node.op == "placeholder":
                self._round_after(node)
            elif node.op == "call_function":
                if node.target in _WEIGHTED:
                    self._round_weights(node)
                if self._is_rounded(node):
                    self._round_after(node)
        graph.lint()
        self.rounded.recompile()

    def _is_rounded(self, node: fx.Node) -> bool:
        value = node.meta.get("val")
        if node.target in _PASSING or not isinstance(value, Tensor) or not value.is_floating_point() or value.ndim < 2:
            return False
        readers = list(node.users)
        if [reader.target for reader in readers] == [_FOLDED]:
            return node.target not in _WEIGHTED
        # ONNX Runtime merges equal activations of one map, and then rounds what they give alone.
        first, *others = readers or [node]
        same = all((one.target, one.args[1:]) == (first.target, first.args[1:]) for one in others)
        return not (readers and same and first.target in _ACTIVATIONS)

    def _round_weights(self, node: fx.Node) -> None:
        weights = node.args[1]
        assert isinstance(weights, fx.Node)
        name = f"weights_of_{node.name}"
        self.rounded.add_submodule(name, RoundedWeights(127 if self._signed else 64))
        with self.rounded.graph.inserting_before(node):
            rounded = self.rounded.graph.call_module(name, (weights,))
        node.update_arg(1, rounded)

    def _round_after(self, node: fx.Node) -> None:
        source = node.args[0] if node.args else None
        if node.target in _SCALED_AS_INPUT and isinstance(source, fx.Node) and source.op == "call_module":
            name = str(source.target)
        else:
            name = f"maps_of_{node.name}"
            self.rounded.add_submodule(name, RoundedMaps(signed=self._signed))
        with self.rounded.graph.inserting_after(node):
            rounded = self.rounded.graph.call_module(name, (node,))
        node.replace_all_uses_with(rounded, delete_user_cb=lambda reader: reader is not rounded)


def _as_it_is(weights: Tensor) -> Tensor:
    return weights
