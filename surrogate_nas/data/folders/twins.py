"""Images that are there more than once, found by their pixels.

Symbols:
    N: images; C: channels; S: side in pixels.
"""

import hashlib
from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from surrogate_nas._support.words import count_of

_DIGEST_BYTES = 12
_PAIRS_SHOWN = 3
Name = Callable[[int], str]
"""Name of an image by its index, such as its file."""


def pixel_digests(images: Iterable[NDArray[np.uint8]]) -> list[bytes]:
    """Returns a short hash of the pixels of every image, shape (C, S, S); equal for equal images."""
    return [hashlib.blake2b(np.ascontiguousarray(image).data, digest_size=_DIGEST_BYTES).digest() for image in images]


def repeated(digests: Sequence[bytes], name: Name) -> str | None:
    """Returns a warning about images that are there more than once; None where there are none.

    Args:
        digests: Of the images, length N.
        name: Of each image.
    """
    copies = _copies(digests)
    if not copies:
        return None
    original, copy = copies[0]
    return (
        f"{count_of(len(copies), 'image')} of {len(digests):,} {'is a copy' if len(copies) == 1 else 'are copies'} of"
        f" another, such as {name(original)} and {name(copy)}: copies on both sides of the division into training and"
        " validation images make accuracies look better than they are"
    )


def disputed(digests: Sequence[bytes], labels: NDArray[np.int64], name: Name) -> str | None:
    """Returns a sentence about images that are in two classes; None where there are none.

    Args:
        digests: Of the images, length N.
        labels: Their classes, shape (N,).
        name: Of each image.
    """
    pairs = [(original, copy) for original, copy in _copies(digests) if labels[original] != labels[copy]]
    if not pairs:
        return None
    named = ", ".join(f"{name(original)} and {name(copy)}" for original, copy in pairs[:_PAIRS_SHOWN])
    more = f" and {len(pairs) - _PAIRS_SHOWN:,} more" if len(pairs) > _PAIRS_SHOWN else ""
    return f"{count_of(len(pairs), 'image')} {'is' if len(pairs) == 1 else 'are'} in two classes: {named}{more}"


def _copies(digests: Sequence[bytes]) -> list[tuple[int, int]]:
    """Returns every image that is there before, after the first one of its pixels."""
    first: dict[bytes, int] = {}
    return [(first[digest], at) for at, digest in enumerate(digests) if first.setdefault(digest, at) != at]


def shared(training: Sequence[bytes], test: Sequence[bytes]) -> NDArray[np.bool_]:
    """Returns True for each test image that is a training image too, shape (N,)."""
    known = set(training)
    return np.array([digest in known for digest in test], dtype=np.bool_)


class Digested(NamedTuple):
    """Images of a part of the data.

    Attributes:
        part: The part: training, validation or test.
        digests: Digest of each image's pixels.
        name: Returns the name of an image by its position.
        labels: Their classes, shape (N,).
    """

    part: str
    digests: Sequence[bytes]
    name: Name
    labels: NDArray[np.int64]


def leaked(known: Digested, judged: Digested) -> str | None:
    """Returns a sentence about images that accuracies are measured on, and that are known from another part.

    None where there are none.
    """
    both = np.flatnonzero(shared(known.digests, judged.digests))
    if not both.size:
        return None
    first = {digest: position for position, digest in reversed(list(enumerate(known.digests)))}
    twins = np.array([first[judged.digests[at]] for at in both.tolist()])
    differ = int((known.labels[twins] != judged.labels[both]).sum())
    at, twin = int(both[0]), known.name(int(twins[0]))
    return (
        f"{len(both):,} of {count_of(len(judged.digests), f'{judged.part} image')} {'is' if len(both) == 1 else 'are'}"
        f" also among the {known.part} images, such as {judged.name(at)} ({known.part} image {twin})"
        + (f", {differ:,} of them in another class" if differ else "")
    )
