"""Metadata survive JSON, and damaged ones are named."""

import json
import re

import pytest

from surrogate_nas.errors import StoreError
from surrogate_nas.lookup.metadata import TableMetadata

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
