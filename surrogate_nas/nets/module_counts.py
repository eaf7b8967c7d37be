"""Counts the costs of a module, which runs on torch's ``meta`` device, where tensors have shapes and no numbers."""

import weakref
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves
from torch.utils.flop_counter import FlopCounterMode
from torch.utils.weak import WeakTensorKeyDictionary

from surrogate_nas.space.operations.spec import Shape

_CONVOLUTIONS = (torch.ops.aten.convolution.default, torch.ops.aten._convolution.default)


@dataclass(frozen=True)
class Counted:
    """The counts of one run of a module on one image.

    Attributes:
        result: Shape of what comes out, without the batch; None where it is not a tensor of one image.
        parameters: Weights, affine batch-norm included.
        flops: Multiply-accumulates of convolutions and matrix products: half of torch's own count.
        alive: Most numbers alive at once, the input, the weights and plain vectors not among them.
        reach: Pixels by which convolutions one behind another widen what a pixel sees, to each side.
        overwrites: Whether it changes the image that it is given.
    """

    result: tuple[int, ...] | None
    parameters: int
    flops: int
    alive: int
    reach: int
    overwrites: bool


def count_module(module: nn.Module, shape: Shape) -> Counted:
    """Runs a module of the ``meta`` device in evaluation mode.

    Args:
        module: Takes (1, in, S, S).
        shape: What it takes.
    """
    with torch.no_grad():
        image = torch.empty(1, shape.in_channels, shape.in_size, shape.in_size, device="meta")
        given = [image, *module.parameters(), *module.buffers()]
        with FlopCounterMode(display=False) as flops, _Watch(given) as watch:
            result = module.eval()(image)
    is_one = isinstance(result, Tensor) and result.ndim > 0 and result.shape[0] == 1
    return Counted(
        tuple(result.shape[1:]) if is_one else None,
        sum(weight.numel() for weight in module.parameters()),
        flops.get_total_flops() // 2,
        watch.most,
        watch.reach_of([result]),
        image._version > 0,
    )


class _Watch(TorchDispatchMode):
    """Follows every tensor that is made: how much of them is alive, and how far each one sees."""

    def __init__(self, given: Iterable[Tensor]) -> None:
        super().__init__()
        self.most = self._live = 0
        self._given = {_storage(tensor) for tensor in given}
        self._holders: dict[int, int] = {}
        self._reach = WeakTensorKeyDictionary()

    def __torch_dispatch__(
        self,
        func: Callable[..., Any],
        types: object,
        args: tuple[Any, ...] = (),
        kwargs: dict[str, Any] | None = None,
    ) -> object:
        result = func(*args, **(kwargs or {}))
        reach = self.reach_of([*args, *(kwargs or {}).values()])
        if func in _CONVOLUTIONS:
            kernel, dilation = args[1].shape[2:], args[5]
            reach += max((d * (k // 2) for k, d in zip(kernel, dilation, strict=True)), default=0)
        for tensor in tree_leaves(result):
            if isinstance(tensor, Tensor) and tensor not in self._reach:
                self._hold(tensor)
                self._reach[tensor] = reach
        return result

    def reach_of(self, values: list[Any]) -> int:
        """Returns the furthest of the tensors among values."""
        return max((self._reach.get(one, 0) for one in tree_leaves(values) if isinstance(one, Tensor)), default=0)

    def _hold(self, tensor: Tensor) -> None:
        # Views share their memory with what they are views of, and keep it alive.
        storage, size = _storage(tensor), tensor.untyped_storage().nbytes() // tensor.element_size()
        # What has no place in an image does not count: statistics of a normalisation, positions of a pooling.
        if storage in self._given or tensor.ndim < 2 or not tensor.is_floating_point():
            return
        if storage not in self._holders:
            self._holders[storage] = 0
            self._live += size
            self.most = max(self.most, self._live)
        self._holders[storage] += 1
        weakref.finalize(tensor, self._drop, storage, size)

    def _drop(self, storage: int, size: int) -> None:
        self._holders[storage] -= 1
        if not self._holders[storage]:
            del self._holders[storage]
            self._live -= size


def _storage(tensor: Tensor) -> int:
    return int(tensor.untyped_storage()._cdata)
