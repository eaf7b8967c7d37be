"""Presets are valid combinations, and settings of a study take precedence over them."""

from typing import Any

import pytest

from surrogate_nas.supernet.presets import PRESETS, with_preset
from surrogate_nas.supernet.settings import SupernetSettings

PAPERS: dict[str, tuple[str, str, str, str, str]] = {
    "spos": ("none", "whole", "uniform", "cosine", "joint"),
    "fairnas": ("none", "whole", "fair", "cosine", "joint"),
    "fsnas": ("edge", "whole", "uniform", "cosine", "joint"),
    "gmnas": ("gradient", "whole", "uniform", "cosine", "joint"),
    "efsnas": ("nonlinear", "depth", "balanced", "cosine", "joint"),
    "dynas": ("none", "whole", "uniform", "complexity", "separated"),
}


def test_names_are_those_of_the_papers() -> None:
    assert set(PRESETS) == {*PAPERS, "auto", "soft", "oneshot"}


@pytest.mark.parametrize("name", PRESETS)
def test_every_preset_is_made_of_settings(name: str) -> None:
    made = SupernetSettings(preset=name)
    assert made.preset == name
    for key, value in PRESETS[name].items():
        assert getattr(made, key) == value


@pytest.mark.parametrize("name", PAPERS)
def test_rules_are_those_of_the_paper(name: str) -> None:
    made = SupernetSettings(preset=name)
    assert (made.split, made.sharing, made.sampler, made.schedule, made.momentum_groups) == PAPERS[name]


def test_presets_set_nothing_that_would_make_costs_differ() -> None:
    sizes = {"channels", "cells", "steps", "batch_size", "learning_rate", "checkpoint_seconds"}
    assert not any(sizes & set(preset) for name, preset in PRESETS.items() if name != "auto")


@pytest.mark.parametrize("name", PRESETS)
@pytest.mark.parametrize("split", ["none", "nonlinear", "edge", "gradient"])
def test_every_preset_takes_another_split(name: str, split: str) -> None:
    sampler = {"sampler": "uniform"}
    assert SupernetSettings.model_validate({"preset": name, "split": split} | sampler).split == split


def test_what_is_given_wins_and_takes_what_hangs_on_it_along() -> None:
    given: dict[str, Any] = {"preset": "gmnas", "parent_share": 0.7}
    assert with_preset(given, "auto") == dict(PRESETS["gmnas"]) | given
    other = with_preset({"preset": "gmnas", "split": "edge"}, "auto")
    assert other == {"preset": "gmnas", "split": "edge", "sampler": "uniform"}
    assert with_preset({"preset": "fsnas", "sharing": "one"}, "auto") == {
        "preset": "fsnas",
        "split": "edge",
        "sharing": "one",
        "sampler": "uniform",
    }
    assert with_preset({}, "spos") == dict(PRESETS["spos"]) | {"preset": "spos"}
