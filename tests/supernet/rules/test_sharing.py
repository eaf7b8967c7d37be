"""Copies of cells, and what the ways to share weights refuse."""

import pytest
from pydantic import ValidationError

from surrogate_nas.errors import SettingsError
from surrogate_nas.space.kinds.cell.space import CellSpace
from surrogate_nas.space.network import NetworkSpec
from surrogate_nas.supernet.rules.sharing import SHARINGS, Copies
from surrogate_nas.supernet.settings import SupernetSettings
from surrogate_nas.supernet.splits.table import SPLITS

FIFTEEN = NetworkSpec(1, 5, 4, 1, 2)


@pytest.mark.parametrize("name", SHARINGS)
def test_copies_ascend_and_leave_a_stage(space: CellSpace, name: str) -> None:
    copies = SHARINGS[name].copies(space, FIFTEEN, 3, SupernetSettings(sharing=name, groups=3))
    assert list(copies.thresholds) == sorted(set(copies.thresholds))
    assert copies.shared_stages < FIFTEEN.stages


@pytest.mark.parametrize("name", ["whole", "one"])
def test_only_depth_wise_sharing_has_copies(space: CellSpace, name: str) -> None:
    settings = SupernetSettings.model_validate({"sharing": name, "split": "nonlinear"})
    assert SHARINGS[name].copies(space, FIFTEEN, 2, settings) == Copies()


def test_copies_of_the_paper_and_those_that_are_given(space: CellSpace) -> None:
    depth = SHARINGS["depth"]
    assert depth.copies(space, FIFTEEN, 3, SupernetSettings(sharing="depth", groups=3)) == Copies((15, 20), 1)
    given = SupernetSettings(sharing="depth", thresholds=(0.2, 0.4, 0.6, 0.8), shared_stages=0)
    assert depth.copies(space, FIFTEEN, 5, given) == Copies((9, 18, 27, 36), 0)
    with pytest.raises(SettingsError, match="more than 4 groups"):
        depth.copies(space, FIFTEEN, 5, SupernetSettings(sharing="depth"))


@pytest.mark.parametrize("name", SHARINGS)
def test_steps_before_a_split_need_subspaces_that_own_their_weights(name: str) -> None:
    for split, rule in SPLITS.items():
        given = {"sharing": name, "split": split, "parent_share": 0.5, "sampler": "uniform"}
        if SHARINGS[name].owns_weights and rule.splits:
            assert SupernetSettings.model_validate(given).share_before_split == 0.5
        else:
            with pytest.raises(ValidationError):
                SupernetSettings.model_validate(given)
