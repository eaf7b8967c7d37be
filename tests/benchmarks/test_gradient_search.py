"""The processor time of a search, and what needs no training, on made-up images and accuracies."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from benchmarks.gradient_search import FEWEST_STEPS, Bench, prepared, references, run_seed, steps_for
from surrogate_nas.data.settings import DataSettings
from surrogate_nas.gradient.settings import GradientSettings
from surrogate_nas.space.load import load_space
from surrogate_nas.supernet.settings import SupernetSettings


@pytest.fixture
def bench(photos: Path, tmp_path: Path) -> Bench:
    space = load_space("quick")
    images = DataSettings(source="folder", path=str(photos), image_size=8, shift=0)
    supernet = SupernetSettings(channels=4, cells=1, batch_size=8)
    made = prepared(space, images, supernet, tmp_path)
    codes = space.all_codes()
    return replace(
        made, codes=codes, truth_percent=np.asarray(50 + 3.0 * space.nonlinear_count(codes), dtype=np.float64)
    )


@pytest.mark.parametrize(("before", "a_step"), [(0.2, 0.001), (0.0, 0.0002), (1.0, 0.03)])
def test_a_pilot_grows_until_its_steps_take_a_part_of_the_time(bench: Bench, before: float, a_step: float) -> None:
    asked: list[int] = []

    def search(_: Bench, settings: GradientSettings, seed: int) -> dict[str, Any]:
        assert seed == 0
        asked.append(settings.steps)
        return {"minutes": before + a_step * settings.steps}

    steps = steps_for(bench, GradientSettings(method="darts"), 5.0, search)
    assert before + a_step * steps == pytest.approx(5.0, abs=a_step)
    assert asked == sorted(asked)
    assert a_step * (asked[-1] - asked[0]) >= 0.25


def test_steps_that_take_no_time_end_the_pilot(bench: Bench) -> None:
    steps = steps_for(bench, GradientSettings(method="darts"), 0.0, lambda *_: {"minutes": 1.0})
    assert steps == FEWEST_STEPS


def test_a_search_has_figures_of_its_pick(bench: Bench) -> None:
    found = run_seed(bench, GradientSettings(method="rsps", steps=2, candidates=3), 0)
    assert found["truth"] == found["leaves"][found["picked"]]
    assert found["regret"] == bench.truth_percent.max() - found["truth"]
    assert np.isnan(found["labels_tau"])


def test_references_are_of_the_truth(bench: Bench) -> None:
    known = references(bench)
    assert known["optimum"] == bench.truth_percent.max() == known["most effective parameters"]
    assert known["random architecture, mean"] == pytest.approx(bench.truth_percent.mean())
