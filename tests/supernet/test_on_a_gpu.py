"""Supernets on a GPU: half precision steps learn, and its labels are the labels of the CPU."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from surrogate_nas.data.cache import load_splits, save_splits
from surrogate_nas.space.load import load_space
from surrogate_nas.supernet.checkpoint import load_checkpoint
from surrogate_nas.supernet.evaluation import EvaluationJob, evaluate_member
from surrogate_nas.supernet.gradient_matching import cut_member
from surrogate_nas.supernet.training import TrainingJob, train_member
from tests.supernet.test_nested_weights import job_of as nested_job
from tests.supernet.test_resumed_training import KINDS
from tests.supernet.trainings import after, content, ignore, mean_losses, never

pytestmark = pytest.mark.gpu
MakeJob = Callable[..., TrainingJob]
CODES = ((3, 3, 3, 3, 3, 3), (1, 1, 1, 1, 1, 1), (2, 4, 3, 1, 4, 2), (0, 0, 0, 2, 0, 0))


def labels(job: TrainingJob, codes: tuple[tuple[int, ...], ...], device: str) -> tuple[np.ndarray, np.ndarray]:
    """Returns accuracies and losses of architectures by a finished training."""
    one = EvaluationJob(job.plan, job.member, codes, job.images, 1000, 5, job.checkpoint, job.identity, device)
    found = evaluate_member(one, ignore, never)
    assert found is not None
    return found.accuracy_percent, found.loss


def on_gpu(job: TrainingJob) -> TrainingJob:
    return replace(job, device="cuda:0")


@pytest.mark.parametrize("kind", KINDS)
def test_every_rule_trains_and_goes_on_after_a_stop(job_of: MakeJob, kind: str) -> None:
    whole, parts = (on_gpu(job_of(name=name, **KINDS[kind])) for name in ("whole", "parts"))
    assert train_member(whole, ignore, never)
    for steps in (1, 4):
        assert not train_member(parts, ignore, after(steps))
    assert train_member(parts, ignore, never)
    first, second = content(whole), content(parts)
    assert first.keys() == second.keys()
    for name, tensor in first.items():
        if isinstance(tensor, torch.Tensor) and tensor.is_floating_point():
            torch.testing.assert_close(second[name], tensor, rtol=0.05, atol=0.02)


def test_it_learns(job_of: MakeJob) -> None:
    job = on_gpu(job_of(split="none", steps=60, batch_size=16))
    assert train_member(job, ignore, never)
    curve = mean_losses(load_checkpoint(job.checkpoint, job.identity).loss_sum, 60)
    assert curve[-1] < curve[0]


def test_rare_classes_count_more(job_of: MakeJob, tmp_path: Path) -> None:
    job = job_of(split="none", steps=4, batch_size=16)
    save_splits(tmp_path / "weighted", load_splits(job.images).balanced(weighted=True))
    assert train_member(on_gpu(replace(job, images=tmp_path / "weighted")), ignore, never)


def test_labels_are_those_of_the_cpu(job_of: MakeJob) -> None:
    job = on_gpu(job_of(split="none", steps=20, batch_size=16))
    assert train_member(job, ignore, never)
    (accuracies, losses), (expected, exact) = (labels(job, CODES, device) for device in ("cuda:0", "cpu"))
    np.testing.assert_allclose(losses, exact, rtol=1e-3)
    np.testing.assert_allclose(accuracies, expected, atol=6)  # one of 36 images may fall to the other side


@pytest.mark.parametrize("sampler", ["sandwich", "uniform"])
@pytest.mark.parametrize("name", ["nasbench_macro", "images32", "ofa_mobilenetv3", "quick_elastic"])
def test_nested_chains_train(images: Path, tmp_path: Path, name: str, sampler: str) -> None:
    job = on_gpu(nested_job(images, tmp_path / "one", load_space(name), sampler=sampler))
    assert train_member(job, ignore, never)
    assert all(one.isfinite().all() for one in content(job).values() if one.is_floating_point())


# Not of ofa_mobilenetv3: its last maps have one pixel here, and statistics of five values enlarge TF32's rounding.
@pytest.mark.parametrize("name", ["nasbench_macro", "images32", "quick_elastic"])
def test_labels_of_nested_chains_are_those_of_the_cpu(images: Path, tmp_path: Path, name: str) -> None:
    space = load_space(name)
    job = on_gpu(nested_job(images, tmp_path / "one", space))
    assert train_member(job, ignore, never)
    codes = tuple(tuple(code) for code in space.sample(4, np.random.default_rng(0)).tolist())
    np.testing.assert_allclose(labels(job, codes, "cuda:0")[1], labels(job, codes, "cpu")[1], rtol=2e-3)


def test_gradients_cut_a_supernet(job_of: MakeJob) -> None:
    job = job_of(split="gradient", name="part")
    parent = on_gpu(replace(job, training=job.plan.phases[0][0]))
    assert train_member(parent, ignore, never)
    assert cut_member(parent, ignore, never) is not None
