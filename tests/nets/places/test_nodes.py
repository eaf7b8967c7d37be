"""Cells of node choices against sums and concatenations written out by hand, against their declared costs,
and shared ones against the standalone network with the same weights, gradients included."""

from collections.abc import Sequence

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.utils.flop_counter import FlopCounterMode

from surrogate_nas.nets.normalization import NormMode, RecordingBatchNorm, set_mode
from surrogate_nas.nets.operations import FactorizedReduce
from surrogate_nas.nets.places.mixture import Mixture
from surrogate_nas.nets.places.nodes import BuiltNodeCell, SharedNodeCell, run_node_cell
from surrogate_nas.nets.standalone import build_network
from surrogate_nas.space.definitions.identity import Identity
from surrogate_nas.space.extremes import parameter_range
from surrogate_nas.space.kinds.nodes.layout import projections
from surrogate_nas.space.kinds.nodes.node_cell import NodeCell, NodeChoice, Wiring
from surrogate_nas.space.kinds.nodes.space import NodeSpace
from surrogate_nas.space.load import load_space
from surrogate_nas.space.network import NetworkSpec
from surrogate_nas.supernet.shared_network import SharedNetwork

EDGES = NodeCell("edges", 2, (2, 2), None, on_edges=True)
NODES = NodeCell("nodes", 1, (1, 2), 2, on_edges=False)


def test_a_node_of_edges_adds_up_what_their_operations_make_of_values() -> None:
    wiring = Wiring((NodeChoice(0, (0, 1), (5, 6)), NodeChoice(1, (1, 2), (7, 8))), (2, 3))
    one, other = torch.tensor([[2.0]]), torch.tensor([[3.0]])
    # An operation multiplies by a number of its own.
    factors = {(0, 0, 5): 1, (0, 1, 6): 10, (1, 1, 7): 100, (1, 2, 8): 1000}
    y = run_node_cell(EDGES, wiring, [one, other], lambda *key: lambda x: factors[key] * x)
    assert y.tolist() == [[2.0 + 30, 300.0 + 1000 * 32]]


def test_a_node_is_one_operation_of_a_sum() -> None:
    wiring = Wiring((NodeChoice(0, (0,), (1,)), NodeChoice(1, (0, 1), (2,))), (0, 2))
    y = run_node_cell(
        NODES, wiring, [torch.tensor([[2.0]])], lambda node, _place, index: lambda x: x * 10 ** (node + index)
    )
    assert y.tolist() == [[2.0, 1000 * (2 + 20)]]


@pytest.mark.quick_cases(2)
@pytest.mark.parametrize("name", ["darts", "nasbench1shot1_1", "nasbench1shot1_2", "nasbench1shot1_3"])
def test_counts_are_those_of_the_built_network(name: str) -> None:
    space = load_space(name)
    network = NetworkSpec(channels=3, cells=1, image_size=8, input_channels=2, classes=4)
    codes = space.sample(3, np.random.default_rng(0))
    parameters, flops = space.parameters(codes, network), space.flops(codes, network)
    for row, code in enumerate(codes):
        with torch.device("meta"), torch.no_grad(), FlopCounterMode(display=False) as counter:
            built = build_network(space, code, network).eval()
            scores = built(torch.empty(1, 2, 8, 8))
        assert scores.shape == (1, 4)
        assert parameters[row] == sum(weight.numel() for weight in built.parameters())
        assert 2 * flops[row] == counter.get_total_flops()


def test_an_input_of_twice_the_size_is_reduced_on_its_way_in() -> None:
    space = load_space("darts")
    network = build_network(space, [0] * 22, NetworkSpec(channels=2, cells=1, image_size=8))
    cells = [part for part in network.modules() if isinstance(part, BuiltNodeCell)]
    reduced = [[isinstance(part, FactorizedReduce) for part in cell.projections] for cell in cells]
    assert reduced == [[False, False], [False, False], [True, False], [False, False], [True, False]]


def test_dead_nodes_are_not_built() -> None:
    space = load_space("nasbench1shot1_1")
    assert isinstance(space, NodeSpace)
    network = NetworkSpec(channels=2, cells=1, image_size=8, stages=1)
    sizes = []
    for output in ("0&1", "3&4"):
        code = np.zeros(space.num_decisions, dtype=np.int8)
        code[-1] = space.decisions[-1].choices.index(output)
        (cell,) = (part for part in build_network(space, code, network).modules() if isinstance(part, BuiltNodeCell))
        sizes.append(len(cell.operations))
    assert sizes == [1, 3]  # nodes 3 and 4 take in the input and node 1


def test_a_network_of_two_inputs_looks_back_on_two_cells() -> None:
    """With operations that hand on, a cell's output follows from what the two cells before it gave."""
    space = load_space("darts")
    assert isinstance(space, NodeSpace)
    skip = space.operations.index("skip_connect")
    code = [skip if "operation" in decision.name else 0 for decision in space.decisions]
    network = build_network(space, code, NetworkSpec(channels=2, cells=3, image_size=4, stages=1)).eval()
    seen: list[tuple[tuple[Tensor, ...], Tensor]] = []
    for part in network:
        if isinstance(part, BuiltNodeCell):
            part.register_forward_hook(lambda _module, given, result: seen.append((given[0], result)))
    stem: list[Tensor] = []
    network[0].register_forward_hook(lambda _module, _given, result: stem.append(result))
    network(torch.randn(2, 3, 4, 4))
    outputs = [stem[0], stem[0], *(result for _, result in seen)]
    for index, (given, result) in enumerate(seen):
        assert given[0] is outputs[index]
        assert given[1] is outputs[index + 1]
        cell = network[index + 1]
        assert isinstance(cell, BuiltNodeCell)
        first, second = (projection(value) for projection, value in zip(cell.projections, given, strict=True))
        # Every node takes in the first two values: their sum, four times.
        torch.testing.assert_close(result, torch.cat([first + second] * 4, dim=1))


def test_the_normalisation_is_the_one_asked_for() -> None:
    network = build_network(
        load_space("darts"), [3] * 2 + [0, 3, 3] * 3 + [3] * 2 + [0, 3, 3] * 3, NetworkSpec(2, 1, 8), nn.InstanceNorm2d
    )
    assert not any(isinstance(part, nn.BatchNorm2d) for part in network.modules())


@pytest.mark.parametrize("largest", [False, True])
def test_the_smallest_and_the_largest_network_of_darts_run(largest: bool) -> None:
    """With the fewest and the most parameters: poolings and identities alone, or separable 5x5 convolutions."""
    space = load_space("darts")
    assert isinstance(space, NodeSpace)
    network = NetworkSpec(channels=4, cells=2, image_size=16)
    operation = space.operations.index("sep_conv_5x5" if largest else "max_pool_3x3")
    code = [operation if "operation" in decision.name else 0 for decision in space.decisions]
    assert space.parameters([code], network)[0] == parameter_range(space, network)[largest]
    scores = build_network(space, code, network)(torch.randn(2, 3, 16, 16))
    assert scores.shape == (2, 10)
    assert scores.isfinite().all()


SIZES = NetworkSpec(channels=3, cells=1, image_size=8, input_channels=2, classes=5)


def node_space(name: str) -> NodeSpace:
    """Returns a space that comes with the project."""
    space = load_space(name)
    assert isinstance(space, NodeSpace)
    return space


def randomised(network: SharedNetwork) -> SharedNetwork:
    """Draws all weights again, so that no zero or symmetric value hides a mistake."""
    generator = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.copy_(torch.randn(parameter.shape, generator=generator))
    return network.double()


def standalone(shared: SharedNetwork, code: Sequence[int], copies: Sequence[int]) -> nn.Module:
    """Returns the network of a code by ``build_network``, with the weights of the given copy of each cell."""
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


@pytest.mark.quick_cases(2)
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


@pytest.mark.parametrize("on_edges", [True, False])
def test_a_mixture_of_one_node_is_the_mean_of_its_architectures(on_edges: bool) -> None:
    # On edges the node chooses its input; on nodes the output chooses between the node and the input.
    cell = NodeCell("one", 2, (1,), None, on_edges=True) if on_edges else NodeCell("one", 1, (1,), 1, on_edges=False)
    operations = ("skip_connect", "nor_conv_1x1", "avg_pool_3x3")
    space = NodeSpace(Identity("one", "0" * 16), [cell], operations, NetworkSpec(2, 1, 8, stages=1), stem=1)
    place = next(layer for layer in space.layout(space.network) if not layer.is_fixed)
    shared = SharedNodeCell(space, place).double()
    generator = torch.Generator().manual_seed(0)
    channels = [projection.in_channels for projection in projections(cell, place)]
    outside = [torch.randn(3, each, 8, 8, dtype=torch.float64, generator=generator) for each in channels]
    logits = [torch.randn(len(each.choices), dtype=torch.float64, generator=generator) for each in space.decisions]
    weights = [row.requires_grad_().softmax(0) for row in logits]
    expected = torch.zeros(())
    for code in space.all_codes().tolist():
        probability = torch.stack([row[choice] for row, choice in zip(weights, code, strict=True)]).prod()
        expected = expected + probability * shared(outside, code)
    mixed = shared.mixed(outside, Mixture.of(weights))
    torch.testing.assert_close(mixed, expected)
    target = torch.randn(mixed.shape, dtype=torch.float64, generator=generator)
    found, wanted = (torch.autograd.grad((y * target).sum(), logits, retain_graph=True) for y in (mixed, expected))
    for one, other in zip(found, wanted, strict=True):
        torch.testing.assert_close(one, other)


def test_nodes_that_no_choice_of_a_mixture_needs_do_not_run() -> None:
    space = node_space("nasbench1shot1_1")
    shared = next(part for part in SharedNetwork(space, SIZES).modules() if isinstance(part, SharedNodeCell))
    weights = [torch.ones(len(decision.choices)) for decision in space.decisions]
    weights[-1] = torch.eye(len(weights[-1]))[space.decisions[-1].choices.index("0&1")]
    assert shared._used(Mixture.of(weights)) == [0]
    weights[-1] = torch.ones(len(weights[-1]))
    assert shared._used(Mixture.of(weights)) == [0, 1, 2, 3]
