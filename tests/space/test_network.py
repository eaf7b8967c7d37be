"""The sequence of layers, and what its fixed ones cost, against modules that torch counts."""

import re
from dataclasses import replace
from itertools import pairwise
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.utils.flop_counter import FlopCounterMode

from surrogate_nas.errors import SpaceError
from surrogate_nas.nets.layers import build_layer
from surrogate_nas.space.network import Layer, NetworkSpec, fixed_total, residual_stages


def test_the_layers_of_nasbench201() -> None:
    """arXiv 2001.00326, section 2: 16, 32 and 64 channels at 32, 16 and 8 pixels, five cells each."""
    layers = residual_stages(NetworkSpec(channels=16, cells=5, image_size=32, classes=100))
    assert layers == (
        Layer("stem", 3, 16, 32, 32, 0),
        *[Layer("cell", 16, 16, 32, 32, 0)] * 5,
        Layer("reduction", 16, 32, 32, 16, 1),
        *[Layer("cell", 32, 32, 16, 16, 1)] * 5,
        Layer("reduction", 32, 64, 16, 8, 2),
        *[Layer("cell", 64, 64, 8, 8, 2)] * 5,
        Layer("head", 64, 100, 8, 1, 2),
    )


def test_one_stage_has_no_reduction_and_takes_any_image() -> None:
    layers = residual_stages(NetworkSpec(channels=4, cells=2, image_size=7, input_channels=1, stages=1))
    assert [layer.kind for layer in layers] == ["stem", "cell", "cell", "head"]
    assert layers[0] == Layer("stem", 1, 4, 7, 7, 0)


def test_light_reductions_stand_where_residual_ones_do_and_cost_less() -> None:
    residual = NetworkSpec(channels=8, cells=1, image_size=16)
    light = replace(residual, light_reductions=True)
    before, after = residual_stages(residual), residual_stages(light)
    assert [replace(layer, kind="reduction") if layer.kind == "light_reduction" else layer for layer in after] == list(
        before
    )
    assert fixed_total(after, "flops") < fixed_total(before, "flops")


def test_a_description_names_light_reductions_where_there_are_any() -> None:
    network = NetworkSpec(channels=8, cells=1, image_size=16)
    assert network.described() == {
        "channels": 8,
        "cells": 1,
        "image_size": 16,
        "input_channels": 3,
        "classes": 10,
        "stages": 3,
    }
    assert replace(network, light_reductions=True).described()["light_reductions"]


NETWORKS = st.integers(1, 4).flatmap(
    lambda stages: st.builds(
        NetworkSpec,
        channels=st.integers(1, 9),
        cells=st.integers(1, 3),
        image_size=st.integers(1, 4).map(lambda part: part * 2 ** (stages - 1)),
        input_channels=st.integers(1, 4),
        classes=st.integers(1, 11),
        stages=st.just(stages),
        light_reductions=st.booleans(),
    )
)


@given(NETWORKS)
def test_each_layer_takes_what_the_one_before_gives(network: NetworkSpec) -> None:
    layers = residual_stages(network)
    for before, after in pairwise(layers):
        assert (before.out_channels, before.out_size) == (after.in_channels, after.in_size)
    assert sum(layer.kind == "cell" for layer in layers) == network.cells * network.stages
    assert (layers[0].in_channels, layers[0].in_size) == (network.input_channels, network.image_size)
    assert (layers[-1].out_channels, layers[-1].out_size) == (network.classes, 1)


@settings(max_examples=20)
@given(NETWORKS)
def test_fixed_layers_cost_what_torch_counts(network: NetworkSpec) -> None:
    for layer in set(residual_stages(network)):
        if layer.kind == "cell":
            assert fixed_total([layer], "parameters") == fixed_total([layer], "flops") == 0
            continue
        with torch.device("meta"), torch.no_grad(), FlopCounterMode(display=False) as counter:
            module = build_layer(layer).eval()
            scores = module(torch.empty(1, layer.in_channels, layer.in_size, layer.in_size))
        assert fixed_total([layer], "parameters") == sum(weight.numel() for weight in module.parameters())
        assert 2 * fixed_total([layer], "flops") == counter.get_total_flops()
        sides = () if layer.kind == "head" else (layer.out_size, layer.out_size)
        assert scores.shape == (1, layer.out_channels, *sides)


@pytest.mark.parametrize("name", ["channels", "cells", "image_size", "input_channels", "classes", "stages"])
@pytest.mark.parametrize("value", [0, -1])
def test_a_size_below_one_is_refused_by_name(name: str, value: int) -> None:
    sizes: dict[str, Any] = {"channels": 4, "cells": 1, "image_size": 8, name: value}
    with pytest.raises(SpaceError, match=re.escape(f"{name} of a network must be at least 1 (got {value})")):
        NetworkSpec(**sizes)


def test_stages_that_no_image_has_are_refused() -> None:
    with pytest.raises(SpaceError, match=re.escape("stages of a network must be at most 32 (got 20000)")):
        NetworkSpec(channels=4, cells=1, image_size=8, stages=20_000)


@pytest.mark.parametrize(("image_size", "stages", "multiple"), [(30, 3, 4), (1, 2, 2), (12, 4, 8)])
def test_an_image_that_cannot_be_halved_is_refused(image_size: int, stages: int, multiple: int) -> None:
    message = f"multiple of {multiple}, since {stages} stages halve it {stages - 1} times (got {image_size})"
    with pytest.raises(SpaceError, match=re.escape(message)):
        residual_stages(NetworkSpec(channels=4, cells=1, image_size=image_size, stages=stages))
