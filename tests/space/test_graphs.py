"""All kinds of spaces keep the same rules in their graphs, and drawings show the right names."""

import numpy as np
import pytest

from surrogate_nas._support.definitions import available
from surrogate_nas.space.graphs import FIRST_TYPE, GraphTypes
from surrogate_nas.space.load import load_space
from surrogate_nas.space.operations.spec import OperationSpec, nothing

MARKS = {"input 0", "input 1", "sum", "concatenation"}


@pytest.mark.parametrize("name", available("spaces"))
def test_graphs_lead_from_the_first_to_the_last_node_and_have_known_types(name: str) -> None:
    space = load_space(name)
    codes = space.sample(20, np.random.default_rng(0))
    graphs, types = space.graphs(codes), space.graph_types
    assert graphs.num_types == types.number == len(types.names) == len(types.coarse_types())
    assert (graphs.operations[:, 0] == 1).all()
    assert (graphs.operations[:, -1] == 2).all()
    assert graphs.operations.max() < graphs.num_types
    assert not np.tril(graphs.adjacency).any()
    present = graphs.operations > 0
    assert not (graphs.adjacency & ~(present[:, :, None] & present[:, None, :])).any()


@pytest.mark.parametrize("name", available("spaces"))
def test_every_type_of_a_node_has_the_name_of_a_choice_or_of_a_mark(name: str) -> None:
    space = load_space(name)
    choices = {choice for decision in space.decisions for choice in decision.choices}
    assert set(space.graph_types.names[FIRST_TYPE:]) <= choices | MARKS


def test_operations_of_both_strides_keep_their_names_in_darts() -> None:
    """An identity of stride 2, which is another operation, is one of them."""
    space = load_space("darts")
    operations = list(space.decisions[0].choices)
    marks = ["input 0", "input 1", "sum", "concatenation"]
    assert list(space.graph_types.names[FIRST_TYPE:]) == [*operations * 3, *marks]
    assert space.graph_types.marks == len(marks)
    skip = operations.index("skip_connect")
    identities = [spec.is_identity for spec in space.graph_types.operations[skip :: len(operations)][:3]]
    assert identities == [True, True, False]


def test_coarse_types_differ_unless_they_are_given() -> None:
    specs = tuple(OperationSpec(name, 0, nothing, nothing, nothing) for name in ("a", "b"))
    assert GraphTypes(specs).coarse_types().tolist() == [0, 1, 2, 3, 4]
    assert GraphTypes(specs, coarse=(0, 0)).coarse_types().tolist() == [0, 1, 2, 3, 3]
