"""Pretrained weights as first weights: kept in a file, and fitted to other classes and grey images."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from surrogate_nas.errors import SettingsError, StoreError
from surrogate_nas.nets.pretrained.first_weights import FirstWeights
from surrogate_nas.space.extremes import HasLargest
from surrogate_nas.space.layouts import layout_of
from surrogate_nas.space.load import load_space
from tests.nets.pretrained.conftest import known_network

SPACE = load_space("mobilenet_v2")


@pytest.fixture(scope="module")
def first(mobilenet_file: Path) -> FirstWeights:
    return FirstWeights.read(SPACE, str(mobilenet_file))


@torch.no_grad()
def test_the_largest_architecture_is_the_network(first: FirstWeights, mobilenet: nn.Module, tmp_path: Path) -> None:
    first.save(tmp_path / "first.safetensors")
    again = FirstWeights.load(tmp_path / "first.safetensors", SPACE)
    assert (again.source, again.digest) == (first.source, first.digest)
    x = torch.randn(2, 3, 96, 96, generator=torch.Generator().manual_seed(1))
    network = again.network(SPACE, replace(SPACE.network, classes=1000, image_size=96)).eval()
    torch.testing.assert_close(network(x), mobilenet(x), rtol=0, atol=1e-4)


@torch.no_grad()
def test_other_classes_and_grey_images(first: FirstWeights, mobilenet: nn.Module) -> None:
    spec = replace(SPACE.network, classes=3, input_channels=1, image_size=96)
    network = first.network(SPACE, spec).eval()
    assert [name for name, one in network.named_parameters() if one.is_meta] == ["20.2.weight", "20.2.bias"]
    grey = torch.randn(2, 1, 96, 96, generator=torch.Generator().manual_seed(1))
    x = grey
    for layer in list(network)[:-1]:
        x = layer(x)
    features = x.mean(dim=(2, 3))
    torch.testing.assert_close(features, mobilenet.features(grey.repeat(1, 3, 1, 1)).mean(dim=(2, 3)))  # type: ignore[operator]


def test_another_width_is_refused(first: FirstWeights) -> None:
    with pytest.raises(SettingsError, match=r"need 24 channels in the first stage and 1 cell \(got 8 and 1\)"):
        first.network(SPACE, replace(SPACE.network, channels=8))


def test_the_digest_is_of_the_weights(first: FirstWeights) -> None:
    name = next(iter(first.tensors))
    changed = {**first.tensors, name: first.tensors[name] + 1e-3}
    assert replace(first, tensors=changed).digest != first.digest
    assert replace(first, source="elsewhere").digest == first.digest


def test_a_stored_file_of_another_space_or_damaged(first: FirstWeights, tmp_path: Path) -> None:
    path = tmp_path / "first.safetensors"
    with pytest.raises(StoreError, match=r"cannot be used: .* is missing"):
        FirstWeights.load(path, SPACE)
    first.save(path)
    with pytest.raises(StoreError, match="of another space than efficientnet_lite0"):
        FirstWeights.load(path, load_space("efficientnet_lite0"))
    path.write_bytes(path.read_bytes()[:1000])
    with pytest.raises(StoreError, match="are damaged"):
        FirstWeights.load(path, SPACE)


def test_a_space_without_a_network_reads_nothing() -> None:
    with pytest.raises(SettingsError, match="images32 says no names of weights"):
        FirstWeights.read(load_space("images32"), "no such file")


@torch.no_grad()
def test_a_part_of_mobilenet_v3_has_its_slices(tmp_path: Path) -> None:
    space = load_space("mobilenet_v3_small")
    assert isinstance(space, HasLargest)
    save_file(known_network("mobilenet_v3_small").state_dict(), tmp_path / "known.safetensors")
    first = FirstWeights.read(space, str(tmp_path / "known.safetensors"))
    spec = replace(space.network, classes=3, image_size=64)
    code = np.asarray(space.largest()).copy()
    code[[0, 3]] = 0  # the lowest resolution, and a kernel of 3 with fewer hidden channels in the first squeezed layer
    whole, part = first.network(space, spec), first.part(space, code, spec)
    place = next(at for at, one in enumerate(layout_of(space, code, spec)) if one.decision == 3)
    large, small = (dict(net[place].named_parameters()) for net in (whole, part))
    depthwise = next(name for name, one in large.items() if one.shape[-1] == 5)
    hidden = len(small[depthwise])
    assert hidden < len(large[depthwise])
    torch.testing.assert_close(small[depthwise], large[depthwise][:hidden, :, 1:4, 1:4])
    squeeze = next(name for name in large if name.endswith("squeeze.weight"))
    torch.testing.assert_close(small[squeeze], large[squeeze][: len(small[squeeze]), :hidden])
    assert part.eval()(torch.randn(2, 3, 64, 64)).shape == (2, 3)
