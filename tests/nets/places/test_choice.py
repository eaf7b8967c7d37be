"""A subnet of a chain's supernet is exactly the standalone network with the same weights."""

from collections.abc import Sequence

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from surrogate_nas.nets.normalization import NormMode, RecordingBatchNorm, set_mode
from surrogate_nas.nets.places.choice import SharedChoice
from surrogate_nas.nets.places.mixture import Mixture
from surrogate_nas.nets.standalone import build_network
from surrogate_nas.space.kinds.chain.space import ChainSpace
from surrogate_nas.space.load import load_space
from surrogate_nas.space.network import NetworkSpec
from surrogate_nas.supernet.shared_network import SharedNetwork

SIZES = NetworkSpec(6, 1, 8, input_channels=2, classes=5, stages=2)


@pytest.fixture(scope="module")
def quick() -> ChainSpace:
    space = load_space("quick")
    assert isinstance(space, ChainSpace)
    return space


class ScaledNorm(nn.Module):
    """Normalisation with a scale of its own, so that no value of a plain one hides a mistake."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.norm, self.scale = RecordingBatchNorm(channels), nn.Parameter(torch.ones(channels))

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = self.norm(x) * self.scale[:, None, None]
        return y


def randomised(network: nn.Module) -> None:
    generator = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.copy_(torch.randn(parameter.shape, generator=generator))


def standalone(shared: SharedNetwork, code: Sequence[int], copies: Sequence[int]) -> nn.Module:
    network = build_network(shared.space, code, SIZES, ScaledNorm)
    chosen = iter(zip(code, copies, strict=True))
    for ours, theirs in zip(network, shared.layers, strict=True):
        if isinstance(theirs, nn.ModuleList):
            choice, copy = next(chosen)
            layer = theirs[copy]
            assert isinstance(layer, SharedChoice)
            ours.load_state_dict(layer.blocks[choice].state_dict())
        else:
            ours.load_state_dict(theirs.state_dict())
    return network


@pytest.mark.parametrize("thresholds", [(), (3,)])
@pytest.mark.parametrize("code", ["0000", "1111", "2012", "0211", "2202"])
def test_forward_and_gradients_are_those_of_the_standalone_network(
    quick: ChainSpace, code: str, thresholds: tuple[int, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in ("supernet.shared_network", "nets.places.choice"):
        monkeypatch.setattr(f"surrogate_nas.{module}.RecordingBatchNorm", ScaledNorm)
    row = quick.parse(code).tolist()
    shared = SharedNetwork(quick, SIZES, thresholds)
    randomised(shared)
    counts = np.cumsum([{"0": 0, "1": 2, "2": 4}[digit] for digit in code[:2]] + [2 + 2 * (code[2] == "1")] + [0])
    counts[3] = counts[2] + {"0": 0, "1": 2, "2": 4}[code[3]]
    copies = [int(count > thresholds[0]) if thresholds else 0 for count in counts]
    single = standalone(shared, row, copies)
    shared.double()
    single.double()
    images = torch.randn(6, 2, 8, 8, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    labels = torch.tensor([0, 1, 2, 3, 4, 0])
    inside, alone = shared(images, row), single(images)
    torch.testing.assert_close(inside, alone)
    assert alone.std() > 0
    F.cross_entropy(inside, labels).backward()  # type: ignore[no-untyped-call]
    F.cross_entropy(alone, labels).backward()  # type: ignore[no-untyped-call]
    ours = [parameter.grad for parameter in shared.parameters() if parameter.grad is not None]
    theirs = [parameter.grad for parameter in single.parameters() if parameter.grad is not None]
    assert len(ours) == len(theirs) == len(list(single.parameters()))
    for one, other in zip(ours, theirs, strict=True):
        torch.testing.assert_close(one, other)


def test_weights_of_a_decision_are_those_of_its_layer(quick: ChainSpace) -> None:
    shared = SharedNetwork(quick, SIZES, (3,), shared_stages=1)
    names = {id(parameter): name for name, parameter in shared.named_parameters()}
    found = {names[id(weight)].rsplit(".blocks", 1)[0] for weight in shared.weights_of(2)}
    assert found == {"layers.3.0", "layers.3.1"}
    assert len(set(map(id, shared.parameters()))) > sum(1 for column in range(4) for _ in shared.weights_of(column))


def test_recorded_statistics_are_used_as_the_standalone_network_uses_them(quick: ChainSpace) -> None:
    shared = SharedNetwork(quick, SIZES)
    images = torch.randn(3, 6, 2, 8, 8, generator=torch.Generator().manual_seed(2))
    set_mode(shared, NormMode.RECORD)
    for batch in images[:2]:
        shared(batch, [2, 0, 1, 1])
    set_mode(shared, NormMode.RECORDED)
    assert shared(images[2], [2, 0, 1, 1]).isfinite().all()
    used = {part.batches for part in shared.modules() if isinstance(part, RecordingBatchNorm)}
    assert used == {0, 2}


def test_a_mixture_is_the_weighted_sum_of_the_blocks_that_have_a_weight(quick: ChainSpace) -> None:
    layer = next(each for each in quick.layout(SIZES) if not each.is_fixed)
    torch.manual_seed(0)
    shared = SharedChoice(quick, [layer]).double()
    x = torch.randn(3, layer.in_channels, layer.in_size, layer.in_size, dtype=torch.float64)
    count = len(quick.decisions[shared.decision].choices)
    weights = [torch.rand(len(each.choices), dtype=torch.float64) for each in quick.decisions]
    weights[shared.decision][0] = 0
    codes = [[choice] * len(quick.decisions) for choice in range(count)]
    expected = sum(weights[shared.decision][choice] * shared(x, codes[choice]) for choice in range(1, count))
    shared.blocks[0].register_forward_hook(lambda *_: pytest.fail("a block of weight zero ran"))
    torch.testing.assert_close(shared.mixed(x, Mixture.of(weights)), expected)
