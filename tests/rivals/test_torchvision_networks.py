"""Networks of torchvision are torchvision's: their parameters and multiply-accumulates are the published ones."""

import pytest
import torch
from torchvision.models import get_model_weights

from surrogate_nas.nets.module_counts import count_module
from surrogate_nas.rivals.table import RIVALS
from surrogate_nas.space.operations.spec import Shape

PUBLISHED = {
    "mobilenet_v2": "mobilenet_v2",
    "mobilenet_v3_small": "mobilenet_v3_small",
    "mobilenet_v3_large": "mobilenet_v3_large",
    "shufflenet_v2": "shufflenet_v2_x1_0",
    "squeezenet1_1": "squeezenet1_1",
    "mnasnet": "mnasnet1_0",
    "efficientnet_b0": "efficientnet_b0",
    "regnet_y_400mf": "regnet_y_400mf",
    "resnet18": "resnet18",
}


def test_all_of_them_are_compared() -> None:
    photos = {name for name, row in RIVALS.items() if row.package == "torchvision" and row.is_for_photos}
    assert photos == set(PUBLISHED)


@pytest.mark.quick_cases(3)
@pytest.mark.parametrize("name", PUBLISHED)
def test_parameters_and_multiply_accumulates_are_published(name: str) -> None:
    meta = next(iter(get_model_weights(PUBLISHED[name]))).meta
    with torch.device("meta"):
        counted = count_module(RIVALS[name].make(1000, 1.0), Shape(3, 1000, 224, 1))
    assert counted.parameters == meta["num_params"]
    assert counted.flops / 1e9 == pytest.approx(meta["_ops"], abs=0.002)


@pytest.mark.quick_cases(2)
@pytest.mark.parametrize("name", [name for name in PUBLISHED if len(RIVALS[name].widths) > 1])
def test_a_narrower_network_has_fewer_parameters(name: str) -> None:
    row = RIVALS[name]
    with torch.device("meta"):
        sizes = [sum(one.numel() for one in row.make(10, width).parameters()) for width in (0.5, 1.0, 2.0)]
    assert sizes == sorted(set(sizes))
