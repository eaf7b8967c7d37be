"""The bytes of feature maps that a built network really has alive at once."""

import weakref
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch.utils._python_dispatch import TorchDispatchMode

from surrogate_nas.nets.standalone import build_network
from surrogate_nas.space.network import NetworkSpec
from surrogate_nas.space.space import Space


class LiveMaps(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Follows the bytes of feature maps (tensors of four dimensions) that something still refers to."""

    def __init__(self, begun: int) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.live = self.peak = begun

    def __torch_dispatch__(
        self, func: Callable[..., Any], types: object, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> object:
        result = func(*args, **(kwargs or {}))
        first = result[0] if isinstance(result, tuple) else result
        is_view = any(returned.alias_info is not None for returned in func._schema.returns)  # type: ignore[attr-defined]
        if isinstance(first, torch.Tensor) and not is_view and first.ndim == 4 and first.shape[-1] > 1:
            size = first.numel() * first.element_size()
            self.live += size
            self.peak = max(self.peak, self.live)
            weakref.finalize(first, self._free, size)
        return result

    def _free(self, size: int) -> None:
        self.live -= size


def observed_peak(space: Space, code: np.ndarray[Any, Any], network: NetworkSpec) -> int:
    with torch.device("meta"), torch.no_grad():
        module = build_network(space, code, network).eval()
        image = torch.empty(1, network.input_channels, network.image_size, network.image_size)
        with LiveMaps(image.numel() * image.element_size()) as maps:
            module(image)
    return int(maps.peak)
