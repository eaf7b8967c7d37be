"""Equal pixels are found, whatever their files."""

import numpy as np

from surrogate_nas.data.folders.twins import Digested, disputed, leaked, pixel_digests, repeated, shared


def test_digests_are_equal_for_equal_pixels_alone() -> None:
    images = np.random.default_rng(0).integers(0, 256, size=(4, 3, 5, 5), dtype=np.uint8)
    images[3] = images[1]
    digests = pixel_digests(images)
    assert len(set(digests)) == 3
    assert digests[3] == digests[1]
    # A view that is not contiguous has the same pixels.
    assert pixel_digests(images.transpose(0, 2, 3, 1)[:, ::-1].transpose(0, 3, 1, 2)[:, :, ::-1]) == digests


def test_copies_are_counted_beside_their_original() -> None:
    assert repeated([b"a", b"b", b"c", b"d"], str) is None
    three = repeated([b"a", b"a", b"a", b"d"], str)
    assert three is not None
    assert three.startswith("2 images of 4 are copies of another, such as 0 and 1:")


def test_images_in_two_classes_are_named_three_at_most() -> None:
    labels = np.array([0, 0, 1, 1, 1, 1])
    assert disputed([b"a", b"a", b"c", b"d", b"e", b"f"], labels, str) is None
    one = disputed([b"a", b"b", b"a", b"d", b"e", b"f"], labels, str)
    assert one == "1 image is in two classes: 0 and 2"
    four = disputed([b"a", b"b", b"a", b"a", b"b", b"a"], labels, str)
    assert four == "4 images are in two classes: 0 and 2, 0 and 3, 1 and 4 and 1 more"


def test_leaks_name_a_pair() -> None:
    training, test = [b"a", b"b"], [b"c", b"b", b"b"]
    assert shared(training, test).tolist() == [False, True, True]
    known = Digested("training", training, "train {}".format, np.array([0, 1]))
    assert leaked(known, Digested("test", [b"c"], str, np.array([0]))) is None
    assert leaked(known, Digested("test", test, "test {}".format, np.array([0, 1, 1]))) == (
        "2 of 3 test images are also among the training images, such as test 1 (training image train 1)"
    )
    assert leaked(known, Digested("validation", [b"a"], "val {}".format, np.array([1]))) == (
        "1 of 1 validation image is also among the training images, such as val 0 (training image train 0), 1 of them"
        " in another class"
    )
