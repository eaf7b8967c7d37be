"""One call measures one architecture, and a second one asks the cache."""

import pytest

from surrogate_nas.errors import SpaceError
from surrogate_nas.hardware.measure import bench as module
from surrogate_nas.hardware.measure.whole_networks import measure
from surrogate_nas.hardware.settings import HardwareSettings
from surrogate_nas.space.network import NetworkSpec
from surrogate_nas.space.space import Space


def test_an_architecture_is_measured_by_code_or_text_once(
    space: Space, network: NetworkSpec, quick: HardwareSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = measure(space, "303101", network, quick)
    assert first.median_ms > 0
    monkeypatch.setattr(module, "measure_interleaved", None)
    assert measure(space, space.format(space.parse("303101")), network, quick) == first


def test_an_architecture_of_another_space_is_refused(space: Space) -> None:
    with pytest.raises(SpaceError, match="nasbench201"):
        measure(space, "12")
