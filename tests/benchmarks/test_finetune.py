"""Cuts made by hand are uniform and below the budget; the whole comparison runs on a small network."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from benchmarks.contestants import Contestant
from benchmarks.finetune import WHOLE, best_rivals, equal_epochs, few_images, uniform_cuts
from surrogate_nas.space.kinds.chain.elastic import ElasticSpace
from surrogate_nas.space.load import load_space


@pytest.fixture(scope="module")
def lite0() -> ElasticSpace:
    space = load_space("efficientnet_lite0")
    assert isinstance(space, ElasticSpace)
    return space


def test_the_largest_cut_of_each_kind_keeps_the_budget(lite0: ElasticSpace) -> None:
    costs = SimpleNamespace(evaluate=lambda codes: {"latency_ms": lite0.flops(codes, lite0.network) / 1e8})
    limits = [1.0, 2.0]
    found = list(uniform_cuts(lite0, lite0.network, cast("Any", costs), limits))
    assert all(one.flops / 1e8 <= limits[one.budget] for one in found)
    roles = [one.role for one in found if one.budget == 1]
    assert roles == ["lower resolution", "narrower", "shallower", "scaled in all"]
    at_twice = {one.role: one.flops for one in found if one.budget == 1}
    assert at_twice["scaled in all"] == max(at_twice.values())


def test_the_best_rival_is_neither_the_answer_nor_the_whole_network() -> None:
    def contestant(role: str, title: str) -> Contestant:
        return Contestant(0, role, cast("Any", SimpleNamespace(title=title)), 1, 1)

    mine = [contestant("lite0: found", "a"), contestant(WHOLE, "b"), contestant("narrower", "c"), contestant("x", "d")]
    trained = {name: [(accuracy, 1.0)] for name, accuracy in zip("abcd", (80.0, 90.0, 70.0, 75.0), strict=True)}
    assert [(one.key, other.key) for one, other in best_rivals(mine, trained)] == [("a", "d")]


def test_a_rival_trains_for_as_long_as_search_and_answer() -> None:
    assert equal_epochs(searched_minutes=6.0, epochs=100, own=0.05, other=0.1) == 110
    assert equal_epochs(searched_minutes=1.0, epochs=100, own=0.05, other=0.1) == 100


def test_all_chosen_images_are_trained_on_and_all_test_images_count(photos: Path) -> None:
    splits, others = few_images(photos, 30, 16, 0), few_images(photos, 30, 16, 1)
    assert len(splits.train) == 30
    assert not splits.train.images[:].equal(others.train.images[:])
    assert splits.image_size == 16
    assert len(splits.validation) == sum(1 for _ in (photos / "test").rglob("*.png"))
