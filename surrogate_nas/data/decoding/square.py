"""From one image of any size and colour to the pixels of a square one.

Symbols:
    C: channels, 1 or 3.
"""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps, UnidentifiedImageError

from surrogate_nas._support.model_format import Fit
from surrogate_nas._support.words import one_line

ALPHA_MODES = frozenset({"LA", "La", "PA", "RGBA", "RGBa"})
# Of an image as it is decoded: the most take 0.6 GB while colours change.
MOST_PIXELS, LARGE_PIXELS = 50_000_000, 5_000_000
_AS_EIGHT_BITS = ((np.arange(2**16) + 128) // 257).astype(np.uint8)
_ONE_LARGE = threading.RLock()


def square_pixels(
    image: Image.Image, side: int, mode: Literal["L", "RGB"], fit: Fit = "crop", *, draft: bool = True
) -> NDArray[np.uint8]:
    """Pixels of an upright image, made square and resized; shape (C, side, side).

    To ``crop`` is to take the centre square, to ``pad`` to put the whole image in the centre of a black one. Shrinking
    is antialiased: by the mean of whole blocks of pixels where the sides divide, and by a triangle filter elsewhere.
    Transparent parts become white. With ``draft`` the image itself may shrink, which saves time.

    Raises:
        ValueError: If pixels have no agreed black and white (32-bit, floating point), or are too many to hold.
    """
    with one_large(image, side, draft=draft):
        return _square_pixels(image, side, mode, fit)


@contextmanager
def one_large(image: Image.Image, side: int, *, draft: bool = True) -> Iterator[bool]:
    """Waits where an image is large until no other thread holds the pixels of one; yields whether it is large.

    With ``draft`` the image itself may shrink to about twice the side.

    Raises:
        ValueError: If its pixels are too many to hold.
    """
    # A JPEG can be decoded at a half, quarter or eighth of its size, much faster; twice the side keeps all detail.
    if draft:
        image.draft(None, (2 * side, 2 * side))
    count = image.width * image.height
    if count > MOST_PIXELS:
        raise ValueError(f"{image.width}x{image.height} pixels are too many; make it smaller")
    # Threads decode side by side, so only one of them at a time may hold pixels by the gigabyte.
    large = count > LARGE_PIXELS
    with _ONE_LARGE if large else nullcontext():
        yield large


def _square_pixels(image: Image.Image, side: int, mode: Literal["L", "RGB"], fit: Fit) -> NDArray[np.uint8]:
    if image.format == "PNG":
        image.load()  # its EXIF block may stand behind the pixels
    if "exif" in image.info:
        image = ImageOps.exif_transpose(image)
    image = _SQUARED[fit](_recoloured(image, mode), side)
    pixels = np.asarray(image, dtype=np.uint8)
    return pixels[None] if mode == "L" else pixels.transpose(2, 0, 1)


def _cropped(image: Image.Image, side: int) -> Image.Image:
    width, height = image.size
    short = min(width, height)
    left, top = (width - short) // 2, (height - short) // 2
    return _resized(image, (left, top, left + short, top + short), (side, side))


def _padded(image: Image.Image, side: int) -> Image.Image:
    long = max(image.size)
    size = tuple(max(1, round(length * side / long)) for length in image.size)
    small = _resized(image, (0, 0, *image.size), (size[0], size[1]))
    square = Image.new(image.mode, (side, side))
    square.paste(small, ((side - size[0]) // 2, (side - size[1]) // 2))
    return square


_SQUARED: dict[Fit, Callable[[Image.Image, int], Image.Image]] = {"crop": _cropped, "pad": _padded}


def _resized(image: Image.Image, box: tuple[int, int, int, int], size: tuple[int, int]) -> Image.Image:
    """Returns a box (left, top, right, bottom) of an image in another size (width, height)."""
    width, height = box[2] - box[0], box[3] - box[1]
    if (width, height) == size:
        return image if image.size == size else image.crop(box)
    if width % size[0] == 0 and height % size[1] == 0 and width // size[0] == height // size[1]:
        return image.reduce(width // size[0], box)
    return image.resize(size, Image.Resampling.BILINEAR, box=box)


def _recoloured(image: Image.Image, mode: Literal["L", "RGB"]) -> Image.Image:
    if image.mode == "F":
        raise ValueError("floating-point pixels")
    if image.mode.startswith("I"):
        image = _eight_bits(image)
    elif image.mode in ALPHA_MODES or "transparency" in image.info:
        image = image.convert("RGBA")
        image = Image.alpha_composite(Image.new("RGBA", image.size, "white"), image)
    return image if image.mode == mode else image.convert(mode)


def _eight_bits(image: Image.Image) -> Image.Image:
    values = np.asarray(image)
    if values.min() < 0 or values.max() > np.iinfo(np.uint16).max:
        raise ValueError("32-bit pixels")
    small = _AS_EIGHT_BITS[values]
    if isinstance(transparent := image.info.get("transparency"), int):
        small = np.where(values == transparent, np.uint8(255), small)  # white, as in images of 8 bits
    return Image.fromarray(small)


def reason_of(error: Exception) -> str:
    """Returns the reason why an image cannot be decoded, in a few words."""
    if isinstance(error, UnidentifiedImageError):
        return "unknown image format"
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return one_line(error, 100)
