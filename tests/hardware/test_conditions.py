"""Words for what a latency is of."""

from typing import get_args

import pytest

from surrogate_nas.hardware.conditions import RUNTIMES, conditions
from surrogate_nas.hardware.measure.bench import Bench
from surrogate_nas.hardware.settings import Backend, HardwareSettings
from surrogate_nas.space.network import NetworkSpec
from surrogate_nas.space.space import Space


def test_every_back_end_has_a_name() -> None:
    assert set(RUNTIMES) == set(get_args(Backend)) - {"auto"}


@pytest.mark.parametrize(("threads", "words"), [(1, "float32, 1 thread, batch 4"), (2, "float32, 2 threads, batch 4")])
def test_a_measured_latency_names_runtime_machine_numbers_threads_and_batch(
    space: Space, network: NetworkSpec, threads: int, words: str
) -> None:
    settings = HardwareSettings(device="cpu", threads=threads, batch=4)
    described = {"kind": "measured", **Bench(space, network, settings).describe()}
    assert conditions(described) == f"ONNX Runtime on cpu ({described['machine']}), {words}"


def test_8_bits_are_named(space: Space, network: NetworkSpec) -> None:
    for activations, words in (("unsigned", ", int8, "), ("signed", ", int8 with signed activations, ")):
        settings = HardwareSettings.model_validate({"device": "cpu", "precision": "int8", "activations": activations})
        assert words in conditions({"kind": "measured", **Bench(space, network, settings).describe()})


def test_a_latency_of_a_table_names_table_and_column() -> None:
    assert conditions({"kind": "table", "device": "pixel3", "file": "a.csv"}) == "pixel3, from the table a.csv"
