"""A space of 64 architectures, noise to train on, and searches of a few steps."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

from surrogate_nas.data.cache import save_splits
from surrogate_nas.data.images import DataSplits, ImageSet
from surrogate_nas.data.settings import DataSettings
from surrogate_nas.data.splits import split_images
from surrogate_nas.gradient.job import LearningJob
from surrogate_nas.gradient.settings import GradientSettings
from surrogate_nas.space.definitions.identity import Identity
from surrogate_nas.space.kinds.cell.space import CellSpace
from surrogate_nas.space.network import NetworkSpec
from surrogate_nas.supernet.settings import SupernetSettings

MakeJob = Callable[..., LearningJob]


@pytest.fixture(autouse=True)
def _one_thread() -> None:
    torch.set_num_threads(1)


@pytest.fixture(scope="session")
def triangle() -> CellSpace:
    operations = ("none", "skip_connect", "nor_conv_1x1", "nor_conv_3x3")
    return CellSpace(Identity("triangle", "0" * 16), ((0, 1), (0, 2), (1, 2)), operations, NetworkSpec(4, 1, 8))


@pytest.fixture(scope="session")
def splits() -> DataSplits:
    rng = np.random.default_rng(0)
    pixels = torch.from_numpy(rng.integers(0, 256, size=(101, 1, 8, 8)).astype(np.uint8))
    images = ImageSet(pixels, torch.from_numpy(rng.permutation(np.arange(101) % 4)), ("a", "b", "c", "d"))
    return split_images(images, validation_fraction=0.2, recalibration_images=10, seed=0, native_image_size=8)


@pytest.fixture(scope="session")
def images(splits: DataSplits, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("images")
    save_splits(folder, splits)
    return folder


@pytest.fixture
def job_of(triangle: CellSpace, images: Path, tmp_path: Path) -> MakeJob:
    """Returns a maker of searches of a few steps: ``job_of("gdas", name="second", steps=5)``."""

    def make(method: str, name: str = "first", seed: int = 3, **settings: object) -> LearningJob:
        gradient = GradientSettings.model_validate({"method": method, "steps": 12} | settings)
        supernet = SupernetSettings(batch_size=8, checkpoint_seconds=1e9)
        network = NetworkSpec(channels=4, cells=1, image_size=8, input_channels=1, classes=4)
        file = tmp_path / f"{name}.safetensors"
        data = DataSettings(source="digits")
        return LearningJob(triangle, network, gradient, supernet, seed, images, data, file, {"space": "triangle"})

    return make
