"""Sorted channels: the block computes what it did, and the first channels are the most important ones."""

import pytest
import torch
from torch import nn

from surrogate_nas.nets.blocks import build_block
from surrogate_nas.nets.normalization import RecordingBatchNorm
from surrogate_nas.nets.places.importance import by_importance
from surrogate_nas.nets.slices import Nest
from surrogate_nas.space.operations.spec import Shape

# Names of a large and a small block, and the hidden layers that are sorted: of how many weights each.
BLOCKS = {
    ("mbconv_k5_e4", "mbconv_k3_e2"): [3],
    ("mbconv_k5_e4_se", "mbconv_k3_e2_se"): [6],
    ("fused_k3_e4_hs", "fused_k3_e2_hs"): [2],
    ("bottleneck_k3_r2", "bottleneck_k3_r4"): [2, 2],
    ("basic_k5", "basic_k3"): [2],
    ("mbconv_k3_e4_g2", "mbconv_k3_e2_g2"): [],
    ("dsconv_k5", "dsconv_k3"): [],
}


def nest_of(names: tuple[str, str]) -> Nest:
    with torch.device("meta"):
        nest = Nest([build_block(name, Shape(8, 8, 6, 6), RecordingBatchNorm) for name in names], "both")
    nest = nest.to_empty(device="cpu").double()
    generator = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for parameter in nest.parameters():
            parameter.copy_(torch.randn(parameter.shape, generator=generator))
    return nest


@pytest.mark.parametrize("names", BLOCKS, ids=str)
def test_a_block_computes_what_it_did(names: tuple[str, str]) -> None:
    nest = nest_of(names)
    x = torch.randn(4, 8, 6, 6, generator=torch.Generator().manual_seed(1)).double()
    before, small = nest(x, 0), nest(x, 1)
    changes = by_importance(nn.Sequential(nest))
    assert len(changes) == sum(BLOCKS[names])
    with torch.no_grad():
        for change in changes:
            assert sorted(change.order.tolist()) == list(range(len(change.order)))
            change.weight.copy_(change.applied(change.weight))
    torch.testing.assert_close(nest(x, 0), before)
    assert all(torch.equal(each.order, torch.arange(len(each.order))) for each in by_importance(nest))
    if changes and not names[0].startswith("basic"):
        assert not torch.allclose(nest(x, 1), small)  # a narrower one has other channels now
    for layers in BLOCKS[names][:1]:
        norms = changes[layers - 1].weight.detach().abs().sum(dim=(0, 2, 3))
        assert (norms.diff() <= 0).all()
