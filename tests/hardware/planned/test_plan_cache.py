"""Plans are kept, of their own setting only, and damage costs a warning."""

from pathlib import Path

import pytest

from surrogate_nas.errors import SurrogateNasWarning
from surrogate_nas.hardware.planned.plan_cache import PlanCache
from surrogate_nas.hardware.planned.planners import Plan


def test_plans_come_back_and_are_of_one_identity(tmp_path: Path) -> None:
    cache = PlanCache(tmp_path / "new", {"planner": "vela"})
    assert cache.read() == {}
    cache.add({"01": Plan(10, 20)})
    cache.add({"02": Plan(0, 40)})
    assert PlanCache(tmp_path / "new", {"planner": "vela"}).read() == {"01": Plan(10, 20), "02": Plan(0, 40)}
    assert PlanCache(tmp_path / "new", {"planner": "executorch"}).read() == {}


@pytest.mark.parametrize("plans", ['{"01": [10]}', '{"01": [10, 2.5]}', '{"01": [10, 0]}', '{"01": [true, 1]}', "[]"])
def test_a_damaged_file_is_made_again(tmp_path: Path, plans: str) -> None:
    cache = PlanCache(tmp_path, {"planner": "vela"})
    cache.add({"01": Plan(10, 20)})
    text = cache.path.read_text()
    cache.path.write_text(text[: text.index('"plans"')] + f'"plans": {plans}}}')
    with pytest.warns(SurrogateNasWarning, match="cannot be used and is made again"):
        assert cache.read() == {}
    with pytest.warns(SurrogateNasWarning, match="cannot be used"):
        cache.add({"01": Plan(11, 20)})
    assert cache.read() == {"01": Plan(11, 20)}


def test_a_folder_that_cannot_be_written_is_a_warning(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.warns(SurrogateNasWarning, match=r"so the next run will plan again.*SURROGATE_NAS_CACHE"):
        PlanCache(tmp_path / "file" / "below", {}).add({"01": Plan(1, 2)})
