"""Folds are on where validation images are few and nothing speaks against it; what cannot be done is refused."""

from collections.abc import Callable
from dataclasses import replace

import pytest
import torch

from surrogate_nas.data.images import DataSplits
from surrogate_nas.errors import DataError, SettingsError
from surrogate_nas.runs.settings import StudySettings
from surrogate_nas.study.problem.label_folds import images_of_supernet, judges_of, label_folds, label_images, probes
from surrogate_nas.study.problem.problem import Problem


def settings_of(problem: Problem, folds: object, **supernet: object) -> StudySettings:
    labels = problem.settings.labels.model_copy(update={"folds": folds})
    changed = problem.settings.supernet.model_copy(update=supernet)
    return problem.settings.model_copy(update={"labels": labels, "supernet": changed})


def many(splits: DataSplits, times: int) -> DataSplits:
    part = splits.validation
    return replace(splits, validation=part.take(torch.arange(len(part)).repeat(times)))


def test_auto_is_on_below_200_validation_images(problem: Problem) -> None:
    splits, auto = problem.splits, settings_of(problem, "auto")
    assert len(splits.validation) == 120
    assert label_folds(auto, splits) == 3
    assert label_folds(auto, many(splits, 2)) == 1
    assert label_folds(settings_of(problem, 4), many(splits, 2)) == 4
    assert label_folds(settings_of(problem, 1), splits) == 1


def test_auto_counts_balanced_images_by_their_smallest_class(problem: Problem) -> None:
    splits = many(problem.splits, 3)
    labels = splits.validation.labels
    kept = torch.cat([torch.nonzero(labels != 0).flatten(), torch.nonzero(labels == 0).flatten()[:2]])
    uneven = replace(splits, validation=splits.validation.take(kept))
    assert len(uneven.validation) > 200
    assert label_folds(settings_of(problem, "auto"), uneven) == 1
    assert label_folds(settings_of(problem, "auto"), replace(uneven, balance=True)) > 1


@pytest.mark.parametrize("asked", ["auto", 3])
def test_a_validation_folder_is_never_trained_on(problem: Problem, asked: object) -> None:
    splits = replace(problem.splits, own_validation=True)
    refuse_or_leave(settings_of(problem, asked), splits, r"labels\.folds = 3: the images have a validation folder")


@pytest.mark.parametrize("asked", ["auto", 3])
def test_subspaces_that_gradients_decide(problem: Problem, asked: object) -> None:
    settings = settings_of(problem, asked, split="gradient")
    refuse_or_leave(settings, problem.splits, r"supernet\.split = 'gradient' finds other subspaces on each fold; set")


def refuse_or_leave(settings: StudySettings, splits: DataSplits, message: str) -> None:
    if settings.labels.folds == "auto":
        assert label_folds(settings, splits) == 1
    else:
        with pytest.raises(SettingsError, match=message):
            label_folds(settings, splits)


def test_a_class_that_is_too_small(problem: Problem) -> None:
    splits, none = problem.splits, torch.empty(0, dtype=torch.int64)
    rest = splits.train.labels
    kept = torch.cat([torch.nonzero(rest != 0).flatten(), torch.nonzero(rest == 0).flatten()[:1]])
    tiny = replace(splits, train=splits.train.take(kept), recalibration=splits.recalibration.take(none))
    with pytest.raises(DataError, match=r"labels\.folds = 3: class '.*' has 1 image outside the validation part"):
        label_folds(settings_of(problem, 3), tiny)
    assert label_folds(settings_of(problem, "auto"), tiny) == 1


def test_labels_rest_on_the_images_of_all_folds(problem: Problem, make_few: Callable[[int], StudySettings]) -> None:
    found = label_images(make_few(1000), problem.splits, 3)
    assert [len(one) for one in found] == [120, 90, 90]
    parts = (problem.splits.train, problem.splits.validation, problem.splits.recalibration)
    assert torch.equal(torch.cat(found).bincount(), torch.cat([part.labels for part in parts]).bincount())
    assert [len(one) for one in label_images(make_few(7), problem.splits, 3)] == [7, 7, 7]


@pytest.fixture
def make_few(problem: Problem) -> Callable[[int], StudySettings]:
    """Returns settings with so many validation images at most."""

    def make(images: int) -> StudySettings:
        labels = problem.settings.labels.model_copy(update={"validation_images": images})
        return problem.settings.model_copy(update={"labels": labels})

    return make


def judged(problem: Problem, judge: str, weights: str | None, **labels: object) -> StudySettings:
    settings = settings_of(problem, labels.pop("folds", 1), weights_from=weights)
    return settings.model_copy(update={"labels": settings.labels.model_copy(update={"judge": judge, **labels})})


def test_a_probe_needs_pretrained_weights(problem: Problem) -> None:
    both = {"supernet", "probe"}
    for judge, judges in (("auto", both), ("both", both), ("probe", {"probe"}), ("supernet", {"supernet"})):
        asked = judged(problem, judge, "mine.safetensors")
        assert judges_of(asked) == judges
        assert probes(asked) == ("probe" in judges)
    assert judges_of(judged(problem, "auto", None)) == judges_of(judged(problem, "supernet", None)) == {"supernet"}
    for judge in ("probe", "both"):
        with pytest.raises(SettingsError, match=rf"'{judge}' .* supernet\.weights_from names none: add --weights"):
            probes(judged(problem, judge, None))


def test_a_probe_takes_all_images_without_folds(problem: Problem) -> None:
    splits = problem.splits
    [labels] = label_images(judged(problem, "probe", "mine", validation_images=1000), splits, 1)
    assert len(labels) == len(splits.train) + len(splits.validation) + len(splits.recalibration)
    assert len(label_images(judged(problem, "probe", "mine", validation_images=60), splits, 1)[0]) == 60
    [beside] = label_images(judged(problem, "both", "mine", validation_images=1000), splits, 1)
    assert len(beside) == len(labels)
    assert label_folds(judged(problem, "both", "mine", folds="auto"), splits) == 1
    assert label_folds(judged(problem, "both", "mine", folds=3), splits) == 3
    assert len(label_images(judged(problem, "both", "mine", validation_images=1000), splits, 3)) == 3
    for folds in ("auto", 3):
        asked = judged(problem, "probe", "mine", folds=folds)
        refuse_or_leave(asked, splits, r"labels\.folds = 3: labels\.judge takes all images already")


def test_beside_a_probe_a_supernet_has_images_of_its_own(problem: Problem) -> None:
    splits = problem.splits
    for judge in ("probe", "supernet"):
        assert images_of_supernet(judged(problem, judge, "mine"), splits, 1) is None
    both = judged(problem, "both", "mine", validation_images=1000)
    assert images_of_supernet(both, splits, 1) == len(splits.validation)
    folds = label_images(judged(problem, "supernet", "mine", validation_images=1000), splits, 3)
    assert images_of_supernet(both, splits, 3) == sum(map(len, folds))
    assert images_of_supernet(judged(problem, "both", "mine", validation_images=7), splits, 1) == 7
