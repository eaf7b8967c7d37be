"""Tail averages against the mean of what there was."""

import pytest
import torch
from torch import nn

from surrogate_nas.supernet.rules.weight_average import SAMPLES, TailAverage


def walk(network: nn.Linear, average: TailAverage, first: int, last: int) -> dict[int, torch.Tensor]:
    """Returns the weights after each step of a random walk."""
    seen = {}
    for step in range(first + 1, last + 1):
        with torch.no_grad():
            network.weight += torch.randn(2, 3, generator=torch.Generator().manual_seed(step))
        average.take(step)
        seen[step] = network.weight.detach().clone()
    return seen


@pytest.mark.parametrize(
    ("share", "first", "last", "steps"),
    [
        (0.5, 0, 10, [6, 7, 8, 9, 10]),
        (1.0, 4, 8, [5, 6, 7, 8]),
        (0.01, 0, 10, [10]),
        (0.25, 100, 140, list(range(131, 141))),
        (1.0, 0, 450, list(range(3, 451, 3))),
    ],
)
def test_it_is_the_mean_of_the_last_weights(share: float, first: int, last: int, steps: list[int]) -> None:
    network = nn.Linear(3, 2)
    average = TailAverage(network, share, first, last)
    seen = walk(network, average, first, last)
    assert average.count == len(steps) <= SAMPLES
    expected = torch.stack([seen[step] for step in steps]).double().mean(dim=0)
    assert torch.allclose(average.mean()["weight"].double(), expected, rtol=1e-5, atol=1e-5)
    assert average.mean().keys() == {"weight", "bias"}


def test_none_is_taken_where_none_is_wanted() -> None:
    network = nn.Linear(3, 2)
    average = TailAverage(network, 0.0, 0, 10)
    walk(network, average, 0, 10)
    assert average.count == 0
    assert average.mean() == {}


def test_it_goes_on_from_where_it_was() -> None:
    whole, parts = nn.Linear(3, 2), nn.Linear(3, 2)
    parts.load_state_dict(whole.state_dict())
    one = TailAverage(whole, 0.8, 0, 50)
    walk(whole, one, 0, 50)
    first = TailAverage(parts, 0.8, 0, 50)
    walk(parts, first, 0, 23)
    second = TailAverage(parts, 0.8, 0, 50)
    second.restore(first.mean(), first.count)
    walk(parts, second, 23, 50)
    assert one.count == second.count
    assert all(torch.equal(mean, second.mean()[name]) for name, mean in one.mean().items())
