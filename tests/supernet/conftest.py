"""Networks, images and trainings of a fraction of a second."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

from surrogate_nas.data.cache import save_splits
from surrogate_nas.data.images import DataSplits, ImageSet
from surrogate_nas.data.settings import DataSettings
from surrogate_nas.data.splits import split_images
from surrogate_nas.space.definitions.identity import Identity
from surrogate_nas.space.kinds.cell.space import CellSpace
from surrogate_nas.space.load import load_space
from surrogate_nas.space.network import NetworkSpec
from surrogate_nas.supernet.plan import SupernetPlan, make_plan
from surrogate_nas.supernet.settings import SupernetSettings
from surrogate_nas.supernet.training import TrainingJob

CLASSES = 4


@pytest.fixture(scope="session")
def space() -> CellSpace:
    space = load_space("nasbench201")
    assert isinstance(space, CellSpace)
    return space


@pytest.fixture(scope="session")
def triangle() -> CellSpace:
    """Returns a space of two nodes after the input and 64 codes: small enough to go through."""
    operations = ("none", "skip_connect", "nor_conv_1x1", "nor_conv_3x3")
    return CellSpace(Identity("triangle", "0" * 16), ((0, 1), (0, 2), (1, 2)), operations, NetworkSpec(2, 1, 8))


@pytest.fixture(scope="session")
def network() -> NetworkSpec:
    return NetworkSpec(channels=2, cells=1, image_size=8, input_channels=1, classes=CLASSES)


@pytest.fixture(scope="session")
def splits() -> DataSplits:
    """Noise, a little brighter in one quarter per class, so that there is something to learn."""
    rng = np.random.default_rng(0)
    labels = rng.permutation(np.arange(120) % CLASSES)
    pixels = rng.integers(0, 200, size=(120, 1, 8, 8))
    for image, label in zip(pixels, labels, strict=True):
        row, column = 4 * (label // 2), 4 * (label % 2)
        image[:, row : row + 4, column : column + 4] += 55
    images = ImageSet(
        torch.from_numpy(pixels.astype(np.uint8)),
        torch.from_numpy(labels.astype(np.int64)),
        tuple(f"class {k}" for k in range(CLASSES)),
    )
    return split_images(images, validation_fraction=0.3, recalibration_images=13, seed=0, native_image_size=8)


@pytest.fixture(scope="session")
def images(splits: DataSplits, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("images")
    save_splits(folder, splits)
    return folder


MakePlan = Callable[..., SupernetPlan]
MakeJob = Callable[..., TrainingJob]


@pytest.fixture
def plan_of(space: CellSpace, network: NetworkSpec) -> MakePlan:
    """Returns a maker of plans of a few steps: ``plan_of(sampler="per_group", sharing="depth")``."""

    def make(seed: int = 3, **settings: object) -> SupernetPlan:
        alone = (
            {}
            if settings.keys() & {"preset", "split", "sharing", "sampler", "bands", "groups"}
            else {"preset": "oneshot"}
        )
        few: dict[str, object] = alone | {"steps": 12, "batch_size": 8, "checkpoint_seconds": 1e9} | settings
        return make_plan(space, network, SupernetSettings.model_validate(few), seed)

    return make


@pytest.fixture
def job_of(plan_of: MakePlan, images: Path, tmp_path: Path) -> MakeJob:
    """Returns a maker of trainings of one member: ``job_of(member=1, name="second", steps=5)``."""

    def make(member: int = 0, name: str = "member", seed: int = 3, **settings: object) -> TrainingJob:
        plan, data = plan_of(seed, **settings), DataSettings(source="digits")
        return TrainingJob(plan, plan.training(member), images, data, tmp_path / name, {"space": "s"})

    return make
