"""From settings to images in memory, divided for a study."""

from collections.abc import Callable

import torch

from surrogate_nas.data.decoding import decode
from surrogate_nas.data.images import DataSplits, ImageSet
from surrogate_nas.data.settings import DataSettings
from surrogate_nas.data.sources import open_source
from surrogate_nas.data.splits import check_classes, split_images, stratified_subset


def load_images(settings: DataSettings, seed: int, on_progress: Callable[[int, int], None] | None = None) -> DataSplits:
    """Loads the images of a study.

    With the same seed, another ``image_size`` or ``channels`` gives the same division of the same images.

    Args:
        settings: What to load.
        seed: Seed of the choice and the division of images, not negative.
        on_progress: Called now and then with the images decoded and the images in all.

    Raises:
        DataError: If the images are missing, unreadable, too few or too large.
    """
    source = open_source(settings.source, settings.path)
    check_classes(source.labels, source.class_names)
    chosen = stratified_subset(source.labels, settings.max_images or len(source), source.class_names, seed)
    decoded = decode(
        source,
        chosen,
        image_size=settings.image_size,
        channels=settings.channels,
        on_unreadable=settings.on_unreadable,
        memory_gb=settings.memory_gb,
        on_progress=on_progress,
    )
    images = ImageSet(
        torch.from_numpy(decoded.images), torch.from_numpy(source.labels[decoded.kept]), source.class_names
    )
    return split_images(
        images,
        validation_fraction=settings.validation_fraction,
        recalibration_images=settings.recalibration_images,
        seed=seed,
        native_image_size=decoded.native_image_size,
        notes=source.notes + decoded.notes,
    )
