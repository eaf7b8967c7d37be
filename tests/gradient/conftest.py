"""A space of 64 architectures, noise to train on, and searches of a few steps."""

from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from surrogate_nas.data.cache import save_splits
from surrogate_nas.data.images import DataSplits, ImageSet
from surrogate_nas.data.settings import DataSettings
from surrogate_nas.data.splits import split_images
from surrogate_nas.gradient.craft import craft
from surrogate_nas.gradient.distributions.derivation import Keeps
from surrogate_nas.gradient.job import LearningJob, learning_plan
from surrogate_nas.gradient.learned import Learned, read_learned
from surrogate_nas.gradient.settings import GradientSettings
from surrogate_nas.space.definitions.identity import Identity
from surrogate_nas.space.kinds.cell.space import CellSpace
from surrogate_nas.space.network import NetworkSpec
from surrogate_nas.space.space import Space
from surrogate_nas.supernet.settings import SupernetSettings
from surrogate_nas.supernet.stage import Workplace, train_stage
from surrogate_nas.supernet.training import TrainingJob
from tests.fixtures.one_process import OneProcess

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
    """Returns a maker of searches of few steps, ``job_of("gdas", name="second", steps=5)``: of their first members."""
    small = triangle, NetworkSpec(channels=4, cells=1, image_size=8, input_channels=1, classes=4)

    def make(
        method: str,
        name: str = "first",
        seed: int = 3,
        within: tuple[Space, NetworkSpec] = small,
        **settings: object,
    ) -> LearningJob:
        gradient = GradientSettings.model_validate({"method": method, "steps": 12} | settings)
        supernet = SupernetSettings(batch_size=8, checkpoint_seconds=1e9)
        plan = learning_plan(*within, gradient, supernet, seed)
        folder = tmp_path / name
        folder.mkdir(exist_ok=True)
        data = DataSettings(source="digits")
        return LearningJob(TrainingJob(plan, plan.phases[-1][0], images, data, folder, {"space": "triangle"}), gradient)

    return make


@pytest.fixture
def learned_of() -> Callable[..., Learned]:
    """Runs the whole search that a job is of, and returns what it has learnt: ``learned_of(job, keeps)``."""

    def run(job: LearningJob, keeps: Keeps | None = None) -> Learned:
        work = job.work
        place = Workplace(work.folder, work.images, work.data, work.identity, craft=craft(job.settings, job.costs))
        plan = train_stage(work.plan, place, OneProcess(1), lambda _: nullcontext(lambda *_: None), lambda: False)
        jobs = [replace(job, work=place.job(plan, each)) for each in plan.phases[-1]]
        return read_learned(jobs, 20, 10, keeps)

    return run
