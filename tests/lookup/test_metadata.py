"""Metadata survive JSON, and damaged ones are named."""

import json
import re
from dataclasses import replace
from typing import Any

import pytest

from surrogate_nas.errors import StoreError
from surrogate_nas.lookup.metadata import TableMetadata
from surrogate_nas.space.network import NetworkSpec

METADATA = TableMetadata(
    "toy", "0123", "cpu", 8, {"channels": 16}, "flops", "0.1.0", 5, {"flops": 1e6}, None, {"a": [1, None]}
)


def test_roundtrip_through_json_with_units() -> None:
    content = json.loads(json.dumps(METADATA.as_json(["code", "latency_ms", "label_accuracy_percent"])))
    assert content["units"] == {"latency_ms": "milliseconds per batch", "label_accuracy_percent": "percent"}
    assert TableMetadata.from_json(content, "here") == METADATA
    del content["decisions"]  # as the first tables were
    assert TableMetadata.from_json(content, "here") == METADATA


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("space_name", 3),
        ("batch_size", "1"),
        ("network", []),
        ("answer", 7),
        ("notes", None),
        ("budgets", {"flops": "x"}),
        ("budgets", {"flops": True}),
        ("budgets", {"flops": float("nan")}),
        ("budgets", {"zz": 1.0}),
        ("batch_size", -3),
        ("batch_size", True),
        ("seed", True),
        ("primary_cost", "zz"),
        ("label_error_percent", -1.0),
        ("decisions", [5]),
        ("decisions", [{"name": "a", "choices": [1]}]),
        ("rivals", [5]),
        ("rivals", [{}]),
    ],
)
def test_a_wrong_field_is_named(name: str, value: object) -> None:
    with pytest.raises(StoreError, match=re.escape(f"has a wrong {name!r} ({value!r}): here")):
        TableMetadata.from_json({**METADATA.as_json([]), name: value}, "here")


def test_a_missing_field_is_named() -> None:
    content = METADATA.as_json([])
    del content["seed"]
    with pytest.raises(StoreError, match="lacks 'seed': here"):
        TableMetadata.from_json(content, "here")


RIVAL = {
    "budgets": {"latency_ms": 2.0},
    "found": "0001",
    "found_percent": 71.0,
    "rival": "ResNet-20",
    "rival_percent": 70.5,
    "better": "undecided",
}


def test_comparisons_with_rivals_are_read_and_damaged_ones_refused() -> None:
    content = METADATA.as_json([])
    assert TableMetadata.from_json({**content, "rivals": [RIVAL]}, "here").rivals == [RIVAL]
    for change in ({"budgets": {"zz": 1.0}}, {"found_percent": "x"}, {"better": ["space"]}, {"rival": None}):
        with pytest.raises(StoreError, match="has a wrong 'rivals'"):
            TableMetadata.from_json({**content, "rivals": [{**RIVAL, **change}]}, "here")


def test_the_deployed_network_is_read_and_a_damaged_one_refused() -> None:
    sizes = {"channels": 16, "cells": 5, "image_size": 32}
    assert replace(METADATA, network=sizes).deployed("here") == NetworkSpec(16, 5, 32)
    for change in ({"sides": 3}, {"channels": "x"}, {"classes": 10**10}, {"stages": 10**9}, {"cells": 0}):
        damaged: dict[str, Any] = {**sizes, **change}
        with pytest.raises(StoreError, match="has a wrong 'network': here: .*" + next(iter(change))):
            replace(METADATA, network=damaged).deployed("here")
