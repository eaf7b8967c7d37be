"""Updates weights with momentum buffers: one set for all subnets, or one for each group of them (DYNAS)."""

from collections.abc import Mapping, Sequence
from typing import final

import torch
from torch import Tensor, nn

from surrogate_nas.nets.places.importance import Reordering
from surrogate_nas.supernet.rule import RuleSettings


@final
class Momenta:
    """SGD on the parameters of one network, with momentum buffers of each group of subnets.

    Several groups implement the momentum separation of DYNAS (arXiv 2503.10740): a step moves the shared weights by
    the buffers of the sampled group alone, and leaves the others as they are.

    A parameter without a gradient gets neither momentum nor weight decay in a step, and no buffer before its first.

    Args:
        network: Owner of the weights.
        settings: Momentum and weight decay.
        groups: Number of groups.
    """

    def __init__(self, network: nn.Module, settings: RuleSettings, groups: int = 1) -> None:
        self.names = [name for name, _ in network.named_parameters()]
        self.parameters = list(network.parameters())
        self._optimizers = [
            torch.optim.SGD(
                self.parameters,
                lr=settings.learning_rate,
                momentum=settings.momentum,
                weight_decay=settings.weight_decay,
                nesterov=settings.momentum > 0,
                foreach=True,
            )
            for _ in range(groups)
        ]

    def step(self, group: int, rate: float) -> None:
        """Moves the weights by their gradients and the buffers of a group."""
        optimizer = self._optimizers[group]
        optimizer.param_groups[0]["lr"] = rate
        optimizer.step()

    def reorder(self, change: Reordering) -> None:
        """Reorders some weights, and their momenta with them."""
        with torch.no_grad():
            change.weight.copy_(change.applied(change.weight))
            for optimizer in self._optimizers:
                buffer = optimizer.state[change.weight].get("momentum_buffer")
                if buffer is not None:
                    buffer.copy_(change.applied(buffer))

    def buffers(self) -> tuple[dict[str, Tensor], ...]:
        """Returns the momentum buffers by parameter name, of each group; parameters that it never sampled have none."""
        found = []
        for optimizer in self._optimizers:
            pairs = zip(self.names, self.parameters, strict=True)
            held = {name: optimizer.state[parameter].get("momentum_buffer") for name, parameter in pairs}
            found.append({name: buffer for name, buffer in held.items() if buffer is not None})
        return tuple(found)

    def restore(self, buffers: Sequence[Mapping[str, Tensor]]) -> None:
        """Restores buffers; a parameter without one gets its buffer at its first gradient.

        Args:
            buffers: Result of ``buffers`` for as many groups and for parameters of these shapes.
        """
        for optimizer, held in zip(self._optimizers, buffers, strict=True):
            for name, parameter in zip(self.names, self.parameters, strict=True):
                if name in held:
                    like = torch.empty_like(parameter)  # keeps the memory format, and with it the order of additions
                    optimizer.state[parameter]["momentum_buffer"] = like.copy_(held[name])
