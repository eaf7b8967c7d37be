"""Networks of timm, where that is installed."""

import pytest

from surrogate_nas.rivals.rival import Interface
from surrogate_nas.rivals.rival_network import RivalNetwork, count_rival
from surrogate_nas.rivals.table import RIVALS

pytest.importorskip("timm", reason="timm is optional")


@pytest.mark.parametrize("name", [name for name, row in RIVALS.items() if row.package == "timm"])
@pytest.mark.parametrize("size", [8, 32, 224])
def test_they_take_images_of_any_size(name: str, size: int) -> None:
    counts = [count_rival(RivalNetwork(name, width, Interface(3, size, 10))) for width in RIVALS[name].widths]
    assert counts == sorted(counts, key=lambda one: one.flops)


def test_efficientnet_lite0_has_its_published_parameters() -> None:
    assert count_rival(RivalNetwork("efficientnet_lite0", 1.0, Interface(3, 224, 1000))).params == 4_652_008
