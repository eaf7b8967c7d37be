"""The outputs of a network's last layers, for cells that look back further than one."""

from typing import final

from torch import Tensor, nn

MOST = 2
"""How far back any layer looks."""


@final
class Latest:
    """What each layer of a network is given: the value before it, or, for a module with ``looks_back``, several.

    Where there are fewer values than a module looks back on, the first layer's output stands for those before it.

    Args:
        x: Input of the network.
    """

    def __init__(self, x: Tensor) -> None:
        self.value = x
        self._outputs: tuple[Tensor, ...] = ()

    def given_to(self, module: nn.Module) -> Tensor | tuple[Tensor, ...]:
        """What a module takes in."""
        number: int | None = getattr(module, "looks_back", None)
        if number is None:
            return self.value
        found = self._outputs[-number:]
        missing = (found[0],) * (number - len(found))
        return missing + found

    def add(self, value: Tensor) -> None:
        """Takes note of a layer's output."""
        self.value = value
        self._outputs = (*self._outputs, value)[-MOST:]
