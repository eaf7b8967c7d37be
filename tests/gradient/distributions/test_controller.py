"""A decision of the controller depends on the ones before it."""

import torch

from surrogate_nas.gradient.distributions.controller import Controller
from surrogate_nas.space.kinds.cell.space import CellSpace


def test_decisions_depend_on_the_ones_before(triangle: CellSpace) -> None:
    controller = Controller(triangle, 3)
    with torch.no_grad():
        for parameter in controller.parameters():
            parameter.mul_(20)

    def last(code: list[int]) -> float:
        """Returns the log-probability of the last decision after the others."""
        every = torch.tensor([[*code[:2], choice] for choice in range(4)])
        joint = controller.follow(every)[0].detach()
        return float((joint - joint.logsumexp(dim=0))[code[2]])

    assert abs(last([0, 0, 1]) - last([3, 0, 1])) > 1e-3
