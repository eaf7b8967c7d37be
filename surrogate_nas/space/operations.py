"""What each operation of a search space is and costs, without its weights; ``surrogate_nas.nets.operations`` builds it.

Symbols:
    c: channels in and out (operations of a cell keep the width).
    s: side of the square feature map that comes out, in pixels; what goes in has stride times that.
    k: side of a kernel.
"""

from collections.abc import Callable
from dataclasses import dataclass
from types import MappingProxyType

Count = Callable[[int, int], int]


@dataclass(frozen=True)
class OperationSpec:
    """An operation as the search sees it.

    Attributes:
        nonlinear_functions: Activations inside, as EFS-NAS counts them (arXiv 2412.14678).
        parameters: ``(c, s)`` to the number of weights, affine batch-norm included.
        flops: ``(c, s)`` to multiply-accumulates of convolutions for one image.
        is_zero: Whether it cuts its edge.
        is_identity: Whether it hands its input on unchanged.
        reach: Pixels by which its convolutions widen what a pixel sees, to each side.
    """

    nonlinear_functions: int
    parameters: Count
    flops: Count
    is_zero: bool = False
    is_identity: bool = False
    reach: int = 0


def _nothing(_c: int, _s: int) -> int:
    return 0


def _convolution(kernel: int) -> OperationSpec:
    """ReLU, convolution, batch-norm, in one order or another."""
    return OperationSpec(
        nonlinear_functions=1,
        parameters=lambda c, _s: kernel * kernel * c * c + 2 * c,
        flops=lambda c, s: kernel * kernel * c * c * s * s,
        reach=kernel // 2,
    )


def _depthwise(kernel: int, *, times: int = 1, dilation: int = 1) -> OperationSpec:
    """ReLU, k x k convolution of each channel by itself, 1x1 convolution, batch-norm; as a whole once or twice."""
    return OperationSpec(
        nonlinear_functions=times,
        parameters=lambda c, _s: times * (kernel * kernel * c + c * c + 2 * c),
        flops=lambda c, s: times * (kernel * kernel * c + c * c) * s * s,
        reach=times * dilation * (kernel // 2),
    )


OPERATIONS: MappingProxyType[str, OperationSpec] = MappingProxyType(
    {
        "none": OperationSpec(0, _nothing, _nothing, is_zero=True),
        "skip_connect": OperationSpec(0, _nothing, _nothing, is_identity=True),
        "nor_conv_1x1": _convolution(1),
        "nor_conv_3x3": _convolution(3),
        "avg_pool_3x3": OperationSpec(0, _nothing, _nothing),
        "max_pool_3x3": OperationSpec(0, _nothing, _nothing),
        "conv_bn_relu_1x1": _convolution(1),
        "conv_bn_relu_3x3": _convolution(3),
        "sep_conv_3x3": _depthwise(3, times=2),
        "sep_conv_5x5": _depthwise(5, times=2),
        "dil_conv_3x3": _depthwise(3, dilation=2),
        "dil_conv_5x5": _depthwise(5, dilation=2),
    }
)

# What takes the place of an operation where it halves the size; the others are the same with a stride of 2.
_HALVING: MappingProxyType[str, OperationSpec] = MappingProxyType(
    # An identity cannot: ReLU, two 1x1 convolutions of stride 2 to half the channels each, batch-norm (DARTS).
    {"skip_connect": _convolution(1)}
)


def operation_spec(name: str, stride: int = 1) -> OperationSpec:
    """An operation at a stride of 1 or 2."""
    return _HALVING.get(name, OPERATIONS[name]) if stride == 2 else OPERATIONS[name]
