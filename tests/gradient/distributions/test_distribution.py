"""Probabilities against enumeration; a choice outside the box has none."""

import numpy as np
import pytest
import torch

from surrogate_nas.gradient.distributions.controller import Controller
from surrogate_nas.gradient.distributions.distribution import Independent, entropy_of
from surrogate_nas.space.kinds.cell.space import CellSpace

Kind = type[Independent] | type[Controller]
BOX = ((1, 3), (0, 1, 2, 3), (2,))


def every_code(space: CellSpace) -> torch.Tensor:
    return torch.from_numpy(space.all_codes().astype(np.int64))


@pytest.mark.parametrize("kind", [Independent, Controller])
@pytest.mark.parametrize("box", [None, BOX], ids=["whole", "box"])
def test_probabilities_add_up_and_are_zero_outside_the_box(
    triangle: CellSpace, kind: Kind, box: tuple[tuple[int, ...], ...] | None
) -> None:
    distribution, codes = kind(triangle, 5, box), every_code(triangle)
    with torch.no_grad():
        for parameter in distribution.parameters():
            parameter.copy_(torch.randn(parameter.shape, generator=torch.Generator().manual_seed(1)))
    log_probability, entropy = distribution.follow(codes)
    probability = log_probability.exp()
    inside = torch.ones(len(codes), dtype=torch.bool)
    for column, allowed in enumerate(box or ()):
        inside &= torch.isin(codes[:, column], torch.tensor(allowed))
    assert probability[inside].min() > 0
    assert probability[~inside].tolist() == [0.0] * int((~inside).sum())
    assert probability.sum().item() == pytest.approx(1, abs=1e-5)
    own = -(probability[inside] * log_probability[inside]).sum()
    assert (probability * entropy)[inside].sum().item() == pytest.approx(own.item(), abs=1e-4)


@pytest.mark.parametrize("kind", [Independent, Controller])
def test_draws_have_the_probabilities(triangle: CellSpace, kind: Kind) -> None:
    distribution = kind(triangle, 5, BOX)
    noise = torch.from_numpy(np.random.default_rng(0).gumbel(size=(4000, 3, 4)).astype(np.float32))
    codes, counts = torch.unique(distribution.draw(noise), dim=0, return_counts=True)
    expected = distribution.follow(codes)[0].exp() * 4000
    assert len(codes) == 8
    assert ((counts - expected) ** 2 / expected).sum().item() < 24.3  # 99.9% of chi-square with 7 degrees of freedom


def test_a_choice_outside_the_box_has_no_gradient(triangle: CellSpace) -> None:
    distribution = Independent(triangle, 5, BOX)
    (distribution.follow(torch.tensor([[1, 0, 2]]))[0].sum() + entropy_of(distribution.rows()).sum()).backward()  # type: ignore[no-untyped-call]
    gradient = distribution.logits.grad
    assert gradient is not None
    assert bool(gradient.isfinite().all())
    assert gradient[~distribution.allowed].abs().max() == 0


def test_first_logits_are_nearly_equal_and_follow_from_the_seed(triangle: CellSpace) -> None:
    first, second, other = (Independent(triangle, seed).logits for seed in (1, 1, 2))
    assert torch.equal(first, second)
    assert not torch.equal(first, other)
    assert float(first.detach().abs().max()) < 0.01


def test_the_largest_entropy_is_that_of_a_uniform_distribution(triangle: CellSpace) -> None:
    assert Independent(triangle, 1, BOX).reference_entropy() == pytest.approx(np.log(8))
