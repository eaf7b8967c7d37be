"""Parts of pretrained weights are labelled without training, on all images, and the same in every process."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from surrogate_nas.data.cache import save_splits
from surrogate_nas.data.images import DataSplits, ImageSet
from surrogate_nas.errors import StoreError, TrainingError
from surrogate_nas.nets.pretrained.first_weights import FirstWeights
from surrogate_nas.nets.standalone import build_network
from surrogate_nas.space.extremes import HasLargest
from surrogate_nas.space.load import load_space
from surrogate_nas.zero_cost.slice_probe import ProbeJob, features_of, judging, probe_slices
from tests.fixtures.known_space import KNOWN_SPACE

MakeJob = Callable[..., ProbeJob]


def image_set(count: int, seed: int) -> ImageSet:
    """Returns noise, brighter in one half per class."""
    rng = np.random.default_rng(seed)
    labels = np.arange(count) % 2
    pixels = rng.integers(0, 160, size=(count, 3, 8, 8))
    for image, label in zip(pixels, labels, strict=True):
        image[:, 4 * label : 4 * label + 4] += 60
    return ImageSet(torch.from_numpy(pixels.astype(np.uint8)), torch.from_numpy(labels), ("top", "bottom"))


@pytest.fixture
def splits() -> DataSplits:
    return DataSplits(image_set(60, 0), image_set(30, 1), image_set(10, 2), (0.4,) * 3, (0.2,) * 3, 8, "0" * 16)


@pytest.fixture
def make_job(splits: DataSplits, tmp_path: Path) -> MakeJob:
    (tmp_path / "known.toml").write_text(KNOWN_SPACE, encoding="utf-8")
    space = load_space(str(tmp_path / "known.toml"))
    assert isinstance(space, HasLargest)
    with torch.random.fork_rng():
        torch.manual_seed(0)
        whole = build_network(space, space.largest(), replace(space.network, classes=5))
    first = FirstWeights("mine", space.fingerprint, whole.state_dict())
    first.save(tmp_path / "first.safetensors")
    save_splits(tmp_path / "images", splits)
    codes = np.unique(space.effective(space.sample(12, np.random.default_rng(0))), axis=0)

    def make(**changes: object) -> ProbeJob:
        spec = replace(space.network, classes=2)
        given = tuple(map(tuple, codes.tolist()))
        job = ProbeJob(space, given, spec, tmp_path / "first.safetensors", tmp_path / "images", 1000, 25)
        return replace(job, **changes)  # type: ignore[arg-type]

    return make


def labels_of(job: ProbeJob) -> np.ndarray:
    """Returns accuracy and loss, shape (N, 2)."""
    found = probe_slices(job, lambda _: None, lambda: False)
    assert found is not None
    return np.column_stack([found.accuracy_percent, found.loss])


def test_labels_do_not_depend_on_the_division_into_jobs(make_job: MakeJob) -> None:
    job = make_job()
    together = labels_of(job)
    apart = np.concatenate([labels_of(make_job(codes=(code,))) for code in job.codes])
    np.testing.assert_array_equal(together, apart)
    assert len(np.unique(together, axis=0)) > 3
    assert together[:, 0].max() > 60  # of two classes


def test_every_image_judges_or_so_many_of_every_part(splits: DataSplits) -> None:
    assert len(judging(splits, 1000)) == 100
    few = judging(splits, 20)
    assert len(few) == 20
    assert set(few.labels.tolist()) == {0, 1}
    part = torch.cat([splits.validation.images[:6], splits.train.images[:12], splits.recalibration.images[:2]])
    assert torch.equal(few.images[:], part)


def test_features_have_statistics_of_the_images(make_job: MakeJob, splits: DataSplits) -> None:
    job = make_job()
    network = FirstWeights.load(job.first_weights, job.space).part(job.space, list(job.codes[0]), job.network)
    images = splits.normalise(splits.train.images[:])
    found = features_of(network, [images], [images[:20], images[20:]])
    # With statistics of one batch, the mode of training gives the same of that batch.
    network.train()
    caught: list[torch.Tensor] = []
    last = [part for part in network.modules() if isinstance(part, torch.nn.Linear)][-1]
    last.register_forward_pre_hook(lambda _, inputs: caught.append(inputs[0]))
    with torch.no_grad():
        network(images)
    # Recorded variances are of a sample, so that they are a little larger.
    np.testing.assert_allclose(found, caught[0].flatten(1).numpy(), rtol=0.02, atol=0.01)


def test_a_stop_leaves_nothing(make_job: MakeJob) -> None:
    done: list[int] = []
    assert probe_slices(make_job(), done.append, lambda: len(done) == 2) is None
    assert done == [1, 2]


def test_weights_that_give_no_numbers(make_job: MakeJob, tmp_path: Path) -> None:
    job = make_job()
    first = FirstWeights.load(job.first_weights, job.space)
    broken = {name: one * float("nan") if one.is_floating_point() else one for name, one in first.tensors.items()}
    FirstWeights("mine", first.space, broken).save(tmp_path / "broken.safetensors")
    with pytest.raises(TrainingError, match="of the pretrained weights are not finite: use other weights"):
        labels_of(make_job(first_weights=tmp_path / "broken.safetensors"))


def test_weights_that_are_gone(make_job: MakeJob, tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="the pretrained weights cannot be used"):
        labels_of(make_job(first_weights=tmp_path / "gone.safetensors"))
