"""Operations that users wrote, in supernets, pieces to time, graphs of the predictor and drawings."""

from pathlib import Path

import numpy as np
import pytest
import torch

from surrogate_nas.cli.space_check import check_space
from surrogate_nas.hardware.counted.analytic import AnalyticCosts
from surrogate_nas.hardware.measure.pieces import workload
from surrogate_nas.nets.standalone import build_network
from surrogate_nas.predictor.features.graph_features import node_types
from surrogate_nas.space.drawing import draw_architecture
from surrogate_nas.space.kinds.chain.space import ChainSpace
from surrogate_nas.space.kinds.nodes.space import NodeSpace
from surrogate_nas.space.load import load_space
from surrogate_nas.space.space import Space
from surrogate_nas.supernet.extract import extract_weights
from surrogate_nas.supernet.shared_network import SharedNetwork
from tests.space.programs import CELL, CHAIN, NODES, write_space


@pytest.fixture(params=[CHAIN, CELL, NODES], ids=["chain", "cell", "nodes"])
def space(request: pytest.FixtureRequest, tmp_path: Path, own_cache: Path) -> Space:
    assert not own_cache.exists()
    return load_space(write_space(tmp_path, request.param))


def test_a_supernet_has_them_and_hands_their_weights_on(space: Space) -> None:
    torch.manual_seed(0)
    shared = SharedNetwork(space, space.network)
    images = torch.randn(4, 3, 8, 8)
    code = space.effective(space.sample(20, np.random.default_rng(0)))[-1]
    shared(images, code).sum().backward()
    assert any(weight.grad is not None for weight in shared.parameters())
    own = build_network(space, code, space.network)
    if isinstance(space, NodeSpace):
        return  # whose weights are not handed on
    extract_weights(own, shared, code)
    assert torch.allclose(own.train()(images), shared(images, code), atol=1e-4)


def test_they_are_pieces_to_time_and_make_up_what_is_counted(space: Space) -> None:
    work = workload(space, space.network)
    assert any(piece.name == "conv_gelu_k3" for piece in work.pieces)
    parameters = []
    for piece in work.pieces:
        built = piece.build()
        built(torch.zeros(2, *piece.input_shape))
        weights = built.parameters() if isinstance(built, torch.nn.Module) else ()
        parameters.append(sum(weight.numel() for weight in weights))
    codes = space.effective(space.sample(20, np.random.default_rng(0)))
    assert (work.counts(codes) @ parameters).tolist() == space.parameters(codes, space.network).tolist()


def test_the_predictor_and_drawings_know_them(space: Space) -> None:
    types = node_types(space)
    own = [number for number, name in enumerate(space.graph_types.names) if name == "conv_gelu_k3"]
    assert own
    assert {(float(types.nonlinear[one]), float(types.reach[one])) for one in own} == {(1.0, 1.0)}
    code = np.array([len(decision.choices) - 1 for decision in space.decisions], dtype=np.int8)
    assert "gelu" in draw_architecture(space, code)


def test_a_check_runs_them_and_costs_know_them(space: Space) -> None:
    found = check_space(space)
    assert found.parameters[0] < found.parameters[1]
    costs = AnalyticCosts(space, space.network)
    codes = space.effective(space.sample(5, np.random.default_rng(0)))
    assert (costs.evaluate(codes)["params"] == space.parameters(codes, space.network)).all()
    assert ("memory_bytes" in costs.names) == isinstance(space, ChainSpace)
