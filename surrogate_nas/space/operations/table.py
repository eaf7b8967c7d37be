"""What each operation of a search space is and costs, without its weights; ``surrogate_nas.nets.operations`` builds it.

Symbols:
    c: channels in and out (operations of a cell keep the width).
    s: side of the square feature map that comes out, in pixels; what goes in has stride times that.
    r: side of what goes in.
    k: side of a kernel.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from types import MappingProxyType

from surrogate_nas.errors import SpaceError
from surrogate_nas.space.operations.registry import OwnOperation, find_own, others_in_words, own_names
from surrogate_nas.space.operations.shapes import Shape

Count = Callable[[int, int], int]
Alive = Callable[[int, int, int], int]


def _one_map(c: int, _r: int, s: int) -> int:
    """What comes out, alone."""
    return c * s * s


def _two_maps(c: int, _r: int, s: int) -> int:
    """One of the size that comes out handed on to the next."""
    return 2 * c * s * s


def _rectified(c: int, r: int, s: int) -> int:
    """ReLU of what goes in, then a convolution of it."""
    return c * max(r * r + s * s, 2 * s * s)


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
        alive: ``(c, r, s)`` to the most numbers of one image alive at once while it runs, besides its input; of an
            identity, which hands on its input, none.
    """

    nonlinear_functions: int
    parameters: Count
    flops: Count
    is_zero: bool = False
    is_identity: bool = False
    reach: int = 0
    alive: Alive = _one_map


def _nothing(_c: int, _s: int) -> int:
    return 0


def _convolution(kernel: int, alive: Alive) -> OperationSpec:
    """ReLU, convolution, batch-norm, in one order or another."""
    return OperationSpec(
        nonlinear_functions=1,
        parameters=lambda c, _s: kernel * kernel * c * c + 2 * c,
        flops=lambda c, s: kernel * kernel * c * c * s * s,
        reach=kernel // 2,
        alive=alive,
    )


def _depthwise(kernel: int, *, times: int = 1, dilation: int = 1) -> OperationSpec:
    """ReLU, k x k convolution of each channel by itself, 1x1 convolution, batch-norm; as a whole once or twice."""

    def alive(c: int, r: int, s: int) -> int:
        # The second time over, what came of the first is alive to the end.
        return max(_rectified(c, r, s), 3 * c * s * s if times > 1 else 0)

    return OperationSpec(
        nonlinear_functions=times,
        parameters=lambda c, _s: times * (kernel * kernel * c + c * c + 2 * c),
        flops=lambda c, s: times * (kernel * kernel * c + c * c) * s * s,
        reach=times * dilation * (kernel // 2),
        alive=alive,
    )


OPERATIONS: MappingProxyType[str, OperationSpec] = MappingProxyType(
    {
        "none": OperationSpec(0, _nothing, _nothing, is_zero=True),
        "skip_connect": OperationSpec(0, _nothing, _nothing, is_identity=True, alive=lambda _c, _r, _s: 0),
        # At a stride of 2 the 1x1 convolution is of every second pixel, and so is the ReLU.
        "nor_conv_1x1": _convolution(1, _two_maps),
        "nor_conv_3x3": _convolution(3, _rectified),
        "avg_pool_3x3": OperationSpec(0, _nothing, _nothing),
        "max_pool_3x3": OperationSpec(0, _nothing, _nothing),
        "conv_bn_relu_1x1": _convolution(1, _two_maps),
        "conv_bn_relu_3x3": _convolution(3, _two_maps),
        "sep_conv_3x3": _depthwise(3, times=2),
        "sep_conv_5x5": _depthwise(5, times=2),
        "dil_conv_3x3": _depthwise(3, dilation=2),
        "dil_conv_5x5": _depthwise(5, dilation=2),
    }
)

# What takes the place of an operation where it halves the size; the others are the same with a stride of 2.
_HALVING: MappingProxyType[str, OperationSpec] = MappingProxyType(
    # An identity cannot: ReLU, two 1x1 convolutions of stride 2 to half the channels each, batch-norm (DARTS).
    {"skip_connect": _convolution(1, lambda c, r, s: factorized_alive(c, r, c, s))}
)


def factorized_alive(i: int, r: int, o: int, s: int) -> int:
    """Most numbers alive as i channels are halved to o in DARTS: ReLU to the end, a copy with a border, halves."""
    bordered = i * (r + 1) ** 2 if o > 1 else 0
    return i * r * r + o * s * s + max(bordered, o * s * s)


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
