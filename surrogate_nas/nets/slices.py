"""Modules of one structure on one set of weights, of which each takes the first channels and the centres of kernels.

A module comes as a template: built like every other, but on the ``meta`` device, where it has shapes and no numbers.
Weights of nested networks come from Once-for-All (arXiv 1908.09791), without its matrices between kernels.
"""

import copy
from collections.abc import Callable, Iterator, Sequence
from typing import Any, final

from torch import Tensor, nn
from torch.nn import functional as F

from surrogate_nas.errors import SpaceError
from surrogate_nas.nets.normalization import RecordingBatchNorm

Cut = tuple[slice, ...]
Take = Callable[[nn.Module, nn.Module], nn.Module]
_REFUSED = "no part can be taken of these weights: "


class _PartOfConvolution(nn.Module):
    """A convolution whose weights are a part of a larger one's.

    Grouped convolutions take the first channels of every group, or the first groups where groups are equally large, as
    they are in depthwise ones.

    Args:
        whole: Owner of the weights.
        template: A convolution with shapes of its own.
    """

    def __init__(self, whole: nn.Conv2d, template: nn.Conv2d) -> None:
        super().__init__()
        self._whole = (whole,)  # in a tuple, so that it is not registered as a part of this module
        self.stride, self.padding, self.dilation = template.stride, template.padding, template.dilation
        self.groups = template.groups
        self._inner = whole.groups if whole.groups == template.groups > 1 else 1
        out, inputs, *kernel = template.weight.shape
        edges = [(large - small) // 2 for large, small in zip(whole.weight.shape[2:], kernel, strict=True)]
        centre = [slice(edge, edge + small) for edge, small in zip(edges, kernel, strict=True)]
        self._cut: Cut = (slice(out // self._inner), slice(inputs), *centre)

    @property
    def weight(self) -> Tensor:
        """The part of the weights."""
        return self._part_of(self._whole[0].weight, self._cut)

    @property
    def bias(self) -> Tensor | None:
        """The part of the biases, where there are any."""
        bias = self._whole[0].bias
        return None if bias is None else self._part_of(bias, self._cut[:1])

    def _part_of(self, weights: Tensor, cut: Cut) -> Tensor:
        if self._inner == 1:
            return weights[cut]
        grouped: Tensor = weights.unflatten(0, (self._inner, -1))
        return grouped[(slice(None), *cut)].flatten(0, 1)

    def forward(self, x: Tensor) -> Tensor:
        """Maps (B, in, H, W) to (B, out, H', W')."""
        return F.conv2d(x, self.weight, self.bias, self.stride, self.padding, self.dilation, self.groups)


class _PartOfLinear(nn.Module):
    """A linear layer whose weights are the first rows and columns of a larger one's.

    Args:
        whole: Owner of the weights.
        template: A linear layer with shapes of its own.
    """

    def __init__(self, whole: nn.Linear, template: nn.Linear) -> None:
        super().__init__()
        self._whole = (whole,)
        self._out, self._in = template.weight.shape

    @property
    def weight(self) -> Tensor:
        """The part of the weights."""
        return self._whole[0].weight[: self._out, : self._in]

    @property
    def bias(self) -> Tensor | None:
        """The part of the biases, where there are any."""
        bias = self._whole[0].bias
        return None if bias is None else bias[: self._out]

    def forward(self, x: Tensor) -> Tensor:
        """Maps (..., in) to (..., out)."""
        return F.linear(x, self.weight, self.bias)


class _PartOfNorm(nn.Module):
    """The first channels of a larger normalisation, which has a scale and a shift.

    Args:
        whole: Owner of the weights and of recorded statistics.
        template: A normalisation with shapes of its own.
    """

    def __init__(self, whole: RecordingBatchNorm, template: RecordingBatchNorm) -> None:
        super().__init__()
        self._whole = (whole,)
        self._channels = len(template.mean)

    @property
    def weight(self) -> Tensor | None:
        """The part of the scales."""
        scale = self._whole[0].weight
        return None if scale is None else scale[: self._channels]

    @property
    def bias(self) -> Tensor | None:
        """The part of the shifts."""
        shift = self._whole[0].bias
        return None if shift is None else shift[: self._channels]

    def forward(self, x: Tensor) -> Tensor:
        """Normalises (B, channels, H, W)."""
        y: Tensor = self._whole[0](x)
        return y


@final
class Nest(nn.Module):
    """The weights of several modules, as large as the largest of each; called with maps and the number of a module.

    They have the names that they have in the modules.

    Parts without weights, and the way in which parts are put together, are each module's own: a residual is added where
    that module has one. A module of the largest shapes runs the weights themselves, without a cut.

    Args:
        templates: The modules, on the ``meta`` device; what has weights in several of them stands under one name, and
            is of one kind.
        name: Name of the modules, for messages.

    Raises:
        SpaceError: If the structures differ, or a module has weights that cannot be cut.
    """

    def __init__(self, templates: Sequence[nn.Module], name: str) -> None:
        super().__init__()
        wholes: dict[str, nn.Module] = {}
        paths = dict.fromkeys(path for template in templates for path, _ in _weighted(template))
        for path in paths:
            if inner := [other for other in paths if other.startswith(f"{path}.")]:
                raise SpaceError(f"{_REFUSED}{path} of {name} holds {inner[0]} in some modules only")
            parts = [part for template in templates for at, part in _weighted(template) if at == path]
            wholes[path] = _whole(parts, f"{path} of {name}")
            _put(self, path, wholes[path])
        # In lists and tuples, so that they are not registered.
        self._members = [_on(template, wholes, _part_of) for template in templates]
        fullest = max(templates, key=lambda template: len(_weighted(template)))
        self._full = (_on(fullest, wholes, lambda whole, _: whole),)

    @property
    def full(self) -> nn.Module:
        """The module that has most parts, on all of the weights."""
        return self._full[0]

    def member(self, number: int) -> nn.Module:
        """Returns a module that runs on its part of the weights; ``named_weights`` has them."""
        return self._members[number]

    def forward(self, x: Tensor, number: int) -> Tensor:
        """Runs one of the modules."""
        y: Tensor = self._members[number](x)
        return y

    def train(self, mode: bool = True) -> "Nest":
        """Switches between training and evaluation, in the modules too."""
        for member in (*self._members, *self._full):
            member.train(mode)
        return super().train(mode)


def named_weights(module: nn.Module) -> Iterator[tuple[str, Tensor]]:
    """Yields the weights that a module computes with, by name, also where they are parts of larger ones."""
    for path, part in module.named_modules():
        found = list(part.named_parameters(recurse=False))
        if isinstance(part, _PartOfConvolution | _PartOfLinear | _PartOfNorm):
            found = [(name, value) for name in ("weight", "bias") if (value := getattr(part, name)) is not None]
        yield from ((f"{path}.{name}" if path else name, value) for name, value in found)


def _weighted(template: nn.Module) -> list[tuple[str, nn.Module]]:
    """Returns the parts with tensors of their own, by name."""
    parts = template.named_modules(remove_duplicate=False)
    return [(path, part) for path, part in parts if {**part._parameters, **part._buffers}]


def _whole(parts: Sequence[nn.Module], where: str) -> nn.Module:
    """Returns what all parts are cut from."""
    kinds = {type(part) for part in parts}
    names = " and ".join(sorted(kind.__name__ for kind in kinds))
    if len(kinds) > 1:
        raise SpaceError(f"{_REFUSED}{where} is of different kinds, {names}")
    makers = {RecordingBatchNorm: _whole_norm, nn.Conv2d: _whole_convolution, nn.Linear: _whole_linear}
    [kind] = kinds
    if kind not in makers:
        raise SpaceError(
            f"{_REFUSED}{where} is a {names}, and parts are taken of Conv2d, Linear and norm(channels) alone"
        )
    if len({getattr(part, "bias", None) is None for part in parts}) > 1:
        raise SpaceError(f"{_REFUSED}{where} has a bias in some modules only")
    return makers[kind](parts, where)


def _whole_norm(parts: Sequence[Any], _where: str) -> nn.Module:
    return RecordingBatchNorm(max(len(part.mean) for part in parts), scaled=parts[0].weight is not None)


def _whole_linear(parts: Sequence[Any], _where: str) -> nn.Module:
    inputs, outputs = (max(getattr(part, side) for part in parts) for side in ("in_features", "out_features"))
    return nn.Linear(inputs, outputs, bias=parts[0].bias is not None)


def _whole_convolution(parts: Sequence[Any], where: str) -> nn.Module:
    inputs, outputs = (max(getattr(part, side) for part in parts) for side in ("in_channels", "out_channels"))
    kernel = tuple(max(part.kernel_size[side] for part in parts) for side in (0, 1))
    first = max(parts, key=lambda part: (part.groups, part.weight.numel()))
    rules = {
        "another dilation": {part.dilation for part in parts} == {first.dilation},
        "padding other than zeros": {part.padding_mode for part in parts} == {"zeros"},
        "a kernel that has another centre": all(
            (large - own) % 2 == 0 for part in parts for large, own in zip(kernel, part.kernel_size, strict=True)
        ),
        "groups of another size": len({part.groups for part in parts}) == 1 or len({_group(p) for p in parts}) == 1,
    }
    for rule, holds in rules.items():
        if not holds:
            raise SpaceError(f"{_REFUSED}{where} has {rule} in some modules only")
    padding = max(part.padding for part in parts)
    has_bias = first.bias is not None
    return nn.Conv2d(inputs, outputs, kernel, first.stride, padding, first.dilation, first.groups, has_bias)


def _group(part: nn.Conv2d) -> tuple[int, int]:
    """Returns the channels of one group, in and out."""
    return part.in_channels // part.groups, part.out_channels // part.groups


def _put(root: nn.Module, path: str, part: nn.Module) -> None:
    """Makes a part a descendant of a module, under its path."""
    *outer, last = path.split(".")
    for name in outer:
        if name not in root._modules:
            root._modules[name] = nn.Module()
        inner = root._modules[name]
        assert inner is not None
        root = inner
    root._modules[last] = part


def _on(template: nn.Module, wholes: dict[str, nn.Module], take: Take, path: str = "") -> nn.Module:
    """Returns a template's module on what is taken of the weights of others, by their paths in it."""
    if path in wholes and _weighted(template):
        return take(wholes[path], template)
    made = copy.copy(template)
    made._modules = {
        name: child and _on(child, wholes, take, f"{path}.{name}" if path else name)
        for name, child in template._modules.items()
    }
    return made


def _part_of(whole: nn.Module, template: nn.Module) -> nn.Module:
    """Returns what runs on a part of the weights; the owner itself where that is all of them."""
    if isinstance(whole, nn.Conv2d):
        assert isinstance(template, nn.Conv2d)
        same = all(getattr(whole, name) == getattr(template, name) for name in ("stride", "padding", "groups"))
        equal = same and whole.weight.shape == template.weight.shape
        return whole if equal else _PartOfConvolution(whole, template)
    if isinstance(whole, nn.Linear):
        assert isinstance(template, nn.Linear)
        return whole if whole.weight.shape == template.weight.shape else _PartOfLinear(whole, template)
    assert isinstance(whole, RecordingBatchNorm)
    assert isinstance(template, RecordingBatchNorm)
    return whole if len(whole.mean) == len(template.mean) else _PartOfNorm(whole, template)
