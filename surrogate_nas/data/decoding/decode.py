"""From image files of any size and colour to equal square images, in memory or in a file.

Symbols:
    N: images; C: channels, 1 or 3; S: side in pixels.
"""

import math
import warnings
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image

from surrogate_nas._support.model_format import Fit
from surrogate_nas._support.processors import processor_count
from surrogate_nas._support.words import count_of
from surrogate_nas.data.decoding.square import one_large, reason_of, square_pixels
from surrogate_nas.data.image_source import ImageSource
from surrogate_nas.data.images import Pixels
from surrogate_nas.data.on_disk.image_file import ImageFile
from surrogate_nas.data.on_disk.room import GIGABYTE, Room
from surrogate_nas.errors import DataError

GREY_MODES = frozenset({"1", "L", "LA", "La", "I", "I;16", "I;16B", "I;16L", "I;16N"})
CHUNK = 128
MOST_THREADS = 8
TINY_SIDE = 64
LARGE_SIDE = 512  # networks are hardly trained on larger images
SAMPLED_HEADERS = 200
FAILURES_SHOWN = 3
NEARLY_BLACK = 16  # of 255
MOST_DARK_BITS = 14  # of an image of 16 bits that is a quarter as bright as it should be, or less


class ImageHeader(NamedTuple):
    """The header of an image file: width and height in pixels, and Pillow's colour mode.

    ``peak`` is the largest value of an image of 16 bits that was decoded, and ``brightest`` the largest pixel of what
    any image was decoded to.
    """

    size: tuple[int, int]
    mode: str
    peak: int | None = None
    brightest: int | None = None


class Plan(NamedTuple):
    """The form that images are decoded to: side S in pixels, grey or coloured, and how they become square."""

    side: int
    grey: bool
    fit: Fit

    @property
    def shape(self) -> tuple[int, int, int]:
        """Shape of an image, (C, S, S)."""
        return (1 if self.grey else 3, self.side, self.side)

    def pixels(self, image: Image.Image) -> NDArray[np.uint8]:
        """Returns the pixels of an image, shape (C, S, S)."""
        return square_pixels(image, self.side, "L" if self.grey else "RGB", self.fit)


@dataclass(frozen=True, eq=False)
class Decoded:
    """Decoded images.

    Attributes:
        images: Shape (N, C, S, S), in memory or in a file.
        kept: Index in the source of each image, shape (N,).
        native_image_size: Median of the files' short sides.
        notes: Sentences for the report.
        warnings: Sentences on what may be wrong with the images.
    """

    images: NDArray[np.uint8] | ImageFile
    kept: NDArray[np.int64]
    native_image_size: int
    notes: tuple[str, ...]
    warnings: tuple[str, ...] = ()

    @property
    def pixels(self) -> Pixels:
        """The images as a set of images takes them."""
        return self.images if isinstance(self.images, ImageFile) else torch.from_numpy(self.images)


def decode(
    source: ImageSource,
    chosen: NDArray[np.int64],
    *,
    image_size: int | None,
    channels: Literal["auto", "grey", "rgb"],
    fit: Fit = "crop",
    on_unreadable: Literal["error", "skip"],
    room: Room,
    on_progress: Callable[[int, int], None] | None = None,
) -> Decoded:
    """Decodes, recolours and resizes images in threads.

    Size and colour are planned from the headers of some images, so that every file is opened once; only where the
    headers of all images call for other colours is everything decoded again.

    Args:
        source: Where the images are.
        chosen: Indices of the images to decode, shape (M,).
        image_size: Side S; the median of the short sides if None, of some images where they are many.
        channels: Colour of the result; ``"auto"`` is grey if all files are.
        fit: How images become square.
        on_unreadable: Whether images that cannot be decoded are an error or left out.
        room: Where the result is put.
        on_progress: Called from this thread with images done and images in all; starts over with a new plan.

    Raises:
        DataError: If images cannot be decoded, or there is no room for the result.
    """
    with warnings.catch_warnings():
        # Pillow warns of large images, odd palettes and broken EXIF blocks of images that it decodes all the same.
        warnings.simplefilter("ignore")
        headers = [header for index in _sample(chosen) if (header := _header(source, index)) is not None]
        native = _median_side(headers)
        plan = _plan(headers, image_size or native, channels, fit)
        for _ in range(2):
            images = room.make((len(chosen), *plan.shape))
            # Threads pay where decoding is long, since it frees the interpreter; with tiny images they queue for it.
            threads = 1 if all(max(header.size) <= TINY_SIDE for header in headers) else MOST_THREADS
            seen = _decode_all(images, plan, source, chosen, _Watched(threads, on_progress))
            headers = [header for header in seen if isinstance(header, ImageHeader)]
            failures = {i: reason for i, reason in zip(chosen.tolist(), seen, strict=True) if isinstance(reason, str)}
            _check_readable(source, failures, len(chosen), on_unreadable)
            guess, plan = plan, _plan(headers, plan.side, channels, fit)
            if guess == plan:
                break
    kept = ~np.isin(chosen, list(failures))
    notes = _notes(headers, native, plan)
    if failures:
        images = images.take(torch.from_numpy(np.flatnonzero(kept))) if isinstance(images, ImageFile) else images[kept]
    found = _warnings(source, headers, failures)
    if image_size is None and plan.side > LARGE_SIDE:
        found += (
            f"networks for {plan.side}x{plan.side} pixels, the median of the images' short sides, take long to train;"
            " set a smaller data.image_size, such as 224",
        )
    return Decoded(images, chosen[kept], native, (*notes, *_where(images, room)), found)


def _sample(chosen: NDArray[np.int64]) -> list[int]:
    """Returns images from all over the set, whose headers the first plan is made from."""
    return [int(index) for index in chosen[:: max(1, len(chosen) // SAMPLED_HEADERS)]]


def _plan(headers: Sequence[ImageHeader], side: int, channels: Literal["auto", "grey", "rgb"], fit: Fit) -> Plan:
    grey = channels == "grey" or (channels == "auto" and all(h.mode in GREY_MODES for h in headers))
    return Plan(side, grey, fit)


def _median_side(headers: Sequence[ImageHeader]) -> int:
    """Returns the lower median of the short sides, which one of the images has: a few tiny ones change nothing."""
    sides = sorted(min(header.size) for header in headers)
    # Without any header, nothing is readable: whatever the size, the error will say that.
    return sides[(len(sides) - 1) // 2] if sides else 1


def _header(source: ImageSource, index: int) -> ImageHeader | None:
    try:
        with source.open_image(index) as image:
            return ImageHeader(image.size, image.mode)
    except Exception:  # decoders raise OSError, SyntaxError, struct.error, ... on damaged files; decoding reports them
        return None


class _Watched(NamedTuple):
    """Most threads that decode side by side, and what is called with their progress."""

    threads: int
    on_progress: Callable[[int, int], None] | None


def _decode_all(
    images: NDArray[np.uint8] | ImageFile,
    plan: Plan,
    source: ImageSource,
    indices: NDArray[np.int64],
    watched: _Watched,
) -> list[ImageHeader | str]:
    """Fills ``images``, shape (N, C, S, S); returns each image's header, or why it cannot be decoded, length N."""

    def decode_chunk(start: int) -> list[ImageHeader | str]:
        chunk = indices[start : start + CHUNK].tolist()
        if not isinstance(images, ImageFile):
            return [_decode_into(images[start + row], plan, source, index) for row, index in enumerate(chunk)]
        pixels = np.zeros((len(chunk), *images.shape[1:]), dtype=np.uint8)
        found = [_decode_into(pixels[row], plan, source, index) for row, index in enumerate(chunk)]
        images.write(start, pixels)
        return found

    results: list[ImageHeader | str] = []
    with ThreadPoolExecutor(min(watched.threads, processor_count())) as threads:
        for chunk in threads.map(decode_chunk, range(0, len(indices), CHUNK)):
            results.extend(chunk)
            if watched.on_progress is not None:
                watched.on_progress(len(results), len(indices))
    return results


def _decode_into(out: NDArray[np.uint8], plan: Plan, source: ImageSource, index: int) -> ImageHeader | str:
    """Writes the pixels of an image to ``out``, shape (C, S, S)."""
    try:
        with source.open_image(index) as image:
            size, colours = image.size, image.mode
            with one_large(image, plan.side) as large:
                out[:] = plan.pixels(image)
                peak = int(np.asarray(image).max()) if colours.startswith("I") else None
                brightest = int(out.max())
                if large:
                    image.close()  # its pixels go before another thread decodes its own
            header = ImageHeader(size, colours, peak, brightest)
    except Exception as error:  # as above
        return reason_of(error)
    return header


def _check_readable(source: ImageSource, failures: dict[int, str], total: int, on_unreadable: str) -> None:
    if not failures or (on_unreadable == "skip" and len(failures) < total):
        return
    first = _first(failures)
    listed = "; ".join(f"{source.describe(index)} ({failures[index]})" for index in first)
    more = f" and {len(failures) - len(first)} more" if len(failures) > len(first) else ""
    remedy = (
        ""
        if len(failures) == total
        else "; repair or delete them, or start the study with --set data.on_unreadable=skip"
    )
    raise DataError(f"{len(failures):,} of {count_of(total, 'image')} cannot be read: {listed}{more}{remedy}")


def _first(failures: dict[int, str]) -> list[int]:
    return sorted(failures)[:FAILURES_SHOWN]


def _where(images: NDArray[np.uint8] | ImageFile, room: Room) -> tuple[str, ...]:
    if not isinstance(images, ImageFile):
        return ()
    size = math.prod(images.shape) / GIGABYTE
    return (
        f"{count_of(len(images), 'image')} take {size:.3g} GB, more than data.memory_gb = {room.memory_gb:g}: they stay"
        " on the disk, and every step reads its batch",
    )


def _notes(headers: list[ImageHeader], native: int, plan: Plan) -> tuple[str, ...]:
    notes, total = [], count_of(len(headers), "image")
    scaled = min if plan.fit == "crop" else max  # the side that is made as long as the result
    if resized := sum(scaled(header.size) != plan.side for header in headers):
        notes.append(
            f"{resized:,} of {total} were resized to {plan.side}x{plan.side} (their short sides have a median of"
            f" {native:,} pixels)"
        )
    if oblong := [header.size for header in headers if header.size[0] != header.size[1]]:
        lost = np.mean([1 - min(size) / max(size) for size in oblong])
        notes.append(
            f"{len(oblong):,} of {total} were cut to their centre square, and lose {lost:.0%} of their area on average"
            " (data.fit = pad keeps it)"
            if plan.fit == "crop"
            else f"{len(oblong):,} of {total} got black borders, {lost:.0%} of their squares on average"
        )
    if recoloured := sum((header.mode in GREY_MODES) != plan.grey for header in headers):
        colour = "grey" if plan.grey else "colour"
        notes.append(f"{recoloured:,} of {total} were converted to {colour}")
    return tuple(notes)


def _warnings(source: ImageSource, headers: list[ImageHeader], failures: dict[int, str]) -> tuple[str, ...]:
    warnings = []
    if failures:
        listed = ", ".join(source.describe(index) for index in _first(failures))
        warnings.append(f"{count_of(len(failures), 'unreadable image')} left out, such as {listed}")
    deep = [header.peak for header in headers if header.peak is not None]
    peaks = [peak for peak in deep if peak.bit_length() <= MOST_DARK_BITS]
    if 2 * len(peaks) > len(deep):
        bits = max(max(peaks).bit_length(), 1)
        warnings.append(
            f"{count_of(len(peaks), 'image')} of 16 bits a pixel {'has' if len(peaks) == 1 else 'have'} no value above"
            f" {max(peaks):,}, as if only {bits} bits were used: {'it becomes' if len(peaks) == 1 else 'they become'}"
            f" nearly black; multiply the values by {2 ** (16 - bits)} before the study"
        )
    # Colours of 16 bits lose their lower half when they are decoded, so that only what is left tells.
    black = sum(one.peak is None and one.brightest is not None and one.brightest <= NEARLY_BLACK for one in headers)
    if 10 * black >= max(1, len(headers)):
        warnings.append(
            f"{black:,} of {count_of(len(headers), 'image')} {'is' if black == 1 else 'are'} nearly black: no value"
            f" above {NEARLY_BLACK} of 255; if the files hold 10 or 12 bits in 16, multiply the values before the study"
        )
    return tuple(warnings)
