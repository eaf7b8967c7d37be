"""Images for the network that is deployed: all there are to train on, and images that the study never saw to test with.

Symbols:
    C: channels; S: side in pixels.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal, Self

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from surrogate_nas._support.model_format import Fit
from surrogate_nas._support.words import count_of
from surrogate_nas.data.decoding.decode import decode
from surrogate_nas.data.folders.twins import pixel_digests, shared
from surrogate_nas.data.image_source import ImageSource
from surrogate_nas.data.images import DataSplits, ImageSet, channel_statistics, normalise
from surrogate_nas.data.on_disk.room import Room
from surrogate_nas.data.settings import DataSettings
from surrogate_nas.data.sources import open_source, open_test_source, open_validation_source
from surrogate_nas.data.splits import check_classes, proportional_subset, stratified_parts, stratified_subset
from surrogate_nas.errors import DataError

_CALIBRATION_IMAGES = 256
# Of images that a limit left out of the study: with 10,000, an accuracy of 90% is known to 0.6 points.
_TEST_SHARE, _LEAST_TESTED, _MOST_TESTED = 0.2, 2_000, 10_000
_FEW_TESTED = 200  # fewer of these are taken only where they are as many as the study's validation images
Progress = Callable[[int, int], None]
TestOrigin = Literal["own", "left out", "validation"]
"""Where test images come from, the most trustworthy first; ``TEST_ORIGINS`` says what each means."""

TEST_ORIGINS: dict[TestOrigin, str] = {
    "own": "the source's own test part, which neither the study nor the training saw",
    "left out": "images that data.max_images left out, which neither the study nor the training saw",
    "validation": "the study's validation images: the training did not see them, but the study chose the architecture"
    " by their help, so that the accuracy may be a little too high",
}


@dataclass(frozen=True, eq=False)
class FinalImages:
    """The images that a final network is trained on and judged by; no image is in both parts.

    Attributes:
        train: All images that may be trained on.
        test: Images to judge by, once, at the end.
        mean: Mean of each channel over ``train``, black 0 and white 1, length C.
        std: Standard deviation of each channel over ``train``, length C.
        origin: Where the test images come from.
        notes: Sentences on what was left out or changed.
        warnings: Sentences on what may be wrong with the images.
        balance: Whether the training makes every class count the same; accuracies on ``test`` count images.
        fit: How images were made square.
        weighted: Whether classes count the same by weights in the loss, and not by draws.
    """

    train: ImageSet
    test: ImageSet
    mean: tuple[float, ...]
    std: tuple[float, ...]
    origin: TestOrigin
    notes: tuple[str, ...]
    warnings: tuple[str, ...] = ()
    balance: bool = False
    fit: Fit = "crop"
    weighted: bool = False

    @classmethod
    def of(
        cls, train: ImageSet, test: ImageSet, origin: TestOrigin, notes: Iterable[str], warnings: Iterable[str] = ()
    ) -> Self:
        """Measures the training images; a sentence that was found twice is kept once."""
        mean, std = channel_statistics(train.images)
        return cls(train, test, mean, std, origin, tuple(dict.fromkeys(notes)), tuple(dict.fromkeys(warnings)))

    def without_leaks(self) -> Self:
        """Returns the images without test images that are training images too, which would raise the accuracy.

        Raises:
            DataError: If no test image is left.
        """
        both = shared(pixel_digests(self.train.each()), pixel_digests(self.test.each()))
        return self.leaving_out(both, "training images too", "is a training image too")

    def leaving_out(self, chosen: NDArray[np.bool_], reason: str, reason_of_all: str) -> Self:
        """Returns the images without some test images, with a warning.

        Args:
            chosen: True for those, one for each test image.
            reason: Why they are left out, as the end of a sentence on several.
            reason_of_all: Likewise, of every test image.

        Raises:
            DataError: If no test image is left.
        """
        if chosen.all():
            raise DataError(f"every test image {reason_of_all}; put other images into the test part")
        if not chosen.any():
            return self
        text = f"{int(chosen.sum()):,} of {count_of(len(self.test), 'test image')} left out: {reason}"
        kept = self.test.take(torch.from_numpy(np.flatnonzero(~chosen)))
        return replace(self, test=kept, warnings=(*self.warnings, text))

    def normalise(self, images: Tensor) -> Tensor:
        """Converts images (B, C, S, S), uint8, to float32 of mean 0, deviation 1 by channel of the training images."""
        return normalise(images, self.mean, self.std)

    def calibration(self, seed: int) -> Tensor:
        """Returns normalised training images that ranges of 8-bit activations are taken from, (B, C, S, S).

        Args:
            seed: Of their choice; there are 256 of them, or all where there are fewer.
        """
        return self._drawn(self.train, seed, _CALIBRATION_IMAGES)

    def checked(self, seed: int, most: int) -> Tensor:
        """Returns so many normalised test images at most, drawn from all classes: a folder has its images by class."""
        return self._drawn(self.test, seed, most)

    def _drawn(self, part: ImageSet, seed: int, most: int) -> Tensor:
        chosen = torch.randperm(len(part), generator=torch.Generator().manual_seed(seed))[:most]
        return self.normalise(part.images[chosen])

    def to(self, device: torch.device | str) -> Self:
        """Returns the same images on a device."""
        return replace(self, train=self.train.to(device), test=self.test.to(device))


def load_final_images(
    settings: DataSettings,
    seed: int,
    *,
    image_size: int,
    channels: int,
    class_names: tuple[str, ...],
    folder: Path | None = None,
    on_progress: Progress | None = None,
    changed_since: DataSplits | None = None,
) -> FinalImages:
    """Reads the images of a study again, at the size of the deployed network.

    With a test part of the source, every image of its training part is trained on. Without one, images that
    ``max_images`` left out of the study are the test, or enough of them, and the others are trained on; where the study
    used all, its validation images are the test: the validation part of the source, or those that the study held out.

    Args:
        settings: The study's settings.
        seed: The study's seed, which decides which images it saw.
        image_size: Side S.
        channels: 1 for grey, 3 for colour.
        class_names: The study's classes.
        folder: Where images are kept that memory should not hold; the system's temporary folder if None.
        on_progress: Called now and then with images decoded and images in all, of each part.
        changed_since: The images of the study, where the folder has changed since. Its division is another one then,
            so that test images which the study used are left out.

    Test images of a folder that are training images too, to the pixel, are left out.

    Raises:
        DataError: If images are missing, unreadable or too large, or have other classes than in the study.
    """
    room = Room(settings.memory_gb, folder)
    read = _Reader(settings, image_size, channels, class_names, room, on_progress)
    images, tested = _load(settings, seed, read, class_names)
    images = replace(images, fit=settings.fit)
    if changed_since is not None:
        images = _without_used(images, tested, changed_since, read)
    # Sets that come by name are as their authors made them.
    return images.without_leaks() if settings.source == "folder" else images


def _without_used(images: FinalImages, tested: "_Read", study: DataSplits, read: "_Reader") -> FinalImages:
    """Returns the images without test images that the study used; its validation images remain where they are these."""
    parts = [study.train, study.recalibration, *([study.validation] if images.origin != "validation" else [])]
    used = {digest for part in parts for digest in pixel_digests(part.each())}
    # Pixels are compared at the study's size.
    again = read.at_size(study.image_size, study.train.channels)(tested.source, tested.kept)
    found = shared(list(used), pixel_digests(again.images.each()))
    both = np.isin(tested.kept, again.kept[found])
    return images.leaving_out(both, "the study used them", "was used by the study")


def _load(
    settings: DataSettings, seed: int, read: "_Reader", class_names: tuple[str, ...]
) -> tuple[FinalImages, "_Read"]:
    """Returns the images, and which ones of which source are their test part."""
    source = open_source(settings.source, settings.path)
    check_classes(source.labels, source.class_names)
    if source.class_names != class_names:
        raise DataError(
            f"the images have other classes now than in the study: {', '.join(source.class_names)} instead of"
            f" {', '.join(class_names)}; restore them, or start a new study"
        )

    everything = np.arange(len(source))
    used = stratified_subset(source.labels, settings.max_images or len(source), class_names, seed)
    test_source = open_test_source(settings.source, settings.path, class_names)
    if test_source is not None:
        train, test = read(source, everything), read(test_source, np.arange(len(test_source)))
        own = FinalImages.of(train.images, test.images, "own", read.notes, read.warnings)
        return _without_validation(own, test, settings, read, class_names)
    unseen = np.setdiff1d(everything, used)
    tested = unseen[proportional_subset(source.labels[unseen], _tested(len(source)), len(class_names), seed)]
    covers = len(np.unique(source.labels[tested])) == len(class_names)
    if covers and len(tested) >= min(_FEW_TESTED, settings.validation_fraction * len(used)):
        # The study did not open all of them, so that nobody was asked what to do about damaged ones.
        images = read(source, np.setdiff1d(everything, tested), skip=len(tested) < len(unseen))
        test = read(source, tested, skip=True)
        left = FinalImages.of(images.images, test.images, "left out", read.notes, read.warnings)
        return _without_validation(left, test, settings, read, class_names)
    images = read(source, used)
    held_out = open_validation_source(settings.source, settings.path, class_names)
    if held_out is not None:
        test = read(held_out, np.arange(len(held_out)))
        return FinalImages.of(images.images, test.images, "validation", read.notes, read.warnings), test
    parts = stratified_parts(
        images.images.labels.numpy(), class_names, settings.validation_fraction, settings.recalibration_images, seed
    )
    train_part = images.take(np.concatenate([parts.train, parts.recalibration])).images
    test = images.take(parts.validation)
    return FinalImages.of(train_part, test.images, "validation", read.notes, read.warnings), test


def _tested(images: int) -> int:
    """Returns how many images that the study left out are enough to test with, for a number of images in all."""
    return max(_LEAST_TESTED, min(_MOST_TESTED, round(_TEST_SHARE * images)))


def _without_validation(
    images: FinalImages, test: "_Read", settings: DataSettings, read: "_Reader", class_names: tuple[str, ...]
) -> tuple[FinalImages, "_Read"]:
    """Returns both without the test images that are also among the ones of ``val/``, which judged architectures."""
    chosen_by = open_validation_source(settings.source, settings.path, class_names)
    # Sets that come by name are as their authors made them.
    if chosen_by is None or settings.source != "folder":
        return images, test
    validation = read(chosen_by, np.arange(len(chosen_by))).images
    both = shared(pixel_digests(validation.each()), pixel_digests(test.images.each()))
    images = images.leaving_out(both, "validation images too", "is a validation image too")
    return images, test.take(np.flatnonzero(~both))


@dataclass(frozen=True, eq=False)
class _Read:
    """Images of a source, and which of it they are, shape (N,)."""

    source: ImageSource
    images: ImageSet
    kept: NDArray[np.int64]

    def take(self, rows: NDArray[np.int64]) -> "_Read":
        """Returns some of them."""
        return _Read(self.source, self.images.take(torch.from_numpy(rows)), self.kept[rows])


class _Reader:
    """Reads images at the size of the deployed network, and gathers what there is to say about them."""

    def __init__(
        self,
        settings: DataSettings,
        image_size: int,
        channels: int,
        class_names: tuple[str, ...],
        room: Room,
        on_progress: Progress | None,
    ) -> None:
        self.notes: list[str] = []
        self.warnings: list[str] = []
        self._settings, self._class_names, self._on_progress = settings, class_names, on_progress
        self._image_size, self._grey, self._room = image_size, channels == 1, room

    def at_size(self, image_size: int, channels: int) -> "_Reader":
        """Returns a reader of the same images in another size, to which nothing new can be said."""
        return _Reader(self._settings, image_size, channels, self._class_names, self._room, self._on_progress)

    def __call__(self, source: ImageSource, chosen: NDArray[np.int64], skip: bool = False) -> _Read:
        """Returns the chosen images of a source; with ``skip``, unreadable ones are left out whatever was asked for."""
        decoded = decode(
            source,
            chosen,
            image_size=self._image_size,
            channels="grey" if self._grey else "rgb",
            fit=self._settings.fit,
            on_unreadable="skip" if skip else self._settings.on_unreadable,
            room=self._room,
            on_progress=self._on_progress,
        )
        self.notes += (*source.notes, *decoded.notes)
        self.warnings += (*source.warnings, *decoded.warnings)
        labels = torch.from_numpy(source.labels[decoded.kept])
        return _Read(source, ImageSet(decoded.pixels, labels, self._class_names), decoded.kept)
