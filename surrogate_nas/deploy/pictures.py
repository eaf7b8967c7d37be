"""Images that a model is to classify, as people have them: files, folders, Pillow images and arrays."""

import warnings
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from surrogate_nas._support.cache_folder import expanded
from surrogate_nas._support.model_format import Preprocessing
from surrogate_nas.data.decoding.square import reason_of, square_pixels
from surrogate_nas.data.folders.image_formats import is_image, open_image, plug_in_for
from surrogate_nas.data.folders.listing import visible_files
from surrogate_nas.errors import PredictionError, SettingsError

Picture = Path | Image.Image | NDArray[np.uint8]
"""An image file, a Pillow image, or an array of shape (H, W), (H, W, 3) or (H, W, 4)."""
Pictures = str | Picture | Iterable[str | Picture]
"""One or several; a path may be a folder, and an array of shape (N, H, W, C) is N images."""
_PIXEL_DEPTHS = (3, 4)
_NO_IMAGE = "an image is a path, a Pillow image or an array of numpy (got {})"


def pictures_of(images: Pictures) -> list[Picture]:
    """Returns every single image, in order; folders stand for the images in them at any depth.

    Raises:
        SettingsError: If a path does not exist, or a folder holds no image.
        PredictionError: If it is nothing of that kind.
    """
    if isinstance(images, str | Path):
        return [*find_images([expanded(images)])]
    if isinstance(images, Image.Image) or (isinstance(images, np.ndarray) and images.ndim < 4):
        return [images]
    if not isinstance(images, Iterable):
        raise PredictionError(_NO_IMAGE.format(type(images).__name__))
    found: list[Picture] = []
    for one in images:
        found += pictures_of(one) if isinstance(one, str | Path) else [one]
    return found


def find_images(paths: Sequence[Path]) -> list[Path]:
    """Returns the files as they are, and the images at any depth of the folders, ordered by path.

    Raises:
        SettingsError: If something does not exist, or a folder holds no image.
    """
    found: list[Path] = []
    for path in paths:
        if path.parts and path.parts[0] in ("http:", "https:"):
            raise SettingsError(f"{path.name} is on the web: download it, and name the file")
        if not path.exists():
            raise SettingsError(f"there is no image or folder of images at {path}")
        if path.is_dir():
            # A link that leads nowhere is an image that cannot be read; a pipe is none.
            inside = sorted(
                file
                for file in visible_files(path)
                if (file.is_file() or (file.is_symlink() and not file.exists())) and _is_meant(file)
            )
            if not inside:
                raise SettingsError(f"the folder {path} holds no image")
            found += inside
        elif path.is_file():
            found.append(path)
        else:
            raise SettingsError(f"{path} is neither an image nor a folder of images")
    return found


def name_of(picture: Picture, position: int) -> str:
    """Returns the file, or ``image 3`` where there is none."""
    return str(picture) if isinstance(picture, Path) else f"image {position}"


def pixels_of(picture: Picture, preprocessing: Preprocessing) -> NDArray[np.uint8]:
    """Returns the pixels of an image as the model takes them, shape (C, S, S).

    Raises:
        PredictionError: If it cannot be read; the message is the reason alone.
    """
    mode: Literal["L", "RGB"] = "L" if preprocessing.channels == 1 else "RGB"
    try:
        if isinstance(picture, Path):
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # of Pillow, such as for damaged EXIF blocks and large images
                with open_image(picture) as image:
                    return square_pixels(image, preprocessing.size, mode, preprocessing.fit)
        image = Image.fromarray(_checked(picture)) if isinstance(picture, np.ndarray) else picture
        if not isinstance(image, Image.Image):
            raise PredictionError(_NO_IMAGE.format(type(image).__name__))
        return square_pixels(image, preprocessing.size, mode, preprocessing.fit, draft=False)  # it is the caller's
    except PredictionError:
        raise
    except Exception as error:  # decoders raise OSError, SyntaxError, struct.error, ... on damaged files
        raise PredictionError(reason_of(error)) from None


def _is_meant(file: Path) -> bool:
    return is_image(file) or plug_in_for(file) is not None


def _checked(array: NDArray[np.uint8]) -> NDArray[np.uint8]:
    array = array[..., 0] if array.ndim == 3 and array.shape[-1] == 1 else array
    fits = array.ndim == 2 or (array.ndim == 3 and array.shape[-1] in _PIXEL_DEPTHS)
    if array.dtype != np.uint8 or not fits or not array.size:
        raise PredictionError(
            f"an array must be uint8 of shape (height, width), (height, width, 3) or (height, width, 4), not"
            f" {array.dtype} of shape {array.shape}"
        )
    return array
