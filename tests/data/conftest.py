"""Folders of images of known content, and divided images without any file."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from surrogate_nas.data.images import DataSplits, ImageSet
from surrogate_nas.data.splits import split_images

MakeFolder = Callable[..., Path]
MakeSplits = Callable[..., DataSplits]


@pytest.fixture
def make_folder(tmp_path: Path) -> MakeFolder:
    """Writes PNG files of noise: ``make_folder({"cat": 4, "dog": 6}, size=(12, 8))`` gives a folder of two classes."""

    def make(
        counts: dict[str, int], under: str = "images", size: tuple[int, int] = (8, 8), mode: str = "RGB", seed: int = 0
    ) -> Path:
        rng = np.random.default_rng(seed)
        for name, count in counts.items():
            folder = tmp_path / under / name
            folder.mkdir(parents=True)
            for index in range(count):
                pixels = rng.integers(0, 256, size=(size[1], size[0], 3), dtype=np.uint8)
                Image.fromarray(pixels).convert(mode).save(folder / f"{index:04}.png")
        return tmp_path / under

    return make


@pytest.fixture
def make_splits() -> MakeSplits:
    """Divides images of noise: ``make_splits(images=100, channels=3, size=6, classes=4)``."""

    def make(images: int = 100, channels: int = 3, size: int = 6, classes: int = 4, seed: int = 0) -> DataSplits:
        rng = np.random.default_rng(seed)
        pixels = torch.from_numpy(rng.integers(0, 256, size=(images, channels, size, size), dtype=np.uint8))
        labels = torch.from_numpy(rng.permutation(np.arange(images, dtype=np.int64) % classes))
        names = tuple(f"class {k}" for k in range(classes))
        return split_images(
            ImageSet(pixels, labels, names),
            validation_fraction=0.3,
            recalibration_images=10,
            seed=seed,
            native_image_size=size,
        )

    return make
