"""The layers that no decision changes, by name; ``surrogate_nas.nets.layers`` builds them.

A skeleton names them, so that a network of another kind needs rows here and no new branches elsewhere.
"""

from types import MappingProxyType

from surrogate_nas._support.words import shown
from surrogate_nas.errors import SpaceError
from surrogate_nas.space.operations.families import family_of, find_block
from surrogate_nas.space.operations.registry import find_own
from surrogate_nas.space.operations.spec import OperationSpec, Shape, nothing
from surrogate_nas.space.operations.table import factorized_alive


def _stem() -> OperationSpec:
    """Returns convolution 3x3, BN (NAS-Bench-201, arXiv 2001.00326)."""
    return OperationSpec(
        "stem",
        nonlinear_functions=0,
        parameters=lambda shape: 9 * shape.in_channels * shape.out_channels + 2 * shape.out_channels,
        flops=lambda shape: 9 * shape.in_channels * shape.outputs,
        alive=lambda shape: 2 * shape.outputs,
    )


def _reduction() -> OperationSpec:
    """Returns two (ReLU, convolution 3x3, BN) in parallel to average pooling, 1x1 convolution (arXiv 2001.00326)."""

    def parameters(shape: Shape) -> int:
        i, o = shape.in_channels, shape.out_channels
        return 9 * i * o + 2 * o + 9 * o * o + 2 * o + i * o

    def alive(shape: Shape) -> int:
        before, after = shape.inputs, shape.outputs
        shortcut, first, second = shape.in_channels * shape.out_size**2 + after, 2 * after + before, 4 * after
        return max(shortcut, first, 3 * after, second)

    return OperationSpec(
        "reduction",
        nonlinear_functions=2,
        parameters=parameters,
        flops=lambda shape: (10 * shape.in_channels + 9 * shape.out_channels) * shape.outputs,
        alive=alive,
    )


def _light_reduction() -> OperationSpec:
    """Returns ReLU, convolution 3x3, BN, in parallel to average pooling and a 1x1 convolution."""

    def alive(shape: Shape) -> int:
        shortcut = shape.in_channels * shape.out_size**2 + shape.outputs
        return max(shortcut, 2 * shape.outputs + shape.inputs, 3 * shape.outputs)

    return OperationSpec(
        "light_reduction",
        nonlinear_functions=1,
        parameters=lambda shape: 10 * shape.in_channels * shape.out_channels + 2 * shape.out_channels,
        flops=lambda shape: 10 * shape.in_channels * shape.outputs,
        alive=alive,
    )


def _head() -> OperationSpec:
    """Returns BN, ReLU, mean over all pixels, linear (arXiv 2001.00326)."""
    return OperationSpec(
        "head",
        nonlinear_functions=1,
        parameters=lambda shape: 2 * shape.in_channels + (shape.in_channels + 1) * shape.out_channels,
        flops=lambda shape: shape.in_channels * shape.out_channels,
        alive=lambda shape: 2 * shape.inputs,
    )


def _projection() -> OperationSpec:
    """Returns ReLU, convolution 1x1, BN; where the size halves, two convolutions to half the channels each (DARTS)."""

    def alive(shape: Shape) -> int:
        if shape.in_size != shape.out_size:
            return factorized_alive(shape)
        return max(shape.inputs + shape.outputs, 2 * shape.outputs)

    return OperationSpec(
        "projection",
        nonlinear_functions=1,
        parameters=lambda shape: (shape.in_channels + 2) * shape.out_channels,
        flops=lambda shape: shape.in_channels * shape.outputs,
        alive=alive,
    )


def _pooling() -> OperationSpec:
    """Returns a maximum over each 2x2 square (NAS-Bench-101, arXiv 1902.09635)."""
    return OperationSpec("pooling", 0, nothing, nothing, alive=lambda shape: shape.outputs)


def _max_pool() -> OperationSpec:
    """Returns a maximum over 3x3 pixels around each (ResNet, arXiv 1512.03385); it gives the channels that it takes."""
    return OperationSpec("max_pool_k3", 0, nothing, nothing, alive=lambda shape: shape.outputs, reach=1)


def _classifier() -> OperationSpec:
    """Returns mean over all pixels, linear (DARTS, arXiv 1806.09055)."""
    return OperationSpec(
        "classifier",
        nonlinear_functions=0,
        parameters=lambda shape: (shape.in_channels + 1) * shape.out_channels,
        flops=lambda shape: shape.in_channels * shape.out_channels,
        alive=lambda shape: 2 * shape.in_channels,
    )


def _pooled_linear() -> OperationSpec:
    """Returns mean over all pixels, linear, hard swish: before the classifier of MobileNetV3 (arXiv 1905.02244)."""
    return OperationSpec(
        "pooled_linear_hs",
        nonlinear_functions=1,
        parameters=lambda shape: (shape.in_channels + 1) * shape.out_channels,
        flops=lambda shape: shape.in_channels * shape.out_channels,
        alive=lambda shape: max(2 * shape.in_channels, shape.in_channels + shape.out_channels, 2 * shape.out_channels),
        pools=True,
    )


def _resize() -> OperationSpec:
    """Returns a bilinear resize of images: its four products per pixel are not counted, as torch does not."""
    return OperationSpec("resize", 0, nothing, nothing, alive=lambda shape: 0 if shape.keeps else shape.outputs)


_SPECS = (
    _stem(),
    _reduction(),
    _light_reduction(),
    _head(),
    _projection(),
    _pooling(),
    _max_pool(),
    _classifier(),
    _pooled_linear(),
    _resize(),
)
FIXED_LAYERS: MappingProxyType[str, OperationSpec] = MappingProxyType({spec.name: spec for spec in _SPECS})


def find_fixed_layer(name: str) -> OperationSpec:
    """Returns a fixed layer, which may also be a block.

    Raises:
        SpaceError: If there is none of this name.
    """
    if name in FIXED_LAYERS:
        return FIXED_LAYERS[name]
    if find_own(name) is None and family_of(name) is None:
        raise SpaceError(
            f"unknown layer {shown(name)}; use a block, such as conv_bn_relu_k3, or one of the layers of"
            " docs/reference/search-spaces.md"
        )
    return find_block(name)
