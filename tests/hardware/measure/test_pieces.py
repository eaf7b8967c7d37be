"""The pieces of a network against what a built network really runs."""

from collections import Counter

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from surrogate_nas.hardware.measure.pieces import prepare, workload
from surrogate_nas.nets.standalone import build_network
from surrogate_nas.space.load import load_space
from surrogate_nas.space.network import NetworkSpec
from surrogate_nas.space.space import Space
from tests.fixtures.count_calls import CountCalls


@pytest.mark.parametrize(
    "network", [NetworkSpec(4, 1, 8, 1, 5), NetworkSpec(4, 3, 8, 3, 5), NetworkSpec(4, 2, 8, 3, 5, 2)]
)
def test_pieces_make_up_the_weights_of_the_network(space: Space, network: NetworkSpec) -> None:
    load = workload(space, network)
    codes = space.effective(space.sample(20, np.random.default_rng(1)))
    modules = [piece.build() for piece in load.pieces]
    weights = [
        sum(parameter.numel() for parameter in module.parameters()) if isinstance(module, nn.Module) else 0
        for module in modules
    ]
    built = [sum(p.numel() for p in build_network(space, code, network).parameters()) for code in codes]
    assert (load.counts(codes) @ np.array(weights)).tolist() == built


@pytest.mark.parametrize("name", ["quick", "nasbench_macro", "fbnet", "quick_elastic"])
def test_pieces_make_up_the_weights_of_a_chain(name: str) -> None:
    chain = load_space(name)
    network = NetworkSpec(4, 1, 8, 3, 5, stages=chain.network.stages)
    test_pieces_make_up_the_weights_of_the_network(chain, network)


def test_every_operation_is_counted_in_every_cell(space: Space) -> None:
    load = workload(space, NetworkSpec(4, 3, 8, 3, 5))
    counts = load.counts(np.array([[3, 3, 2, 1, 4, 3]], dtype=np.int8))[0]
    by_name: Counter[str] = Counter()
    for piece, count in zip(load.pieces, counts, strict=True):
        by_name[piece.name] += int(count)
    assert by_name == {
        "stem": 1,
        "reduction": 2,
        "head": 1,
        "nor_conv_3x3": 27,
        "nor_conv_1x1": 9,
        "skip_connect": 9,
        "avg_pool_3x3": 9,
        "addition": 27,
    }


def test_keys_tell_pieces_apart(space: Space) -> None:
    pieces = workload(space, NetworkSpec(4, 2, 8, 4, 5)).pieces
    assert len({piece.key for piece in pieces}) == len(pieces) == 4 + 3 * 5


@pytest.mark.parametrize("batch", [1, 3])
def test_every_piece_runs_on_an_input_of_its_shape(space: Space, batch: int) -> None:
    for piece in workload(space, NetworkSpec(4, 1, 4, 1, 5)).pieces:
        forward, example = prepare(piece.build(), piece.input_shape, batch, torch.device("cpu"))
        output = forward(example)
        assert example.shape == (batch, piece.in_channels, piece.in_size, piece.in_size)
        assert output.shape[:2] == (batch, piece.out_channels)


def test_activations_of_a_deep_network_do_not_fade(space: Space) -> None:
    network = NetworkSpec(4, 12, 8, 3, 5)
    images = (3, 8, 8)
    torch.manual_seed(0)
    forward, example = prepare(build_network(space, [3, 0, 3, 0, 0, 3], network), images, 1, torch.device("cpu"))
    assert isinstance(forward, nn.Module)
    assert not forward.training
    assert last_cell(forward, example).abs().mean() > 0.05


def last_cell(network: nn.Module, images: Tensor) -> Tensor:
    with torch.no_grad():
        for part in list(network.children())[:-1]:
            images = part(images)
    return images


@pytest.mark.parametrize("name", ["darts", "nasbench1shot1_2"])
def test_cells_of_node_choices_are_made_up_of_their_pieces(name: str) -> None:
    space, network = load_space(name), NetworkSpec(3, 1, 8, 2, 5)
    load = workload(space, network)
    assert len({piece.key for piece in load.pieces}) == len(load.pieces)
    modules = [piece.build() for piece in load.pieces]
    weights = [
        sum(parameter.numel() for parameter in module.parameters()) if isinstance(module, nn.Module) else 0
        for module in modules
    ]
    codes = space.effective(space.sample(8, np.random.default_rng(1)))
    counts = load.counts(codes)
    added = [index for index, piece in enumerate(load.pieces) if piece.kind == "addition"]
    joined = [index for index, piece in enumerate(load.pieces) if piece.name == "concatenation"]
    for code, row in zip(codes, counts, strict=True):
        built = build_network(space, code, network).eval()
        assert row @ np.array(weights) == sum(p.numel() for p in built.parameters())
        with torch.no_grad(), CountCalls() as counter, CountCalls(torch.ops.aten.cat.default) as joins:
            built(torch.zeros(1, 2, 8, 8))
        assert row[added].sum() == counter.count
        # A concatenation outside the list is that of two convolutions that halve the size.
        inside = [
            piece.in_size != piece.out_size for piece in load.pieces if piece.name in ("projection", "skip_connect")
        ]
        halving = [index for index, piece in enumerate(load.pieces) if piece.name in ("projection", "skip_connect")]
        assert row[joined].sum() + row[halving] @ np.array(inside) == joins.count
    for piece in load.pieces:
        forward, example = prepare(piece.build(), piece.input_shape, 1, torch.device("cpu"))
        output = forward(example)
        assert output.shape[1] == piece.out_channels
        assert piece.name == "classifier" or output.shape[2] == piece.out_size


def test_pieces_of_every_resolution_are_of_its_size() -> None:
    space = load_space("quick_elastic")
    load = workload(space, space.network)
    counts = load.counts(np.array([[0] * 7, [1] + [0] * 6], dtype=np.int8))
    small, large = ([piece for piece, count in zip(load.pieces, row, strict=True) if count] for row in counts)
    assert {piece.in_size for piece in small} == {8, 6, 3}
    assert {piece.in_size for piece in large} == {8, 4}
    assert [piece.name for piece in small + large].count("resize") == 1
    assert counts.sum(axis=1).tolist() == [10, 9]  # with the resizing three fixed layers more than are chosen, or four
    (resize,) = (piece for piece in load.pieces if piece.name == "resize")
    assert resize.build()(torch.zeros(2, 3, 8, 8)).shape == (2, 3, 6, 6)
