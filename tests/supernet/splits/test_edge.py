"""One subspace for every choice of a decision."""

import re

import pytest

from surrogate_nas.errors import SettingsError
from surrogate_nas.space.definitions.identity import Identity
from surrogate_nas.space.kinds.cell.space import CellSpace
from surrogate_nas.space.network import NetworkSpec
from surrogate_nas.supernet.settings import SupernetSettings
from surrogate_nas.supernet.splits.boxes import BoxSplit
from surrogate_nas.supernet.splits.edge import SplitByEdge, edge_boxes


def test_groups_of_an_edge_are_its_operations(space: CellSpace) -> None:
    split = BoxSplit(space, edge_boxes(space, "2<-1"))
    assert split.names == tuple(f"{operation} on 2<-1" for operation in space.operations)
    assert (split.assign(space.all_codes()) == space.all_codes()[:, 2]).all()


def test_an_edge_that_is_not_there_is_named(space: CellSpace) -> None:
    expected = "supernet.split_edge must be one of 1<-0, 2<-0, 2<-1, 3<-0, 3<-1, 3<-2 (got '0<-1')"
    with pytest.raises(SettingsError, match=re.escape(expected)):
        edge_boxes(space, "0<-1")


def test_a_group_that_only_cut_networks_have_is_refused() -> None:
    chain = CellSpace(Identity("chain", "1" * 16), ((0, 1), (1, 2)), ("none", "nor_conv_3x3"), NetworkSpec(2, 1, 8))
    with pytest.raises(SettingsError, match="the subspace 'none on 1<-0' of chain is empty"):
        BoxSplit(chain, edge_boxes(chain, None))


def test_the_settings_name_the_edge_and_else_the_first_is_taken(space: CellSpace) -> None:
    named = SplitByEdge().split(space, SupernetSettings(split="edge", split_edge="2<-1"))
    first = SplitByEdge().split(space, SupernetSettings(split="edge"))
    assert named.names[0] == "none on 2<-1"
    assert first.names[0] == "none on 1<-0"


def test_a_parent_trains_600_of_900_epochs() -> None:
    assert SplitByEdge.parent_share * 900 == 600  # arXiv 2006.06863
