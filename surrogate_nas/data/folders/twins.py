"""Images that are there more than once, found by their pixels.

Symbols:
    N: images; C: channels; S: side in pixels.
"""

import hashlib
from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from surrogate_nas._support.words import count_of

_DIGEST_BYTES = 12
Name = Callable[[int], str]
"""Name of an image by its index, such as its file."""


def pixel_digests(images: NDArray[np.uint8]) -> list[bytes]:
    """Returns a short hash of the pixels of every image (N, C, S, S); equal for equal images."""
    return [hashlib.blake2b(np.ascontiguousarray(image).data, digest_size=_DIGEST_BYTES).digest() for image in images]


def repeated(digests: Sequence[bytes], labels: NDArray[np.int64], name: Name) -> str | None:
    """Returns a warning about images that are there more than once; None where there are none.

    Args:
        digests: Of the images, length N.
        labels: Their classes, shape (N,).
        name: Of each image.
    """
    first: dict[bytes, int] = {}
    copies = [(first[digest], at) for at, digest in enumerate(digests) if first.setdefault(digest, at) != at]
    if not copies:
        return None
    original, copy = copies[0]
    disputed = [pair for pair in copies if labels[pair[0]] != labels[pair[1]]]
    text = (
        f"{count_of(len(copies), 'image')} of {len(digests):,} {'is a copy' if len(copies) == 1 else 'are copies'} of"
        f" another, such as {name(original)} and {name(copy)}: copies on both sides of the division into training and"
        " validation images make accuracies look better than they are"
    )
    if not disputed:
        return text
    original, copy = disputed[0]
    lie = "lies" if len(disputed) == 1 else "lie"
    return f"{text}; {len(disputed):,} of them {lie} in another class, such as {name(original)} and {name(copy)}"


def shared(training: Sequence[bytes], test: Sequence[bytes]) -> NDArray[np.bool_]:
    """Returns True for each test image that is a training image too, shape (N,)."""
    known = set(training)
    return np.array([digest in known for digest in test], dtype=np.bool_)


def leaked(training: Sequence[bytes], test: Sequence[bytes], name: Name, test_name: Name) -> str | None:
    """Returns a sentence about test images that are training images too; None where there are none.

    Args:
        training: Digests of the training images.
        test: Digests of the test images.
        name: Of each training image.
        test_name: Of each test image.
    """
    both = np.flatnonzero(shared(training, test))
    if not both.size:
        return None
    at = int(both[0])
    twin = name(training.index(test[at]))
    return (
        f"{len(both):,} of {count_of(len(test), 'test image')} {'is' if len(both) == 1 else 'are'} also among the"
        f" training images, such as {test_name(at)} (training image {twin})"
    )
