"""Every way to split a space gives a split, in spaces that can be enumerated and in others."""

import subprocess
import sys

import pytest

from surrogate_nas.space.load import load_space
from surrogate_nas.supernet.settings import SupernetSettings
from surrogate_nas.supernet.splits.boxes import BoxSplit
from surrogate_nas.supernet.splits.table import SPLITS
from surrogate_nas.testing.splits import SPLIT_CHECKS, SplitCheck


@pytest.mark.parametrize("space_name", ["nasbench201", "quick", "fbnet"])
@pytest.mark.parametrize("name", SPLITS)
@pytest.mark.parametrize("check", SPLIT_CHECKS, ids=lambda check: check.__name__)
def test_every_row_makes_a_split(check: SplitCheck, name: str, space_name: str) -> None:
    space = load_space(space_name)
    check(space, SPLITS[name].split(space, SupernetSettings(split=name)))


@pytest.mark.parametrize("name", SPLITS)
def test_what_a_row_says_of_itself_is_so(name: str) -> None:
    rule, space, settings = SPLITS[name], load_space("quick"), SupernetSettings(split=name)
    split = rule.split(space, settings)
    assert rule.splits == (split.groups > 1 or rule.is_late)
    assert rule.by_boxes == isinstance(split, BoxSplit)
    assert 0 <= rule.parent_share < 1
    assert rule.rounds(settings) >= 1
    codes = space.all_codes()
    groups, counts = split.assign(codes), space.nonlinear_count(codes)
    mixed = any(len(set(groups[counts == count].tolist())) > 1 for count in set(counts.tolist()))
    assert rule.by_counts == (not mixed and not rule.is_late)


def test_settings_know_the_table_without_torch() -> None:
    program = "import sys, surrogate_nas.supernet.settings; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0
