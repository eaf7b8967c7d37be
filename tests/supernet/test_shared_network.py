"""A subnet inside a supernet is exactly the standalone network with the same weights."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from surrogate_nas.nets.normalization import NormMode, RecordingBatchNorm, set_mode
from surrogate_nas.nets.places.cell import Cell, SharedCell
from surrogate_nas.nets.places.mixture import Mixture
from surrogate_nas.nets.standalone import build_network
from surrogate_nas.space.kinds.cell.space import CellSpace
from surrogate_nas.space.load import load_space
from surrogate_nas.space.network import NetworkSpec
from surrogate_nas.supernet.shared_network import SharedNetwork, initialise

# All skips; all 3x3; mixed with pools and 1x1; a dead edge that no path uses; two dead edges; one path alone.
CODES = ["111111", "333333", "243142", "330300", "303003", "000200", "123432"]
SIZES = NetworkSpec(channels=3, cells=2, image_size=8, input_channels=2, classes=5)
FIFTEEN_CELLS = NetworkSpec(channels=1, cells=5, image_size=4, input_channels=1, classes=2)

# Copy of each of 15 cells by EFS-NAS's rule (arXiv 2412.14678), written out from running counts n, 2n, ..., 15n.
STAGES_OF_COPIES = {
    # 15 nonlinear functions or fewer, or more; the first stage is shared
    ((15,), 1): {
        0: "00000 00000 00000",
        1: "00000 00000 00000",
        2: "00000 00111 11111",
        3: "00000 11111 11111",
    },
    # at most 15, at most 20, more; the first stage is shared
    ((15, 20), 1): {
        0: "00000 00000 00000",
        1: "00000 00000 00000",
        2: "00000 00111 22222",
        3: "00000 12222 22222",
    },
    # at most 10, 20, 30, more
    ((10, 20, 30), 0): {
        0: "00000 00000 00000",
        1: "00000 00000 11111",
        2: "00000 11111 22222",
        3: "00011 12222 33333",
    },
}
CODE_OF_COUNT = {0: "111111", 1: "211111", 2: "310132", 3: "333333"}


def randomised(network: SharedNetwork, seed: int = 0) -> SharedNetwork:
    """Returns a network with random weights, so that no zero or symmetric value hides a mistake."""
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.copy_(torch.randn(parameter.shape, generator=generator))
    return network


def standalone(shared: SharedNetwork, sizes: NetworkSpec, code: Sequence[int], copies: Sequence[int]) -> nn.Module:
    """Returns the network of a code by ``build_network``, with the weights of the given copy of each cell."""
    network = build_network(shared.space, code, sizes, RecordingBatchNorm)
    remaining = list(copies)
    for ours, theirs in zip(network, shared.layers, strict=True):
        if isinstance(ours, Cell):
            assert isinstance(theirs, nn.ModuleList)
            copy = theirs[remaining.pop(0)]
            assert isinstance(copy, SharedCell)
            for operation, choices, choice in zip(ours.operations, copy.operations, code, strict=True):
                assert isinstance(choices, nn.ModuleList)
                operation.load_state_dict(choices[choice].state_dict())
        else:
            ours.load_state_dict(theirs.state_dict())
    return network


def gradients(network: nn.Module, scores: Tensor, labels: Tensor) -> list[Tensor]:
    """Returns the gradients of the parameters that took part, in the order of the network."""
    network.zero_grad()
    F.cross_entropy(scores, labels).backward()  # type: ignore[no-untyped-call]
    return [parameter.grad.clone() for parameter in network.parameters() if parameter.grad is not None]


@pytest.mark.quick_cases(8)
@pytest.mark.parametrize("memory_format", [torch.contiguous_format, torch.channels_last], ids=str)
@pytest.mark.parametrize("code", CODES)
@pytest.mark.parametrize("copies", [1, 3])
def test_forward_and_gradients_are_those_of_the_standalone_network(
    space: CellSpace, code: str, copies: int, memory_format: torch.memory_format
) -> None:
    row = space.parse(code)
    effective = space.effective([row])[0].tolist()
    thresholds = (3, 8)[: copies - 1]
    running = np.arange(1, 7) * int(space.nonlinear_count([row])[0])
    chosen = np.where(np.arange(6) < 2, 0, (running[:, None] > np.array(thresholds)).sum(axis=1)).tolist()
    shared = randomised(SharedNetwork(space, SIZES, thresholds, shared_stages=1))
    single = standalone(shared, SIZES, effective, chosen)
    for network in (shared, single):
        network.double().to(memory_format=memory_format)
    images = torch.randn(6, 2, 8, 8, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    images = images.contiguous(memory_format=memory_format)
    labels = torch.tensor([0, 1, 2, 3, 4, 0])
    inside, alone = shared(images, row.tolist()), single(images)
    # Merged convolutions and shared inputs add in another order, so equal means equal to double precision.
    torch.testing.assert_close(inside, alone, rtol=1e-10, atol=1e-10)
    assert alone.std() > 0
    ours, theirs = gradients(shared, inside, labels), gradients(single, alone, labels)
    # Dead edges stand as zeros in the standalone network, without weights, so the lists are of the same parts.
    assert len(ours) == len(theirs) > 0
    for a, b in zip(ours, theirs, strict=True):
        torch.testing.assert_close(a, b, rtol=1e-9, atol=1e-9)


def test_recorded_statistics_are_used_as_the_standalone_network_uses_them(space: CellSpace) -> None:
    code = space.parse("243142").tolist()
    shared = randomised(SharedNetwork(space, SIZES))
    single = standalone(shared, SIZES, code, [0] * 6)
    images = torch.randn(5, 6, 2, 8, 8, generator=torch.Generator().manual_seed(2))
    outputs = []
    for network in (shared.subnet(code), single):
        set_mode(network, NormMode.RECORD)
        for batch in images[:4]:
            network(batch)
        set_mode(network, NormMode.RECORDED)
        outputs.append(network(images[4]))
    assert torch.equal(*outputs)


@pytest.mark.quick_cases(4)
@pytest.mark.parametrize(("thresholds", "shared_stages"), STAGES_OF_COPIES)
@pytest.mark.parametrize("count", range(4))
def test_copies_are_chosen_as_the_paper_does(
    space: CellSpace, thresholds: tuple[int, ...], shared_stages: int, count: int
) -> None:
    network = SharedNetwork(space, FIFTEEN_CELLS, thresholds, shared_stages)
    used: list[int] = []
    for layer in network.layers:
        if isinstance(layer, nn.ModuleList):
            assert len(layer) in (1, len(thresholds) + 1)
            for position, copy in enumerate(layer):
                copy.register_forward_hook(lambda *_, position=position: used.append(position))
    code = space.parse(CODE_OF_COUNT[count])
    assert space.nonlinear_count([code]).tolist() == [count]
    network(torch.zeros(2, 1, 4, 4), code.tolist())
    expected = STAGES_OF_COPIES[thresholds, shared_stages][count].replace(" ", "")
    assert "".join(map(str, used)) == expected


def test_only_cells_behind_the_shared_stages_have_copies(space: CellSpace) -> None:
    sizes = NetworkSpec(channels=1, cells=2, image_size=4, input_channels=1, classes=2)
    network = SharedNetwork(space, sizes, (3.0, 6.0), shared_stages=2)
    copies = [len(layer) for layer in network.layers if isinstance(layer, nn.ModuleList)]
    assert copies == [1, 1, 1, 1, 3, 3]


def test_dead_edges_have_no_say(space: CellSpace) -> None:
    shared = randomised(SharedNetwork(space, SIZES, (3.0,), 1))
    images = torch.randn(4, 2, 8, 8, generator=torch.Generator().manual_seed(3))
    codes = space.all_codes()
    keys = space.index(space.effective(codes))
    same = codes[keys == space.index(space.effective([space.parse("000200")]))[0]]
    assert len(same) > 20
    outputs = [shared(images, code) for code in same[::7].tolist()]
    assert all(torch.equal(outputs[0], output) for output in outputs[1:])


def test_a_cut_network_gives_the_same_scores_to_every_image(space: CellSpace) -> None:
    scores = randomised(SharedNetwork(space, SIZES))(torch.randn(4, 2, 8, 8), [0] * 6)
    assert torch.equal(scores, scores[:1].expand(4, -1))


def test_a_subnet_borrows_the_weights(space: CellSpace) -> None:
    shared = randomised(SharedNetwork(space, SIZES))
    subnet = shared.subnet(tuple(np.array([3, 3, 3, 3, 3, 3])))
    images = torch.randn(4, 2, 8, 8)
    before = subnet(images)
    assert torch.equal(before, shared(images, [3] * 6))
    with torch.no_grad():
        for parameter in shared.parameters():
            parameter.mul_(-1.5)
    assert not torch.equal(before, subnet(images))
    assert torch.equal(subnet(images), shared(images, [3] * 6))


def test_initial_weights_come_from_the_seed_alone(space: CellSpace) -> None:
    def weights(seed: int, global_seed: int) -> list[Tensor]:
        torch.manual_seed(global_seed)
        network = SharedNetwork(space, SIZES, (3.0,), 1)
        initialise(network, seed)
        return list(network.parameters())

    first, again, other = weights(0, 1), weights(0, 2), weights(1, 1)
    assert all(torch.equal(a, b) for a, b in zip(first, again, strict=True))
    assert not any(torch.equal(a, b) for a, b in zip(first, other, strict=True))


def test_initial_weights_have_kaiming_deviation(space: CellSpace) -> None:
    network = SharedNetwork(space, NetworkSpec(16, 1, 8, 3, 10))
    initialise(network, 0)
    for module in network.modules():
        if isinstance(module, nn.Conv2d):
            fan_out = module.out_channels * module.kernel_size[0] * module.kernel_size[1]
            assert float(module.weight.detach().std()) == pytest.approx((2 / fan_out) ** 0.5, rel=0.2)
            assert torch.unique(module.weight.detach()).numel() > module.weight.numel() // 2


def test_copies_of_a_cell_begin_different(space: CellSpace) -> None:
    network = SharedNetwork(space, SIZES, (3.0,), 0)
    initialise(network, 0)
    for layer in network.layers:
        if isinstance(layer, nn.ModuleList):
            first, second = (list(copy.parameters()) for copy in layer)
            assert not any(torch.equal(a, b) for a, b in zip(first, second, strict=True))


@pytest.mark.parametrize(
    "name", ["nasbench201", "quick", "nasbench_macro", "darts", "nasbench1shot1_1", "nasbench1shot1_3"]
)
def test_a_one_hot_mixture_is_the_subnet(name: str) -> None:
    space = load_space(name)
    sizes = NetworkSpec(2, 1, 8, input_channels=1, classes=3, stages=space.network.stages)
    network = randomised(SharedNetwork(space, sizes)).double()
    x, labels = torch.randn(4, 1, 8, 8, dtype=torch.float64), torch.arange(4) % 3
    choices = [len(decision.choices) for decision in space.decisions]
    for code in space.sample(4, np.random.default_rng(0)).tolist():
        scores, mixed = network(x, code), network.mixed(x, Mixture.one_hot(code, choices))
        torch.testing.assert_close(mixed, scores)
        expected = gradients(network, scores, labels)
        torch.testing.assert_close(gradients(network, mixed, labels), expected)


def test_supernets_that_cannot_mix_say_why() -> None:
    def refusal(name: str, **options: Any) -> str | None:  # noqa: ANN401 - of a supernet
        space = load_space(name)
        return SharedNetwork(space, space.network, **options).refusal_to_mix()

    assert refusal("nasbench201") is None
    assert "copies of cells" in (refusal("nasbench201", thresholds=[3.0]) or "")
    assert refusal("darts") is None
    for name in ("quick_widths", "quick_elastic"):
        assert name in (refusal(name) or "")
