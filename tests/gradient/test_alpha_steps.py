"""The score function against the exact gradient; costs against the space's own counts."""

import numpy as np
import pytest
import torch

from surrogate_nas.errors import SettingsError
from surrogate_nas.gradient.alpha_steps import Baseline, row_costs, score_function
from surrogate_nas.gradient.distributions.controller import Controller
from surrogate_nas.gradient.distributions.distribution import Independent
from surrogate_nas.space.kinds.cell.space import CellSpace
from surrogate_nas.space.load import load_space

Kind = type[Independent] | type[Controller]


@pytest.mark.parametrize("kind", [Independent, Controller])
@pytest.mark.parametrize("baseline", [0.0, 0.6])
def test_the_mean_of_the_score_function_is_the_exact_gradient(triangle: CellSpace, kind: Kind, baseline: float) -> None:
    distribution = kind(triangle, 4).double()
    codes = torch.from_numpy(triangle.all_codes().astype(np.int64))
    rewards = torch.rand(len(codes), dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    parameters = list(distribution.parameters())
    probability = distribution.follow(codes)[0].exp()
    exact = torch.autograd.grad(-(probability * rewards).sum(), parameters)
    mean = [torch.zeros_like(parameter) for parameter in parameters]
    for row, share in enumerate(probability.detach()):
        loss = score_function(distribution, codes[row : row + 1], rewards[row : row + 1] - baseline, entropy=0.0)
        for total, part in zip(mean, torch.autograd.grad(loss, parameters, allow_unused=True), strict=True):
            total += 0 if part is None else share * part
    for found, expected in zip(mean, exact, strict=True):
        torch.testing.assert_close(found, expected, atol=1e-9, rtol=1e-6)


def test_entropy_is_rewarded(triangle: CellSpace) -> None:
    distribution = Independent(triangle, 4)
    with torch.no_grad():
        distribution.logits[0, 0] = 2.0
    code = torch.tensor([[0, 0, 0]])
    (found,) = torch.autograd.grad(score_function(distribution, code, torch.zeros(1), 1.0), distribution.logits)
    assert found[0, 0] > 0  # a step down makes the likeliest choice less likely


def test_the_baseline_follows_the_rewards() -> None:
    baseline = Baseline(0.9)
    assert baseline.advantages(torch.tensor([0.2, 0.4])).tolist() == pytest.approx([-0.1, 0.1])
    assert baseline.advantages(torch.tensor([1.0])).tolist() == pytest.approx([0.7])
    assert baseline.value == pytest.approx(0.9 * 0.3 + 0.1 * 1.0)


def test_expected_costs_of_a_chain_are_means_over_its_architectures() -> None:
    space = load_space("nasbench_macro")
    codes = space.sample(200, np.random.default_rng(0))
    costs = space.flops(codes, space.network).astype(np.float64)
    table = row_costs(space, costs, codes, reference=float(costs.mean()))
    others = space.sample(50, np.random.default_rng(1))
    summed = table.fixed + table.of_choices[np.arange(space.num_decisions), others].sum(axis=1)
    np.testing.assert_allclose(summed, space.flops(others, space.network))
    distribution = Independent(space, 0).double()
    assert table.expected(distribution).item() == pytest.approx(
        space.flops(space.all_codes(), space.network).mean(), rel=1e-3
    )
    with torch.no_grad():
        distribution.logits[:] = torch.nn.functional.one_hot(torch.from_numpy(others[0].astype(np.int64)), 3) * 100.0
    expected = space.flops(others[:1], space.network)[0]
    assert table.expected(distribution).item() == pytest.approx(expected, rel=1e-9)
    assert table.penalty(distribution).item() == pytest.approx(expected / costs.mean() - 1, rel=1e-9)


def test_costs_that_are_no_sum_are_refused() -> None:
    space = load_space("nasbench201")
    codes = space.all_codes()[::47]
    live = space.flops(space.effective(codes), space.network).astype(np.float64)
    with pytest.raises(SettingsError, match=r"gradient\.cost_weight needs a cost that is a sum over decisions"):
        row_costs(space, live, codes, 1.0)
