"""Layers that look back none, one or two values get the right ones."""

import torch
from torch import nn

from surrogate_nas.nets.latest import Latest, furthest


class LooksBack(nn.Module):
    """A module that wants some values."""

    def __init__(self, number: int) -> None:
        super().__init__()
        self.looks_back = number


def test_a_module_gets_the_value_before_it_or_as_many_as_it_looks_back_on() -> None:
    image, *outputs = (torch.full((1,), float(number)) for number in range(4))
    latest = Latest(image, furthest([nn.Identity(), LooksBack(2), LooksBack(1)]))
    assert latest.given_to(nn.Identity()) is image
    latest.add(outputs[0])
    assert latest.given_to(nn.Identity()) is outputs[0]
    assert latest.given_to(LooksBack(1)) == (outputs[0],)
    assert latest.given_to(LooksBack(2)) == (outputs[0], outputs[0])
    for output in outputs[1:]:
        latest.add(output)
    assert latest.given_to(LooksBack(1)) == (outputs[2],)
    assert latest.given_to(LooksBack(2)) == (outputs[1], outputs[2])
    assert latest.value is outputs[2]
