"""Decides which images labels rest on: the validation part, all of them in folds, or all of them by a probe."""

from typing import Literal

import torch

from surrogate_nas.data.classes.balance import images_behind
from surrogate_nas.data.classes.folds import check_folds, usual_folds, validation_labels
from surrogate_nas.data.images import DataSplits
from surrogate_nas.data.on_disk.image_file import ImageFile
from surrogate_nas.errors import DataError, SettingsError
from surrogate_nas.report.few_images import FEW_IMAGES
from surrogate_nas.runs.settings import StudySettings
from surrogate_nas.zero_cost.slice_probe import judging_labels

Judge = Literal["supernet", "probe"]


def judges_of(settings: StudySettings) -> frozenset[Judge]:
    """Returns what labels architectures: the trained supernets, a linear probe of pretrained weights, or both.

    Raises:
        SettingsError: If a probe is asked for, and supernets begin with new weights.
    """
    judge, has_weights = settings.labels.judge, settings.supernet.weights_from is not None
    if judge in ("probe", "both") and not has_weights:
        raise SettingsError(
            f"labels.judge = {judge!r} judges parts of pretrained weights, and supernet.weights_from names none: add"
            " --weights, or set labels.judge to supernet"
        )
    if judge == "probe":
        return frozenset({"probe"})
    return frozenset({"supernet", "probe"}) if has_weights and judge != "supernet" else frozenset({"supernet"})


def probes(settings: StudySettings) -> bool:
    """Returns whether a linear probe of pretrained weights labels architectures, alone or beside supernets.

    Raises:
        SettingsError: If it is asked for, and supernets begin with new weights.
    """
    return "probe" in judges_of(settings)


def label_folds(settings: StudySettings, splits: DataSplits) -> int:
    """Returns the number of folds; 1 where labels rest on the validation images alone.

    Raises:
        SettingsError: If folds are asked for and there is a validation folder, or subspaces that gradients decide, or
            a probe alone leaves each image out once anyway; or a probe is asked for, and there are no pretrained
            weights.
        DataError: If they are asked for, and a class has too few images.
    """
    asked, refusal = settings.labels.folds, _refusal(settings, splits)
    if asked == "auto":
        few = images_behind(splits.validation.labels, by_class=splits.balance) < FEW_IMAGES
        return _usual(splits) if few and refusal is None and not probes(settings) else 1
    if asked > 1:
        if refusal is not None:
            raise SettingsError(f"labels.folds = {asked}: {refusal}; set labels.folds to 1")
        check_folds(splits, asked)
    return asked


def _refusal(settings: StudySettings, splits: DataSplits) -> str | None:
    """Returns why labels cannot be cross-validated; None where they can."""
    if splits.own_validation:
        return "the images have a validation folder, which is never trained on"
    if any(isinstance(part.images, ImageFile) for part in (splits.train, splits.validation, splits.recalibration)):
        return "the images are in a file, since they are more than data.memory_gb"
    if judges_of(settings) == {"probe"}:
        return "labels.judge takes all images already, each left out once"
    if settings.supernet.rules.split.is_late:
        return f"supernet.split = {settings.supernet.split!r} finds other subspaces on each fold"
    return None


def _usual(splits: DataSplits) -> int:
    try:
        return usual_folds(splits)
    except DataError:  # a class of three images, which no fold can be made of
        return 1


def label_images(settings: StudySettings, splits: DataSplits, folds: int) -> list[torch.Tensor]:
    """Returns the classes of the images that labels rest on, one tensor for each fold.

    With two judges and no folds, these are the probe's; a supernet judges by the validation images among them.
    """
    most = settings.labels.validation_images
    if probes(settings) and folds == 1:
        return [judging_labels(splits, most)]
    return [labels[:most] for labels in validation_labels(splits, folds)]


def images_of_supernet(settings: StudySettings, splits: DataSplits, folds: int) -> int | None:
    """Returns the number of images behind the accuracy in the supernet; None unless a probe judges too."""
    if judges_of(settings) != {"supernet", "probe"}:
        return None
    return sum(len(labels[: settings.labels.validation_images]) for labels in validation_labels(splits, folds))
