"""Latencies of a GPU are measured, predicted and described."""

import numpy as np
import pytest
import torch

from surrogate_nas.hardware.measure.bench import Bench
from surrogate_nas.hardware.measure.profile import ProfiledLatency
from surrogate_nas.hardware.settings import HardwareSettings
from surrogate_nas.space.load import load_space
from surrogate_nas.space.network import NetworkSpec

pytestmark = pytest.mark.gpu


@pytest.mark.parametrize(("name", "channels"), [("nasbench201", 4), ("images32", 16)])
def test_a_space_is_profiled(name: str, channels: int, quick: HardwareSettings) -> None:
    space = load_space(name)
    network = NetworkSpec(channels, space.network.cells, 16, 3, 10)
    bench = Bench(space, network, quick.model_copy(update={"device": "cuda"}))
    model = ProfiledLatency(space, network, bench, whole_networks=6, seed=0)
    codes = space.sample(20, np.random.default_rng(0))
    assert (model.evaluate(codes)["latency_ms"] > 0).all()
    words = " ".join(map(str, bench.describe().values()))
    assert torch.cuda.get_device_name(0) in words
    assert all(one.median_ms > 0 for one in model.measure_architectures(codes[:2]))
