"""A training of a fraction of a second."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

from surrogate_nas.data.cache import save_splits
from surrogate_nas.data.images import DataSplits, ImageSet, channel_statistics
from surrogate_nas.space.load import load_space
from surrogate_nas.space.network import NetworkSpec
from surrogate_nas.training.settings import TrainingSettings
from surrogate_nas.training.train_network import ArchitectureNetwork, NetworkJob


def image_set(count: int, seed: int) -> ImageSet:
    """Noise, a little brighter in one half per class, so that there is something to learn."""
    rng = np.random.default_rng(seed)
    labels = rng.permutation(np.arange(count) % 2)
    pixels = rng.integers(0, 160, size=(count, 1, 8, 8))
    for image, label in zip(pixels, labels, strict=True):
        image[:, 4 * label : 4 * label + 4] += 80
    return ImageSet(
        torch.from_numpy(pixels.astype(np.uint8)), torch.from_numpy(labels.astype(np.int64)), ("top", "bottom")
    )


@pytest.fixture(scope="session")
def noise() -> Callable[[int, int], ImageSet]:
    """Makes images to learn from, of a number and a seed."""
    return image_set


@pytest.fixture(autouse=True)
def _one_thread() -> None:
    torch.set_num_threads(1)


@pytest.fixture(scope="session")
def images(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("images")
    train = image_set(96, 0)
    mean, std = channel_statistics(train.images)
    save_splits(folder, DataSplits(train, image_set(40, 1), image_set(8, 2), mean, std, 8, "0" * 16))
    return folder


@pytest.fixture
def make_job(images: Path, tmp_path: Path) -> Callable[..., NetworkJob]:
    space = load_space("nasbench201")
    network = NetworkSpec(4, 1, 8, 1, 2)

    def make(code: str = "333132", **settings: object) -> NetworkJob:
        recipe = TrainingSettings.model_validate(
            {"epochs": 3, "batch_size": 32, "learning_rate": 0.05, "checkpoint_seconds": 0} | settings
        )
        chosen = ArchitectureNetwork(space, tuple(int(digit) for digit in code), network)
        return NetworkJob(chosen, images, False, 1, recipe, 7, tmp_path / "network.safetensors")

    return make
