"""Settings accept no contradictory combination, and every field has a description."""

from typing import Any

import pytest
from pydantic import ValidationError

from surrogate_nas.supernet.presets import PRESETS
from surrogate_nas.supernet.settings import SupernetSettings


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (
            {"bands": [[0, 1], [2, 3]], "split": "none"},
            "bands has no effect with split = 'none': it belongs to split = 'nonlinear'",
        ),
        ({"final_learning_rate": 0.2}, "final_learning_rate must not be above learning_rate"),
        ({"thresholds": [0.5]}, "thresholds has no effect with sharing = 'whole': it belongs to sharing = 'depth'"),
        ({"shared_stages": 1}, "shared_stages has no effect with sharing = 'whole'"),
        (
            {"preset": "spos", "groups": 3},
            "groups has no effect with split = 'none': it belongs to split = 'nonlinear'",
        ),
        ({"split_rounds": 3}, "split_rounds has no effect with split = 'nonlinear': it belongs to split = 'gradient'"),
        ({"gamma_max": 2.0}, "gamma_max has no effect with schedule = 'cosine'"),
        ({"sandwich_random": 4}, "sandwich_random has no effect with sampler = 'nonlinear'"),
        ({"preset": "efsnas", "nonlinear_power": 1}, "nonlinear_power has no effect with sampler = 'balanced'"),
        ({"sharing": "depth", "thresholds": [1.0]}, "less than 1"),
        ({"batch_size": 1}, "greater than or equal to 2"),
        ({"momentum": 1.0}, "less than 1"),
        ({"clip_norm": -1}, "greater than or equal to 0"),
        ({"preset": "best"}, "a preset is one of auto, soft, oneshot, spos, fairnas, fsnas, gmnas, efsnas, dynas"),
        ({"preset": 3}, "valid string"),
        ({"preset": ["auto"]}, "valid string"),
        ({"split_edge": "1<-0"}, "split_edge has no effect with split = 'nonlinear': it belongs to split = 'edge'"),
        ({"split": "edge", "sharing": "depth"}, "chooses copies by the count of split = 'nonlinear', not of 'edge'"),
        ({"split": "gradient", "sharing": "depth"}, "sharing = 'depth' chooses copies by the count"),
        ({"split": "gradient", "sharing": "one"}, "it needs sharing = 'whole'"),
        ({"split": "gradient", "parent_share": 0}, "split = 'gradient' needs a parent_share above 0"),
        ({"split": "edge", "inherit": "nothing"}, "makes a parent of split = 'edge' useless: set parent_share = 0"),
        ({"split": "none", "parent_share": 0.5}, "parent_share belongs to a split with sharing = 'whole'"),
        ({"sharing": "one", "parent_share": 0.5}, "parent_share belongs to a split with sharing = 'whole'"),
        ({"sampler": "fair"}, "sampler = 'fair' permutes operations edge by edge, which leaves the subspaces"),
        ({"sampler": "fair", "sharing": "one"}, "sampler = 'fair' does not use a split"),
        ({"sampler": "nonlinear", "sharing": "one"}, "sampler = 'nonlinear' does not use a split"),
        (
            {"preset": "spos", "schedule": "complexity", "final_learning_rate": 0.01},
            "final_learning_rate belongs to schedule = 'cosine'",
        ),
        ({"momentum_groups": "separated", "momentum": 0}, "'separated' needs a momentum above 0"),
        ({"nonlinear_power": 5}, "less than or equal to 4"),
        ({"epochs": 3}, "Extra inputs are not permitted"),
        ({"own_share": 1.1}, "less than or equal to 1"),
        (
            {"own_share": 0.7, "split": "none"},
            "own_share = 0.7 is of sub-supernets .* needs sharing = 'whole'",
        ),
        ({"own_share": 0.7, "sharing": "one"}, "own_share = 0.7 .* sharing = 'whole' and a split .got sharing = 'one'"),
        ({"own_share": 0.7, "sampler": "per_group"}, "sampler = 'per_group' draws from all of them at once"),
        ({"preset": "spos", "parent_keeps": 1}, "parent_keeps = 1 needs a parent that trains before the split"),
        ({"parent_keeps": 1, "split": "gradient"}, "parent_keeps = 1 needs .* known from the beginning"),
        (
            {"preset": "spos", "label_both": True},
            "label_both = true takes the mean with the parent's label: set parent_share above 0",
        ),
        ({"scale": "count", "split": "none"}, "scale = 'count' shifts labels of sub-supernets: it needs sharing"),
        ({"scale": "subspace", "sharing": "one"}, "scale = 'subspace' shifts labels of sub-supernets"),
        ({"distillation": 1.5}, "less than or equal to 1"),
        ({"distillation": 0.5}, "distillation needs several subnets a step.* sampler = 'nonlinear' trains one here"),
        ({"distillation": 0.5, "sampler": "uniform"}, "sampler = 'uniform' trains one here: choose sandwich or fair"),
        ({"distillation": 0.5, "sampler": "per_group"}, "sampler = 'per_group' trains one here"),
        ({"distillation": 1, "sampler": "per_group", "sharing": "one", "groups": 1}, "'per_group' trains one here"),
        ({"sampler": "sandwich", "sharing": "one"}, "sampler = 'sandwich' does not use a split"),
        (
            {"sampler": "fair", "split": "none", "in_band": 0.5},
            "sampler = 'fair' needs all that it draws: set in_band to 0",
        ),
        ({"largest_share": 0.6, "weight_average": 0.5}, "must not overlap: together they are 1 at most"),
        ({"weights_from": "timm:efficientnet_lite0"}, "weights_from needs weights = 'nested'"),
        (
            {"weights_from": "timm:efficientnet_lite0", "weights": "nested", "largest_share": 0.5},
            "largest_share is for new weights",
        ),
        ({"weights": "shared"}, "Input should be 'own' or 'nested'"),
    ],
)
def test_what_does_not_fit_is_refused(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        SupernetSettings(**settings)


def test_settings_do_not_change() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        SupernetSettings().steps = 3  # type: ignore[misc]


def test_every_field_is_described() -> None:
    assert all(field.description for field in SupernetSettings.model_fields.values())


def test_names_order_and_defaults_are_those_that_checkpoints_were_made_with() -> None:
    plain = {name: field.get_default() for name, field in SupernetSettings.model_fields.items()}
    assert plain == {
        "preset": "auto",
        "split": "nonlinear",
        "groups": 2,
        "bands": None,
        "split_edge": None,
        "split_rounds": 2,
        "split_batches": 100,
        "sharing": "whole",
        "weights": "own",
        "weights_from": None,
        "parent_share": None,
        "inherit": None,
        "own_share": 1.0,
        "parent_keeps": 0,
        "scale": "none",
        "scale_architectures": 10,
        "label_both": False,
        "thresholds": None,
        "shared_stages": None,
        "sampler": "balanced",
        "nonlinear_power": 2.0,
        "sandwich_random": 2,
        "distillation": None,
        "in_band": 0.0,
        "largest_share": 0.0,
        "schedule": "cosine",
        "gamma_max": 4.0,
        "momentum_groups": "joint",
        "channels": 8,
        "cells": 1,
        "reductions": "light",
        "steps": 20_000,
        "batch_size": 64,
        "learning_rate": 0.1,
        "final_learning_rate": None,
        "momentum": 0.9,
        "weight_decay": 5e-4,
        "clip_norm": 5.0,
        "replicas": 1,
        "weight_average": 0.0,
        "checkpoint_seconds": 30.0,
    }


@pytest.mark.parametrize(
    ("settings", "share", "inheritance"),
    [
        ({"split": "none"}, 0, "weights"),
        ({}, 0.967, "state"),
        ({"preset": "oneshot"}, 0, "weights"),
        ({"split": "nonlinear"}, 0, "weights"),
        ({"parent_share": 0.5}, 0.5, "weights"),
        ({"split": "edge"}, 2 / 3, "weights"),
        ({"split": "edge", "sharing": "one"}, 0, "weights"),
        ({"split": "gradient"}, 4 / 9, "state"),
        ({"split": "gradient", "inherit": "nothing"}, 4 / 9, "nothing"),
    ],
    ids=str,
)
def test_what_happens_before_the_split_is_that_of_the_papers(
    settings: dict[str, Any], share: float, inheritance: str
) -> None:
    made = SupernetSettings.model_validate(settings)
    assert made.share_before_split == share
    assert made.inheritance == inheritance


@pytest.mark.parametrize(
    ("settings", "share"),
    [
        ({}, 0),
        ({"sampler": "sandwich"}, 1),
        ({"sampler": "sandwich", "distillation": 0}, 0),
        ({"preset": "fairnas", "distillation": 0.25}, 0.25),
        ({"sampler": "per_group", "sharing": "depth", "distillation": 0.5}, 0.5),
    ],
    ids=str,
)
def test_the_largest_teaches_where_it_is_always_there(settings: dict[str, Any], share: float) -> None:
    assert SupernetSettings.model_validate(settings).distillation_share == share


def test_weights_of_version_0_1_0_belong_to_the_same_settings() -> None:
    identity = SupernetSettings(preset="oneshot").identity()
    assert identity["final_learning_rate"] == 0
    assert not {"weights", "sandwich_random", "distillation", "replicas", "preset"} & identity.keys()
    assert not {"own_share", "parent_keeps", "scale", "scale_architectures", "label_both"} & identity.keys()
    assert SupernetSettings(preset="oneshot", weights="nested", distillation=0.0).identity() == identity | {
        "weights": "nested",
        "distillation": 0.0,
    }


def test_a_rule_of_no_sense_is_an_error_of_its_own() -> None:
    with pytest.raises(ValidationError, match="sampler"):
        SupernetSettings.model_validate({"sampler": ["fair"], "nonlinear_power": 1.0})


def test_defaults_of_rules_that_are_not_chosen_say_nothing() -> None:
    given = {"preset": "spos", "groups": 2, "gamma_max": 4.0, "sandwich_random": 2, "bands": None}
    assert SupernetSettings.model_validate(given) == SupernetSettings(preset="spos")


def test_what_is_inherited_is_a_part_of_the_preset() -> None:
    made = SupernetSettings(inherit="weights")
    assert (made.preset, made.own_share, made.parent_share, made.inheritance) == ("auto", 0.7, 0.967, "weights")


def test_resolved_settings_give_themselves() -> None:
    for name in PRESETS:
        resolved = SupernetSettings(preset=name)
        assert SupernetSettings.model_validate(resolved.model_dump()) == resolved
        assert SupernetSettings.model_validate(resolved.model_dump(exclude_none=True)) == resolved


def test_complete_settings_take_nothing_from_a_preset_that_has_changed_since() -> None:
    before = SupernetSettings(bands=((0, 1), (2, 3)))
    assert (before.preset, before.parent_share, before.label_both) == ("auto", None, False)
    stored = before.model_dump(exclude_none=True)
    assert SupernetSettings.model_validate(stored) == before
    of_0_1_0 = {name: value for name, value in stored.items() if name not in ("own_share", "scale", "label_both")}
    assert SupernetSettings.model_validate(of_0_1_0) == before


@pytest.mark.parametrize(
    ("given", "rate"),
    [
        ({}, 0.05),
        ({"learning_rate": 0.02}, 0.01),
        ({"final_learning_rate": 0.0}, 0.0),
        ({"preset": "oneshot"}, 0.0),
        ({"preset": "oneshot", "final_learning_rate": 0.04}, 0.04),
    ],
    ids=str,
)
def test_sub_supernets_that_split_off_late_still_learn(given: dict[str, Any], rate: float) -> None:
    assert SupernetSettings.model_validate(given).last_rate == pytest.approx(rate)


def test_one_supernet_keeps_everything_but_the_split() -> None:
    given = SupernetSettings(steps=90, channels=4, replicas=3, nonlinear_power=1.0)
    alone = given.without_split()
    assert (alone.split, alone.own_share, alone.label_both, alone.last_rate) == ("none", 1.0, False, 0.0)
    assert (alone.steps, alone.channels, alone.replicas, alone.nonlinear_power) == (90, 4, 3, 1.0)


def test_the_default_preset_gives_way_to_rules_of_ones_own() -> None:
    assert SupernetSettings().sampler == "nonlinear"
    assert SupernetSettings(steps=3, channels=4).own_share == PRESETS["auto"]["own_share"]
    assert SupernetSettings(split="nonlinear").sampler == "balanced"
    assert SupernetSettings(groups=3).split == "nonlinear"
    assert SupernetSettings(preset="auto", split="edge").sampler == "nonlinear"
