"""Formats of image files: which can be read here, and which would need another package."""

import functools
import importlib
from collections import Counter
from collections.abc import Mapping
from pathlib import Path

from PIL import Image, features

from surrogate_nas._support.words import count_of

IMAGE_SUFFIXES = frozenset(
    {".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".bmp", ".webp", ".gif", ".tif", ".tiff", ".ppm", ".pgm", ".pbm", ".pnm"}
)
_HEIF = (".heic", ".heif", ".hif")
_AVIF = (".avif",)
_JXL = (".jxl",)
_RAW = (".dng", ".cr2", ".cr3", ".crw", ".nef", ".nrw", ".arw", ".sr2", ".orf", ".rw2", ".raf", ".pef", ".srw", ".raw")
_REMEDIES = {
    **dict.fromkeys(_HEIF, "pip install 'surrogate_nas[heic]'"),
    **dict.fromkeys(_AVIF, "pip install --upgrade pillow"),
    **dict.fromkeys(_JXL, "pip install pillow-jxl-plugin"),
    **dict.fromkeys(_RAW, "export them as JPEG or PNG: camera raw files hold no finished picture"),
}


@functools.cache
def readable_suffixes() -> frozenset[str]:
    """Returns the endings of image files that can be read here, in small letters; loads installed plug-ins."""
    readable = set(IMAGE_SUFFIXES)
    if _has_heif():
        readable.update(_HEIF)
    if features.check("avif"):
        readable.update(_AVIF)
    if _can_import("pillow_jxl"):  # registers itself
        readable.update(_JXL)
    return frozenset(readable)


def is_image(path: Path) -> bool:
    """Returns True for a visible file that ends like an image that can be read here, in capital or small letters."""
    return not path.name.startswith(".") and path.suffix.lower() in readable_suffixes()


def plug_in_for(path: Path) -> str | None:
    """Returns the remedy for an image file that cannot be read here; None for all other files."""
    if path.name.startswith(".") or path.suffix.lower() in readable_suffixes():
        return None
    return _REMEDIES.get(path.suffix.lower())


def open_image(path: Path | str) -> Image.Image:
    """Opens an image file with the plug-ins that are installed.

    Raises:
        OSError: If it cannot be opened; where a plug-in is missing, the message names it.
    """
    remedy = plug_in_for(Path(path))
    if remedy is not None:
        raise OSError(f"{Path(path).suffix.lower()} files cannot be read here: {remedy}")
    return Image.open(path)


def unreadable_formats(suffixes: Mapping[str, int]) -> list[str]:
    """Returns a sentence for each kind of image file that cannot be read here.

    Args:
        suffixes: Endings in small letters, and how many files have each.
    """
    kinds: dict[str, Counter[str]] = {}
    for suffix, count in suffixes.items():
        if suffix in _REMEDIES and suffix not in readable_suffixes():
            kinds.setdefault(_REMEDIES[suffix], Counter())[suffix] += count
    return [
        f"{count_of(counts.total(), 'image')} cannot be read here ({', '.join(sorted(counts))}): {remedy}"
        for remedy, counts in kinds.items()
    ]


def _has_heif() -> bool:
    if not _can_import("pillow_heif"):
        return False
    importlib.import_module("pillow_heif").register_heif_opener()
    return True


def _can_import(name: str) -> bool:
    try:
        importlib.import_module(name)
    except ImportError:
        return False
    return True
