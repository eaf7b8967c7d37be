"""Sub-supernets in words, for a reader who has not met them before."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from surrogate_nas.space.load import load_space
from surrogate_nas.space.network import NetworkSpec
from surrogate_nas.study.problem.problem import Problem
from surrogate_nas.study.report.supernet_words import branches_in_words, members_in_words
from surrogate_nas.supernet.plan import make_plan
from surrogate_nas.supernet.settings import SupernetSettings

With = Callable[..., Problem]


@pytest.fixture
def with_supernet(problem: Problem) -> With:
    """Returns a maker of problems with supernets of other settings: ``with_supernet(preset="fsnas")``."""

    def make(**given: object) -> Problem:
        settings = SupernetSettings.model_validate({"steps": 1000, "channels": 4} | given)
        plan = make_plan(problem.space, problem.plan.network, settings, 0)
        return replace(problem, settings=problem.settings.model_copy(update={"supernet": settings}), plan=plan)

    return make


def test_each_part_has_its_count_and_its_training(with_supernet: With) -> None:
    soft = with_supernet(replicas=3)
    assert members_in_words(soft) == (
        "2 sub-supernets: each labels one part of the search space, 0 or 1 nonlinear functions (8,764 architectures),"
        " 2 or 3 nonlinear functions (6,520 architectures); all are trained 3 times, and a label is the mean"
    )
    assert branches_in_words(soft.plan) == (
        "the one for 2 or 3 nonlinear functions trains for 967 steps on the whole space; then a copy trains 33 steps"
        " more, 70% of them on 0 or 1 nonlinear functions. Shared weights are a compromise, and this fits the copy's to"
        " the architectures that it labels"
    )


def test_splits_on_a_common_parent_say_where_they_begin(with_supernet: With) -> None:
    begin = "they begin with the weights of one supernet, trained for 667 steps, and train 333 steps more"
    assert branches_in_words(with_supernet(preset="fsnas").plan) == begin
    gradient = with_supernet(preset="gmnas")
    assert members_in_words(gradient) == "4 sub-supernets: split by gradients during training"


def test_one_set_of_weights_is_for_all(with_supernet: With) -> None:
    one = with_supernet(preset="spos")
    assert (members_in_words(one), branches_in_words(one.plan)) == ("one set of weights for all architectures", "")
    groups = "one set of weights for all architectures; each step trains one of 4 groups of them"
    assert members_in_words(with_supernet(preset="oneshot")) == groups


def test_a_space_with_nothing_to_split_says_so(problem: Problem, with_supernet: With, tmp_path: Path) -> None:
    path = tmp_path / "one_count.toml"
    path.write_text(
        'name = "one_count"\nkind = "chain"\noperations = ["mbconv_k3_e2", "mbconv_k5_e2"]\n'
        '[[before]]\nlayer = "conv_bn_relu_k3"\nwidth = 4\n[[stages]]\nlayers = 2\nwidth = 4\n'
        "[network]\nimage_size = 8\n",
        encoding="utf-8",
    )
    space, asked = load_space(str(path)), with_supernet()
    plan = make_plan(space, NetworkSpec(4, 1, 8, stages=1), asked.settings.supernet, 0)
    words = members_in_words(replace(asked, plan=plan))
    assert words == "one set of weights for all architectures, since all of them have 4 nonlinear functions"
