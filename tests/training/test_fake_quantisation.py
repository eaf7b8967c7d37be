"""A network that rounds computes what its 8-bit file computes in ONNX Runtime."""

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from surrogate_nas._support.onnx_session import open_session
from surrogate_nas.errors import ExportError
from surrogate_nas.nets.onnx_models.onnx_export import export_onnx
from surrogate_nas.nets.onnx_models.quantised_onnx import quantise_onnx
from surrogate_nas.nets.standalone import build_network
from surrogate_nas.space.load import load_space
from surrogate_nas.training.fake_quantisation import FakeQuantised, RoundedMaps, RoundedWeights


def typical(space: str, images: Tensor) -> nn.Module:
    """Returns a network whose batch-norms have seen images, and differ by channel, some with a negative factor."""
    torch.manual_seed(0)
    loaded = load_space(space)
    network = build_network(loaded, loaded.effective(loaded.sample(1, np.random.default_rng(1)))[0], loaded.network)
    for one in network.modules():
        if isinstance(one, nn.BatchNorm2d):
            nn.init.normal_(one.weight)
            nn.init.normal_(one.bias)
    with torch.no_grad():
        for _ in range(20):
            network.train()(images)
    return network.eval()


@pytest.fixture(scope="module", params=["digits", pytest.param("quick", marks=pytest.mark.slow)])
def example(request: pytest.FixtureRequest) -> tuple[nn.Module, Tensor]:
    network = load_space(request.param).network
    torch.manual_seed(0)  # of one in ten others, a number lies between two steps, and runtimes round it either way
    images = torch.randn(32, network.input_channels, network.image_size, network.image_size)
    return typical(request.param, images), images


@pytest.fixture(scope="module")
def file(example: tuple[nn.Module, Tensor]) -> bytes:
    network, images = example
    return bytes(export_onnx(network, images[:2], any_batch=True).SerializeToString())


def scores_of_file(file: bytes, images: Tensor, *, signed: bool) -> np.ndarray:
    quantised = quantise_onnx(file, [images.numpy()], ExportError, signed=signed)
    session = open_session(quantised.SerializeToString(), "tests", ExportError, 1)
    scores: np.ndarray = session.run(None, {"images": images.numpy()})[0]
    return scores


@pytest.mark.slow
@pytest.mark.parametrize("signed", [False, True])
def test_rounding_explains_most_of_what_8_bits_change(
    example: tuple[nn.Module, Tensor], file: bytes, signed: bool
) -> None:
    network, images = example
    with torch.no_grad():
        exact, rounded = network(images).numpy(), FakeQuantised(network, images, signed=signed)(images).numpy()
    scores = scores_of_file(file, images, signed=signed)
    lost = np.abs(scores - exact).mean()
    assert lost > 0
    assert np.abs(rounded - scores).mean() < 0.5 * lost


def test_weights_are_symmetric_numbers_of_each_output_channel() -> None:
    weights = torch.randn(3, 2, 3, 3) * torch.tensor([1.0, 100.0, 0.0]).view(3, 1, 1, 1)
    rounded = RoundedWeights(64)(weights)
    for channel, largest in enumerate(weights.abs().amax(dim=(1, 2, 3)).tolist()):
        steps = rounded[channel] / (largest / 64 or 1.0)
        torch.testing.assert_close(steps, steps.round(), rtol=0, atol=1e-4)
        assert float(steps.abs().max()) == pytest.approx(64 if largest else 0)
    # A factor of a batch-norm, also a negative one, may come before or after.
    factor = torch.tensor([-0.3, 2.0, 1.0]).view(3, 1, 1, 1)
    torch.testing.assert_close(RoundedWeights(64)(weights * factor), rounded * factor)


@pytest.mark.parametrize(("signed", "numbers"), [(False, 256), (True, 255)])
def test_maps_have_256_numbers_with_zero_among_them(signed: bool, numbers: int) -> None:
    maps = RoundedMaps(signed=signed)
    maps.observing = True
    seen = torch.linspace(-1.0, 3.0, 10_001)
    torch.testing.assert_close(maps(seen), seen)
    maps.observing = False
    asked = torch.linspace(-5.0, 5.0, 20_001)
    found = maps(asked).unique()
    assert len(found) == numbers
    assert 0.0 in found.tolist()
    assert float(found.max()) == pytest.approx(3.0, abs=0.02)
    assert float(found.min()) == pytest.approx(-3.0 if signed else -1.0, abs=0.02)


def test_gradients_pass_rounding_into_the_network_s_own_weights(example: tuple[nn.Module, Tensor]) -> None:
    network, images = example
    rounded = FakeQuantised(network, images, signed=False)
    rounded.train()
    before = {name: one.clone() for name, one in network.state_dict().items()}
    rounded(images).square().mean().backward()
    assert all(one.grad is not None and one.grad.isfinite().all() for one in network.parameters())
    assert set(rounded.trained_weights()) == {name for name, _ in network.named_parameters()}
    # Statistics stay, also in training.
    for name, tensor in network.state_dict().items():
        assert torch.equal(tensor, before[name]), name
    network.zero_grad()


def test_ranges_follow_the_weights() -> None:
    network = nn.Sequential(nn.Conv2d(1, 2, 1, bias=False), nn.Flatten(), nn.Linear(8, 2, bias=False))
    images = torch.randn(4, 1, 2, 2)
    rounded = FakeQuantised(network.eval(), images, signed=False)
    (conv,) = [one for name, one in rounded.rounded.named_children() if name.startswith("maps_of_conv")]
    assert isinstance(conv, RoundedMaps)
    before = float(conv.high - conv.low)
    with torch.no_grad():
        rounded.trained_weights()["0.weight"].mul_(2)
    rounded.observe()
    assert float(conv.high - conv.low) == pytest.approx(2 * before)


def test_a_convolution_before_its_activation_is_rounded_once() -> None:
    network = nn.Sequential(nn.Conv2d(1, 2, 1), nn.BatchNorm2d(2), nn.ReLU(), nn.Flatten(), nn.Linear(8, 2))
    for signed in (False, True):
        rounded = FakeQuantised(network.eval(), torch.randn(4, 1, 2, 2), signed=signed).rounded
        places = [name for name, one in rounded.named_children() if isinstance(one, RoundedMaps)]
        assert [name.removeprefix("maps_of_") for name in places] == ["input_1", "relu", "linear"]


class TwoBranches(nn.Module):
    """Two convolutions, each with a rectifier of its own on the same map, as the edges of a cell have."""

    def __init__(self) -> None:
        super().__init__()
        self.convolutions = nn.ModuleList([nn.Conv2d(8, 8, 3, padding=1, bias=False) for _ in range(2)])

    def forward(self, x: Tensor) -> Tensor:
        """Returns the sum of both."""
        return sum((one(torch.relu(x)) for one in self.convolutions), start=torch.zeros(()))


@pytest.mark.parametrize("signed", [False, True])
@pytest.mark.parametrize("kind", ["pool", "branches"])
def test_it_rounds_where_the_file_does(kind: str, signed: bool) -> None:
    torch.manual_seed(0)
    middle = TwoBranches() if kind == "branches" else nn.Sequential(nn.AvgPool2d(1, 2), nn.Conv2d(8, 8, 1, bias=False))
    network = nn.Sequential(
        nn.Conv2d(3, 8, 3, padding=1), middle, nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(8, 5)
    ).eval()
    images = torch.randn(32, 3, 8, 8)
    file = bytes(export_onnx(network, images[:2], any_batch=True).SerializeToString())
    with torch.no_grad():
        exact, rounded = network(images).numpy(), FakeQuantised(network, images, signed=signed)(images).numpy()
    scores = scores_of_file(file, images, signed=signed)
    assert np.abs(rounded - scores).mean() < 0.25 * np.abs(scores - exact).mean()
