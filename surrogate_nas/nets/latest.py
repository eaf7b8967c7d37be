"""The outputs of a network's last layers, for cells that look back further than one."""

from collections.abc import Iterable
from typing import final

from torch import Tensor, nn


def furthest(modules: Iterable[nn.Module]) -> int:
    """Returns how many outputs the module that looks back furthest takes in; 0 where none does."""
    return max((getattr(module, "looks_back", 0) for module in modules), default=0)


@final
class Latest:
    """The inputs of each layer of a network: the value before it, or, for a module with ``looks_back``, several.

    Where there are fewer values than a module looks back on, the first layer's output stands for those before it.

    Args:
        x: Input of the network.
        kept: How many outputs are kept alive, in addition to the last one.
    """

    def __init__(self, x: Tensor, kept: int) -> None:
        self.value, self._kept = x, kept
        self._outputs: tuple[Tensor, ...] = ()

    def given_to(self, module: nn.Module) -> Tensor | tuple[Tensor, ...]:
        """Returns the inputs of a module."""
        number: int | None = getattr(module, "looks_back", None)
        if number is None:
            return self.value
        found = self._outputs[-number:]
        missing = (found[0],) * (number - len(found))
        return missing + found

    def add(self, value: Tensor) -> None:
        """Takes note of a layer's output."""
        self.value = value
        if self._kept:
            self._outputs = (*self._outputs, value)[-self._kept :]
