"""Evaluations equal plain networks with torch's own batch norm, in any order of evaluations."""

import pickle
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from surrogate_nas.data.cache import save_splits
from surrogate_nas.data.classes.folds import fold_of
from surrogate_nas.data.images import DataSplits, ImageSet
from surrogate_nas.errors import DataError, RunFolderError, StoreError, TrainingError, UnreadableError
from surrogate_nas.nets.places.cell import Cell
from surrogate_nas.nets.standalone import build_network
from surrogate_nas.space.kinds.cell.space import CellSpace
from surrogate_nas.supernet import evaluation
from surrogate_nas.supernet.checkpoint import Checkpoint, load_checkpoint
from surrogate_nas.supernet.evaluation import Evaluation, EvaluationJob, evaluate_member
from surrogate_nas.supernet.plan import SupernetPlan
from surrogate_nas.supernet.training import TrainingJob, train_member
from tests.fixtures.no_double import no_double

MakeJob = Callable[..., TrainingJob]
# The last two have one computation: only 3<-0 is alive.
CODES = ((3, 3, 3, 3, 3, 3), (1, 1, 1, 1, 1, 1), (2, 4, 3, 1, 4, 2), (0, 0, 0, 2, 0, 0), (3, 1, 0, 2, 0, 0))
BATCH = 5


def never() -> bool:
    return False


def ignore(_done: int) -> None:
    pass


@pytest.fixture
def trained(job_of: MakeJob) -> TrainingJob:
    job = job_of(split="none", steps=20, batch_size=16)
    train_member(job, ignore, never)
    return job


def evaluation_of(trained: TrainingJob, codes: tuple[tuple[int, ...], ...] = CODES, **changes: object) -> EvaluationJob:
    job = EvaluationJob(
        trained.plan, trained.member, codes, trained.images, 1000, BATCH, trained.checkpoint, trained.identity
    )
    return replace(job, **changes)  # type: ignore[arg-type]


def run(job: EvaluationJob) -> Evaluation:
    result = evaluate_member(job, ignore, never)
    assert result is not None
    return result


def naive(
    plan: SupernetPlan, weights: dict[str, torch.Tensor], code: tuple[int, ...], splits: DataSplits
) -> tuple[float, float]:
    """Returns accuracy and loss of the standalone network, its statistics cumulated by torch over the same batches."""
    shared = plan.build(0)
    shared.load_state_dict(weights)

    def norm(channels: int) -> nn.Module:
        return nn.BatchNorm2d(channels, affine=False, momentum=None)

    effective = plan.space.effective([code])[0].tolist()
    network = build_network(plan.space, effective, plan.network, norm)
    for ours, theirs in zip(network, shared.layers, strict=True):
        if isinstance(ours, Cell):
            rows = theirs[0].operations  # type: ignore[index]
            for operation, row, choice in zip(ours.operations, rows, effective, strict=True):
                operation.load_state_dict(row[choice].state_dict(), strict=False)
        else:
            ours.load_state_dict(theirs.state_dict(), strict=False)
    network.train()
    with torch.no_grad():
        for part in splits.recalibration.images[:].tensor_split(3):  # 13 images, at most 5 at once
            network(splits.normalise(part))
        network.eval()
        scores = network(splits.normalise(splits.validation.images[:])).double().numpy()
    labels = splits.validation.labels.numpy()
    logarithm = scores - np.log(np.exp(scores).sum(axis=1, keepdims=True))
    accuracy = 100 * np.mean(scores.argmax(axis=1) == labels)
    return accuracy, -logarithm[np.arange(len(labels)), labels].mean()


def test_accuracy_and_loss_are_those_of_plain_networks(trained: TrainingJob, splits: DataSplits) -> None:
    weights = dict(load_checkpoint(trained.checkpoint, trained.identity).weights)
    result = run(evaluation_of(trained))
    assert result.accuracy_percent.shape == result.loss.shape == (len(CODES),)
    for code, accuracy, loss in zip(CODES, result.accuracy_percent, result.loss, strict=True):
        expected = naive(trained.plan, weights, code, splits)
        assert (accuracy, loss) == pytest.approx(expected, rel=1e-4), code
    assert len(np.unique(result.loss)) == len(CODES) - 1


@pytest.mark.parametrize("fold", [1, 2])
def test_a_fold_is_trained_and_judged_on_its_own_images(job_of: MakeJob, splits: DataSplits, fold: int) -> None:
    job = job_of(split="none", steps=20, batch_size=16)
    plan = replace(job.plan, folds=3)
    job = replace(job, plan=plan, training=plan.training(fold))
    own, drawn = fold_of(splits, fold, 3), job.batches()
    assert torch.equal(drawn.batch(0)[1], own.train.labels[torch.from_numpy(drawn.indices(0))])
    train_member(job, ignore, never)
    weights = dict(load_checkpoint(job.checkpoint, job.belongs_to).weights)
    code = CODES[0]
    result = run(evaluation_of(job, (code,), identity=job.belongs_to))
    accuracy, loss = naive(plan, weights, code, own)
    assert (result.accuracy_percent[0], result.loss[0]) == pytest.approx((accuracy, loss), rel=1e-4)
    assert loss != pytest.approx(naive(plan, weights, code, splits)[1], rel=1e-6)


def test_nothing_depends_on_what_was_evaluated_before(trained: TrainingJob) -> None:
    together = run(evaluation_of(trained))
    backwards = run(evaluation_of(trained, CODES[::-1]))
    assert together.loss.tolist() == backwards.loss[::-1].tolist()
    for position, code in enumerate(CODES):
        alone = run(evaluation_of(trained, (code,)))
        assert alone.loss[0] == together.loss[position]
        assert alone.accuracy_percent[0] == together.accuracy_percent[position]


def test_all_codes_of_one_computation_are_judged_alike(trained: TrainingJob, space: CellSpace) -> None:
    codes = space.all_codes()
    keys = space.index(space.effective(codes))
    same = codes[keys == space.index(space.effective([CODES[-1]]))[0]][::9].tolist()
    assert len(same) > 3
    result = run(evaluation_of(trained, tuple(map(tuple, same))))
    assert len(np.unique(result.loss)) == len(np.unique(result.accuracy_percent)) == 1


def test_a_depth_wise_supernet_is_evaluated_too(job_of: MakeJob) -> None:
    job = job_of(sharing="depth", sampler="per_group", groups=3, steps=5)
    train_member(job, ignore, never)
    result = run(evaluation_of(job))
    assert result.loss[3] == result.loss[4]
    assert np.isfinite(result.loss).all()


def test_fewer_validation_images_are_the_first_ones(trained: TrainingJob, splits: DataSplits, tmp_path: Path) -> None:
    first = replace(splits, validation=splits.validation.take(torch.arange(7)))
    save_splits(tmp_path / "seven", first)
    seven = run(evaluation_of(trained, images=tmp_path / "seven"))
    assert run(evaluation_of(trained, validation_images=7)).loss.tolist() == seven.loss.tolist()
    assert set((seven.accuracy_percent / 100 * 7).round(9).tolist()) <= set(range(8))


def test_validation_batches_do_not_matter(trained: TrainingJob) -> None:
    # One batch of recalibration images in both, so that only validation is cut differently.
    result = [run(evaluation_of(trained, batch_size=size)) for size in (13, 1000)]
    assert np.allclose(result[0].loss, result[1].loss, rtol=1e-5)


@pytest.mark.parametrize(("batch_size", "sizes"), [(5, [5, 4, 4]), (12, [7, 6]), (1, [3, 2, 2, 2, 2, 2]), (99, [13])])
def test_recalibration_batches_count_the_same(images: Path, batch_size: int, sizes: list[int]) -> None:
    kept = evaluation._Kept(images, (0, batch_size), 0, 1)
    recalibration, validation, _ = evaluation._batches(kept, 36, batch_size, "cpu")
    assert [len(part) for part, _ in recalibration] == sizes
    assert sum(len(part) for part, _ in validation) == 36


def test_progress_is_told_and_a_stop_ends_early(trained: TrainingJob) -> None:
    told: list[int] = []
    assert evaluate_member(evaluation_of(trained), told.append, lambda: len(told) == 2) is None
    assert told == [1, 2]
    run(evaluation_of(trained, codes=()))


def test_jobs_of_one_member_load_it_once_and_a_newer_training_again(
    trained: TrainingJob, monkeypatch: pytest.MonkeyPatch
) -> None:
    loaded: list[Path] = []

    def load(path: Path, identity: dict[str, str]) -> Checkpoint:
        loaded.append(path)
        return load_checkpoint(path, identity)

    monkeypatch.setattr(evaluation, "load_checkpoint", load)
    # Every job reaches its worker by way of pickle, with a plan of its own.
    jobs = [pickle.loads(pickle.dumps(evaluation_of(trained))) for _ in range(3)]
    results = [run(job).loss.tolist() for job in jobs]
    assert len(loaded) == 1
    assert results[0] == results[1] == results[2]
    trained.checkpoint.unlink()
    train_member(replace(trained, plan=replace(trained.plan, seed=9)), ignore, never)
    assert run(jobs[0]).loss.tolist() != results[0]
    assert len(loaded) == 2


def test_a_training_that_is_missing_unfinished_or_foreign_is_refused(trained: TrainingJob, job_of: MakeJob) -> None:
    with pytest.raises(UnreadableError, match=r"none\.safetensors is missing"):
        run(evaluation_of(trained, checkpoint=trained.checkpoint.with_name("none.safetensors")))
    with pytest.raises(RunFolderError, match="made with space = s, not other"):
        run(evaluation_of(trained, identity=trained.identity | {"space": "other"}))
    longer = job_of(split="none", steps=21, batch_size=16)
    with pytest.raises(StoreError, match="stopped at step 20 of 21"):
        run(evaluation_of(longer))
    copies = job_of(split="none", steps=20, sharing="depth", thresholds=[0.5], shared_stages=0)
    with pytest.raises(RunFolderError, match="is of another network"):
        run(evaluation_of(copies, identity=trained.identity | {"member": "0"}, device="cpu:0"))


def test_a_loss_that_is_not_finite_is_named(trained: TrainingJob, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(evaluation, "evaluate", lambda *_, **__: (50.0, float("nan")))
    with pytest.raises(TrainingError, match="the loss of subnet 333333 of supernet 0 is not finite"):
        run(evaluation_of(trained))


def test_one_image_is_too_few_where_maps_have_one_pixel(job_of: MakeJob, tmp_path: Path, splits: DataSplits) -> None:
    def small(part: ImageSet, count: int) -> ImageSet:
        return replace(part, images=part.images[:count][:, :, :4, :4].contiguous(), labels=part.labels[:count])

    tiny = replace(
        splits,
        train=small(splits.train, 40),
        validation=small(splits.validation, 9),
        recalibration=small(splits.recalibration, 1),
    )
    save_splits(tmp_path / "tiny", tiny)
    job = job_of(split="none", steps=2)
    plan = replace(job.plan, network=replace(job.plan.network, image_size=4))
    job = replace(job, plan=plan, images=tmp_path / "tiny")
    train_member(job, ignore, never)
    with pytest.raises(DataError, match="a variance needs two images to recalibrate with"):
        run(evaluation_of(job))


def test_a_device_needs_no_double_precision(job_of: MakeJob, monkeypatch: pytest.MonkeyPatch) -> None:
    """Apple's GPUs have none; what ``in_double`` does, it does elsewhere."""
    monkeypatch.setattr(evaluation, "in_double", lambda tensor: tensor)
    job = job_of(split="none", steps=2, batch_size=8)
    with no_double():
        train_member(job, ignore, never)
        run(evaluation_of(job, CODES[:1]))


def test_labels_of_balanced_images_count_classes_the_same(
    trained: TrainingJob, tmp_path: Path, splits: DataSplits
) -> None:
    held_out = splits.validation
    some = torch.cat([torch.nonzero(held_out.labels == 0).flatten(), torch.nonzero(held_out.labels == 1).flatten()[:1]])
    uneven = replace(splits, validation=held_out.take(some))
    alone = [replace(splits, validation=held_out.take(rows[None])) for rows in some]
    results = []
    for position, one in enumerate([uneven, uneven.balanced(), *(part.balanced() for part in alone)]):
        save_splits(tmp_path / str(position), one)
        results.append(run(evaluation_of(trained, CODES[:2], images=tmp_path / str(position))))
    plain, balanced, *each = results
    large, small = (np.array([one.loss for one in part]) for part in (each[:-1], each[-1:]))
    np.testing.assert_allclose(balanced.loss, (large.mean(axis=0) + small[0]) / 2, rtol=1e-6)
    assert not np.allclose(plain.loss, balanced.loss)
