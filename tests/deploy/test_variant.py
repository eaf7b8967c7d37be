"""A variant goes into JSON as it is."""

import json
from collections.abc import Callable
from dataclasses import asdict

from surrogate_nas.deploy.accuracy import Accuracy
from surrogate_nas.deploy.variant import Variant
from surrogate_nas.hardware.measurement import Measurement


def test_its_parts_come_back_from_json(variant_of: Callable[..., Variant]) -> None:
    one = variant_of(0.7)
    content = json.loads(json.dumps(asdict(one)))
    assert Accuracy.from_json(content["accuracy"]) == one.accuracy
    assert Measurement.from_json(content["latency"]) == one.latency
