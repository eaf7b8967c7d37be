"""Phases, steps and schedules of trainings that begin from one another."""

import re
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from surrogate_nas.errors import SettingsError
from surrogate_nas.supernet.phases import Phase, make_phases, steps_before_split
from surrogate_nas.supernet.settings import SupernetSettings


def phases_of(members: int, **settings: Any) -> tuple[Phase, ...]:  # noqa: ANN401 - settings of any kind
    made = SupernetSettings.model_validate({"sampler": "uniform"} | settings)
    return make_phases(made, list(range(members)), [made.steps - steps_before_split(made)] * members)


def test_without_a_parent_there_is_one_phase() -> None:
    ((training,),) = phases_of(1, split="none", steps=30)
    assert (training.name, training.file) == ("0", "member-0.safetensors")
    assert (training.first_step, training.last_step, training.progress) == (0, 30, (0.0, 1.0))
    assert (training.parent, training.inherits) == (None, "nothing")


def test_few_shot_nas_trains_600_epochs_together_and_300_apart() -> None:
    # arXiv 2006.06863; every training has a schedule of its own
    (parent,), members = phases_of(5, split="edge", steps=900)
    assert (parent.name, parent.file, parent.group) == ("parent", "parent.safetensors", None)
    assert (parent.first_step, parent.last_step, parent.progress) == (0, 600, (0.0, 1.0))
    assert [member.group for member in members] == [0, 1, 2, 3, 4]
    for member in members:
        assert (member.first_step, member.last_step, member.progress) == (600, 900, (0.0, 1.0))
        assert (member.parent, member.inherits, member.steps) == ("parent", "weights", 300)


def test_gradient_matching_splits_at_20_and_40_of_90() -> None:
    # arXiv 2203.15207; one schedule goes through all
    (root,), halves, members = phases_of(4, split="gradient", steps=90)
    assert (root.last_step, root.cut_file) == (20, "parent.json")
    assert [half.name for half in halves] == ["parent-0", "parent-1"]
    assert [(half.first_step, half.last_step, half.parent, half.group) for half in halves] == [
        (20, 40, "parent", 0),
        (20, 40, "parent", 1),
    ]
    assert [member.parent for member in members] == ["parent-0", "parent-0", "parent-1", "parent-1"]
    for training in (root, *halves, *members):
        assert training.progress == pytest.approx((training.first_step / 90, training.last_step / 90))
    assert {training.inherits for training in (*halves, *members)} == {"state"}


def test_a_final_restart_begins_schedules_anew() -> None:
    (root,), halves, members = phases_of(4, split="gradient", steps=90, inherit="nothing")
    assert root.progress == (0.0, 0.5)
    assert {half.progress for half in halves} == {(0.5, 1.0)}
    assert {half.inherits for half in halves} == {"state"}
    assert {member.progress for member in members} == {(0.0, 1.0)}
    assert {member.inherits for member in members} == {"nothing"}


@given(rounds=st.integers(1, 4), steps=st.integers(30, 1000), share=st.floats(0.2, 0.9))
def test_every_training_goes_on_where_its_parent_ends(rounds: int, steps: int, share: float) -> None:
    phases = phases_of(2**rounds, split="gradient", split_rounds=rounds, steps=steps, parent_share=share)
    assert [len(phase) for phase in phases] == [2**level for level in range(rounds + 1)]
    everyone = [training for phase in phases for training in phase]
    assert len({training.stream for training in everyone}) == len(everyone)
    assert len({training.file for training in everyone}) == len(everyone)
    for parents, children in pairwise(phases):
        by_name = {parent.name: parent for parent in parents}
        for child in children:
            assert child.parent is not None
            parent = by_name[child.parent]
            assert parent.group == (child.group or 0) // 2
            assert parent.last_step == child.first_step < child.last_step
            assert parent.progress[1] == pytest.approx(child.progress[0])
    assert phases[0][0].progress[0] == 0
    assert {(member.last_step, member.progress[1]) for member in phases[-1]} == {(steps, 1.0)}


def test_too_few_steps_are_refused() -> None:
    expected = (
        "supernet.steps must leave a step for each of 3 phases, with supernet.parent_share = 0.444 before the last"
    )
    with pytest.raises(SettingsError, match=re.escape(expected)):
        phases_of(4, split="gradient", steps=2)


@pytest.mark.parametrize(("members", "settings"), [(1, {"split": "none"}), (5, {"split": "edge"})], ids=str)
def test_a_replica_is_the_same_line_of_trainings_with_draws_of_its_own(members: int, settings: dict[str, Any]) -> None:
    once, thrice = phases_of(members, steps=90, **settings), phases_of(members, steps=90, replicas=3, **settings)
    assert [len(phase) for phase in thrice] == [3 * len(phase) for phase in once]
    everything = [training for phase in thrice for training in phase]
    for name in ("name", "file", "stream"):
        assert len({getattr(training, name) for training in everything}) == len(everything)
    for phase, single in zip(thrice, once, strict=True):
        assert phase[: len(single)] == single
        for replica in range(3):
            mine = phase[replica * len(single) : (replica + 1) * len(single)]
            assert {training.replica for training in mine} == {replica}
            assert [(t.group, t.first_step, t.last_step) for t in mine] == [
                (t.group, t.first_step, t.last_step) for t in single
            ]
    for before, after in pairwise(thrice):
        replica_of = {training.name: training.replica for training in before}
        assert all(replica_of[str(training.parent)] == training.replica for training in after)
    assert [training.name for training in thrice[-1]] == [str(number) for number in range(3 * members)]
