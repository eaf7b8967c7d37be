"""Checks of graphs and networks; ``test_spaces`` runs them on every space, and on planted faults."""

import pytest

from surrogate_nas.space.load import load_space
from surrogate_nas.testing.networks import check_costs, check_graphs, check_layouts
from tests.testing import broken


def test_chains_with_a_choice_of_size_conform() -> None:
    space = load_space("quick_elastic")
    for check in (check_graphs, check_layouts, check_costs):
        check(space)


def test_a_layer_that_is_left_out_is_named() -> None:
    with pytest.raises(AssertionError, match=r"does not hold: layer 2, cell, of NetworkSpec\(.*before gives, \(2, 8\)"):
        check_layouts(broken.cell(broken.SkipsALayer))
