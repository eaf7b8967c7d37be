"""What each operation of a search space is and costs, without its weights; ``surrogate_nas.nets.operations`` builds it.

Symbols:
    c: channels in and out (operations of a cell keep the width).
    s: side of the square feature map in pixels (operations of a cell keep the size).
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
    """

    nonlinear_functions: int
    parameters: Count
    flops: Count
    is_zero: bool = False
    is_identity: bool = False


def _nothing(_c: int, _s: int) -> int:
    return 0


def _relu_conv_bn(kernel: int) -> OperationSpec:
    return OperationSpec(
        nonlinear_functions=1,
        parameters=lambda c, _s: kernel * kernel * c * c + 2 * c,
        flops=lambda c, s: kernel * kernel * c * c * s * s,
    )


OPERATIONS: MappingProxyType[str, OperationSpec] = MappingProxyType(
    {
        "none": OperationSpec(0, _nothing, _nothing, is_zero=True),
        "skip_connect": OperationSpec(0, _nothing, _nothing, is_identity=True),
        "nor_conv_1x1": _relu_conv_bn(1),
        "nor_conv_3x3": _relu_conv_bn(3),
        "avg_pool_3x3": OperationSpec(0, _nothing, _nothing),
    }
)
