"""A subnet of cells of node choices is exactly the standalone network with the same weights, gradients included."""

from collections.abc import Sequence

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from surrogate_nas.nets.node_cell import BuiltNodeCell
from surrogate_nas.nets.normalization import NormMode, RecordingBatchNorm, set_mode
from surrogate_nas.nets.places.nodes import SharedNodeCell
from surrogate_nas.nets.standalone import build_network
from surrogate_nas.space.kinds.nodes.space import NodeSpace
from surrogate_nas.space.load import load_space
from surrogate_nas.space.network import NetworkSpec
from surrogate_nas.supernet.shared_network import SharedNetwork

SIZES = NetworkSpec(channels=3, cells=1, image_size=8, input_channels=2, classes=5)


def node_space(name: str) -> NodeSpace:
    """A space that comes with the project."""
    space = load_space(name)
    assert isinstance(space, NodeSpace)
    return space


def randomised(network: SharedNetwork) -> SharedNetwork:
    """All weights drawn anew, so that no zero or symmetric value hides a mistake."""
    generator = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.copy_(torch.randn(parameter.shape, generator=generator))
    return network.double()


def standalone(shared: SharedNetwork, code: Sequence[int], copies: Sequence[int]) -> nn.Module:
    """The network of a code by ``build_network``, with the weights of the given copy of each cell."""
    network = build_network(shared.space, code, SIZES, RecordingBatchNorm).double()
    remaining = list(copies)
    for ours, theirs in zip(network, shared.layers, strict=True):
        if not isinstance(ours, BuiltNodeCell):
            ours.load_state_dict(theirs.state_dict())
            continue
        assert isinstance(theirs, nn.ModuleList)
        copy = theirs[remaining.pop(0)]
        assert isinstance(copy, SharedNodeCell)
        ours.projections.load_state_dict(copy.projections.state_dict())
        for choice in ours.wiring.nodes:
            places = choice.places if ours.cell.on_edges else (0,)
            for place, operation in zip(places, choice.operations, strict=True):
                state = copy.nodes[choice.node][place][operation].state_dict()  # type: ignore[index]
                ours.operations[f"{choice.node}_{place}"].load_state_dict(state)
    return network


def gradients(network: nn.Module, scores: Tensor, labels: Tensor) -> list[Tensor]:
    """Gradients of the parameters that took part, sorted by their sums, since the orders differ."""
    network.zero_grad()
    F.cross_entropy(scores, labels).backward()  # type: ignore[no-untyped-call]
    found = [parameter.grad.clone() for parameter in network.parameters() if parameter.grad is not None]
    return sorted(found, key=lambda gradient: float(gradient.sum()))


@pytest.mark.parametrize("name", ["darts", "nasbench1shot1_1", "nasbench1shot1_2", "nasbench1shot1_3"])
def test_a_subnet_is_the_standalone_network(name: str) -> None:
    space = node_space(name)
    shared = randomised(SharedNetwork(space, SIZES))
    cells = sum(isinstance(layer, nn.ModuleList) for layer in shared.layers)
    generator = torch.Generator().manual_seed(1)
    images = torch.randn(4, 2, 8, 8, generator=generator, dtype=torch.float64)
    labels = torch.arange(4) % 5
    for code in space.sample(3, np.random.default_rng(0)).tolist():
        alone = standalone(shared, code, [0] * cells)
        torch.testing.assert_close(shared(images, code), alone(images))
        ours, theirs = gradients(shared, shared(images, code), labels), gradients(alone, alone(images), labels)
        for one, other in zip(ours, theirs, strict=True):
            torch.testing.assert_close(one, other)


def test_recorded_statistics_are_those_of_the_standalone_network() -> None:
    space = node_space("darts")
    shared = randomised(SharedNetwork(space, SIZES))
    code = space.sample(1, np.random.default_rng(5))[0].tolist()
    alone = standalone(shared, code, [0] * 5)
    images = torch.randn(4, 2, 8, 8, dtype=torch.float64, generator=torch.Generator().manual_seed(2))
    for network in (shared, alone):
        set_mode(network, NormMode.RECORD)
    shared(images, code), alone(images)
    for network in (shared, alone):
        set_mode(network, NormMode.RECORDED)
    torch.testing.assert_close(shared(images[:2], code), alone(images[:2]))


def test_copies_are_chosen_by_the_running_count_of_the_cells() -> None:
    """Depth-wise few-shot (EFS-NAS, arXiv 2412.14678): each cell adds the nonlinear functions of its own kind."""
    space = node_space("darts")
    drawn = space.sample(50, np.random.default_rng(2))
    code = drawn[np.ptp(space.cell_nonlinear(drawn), axis=1) > 0][0]
    normal, reduction = space.cell_nonlinear([code])[0].tolist()
    assert 0 < normal != reduction
    running = np.cumsum([normal, reduction, normal, reduction, normal]).tolist()
    thresholds = (running[0], running[2])
    shared = randomised(SharedNetwork(space, SIZES, thresholds))
    images = torch.randn(3, 2, 8, 8, dtype=torch.float64, generator=torch.Generator().manual_seed(3))
    torch.testing.assert_close(
        shared(images, code.tolist()), standalone(shared, code.tolist(), [0, 1, 1, 2, 2])(images)
    )


def test_weights_of_a_decision_are_those_of_its_node_in_its_cells() -> None:
    space = node_space("darts")
    shared = SharedNetwork(space, SIZES)
    names = {id(parameter): name for name, parameter in shared.named_parameters()}
    found = {
        decision.name: {names[id(weight)] for weight in shared.weights_of(column)}
        for column, decision in enumerate(space.decisions)
    }
    # Cells stand at layers 1 to 5, of which 2 and 4 reduce.
    for decision, layers, node in [("normal.3.inputs", "135", 1), ("reduction.5.operation_2", "24", 3)]:
        assert found[decision]
        assert found[decision] == {name for name in names.values() if name[7] in layers and f".nodes.{node}." in name}
    assert found["normal.3.inputs"] == found["normal.3.operation_1"]
    one = SharedNetwork(node_space("nasbench1shot1_1"), SIZES)
    assert list(one.weights_of(6)) == []  # what the output takes in has no weights
