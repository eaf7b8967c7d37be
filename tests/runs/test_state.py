"""The state of a run: marks, times, damage."""

import re
from dataclasses import dataclass
from pathlib import Path

import pytest

from surrogate_nas._support.files import write_json
from surrogate_nas.errors import StoreError
from surrogate_nas.runs.state import RunState


@dataclass
class Spent:
    """A meter that has stopped."""

    seconds: float
    joules: float | None = None


@pytest.fixture
def state(tmp_path: Path) -> RunState:
    return RunState(tmp_path / "state.json")


def test_a_stage_is_done_with_its_inputs_only(state: RunState) -> None:
    assert not state.is_done("predictor", "a")
    state.mark_done("predictor", Spent(1.5), "a")
    assert state.is_done("predictor", "a")
    assert not state.is_done("predictor", "b")
    assert not state.is_done("search", "a")
    state.forget("predictor")
    assert not state.is_done("predictor", "a")
    state.forget("predictor")


def test_times_of_interrupted_processes_add_up(state: RunState) -> None:
    state.add("supernets", Spent(2.0, 30.0), finished=False)
    assert not state.is_done("supernets", "")
    state.add("supernets", Spent(3.0, 40.0), finished=True)
    assert state.is_done("supernets", "")
    state.mark_done("search", Spent(1.0))
    state.mark_done("search", Spent(0.5))
    state.mark_done("predictor", Spent(4.0), "x")
    assert list(state.seconds().items()) == [("supernets", 5.0), ("predictor", 4.0), ("search", 0.5)]
    assert state.joules() == {"supernets": 70.0}
    state.add("supernets", Spent(1.0), finished=True)
    assert state.joules() == {}  # a part that is not known makes the whole so


def test_the_listing_is_kept_beside_the_stages(state: RunState, tmp_path: Path) -> None:
    assert state.listing is None
    state.listing = None
    assert not (tmp_path / "state.json").exists()
    state.listing = "abc"
    state.mark_done("search", Spent(1.0))
    assert RunState(tmp_path / "state.json").listing == "abc"


@pytest.mark.parametrize(
    "content",
    [
        "",
        "{",
        "[]",
        '{"schema_version": 0}',
        '{"schema_version": 1, "stages": 3}',
        '{"schema_version": 1, "stages": {"search": {}}}',
        '{"schema_version": 1, "stages": {"search": {"seconds": -1}}}',
    ],
)
def test_damage_is_named_with_the_remedy(content: str, state: RunState, tmp_path: Path) -> None:
    (tmp_path / "state.json").write_text(content, encoding="utf-8")
    with pytest.raises(StoreError, match=re.escape(str(tmp_path / "state.json")) + ".*remove the file"):
        state.check()


def test_other_keys_are_no_damage(state: RunState, tmp_path: Path) -> None:
    content = {"schema_version": 1, "stages": {"search": {"seconds": 1, "inputs": "a", "finished": "x", "more": 1}}}
    write_json(tmp_path / "state.json", content)
    state.check()
    assert state.is_done("search", "a")
