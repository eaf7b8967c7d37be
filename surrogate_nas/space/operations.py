"""What each operation of a search space is and costs, without its weights; ``surrogate_nas.nets.operations`` builds it.

Symbols:
    c: channels in and out (operations of a cell keep the width).
    s: side of the square feature map that comes out, in pixels; what goes in has stride times that.
    k: side of a kernel.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from types import MappingProxyType

from surrogate_nas.errors import SpaceError
from surrogate_nas.space.blocks import Shape
from surrogate_nas.space.own import OwnOperation, find_own, others_in_words, own_names

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
    """An operation at a stride of 1 or 2, also one that a user wrote."""
    own = find_own(name)
    if own is not None:
        return _own_spec(own, stride)
    return _HALVING.get(name, OPERATIONS[name]) if stride == 2 else OPERATIONS[name]


@lru_cache(maxsize=1024)
def _own_spec(own: OwnOperation, stride: int) -> OperationSpec:
    def shape(c: int, s: int) -> Shape:
        return Shape(c, c, stride * s, s)

    return OperationSpec(
        own.spec.nonlinear_functions,
        parameters=lambda c, s: own.spec.parameters(shape(c, s)),
        flops=lambda c, s: own.spec.flops(shape(c, s)),
        reach=own.spec.reach,
    )


def require_operation(name: str) -> None:
    """Refuses a name that is no operation.

    Raises:
        SpaceError: If so; the message lists those that there are.
    """
    if name not in OPERATIONS and find_own(name) is None:
        raise SpaceError(f"unknown operation {name!r}; choose from {', '.join(OPERATIONS)}{others_in_words()}")


def operation_names() -> dict[int, str]:
    """The name of every operation's description, by its ``id``."""
    of_users = {id(operation_spec(name, stride)): name for name in own_names() for stride in (1, 2)}
    return {id(spec): name for name, spec in OPERATIONS.items()} | of_users
