"""From settings to images, divided for a study."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from surrogate_nas.data.classes.uneven import imbalance
from surrogate_nas.data.decoding.decode import Decoded, decode
from surrogate_nas.data.folders.twins import Digested, disputed, leaked, pixel_digests, repeated
from surrogate_nas.data.image_source import ImageSource
from surrogate_nas.data.images import DataSplits, ImageSet
from surrogate_nas.data.on_disk.room import Room
from surrogate_nas.data.settings import DataSettings
from surrogate_nas.data.sources import open_source, open_test_source, open_validation_source
from surrogate_nas.data.splits import check_classes, proportional_subset, split_images, stratified_subset
from surrogate_nas.errors import DataError

Progress = Callable[[int, int], None]

BALANCED = (
    "classes count the same, whatever their size (data.balance): trainings {way}, and accuracies on validation images"
    " are means over classes (balanced accuracy)"
)
_WAYS = {True: "draw them equally often", "weights": "weigh them in the loss"}


@dataclass(frozen=True, eq=False)
class _Part:
    """A source and what was decoded of it."""

    source: ImageSource
    decoded: Decoded

    @property
    def images(self) -> ImageSet:
        """The images with their classes."""
        labels = torch.from_numpy(self.source.labels[self.decoded.kept])
        return ImageSet(self.decoded.pixels, labels, self.source.class_names)

    @property
    def digests(self) -> list[bytes]:
        """A short hash of each image."""
        return pixel_digests(self.images.each())

    def name(self, position: int) -> str:
        """Returns the name of a decoded image, such as its file."""
        return self.source.describe(int(self.decoded.kept[position]))


def load_images(
    settings: DataSettings, seed: int, on_progress: Progress | None = None, folder: Path | None = None
) -> DataSplits:
    """Loads the images of a study, and examines the test images that it leaves alone.

    With the same seed, another ``image_size`` or ``channels`` gives the same division of the same images.

    Args:
        settings: What to load.
        seed: Seed of the choice and the division of images, not negative.
        on_progress: Called now and then with the images decoded and the images in all, of each part.
        folder: Where images are kept that memory should not hold; the system's temporary folder if None.

    Raises:
        DataError: If images are missing, unreadable, too few or too large, in the test part too, or in two classes.
    """
    reader = _Reader(settings, Room(settings.memory_gb, folder, copies=2), on_progress)
    parts = _read_parts(reader, seed)
    return replace(_divided(parts, settings, seed), warnings=_warnings(parts, reader))


def divide_images(
    settings: DataSettings, seed: int, on_progress: Progress | None = None, folder: Path | None = None
) -> DataSplits:
    """Loads the images of a study as ``load_images`` does, without a look at the test images and without warnings."""
    return _divided(_read_parts(_Reader(settings, Room(settings.memory_gb, folder), on_progress), seed), settings, seed)


@dataclass(frozen=True)
class _Reader:
    """Decodes images of sources by the settings of a study."""

    settings: DataSettings
    room: Room
    on_progress: Progress | None

    def __call__(self, source: ImageSource, chosen: NDArray[np.int64], like: _Part | None = None) -> _Part:
        """Returns the chosen images of a source, in the size and colour of another part if there is one."""
        settings = self.settings if like is None else _like(like, self.settings)
        decoded = decode(
            source,
            chosen,
            image_size=settings.image_size,
            channels=settings.channels,
            fit=settings.fit,
            on_unreadable=settings.on_unreadable,
            room=self.room,
            on_progress=self.on_progress,
        )
        return _Part(source, decoded)


def _read_parts(read: _Reader, seed: int) -> list[_Part]:
    """Returns the training part, and the validation part where the source has one."""
    settings = read.settings
    source = open_source(settings.source, settings.path)
    names = source.class_names
    check_classes(source.labels, names)
    most = settings.max_images or len(source)
    train = read(source, stratified_subset(source.labels, most, names, seed))
    held_out = open_validation_source(settings.source, settings.path, names)
    if held_out is None:
        return [train]
    chosen = proportional_subset(held_out.labels, settings.max_images or len(held_out), len(names), seed)
    return [train, read(held_out, chosen, train)]


def _divided(parts: Sequence[_Part], settings: DataSettings, seed: int) -> DataSplits:
    splits = split_images(
        parts[0].images,
        validation_fraction=settings.validation_fraction,
        recalibration_images=settings.recalibration_images,
        seed=seed,
        native_image_size=parts[0].decoded.native_image_size,
        validation=parts[1].images if len(parts) > 1 else None,
    )
    notes = [note for part in parts for note in (*part.source.notes, *part.decoded.notes)]
    if settings.balance:
        splits = splits.balanced(weighted=settings.balance == "weights")
        notes.append(BALANCED.format(way=_WAYS[settings.balance]))
    return replace(splits, notes=(*notes, *splits.notes))


def _like(part: _Part, settings: DataSettings) -> DataSettings:
    """Returns the settings that give other images the size and colour of a part."""
    channels, side = part.decoded.images.shape[1:3]
    return settings.model_copy(update={"image_size": side, "channels": "grey" if channels == 1 else "rgb"})


def _disputed(part: _Part, digests: list[bytes], labels: NDArray[np.int64], settings: DataSettings) -> str | None:
    """Returns a warning about images in two classes, where they are to be kept.

    Raises:
        DataError: If there are any, and they are not to be kept.
    """
    text = disputed(digests, labels, part.name)
    if text is not None and settings.on_two_classes == "error":
        raise DataError(f"{text}; remove the wrong ones, or keep them with --set data.on_two_classes=keep")
    return text


def _warnings(parts: list[_Part], read: _Reader) -> tuple[str, ...]:
    """Returns what may be wrong with the images; sets that come by name are as their authors made them."""
    train, settings = parts[0], read.settings
    found = [warning for part in parts for warning in (*part.source.warnings, *part.decoded.warnings)]
    if settings.source != "folder":
        return tuple(found)
    labels = train.source.labels[train.decoded.kept]
    digests = train.digests
    uneven = None if settings.balance else imbalance(labels, train.source.class_names)
    found += filter(None, [uneven, repeated(digests, train.name), _disputed(train, digests, labels, settings)])
    known = [Digested("training", digests, train.name, labels)]
    for part in parts[1:]:
        classes = part.source.labels[part.decoded.kept]
        known.append(Digested("validation", part.digests, part.name, classes))
        found += filter(None, [_disputed(part, part.digests, classes, settings)])
        text = leaked(known[0], known[-1])
        found += (
            [f"{text}: remove them from one part, as labels of images that were trained on mislead"] if text else []
        )
    test = open_test_source(settings.source, settings.path, train.source.class_names)
    if test is not None:
        held_out = read(test, np.arange(len(test)), train)
        found += [*test.warnings, *(f"test part: {warning}" for warning in held_out.decoded.warnings)]
        classes = held_out.source.labels[held_out.decoded.kept]
        found += filter(None, [_disputed(held_out, held_out.digests, classes, settings)])
        judged = Digested("test", held_out.digests, held_out.name, classes)
        for one in known:
            text = leaked(one, judged)
            found += [f"{text}; the final test leaves them out"] if text else []
    return tuple(found)
