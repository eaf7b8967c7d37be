"""Scores that can be known: what keeps gradients, what computes more, synflow by its definition."""

from pathlib import Path

import numpy as np
import pytest
import torch

from surrogate_nas.errors import Interrupted, SpaceError
from surrogate_nas.nets.standalone import build_network
from surrogate_nas.space.kinds.cell.space import CellSpace
from surrogate_nas.space.kinds.chain.space import ChainSpace
from surrogate_nas.space.load import load_space
from surrogate_nas.space.network import NetworkSpec
from surrogate_nas.zero_cost import scores as module
from surrogate_nas.zero_cost.random_supernet import RandomSupernet
from surrogate_nas.zero_cost.scores import SCORES, zero_cost_scores
from surrogate_nas.zero_cost.settings import ZeroCostSettings

QUICK = ZeroCostSettings(channels=4, cells=1, images=8)
CONVOLUTIONS, IDENTITY, THIN = [3, 3, 3, 3, 3, 3], [0, 0, 0, 1, 0, 0], [0, 0, 0, 2, 0, 0]


@pytest.fixture(scope="module")
def space() -> CellSpace:
    space = load_space("nasbench201")
    assert isinstance(space, CellSpace)
    return space


def column(table: np.ndarray, name: str) -> np.ndarray:
    return np.asarray(table[:, SCORES.index(name)])


def test_larger_architectures_express_more_and_an_identity_cannot_be_trained(space: CellSpace) -> None:
    codes = np.array([CONVOLUTIONS, IDENTITY, THIN], dtype=np.int8)
    table = zero_cost_scores(space, codes, QUICK)
    assert np.isfinite(table).all()
    assert column(table, "trainability").argmin() == 1
    for name in ("complexity", "synflow", "naswot"):
        assert column(table, name).argmax() == 0
    assert np.array_equal(column(table, "complexity"), space.flops(codes, space.network))


def test_batches_and_repeats_change_little_and_seeds_something(
    space: CellSpace, monkeypatch: pytest.MonkeyPatch
) -> None:
    codes = space.sample(12, np.random.default_rng(0))
    codes = codes[space.is_connected(codes)]
    whole = zero_cost_scores(space, codes, QUICK)
    heard: list[tuple[int, int]] = []
    monkeypatch.setattr(module, "_SIDE_BY_SIDE", 5)
    parts = zero_cost_scores(space, codes, QUICK, lambda done, total: heard.append((done, total)))
    # The signs of the gradients restart with each batch, so that its members do not matter.
    np.testing.assert_allclose(parts, whole, rtol=1e-3, atol=1e-3)
    assert heard[-1] == (len(codes), len(codes))
    other = zero_cost_scores(space, codes, QUICK.model_copy(update={"seed": 1}))
    assert not np.allclose(other, whole, rtol=1e-3)


def test_synflow_is_the_sum_of_weights_times_gradients(space: CellSpace) -> None:
    code = np.array([3, 2, 1, 4, 3, 2], dtype=np.int8)
    network = NetworkSpec(4, 1, 8)
    supernet = RandomSupernet(space, network, 1, torch.Generator().manual_seed(0), linear=True)
    own = build_network(space, code, network, lambda _channels: torch.nn.Identity()).double()
    for layer, variants in zip(own, supernet.layers, strict=True):
        rows = variants.rows
        chosen = [rows[edge][operation] for edge, operation in enumerate(code)] if len(rows) > 1 else rows[0]
        owned = list(layer.operations) if len(rows) > 1 else [layer]  # type: ignore[arg-type]
        for mine, shared in zip(owned, chosen, strict=True):
            mine.load_state_dict(shared.state_dict())
    ones = torch.ones(1, 3, 8, 8, dtype=torch.float64)
    own(ones).sum().backward()
    weights = [weight for name, weight in own.named_parameters() if name.endswith("weight")]
    wanted = sum(float((weight * weight.grad).sum().detach()) for weight in weights if weight.grad is not None)
    found = module._synflow(supernet, torch.from_numpy(code.astype(np.int64))[None], ones)
    assert found.item() == pytest.approx(np.log(wanted))


def test_chains_have_scores_too() -> None:
    chain = load_space("nasbench_macro")
    codes = np.array([[0] * 8, [1, 0, 1, 0, 0, 1, 0, 0], [2] * 8], dtype=np.int8)
    table = zero_cost_scores(chain, codes, QUICK)
    assert np.isfinite(table).all()
    for name in ("expressivity", "complexity", "naswot"):
        assert np.array_equal(column(table, name).argsort(), [0, 1, 2])
    # Layers that hand on their input are none: trainability is the mean over the others.
    assert (column(table, "trainability") > -100).all()


def test_synflow_of_a_chain_is_the_sum_of_weights_times_gradients() -> None:
    chain = load_space("quick")
    assert isinstance(chain, ChainSpace)
    code, network = np.array([1, 0, 1, 1], dtype=np.int8)[: chain.num_decisions], chain.network
    supernet = RandomSupernet(chain, network, 1, torch.Generator().manual_seed(0), linear=True)
    weights = []
    x = torch.ones(1, 3, network.image_size, network.image_size, dtype=torch.float64)
    for layer, variants in zip(chain.layout(network), supernet.layers, strict=True):
        part = variants.rows[0][code[layer.decision] if layer.decision is not None else 0]
        weights += [weight.requires_grad_() for name, weight in part.named_parameters() if name.endswith("weight")]
        x = part(x)
    gradients = torch.autograd.grad(x.sum(), weights)
    products = [(weight * gradient).sum().item() for weight, gradient in zip(weights, gradients, strict=True)]
    wanted = sum(products)
    supernet = RandomSupernet(chain, network, 1, torch.Generator().manual_seed(0), linear=True)
    ones = torch.ones(1, 3, network.image_size, network.image_size, dtype=torch.float64)
    found = module._synflow(supernet, torch.from_numpy(code.astype(np.int64))[None], ones)
    assert found.item() == pytest.approx(np.log(wanted))


def test_what_cannot_be_scored_is_refused(space: CellSpace) -> None:
    with pytest.raises(SpaceError, match="chains and cells with operations on edges"):
        zero_cost_scores(load_space("darts"), load_space("darts").sample(1, np.random.default_rng(0)), QUICK)
    with pytest.raises(SpaceError, match="path from input to output"):
        zero_cost_scores(space, np.zeros((1, 6), np.int8), QUICK)
    with pytest.raises(Interrupted):
        zero_cost_scores(space, np.array([THIN], np.int8), QUICK, should_stop=lambda: True)


def test_layers_of_your_own_may_subtract(tmp_path: Path) -> None:
    (tmp_path / "ops.py").write_text(
        "import torch\nfrom torch import nn\nfrom surrogate_nas.nets.own_operations import operation\n"
        "class Less(nn.Module):\n"
        "    def __init__(self, i, o, stride, norm):\n"
        "        super().__init__()\n"
        "        self.one = nn.Conv2d(i, o, 1, stride, bias=False)\n"
        "        self.norm = norm(o)\n"
        "    def forward(self, x):\n"
        "        return -3 * self.norm(self.one(x))\n"
        "operation('less', nonlinear_functions=0, reach=0)(Less)\n"
    )
    (tmp_path / "less.toml").write_text(
        'name = "less"\nkind = "chain"\nprogram = "ops.py"\noperations = ["less", "mbconv_k3_e3"]\n'
        '[[before]]\nlayer = "conv_bn_relu_k3"\nwidth = "first"\n'
        "[[stages]]\nlayers = 3\nwidth = 8\n[network]\nimage_size = 8\n"
    )
    space = load_space(str(tmp_path / "less.toml"))
    assert np.isfinite(zero_cost_scores(space, space.all_codes(), QUICK)).all()


def test_a_network_whose_layers_are_all_skipped_has_scores_too(tmp_path: Path) -> None:
    path = tmp_path / "skips.toml"
    path.write_text(
        'name = "skips"\nkind = "chain"\noperations = ["skip", "mbconv_k3_e3"]\n'
        '[[before]]\nlayer = "conv_bn_relu_k3"\nwidth = "first"\n'
        "[[stages]]\nlayers = 3\nwidth = 8\n[network]\nimage_size = 8\n"
    )
    space = load_space(str(path))
    table = zero_cost_scores(space, space.all_codes(), QUICK)
    assert np.isfinite(table).all()
    assert column(table, "trainability").argmin() == 0
