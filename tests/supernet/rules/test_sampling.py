"""Every sampler draws the trained subnets, for every split and sharing."""

import numpy as np
import pytest

from surrogate_nas.space.kinds.cell.space import CellSpace
from surrogate_nas.supernet.rules.samplers import BLOCK, Balanced, PerGroup, WithinGroup
from surrogate_nas.supernet.rules.sampling import SAMPLERS, SamplingRule, Source
from surrogate_nas.supernet.settings import SupernetSettings
from surrogate_nas.supernet.splits.bands import BandSplit
from surrogate_nas.supernet.splits.boxes import BoxSplit, whole_box
from surrogate_nas.supernet.splits.edge import edge_boxes


def source_of(space: CellSpace, rule: SamplingRule, group: int | None) -> Source:
    split = BoxSplit(space, edge_boxes(space, None))
    box = whole_box(space) if group is None else split.boxes[group]
    settings = SupernetSettings()
    return Source(space, split, group, box, rule.bands(space, settings), space.network, settings)


@pytest.mark.parametrize("group", [None, 0, 3])
@pytest.mark.parametrize("name", SAMPLERS)
def test_every_rule_draws_what_is_trained_and_repeats_with_the_seed(
    space: CellSpace, name: str, group: int | None
) -> None:
    rule = SAMPLERS[name]
    source = source_of(space, rule, group)
    drawn = rule.sampler(source, 7).block(0)
    assert drawn.shape[0] == BLOCK
    assert drawn.shape[2] == space.num_decisions
    assert (drawn == rule.sampler(source_of(space, rule, group), 7).block(0)).all()
    assert (drawn != rule.sampler(source, 8).block(0)).any()
    groups = set(source.split.assign(drawn.reshape(-1, space.num_decisions)).tolist())
    assert groups == ({group} if group is not None else set(range(source.split.groups)))


@pytest.mark.parametrize(("name", "kind"), [("balanced", Balanced), ("per_group", PerGroup), ("uniform", Balanced)])
def test_subspaces_are_told_apart_where_all_are_trained(space: CellSpace, name: str, kind: type) -> None:
    rule = SAMPLERS[name]
    assert rule.uses_split
    assert type(rule.sampler(source_of(space, rule, None), 0)) is kind
    assert type(rule.sampler(source_of(space, rule, 2), 0)) is WithinGroup


@pytest.mark.parametrize("group", [None, 0, 1, 2])
def test_the_ends_of_a_sandwich_are_those_of_the_subspace(space: CellSpace, group: int | None) -> None:
    split, settings = BandSplit(space, ((0, 1), (2,), (3,))), SupernetSettings(sampler="sandwich", sandwich_random=0)
    source = Source(space, split, group, whole_box(space), None, space.network, settings)
    largest, smallest = SAMPLERS["sandwich"].sampler(source, 0).draw(0)
    codes = space.all_codes()[space.is_connected(space.all_codes())]
    inside = codes if group is None else codes[split.assign(codes) == group]
    counts = space.parameters(space.effective(inside), space.network)
    found = space.parameters(space.effective([smallest, largest]), space.network)
    assert found.tolist() == [counts.min(), counts.max()]
    assert group is None or split.assign([smallest, largest]).tolist() == [group, group]


def test_bands_of_many_functions_are_drawn_most(space: CellSpace) -> None:
    found = SAMPLERS["nonlinear"].bands(space, SupernetSettings(nonlinear_power=3))
    assert found is not None
    np.testing.assert_array_equal(found.weights, [1, 8, 27, 64])
    assert found.split.groups == 4
