"""Numbers in double precision, wherever the device has them."""

from torch import Tensor

WITHOUT_DOUBLE = frozenset({"mps"})
"""Types of devices that have no float64: Apple's GPUs."""


def in_double(tensor: Tensor) -> Tensor:
    """Returns a tensor as float64: where it is, or on the CPU if its device has no such numbers."""
    return (tensor.cpu() if tensor.device.type in WITHOUT_DOUBLE else tensor).double()
