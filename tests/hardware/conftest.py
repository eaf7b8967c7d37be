"""A network that is built and run in no time, and settings that measure it in none."""

from pathlib import Path

import pytest

from surrogate_nas.hardware.settings import HardwareSettings, TimingSettings
from surrogate_nas.space.load import load_space
from surrogate_nas.space.network import NetworkSpec
from surrogate_nas.space.space import Space


@pytest.fixture(scope="session")
def space() -> Space:
    return load_space("nasbench201")


@pytest.fixture(scope="session")
def network() -> NetworkSpec:
    return NetworkSpec(channels=4, cells=1, image_size=8, input_channels=1, classes=5)


@pytest.fixture(scope="session")
def quick() -> HardwareSettings:
    # The machine may be busy: no test here depends on a correct latency, and none is measured again as a noisy one.
    timing = TimingSettings(seconds=0.002, min_repeats=3, max_repeats=5, attempts=1, noise=1e9)
    return HardwareSettings(device="cpu", whole_networks=6, timing=timing)


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Keeps tests from reading or writing the user's own cache."""
    monkeypatch.setenv("SURROGATE_NAS_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"
