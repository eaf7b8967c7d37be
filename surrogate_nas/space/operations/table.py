"""The operations of cells by name; ``surrogate_nas.nets.operations`` builds them.

Symbols:
    c: channels in and out, since operations of a cell keep the width.
    k: side of a kernel.
"""

from types import MappingProxyType

from surrogate_nas._support.words import choose_from, shown
from surrogate_nas.errors import SpaceError
from surrogate_nas.space.operations.registry import find_own, others_in_words
from surrogate_nas.space.operations.spec import Count, OperationSpec, Shape, nothing


def _one_map(shape: Shape) -> int:
    """Counts the output alone."""
    return shape.outputs


def _two_maps(shape: Shape) -> int:
    """Counts the output and a map of its size that it is made of."""
    return 2 * shape.outputs


def _rectified(shape: Shape) -> int:
    """Counts the ReLU of the input, then a convolution of it."""
    return max(shape.inputs + shape.outputs, 2 * shape.outputs)


def _convolution(name: str, kernel: int, alive: Count) -> OperationSpec:
    """Returns ReLU, convolution, batch-norm, in one order or another."""
    return OperationSpec(
        name,
        nonlinear_functions=1,
        parameters=lambda shape: (kernel * kernel * shape.in_channels + 2) * shape.out_channels,
        flops=lambda shape: kernel * kernel * shape.in_channels * shape.outputs,
        alive=alive,
        reach=kernel // 2,
    )


def _depthwise(name: str, kernel: int, *, times: int = 1, dilation: int = 1) -> OperationSpec:
    """Returns ReLU, k x k depthwise convolution, 1x1 convolution, batch-norm; as a whole once or twice."""

    def parameters(shape: Shape) -> int:
        c = shape.in_channels
        return times * (kernel * kernel * c + c * c + 2 * c)

    def flops(shape: Shape) -> int:
        return times * (kernel * kernel + shape.in_channels) * shape.outputs

    def alive(shape: Shape) -> int:
        # The second time over, what came of the first is alive to the end.
        return max(_rectified(shape), 3 * shape.outputs if times > 1 else 0)

    return OperationSpec(name, times, parameters, flops, alive, reach=times * dilation * (kernel // 2))


_SPECS = (
    OperationSpec("none", 0, nothing, nothing, _one_map, is_zero=True),
    OperationSpec("skip_connect", 0, nothing, nothing, nothing, is_identity=True),
    # At a stride of 2 the 1x1 convolution is of every second pixel, and so is the ReLU.
    _convolution("nor_conv_1x1", 1, _two_maps),
    _convolution("nor_conv_3x3", 3, _rectified),
    OperationSpec("avg_pool_3x3", 0, nothing, nothing, _one_map),
    OperationSpec("max_pool_3x3", 0, nothing, nothing, _one_map),
    _convolution("conv_bn_relu_1x1", 1, _two_maps),
    _convolution("conv_bn_relu_3x3", 3, _two_maps),
    _depthwise("sep_conv_3x3", 3, times=2),
    _depthwise("sep_conv_5x5", 5, times=2),
    _depthwise("dil_conv_3x3", 3, dilation=2),
    _depthwise("dil_conv_5x5", 5, dilation=2),
)
OPERATIONS: MappingProxyType[str, OperationSpec] = MappingProxyType({spec.name: spec for spec in _SPECS})


def factorized_alive(shape: Shape) -> int:
    """Counts what is alive as DARTS halves a size: ReLU to the end, a copy with a border, halves of the output."""
    bordered = shape.in_channels * (shape.in_size + 1) ** 2 if shape.out_channels > 1 else 0
    return shape.inputs + shape.outputs + max(bordered, shape.outputs)


# Operations that differ where they halve the size; the others are the same with a stride of 2. An identity cannot
# halve it: ReLU, two 1x1 convolutions of stride 2 to half the channels each, batch-norm (DARTS).
_HALVING = MappingProxyType({"skip_connect": _convolution("skip_connect", 1, factorized_alive)})


def operation_spec(name: str, stride: int = 1) -> OperationSpec:
    """Returns an operation at a stride of 1 or 2, also one that a user wrote."""
    own = find_own(name)
    if own is not None:
        return own.spec
    return _HALVING.get(name, OPERATIONS[name]) if stride == 2 else OPERATIONS[name]


def require_operation(name: str) -> None:
    """Refuses a name that is not an operation.

    Raises:
        SpaceError: If so; the message lists those that there are.
    """
    if name not in OPERATIONS and find_own(name) is None:
        raise SpaceError(f"unknown operation {shown(name)}; {choose_from(OPERATIONS, name, 100)}{others_in_words()}")
