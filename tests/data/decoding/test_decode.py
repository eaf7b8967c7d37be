"""Many images against what each of them is, and what is said about them."""

import re
import threading
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Literal

import numpy as np
import pytest
from PIL import Image

from surrogate_nas.data.decoding.decode import Decoded, decode
from surrogate_nas.data.folders.image_folder import open_folder
from surrogate_nas.data.on_disk.image_file import ImageFile
from surrogate_nas.data.on_disk.room import Room
from surrogate_nas.errors import DataError

MakeFolder = Callable[..., Path]
Mode = Literal["L", "RGB"]


def decode_folder(root: Path, **changes: object) -> Decoded:
    source = open_folder(root)
    options: dict[str, Any] = {"image_size": None, "channels": "auto", "on_unreadable": "error", "room": Room(1.0)}
    return decode(source, np.arange(len(source)), **{**options, **changes})


def test_files_come_out_in_order_and_untouched(make_folder: MakeFolder) -> None:
    root = make_folder({"cat": 150, "dog": 150})  # more than one chunk
    decoded = decode_folder(root)
    files = sorted(root.glob("*/*.png"))
    expected = np.stack([np.asarray(Image.open(file)).transpose(2, 0, 1) for file in files])
    np.testing.assert_array_equal(decoded.images, expected)
    assert decoded.kept.tolist() == list(range(300))
    assert decoded.native_image_size == 8
    assert decoded.notes == ()


def test_a_choice_of_images_is_decoded_alone(make_folder: MakeFolder) -> None:
    root = make_folder({"cat": 5, "dog": 5})
    source = open_folder(root)
    decoded = decode(source, np.array([1, 7]), image_size=None, channels="rgb", on_unreadable="error", room=Room(1.0))
    np.testing.assert_array_equal(decoded.images, decode_folder(root).pixels[:].numpy()[[1, 7]])
    assert decoded.kept.tolist() == [1, 7]


def test_the_median_of_short_sides_decides_where_none_is_given(make_folder: MakeFolder) -> None:
    make_folder({"cat": 5}, size=(12, 10))
    root = make_folder({"dog": 3}, size=(20, 20))
    decoded = decode_folder(root)
    assert decoded.images.shape == (8, 3, 10, 10)
    assert decoded.native_image_size == 10
    assert decoded.notes == (
        "3 of 8 images were resized to 10x10 (their short sides have a median of 10 pixels)",
        "5 of 8 images were cut to their centre square, and lose 17% of their area on average (data.fit = pad keeps"
        " it)",
    )


def test_a_size_that_nobody_set_is_doubted_where_it_is_large(
    make_folder: MakeFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = make_folder({"cat": 2, "dog": 2})
    assert decode_folder(root).warnings == ()
    monkeypatch.setattr("surrogate_nas.data.decoding.decode.LARGE_SIDE", 6)
    (warning,) = decode_folder(root).warnings
    assert warning.startswith("networks for 8x8 pixels, the median of the images' short sides, take long to train; set")
    assert decode_folder(root, image_size=7).warnings == ()


def test_whole_images_are_kept_between_borders_where_asked(make_folder: MakeFolder) -> None:
    make_folder({"cat": 5}, size=(12, 9))
    root = make_folder({"dog": 3}, size=(12, 12))
    decoded = decode_folder(root, fit="pad", image_size=12)
    assert decoded.images.shape == (8, 3, 12, 12)
    assert decoded.notes[-1] == "5 of 8 images got black borders, 25% of their squares on average"
    pixels = decoded.pixels[:].numpy()
    assert not pixels[:5, :, 0].any()
    assert not pixels[:5, :, 10:].any()
    with Image.open(root / "cat" / "0000.png") as image:
        np.testing.assert_array_equal(pixels[0, :, 1:10], np.asarray(image).transpose(2, 0, 1))


def test_a_few_tiny_images_do_not_make_all_of_them_tiny(make_folder: MakeFolder) -> None:
    """In a folder of photos hardly two sizes are the same."""
    for number in range(9):
        root = make_folder({f"class{number}": 1}, size=(4 if number == 4 else 20 + number, 60), seed=number)
    decoded = decode_folder(root)
    assert decoded.images.shape[2:] == (23, 23) == (decoded.native_image_size,) * 2


def test_a_size_that_is_given_leaves_the_native_one_known(make_folder: MakeFolder) -> None:
    decoded = decode_folder(make_folder({"cat": 3, "dog": 3}, size=(9, 9)), image_size=4)
    assert decoded.images.shape == (6, 3, 4, 4)
    assert decoded.native_image_size == 9


@pytest.mark.parametrize(
    ("second", "channels", "count", "note"),
    [
        ("L", "auto", 1, ()),
        ("L", "rgb", 3, ("6 of 6 images were converted to colour",)),
        ("RGB", "auto", 3, ("3 of 6 images were converted to colour",)),
        ("RGB", "grey", 1, ("3 of 6 images were converted to grey",)),
    ],
)
def test_grey_and_colour(
    make_folder: MakeFolder, second: str, channels: str, count: int, note: tuple[str, ...]
) -> None:
    make_folder({"cat": 3}, mode="L")
    decoded = decode_folder(make_folder({"dog": 3}, mode=second), channels=channels)
    assert decoded.images.shape[1] == count
    assert decoded.notes == note


def test_a_first_guess_that_misses_the_odd_one_out_is_corrected(make_folder: MakeFolder) -> None:
    make_folder({"cat": 1200}, size=(2, 2), mode="L")
    root = make_folder({"dog": 5}, size=(2, 2), mode="L")
    Image.new("RGB", (2, 2), (9, 8, 7)).save(root / "cat" / "0001.png")  # no image whose header is looked at first
    calls: list[tuple[int, int]] = []
    decoded = decode_folder(root, on_progress=lambda done, total: calls.append((done, total)))
    assert decoded.images.shape == (1205, 3, 2, 2)
    assert decoded.pixels[:][1, :, 0, 0].tolist() == [9, 8, 7]
    assert decoded.notes == ("1,204 of 1,205 images were converted to colour",)
    assert calls.count((1205, 1205)) == 2  # decoded twice


def test_progress_ends_with_all_images(make_folder: MakeFolder) -> None:
    calls: list[tuple[int, int]] = []
    decode_folder(make_folder({"cat": 200, "dog": 100}), on_progress=lambda done, total: calls.append((done, total)))
    assert calls == [(128, 300), (256, 300), (300, 300)]


def break_images(root: Path) -> None:
    whole = (root / "cat" / "0001.png").read_bytes()
    (root / "cat" / "0001.png").write_bytes(whole[: len(whole) // 2])
    (root / "cat" / "0003.png").write_bytes(b"")
    (root / "dog" / "0000.png").write_bytes(b"no image at all")
    (root / "dog" / "0001.png").unlink()
    (root / "dog" / "0001.png").symlink_to(root / "nowhere.png")


@pytest.mark.posix
def test_unreadable_images_are_counted_named_and_told_apart(make_folder: MakeFolder) -> None:
    root = make_folder({"cat": 6, "dog": 6})
    break_images(root)
    with pytest.raises(DataError, match=re.escape("4 of 12 images cannot be read: cat/0001.png (")) as caught:
        decode_folder(root)
    message = str(caught.value)
    assert "cat/0003.png (unknown image format)" in message
    assert message.endswith("and 1 more; repair or delete them, or start the study with --set data.on_unreadable=skip")


@pytest.mark.posix
def test_unreadable_images_are_skipped_where_asked_and_noted(make_folder: MakeFolder) -> None:
    root = make_folder({"cat": 6, "dog": 6})
    intact = decode_folder(root).pixels[:].numpy()
    break_images(root)
    decoded = decode_folder(root, on_unreadable="skip")
    assert decoded.kept.tolist() == [0, 2, 4, 5, 8, 9, 10, 11]
    np.testing.assert_array_equal(decoded.images, intact[decoded.kept])
    assert decoded.warnings == ("4 unreadable images left out, such as cat/0001.png, cat/0003.png, dog/0000.png",)


def test_large_images_of_sixteen_bits_are_held_one_at_a_time(
    make_folder: MakeFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = make_folder({"cat": 150, "dog": 150}, mode="L")  # more than one chunk, so more than one thread
    for file in root.glob("*/*.png"):
        Image.fromarray(np.full((8, 8), 700, np.uint16)).save(file)
    alone = threading.RLock()
    monkeypatch.setattr("surrogate_nas.data.decoding.square._ONE_LARGE", alone)
    monkeypatch.setattr("surrogate_nas.data.decoding.square.LARGE_PIXELS", 10)
    monkeypatch.setattr("surrogate_nas.data.decoding.decode.TINY_SIDE", 1)
    plain, unlocked = np.asarray, []

    def looked_at(image: Any, *words: Any, **options: Any) -> Any:  # noqa: ANN401
        if getattr(image, "mode", "").startswith("I") and not alone._is_owned():  # type: ignore[attr-defined]
            unlocked.append(image)
        return plain(image, *words, **options)

    monkeypatch.setattr("numpy.asarray", looked_at)
    assert "300 images of 16 bits a pixel have no value above 700" in decode_folder(root).warnings[0]
    assert unlocked == []


@pytest.mark.parametrize(("most", "bits"), [(1023, 10), (4095, 12), (16383, 14), (32767, None), (65535, None)])
def test_sixteen_bits_of_which_few_are_used_are_warned_about(
    make_folder: MakeFolder, most: int, bits: int | None
) -> None:
    root = make_folder({"cat": 2, "dog": 2}, mode="L")
    values = np.random.default_rng(0).integers(0, most, size=(8, 8)).astype(np.uint16)
    values[0, 0] = most
    Image.fromarray(values).save(root / "cat" / "0000.png")
    Image.fromarray(values // 3).save(root / "dog" / "0001.png")
    warnings = decode_folder(root).warnings
    if bits is None:
        assert warnings == ()
    else:
        (warning,) = warnings
        assert warning.startswith(f"2 images of 16 bits a pixel have no value above {most:,}, as if only {bits} bits")
        assert warning.endswith(f"multiply the values by {2 ** (16 - bits)} before the study")


def test_one_bright_image_hides_no_dark_ones(make_folder: MakeFolder) -> None:
    root = make_folder({"cat": 3, "dog": 3}, mode="L")
    for file in root.glob("*/*.png"):
        Image.fromarray(np.full((8, 8), 4095, np.uint16)).save(file)
    Image.fromarray(np.full((8, 8), 65_535, np.uint16)).save(root / "cat" / "0000.png")
    (warning,) = decode_folder(root).warnings
    assert warning.startswith("5 images of 16 bits a pixel have no value above 4,095")


def test_nearly_black_images_are_warned_about_in_any_mode(make_folder: MakeFolder) -> None:
    root = make_folder({"cat": 5, "dog": 5})
    assert decode_folder(root).warnings == ()
    Image.new("RGB", (8, 8), (15, 9, 3)).save(root / "cat" / "0000.png")
    (warning,) = decode_folder(root).warnings
    assert warning.startswith("1 of 10 images is nearly black: no value above 16 of 255; if the files hold 10 or 12")


@pytest.mark.parametrize("on_unreadable", ["error", "skip"])
def test_nothing_readable_is_an_error_in_any_case(make_folder: MakeFolder, on_unreadable: str) -> None:
    root = make_folder({"cat": 2, "dog": 2})
    for file in root.glob("*/*"):
        file.write_bytes(b"x")
    with pytest.raises(DataError, match=re.escape("4 of 4 images cannot be read: cat/0000.png (unknown")):
        decode_folder(root, on_unreadable=on_unreadable)


def test_images_that_memory_should_not_hold_are_decoded_into_a_file(make_folder: MakeFolder, tmp_path: Path) -> None:
    root = make_folder({"cat": 150, "dog": 2})
    inside, outside = (decode_folder(root, image_size=12, room=Room(size, tmp_path)) for size in (1.0, 1e-6))
    assert isinstance(outside.images, ImageFile)
    np.testing.assert_array_equal(outside.pixels[:].numpy(), inside.images)
    np.testing.assert_array_equal(outside.kept, inside.kept)
    assert "take 6.57e-05 GB, more than data.memory_gb = 1e-06: they stay on the disk" in outside.notes[-1]
    assert outside.notes[:-1] == inside.notes


def test_unreadable_images_leave_no_gap_in_a_file(make_folder: MakeFolder, tmp_path: Path) -> None:
    root = make_folder({"cat": 5, "dog": 5})
    (root / "cat" / "0002.png").write_bytes(b"x")
    inside, outside = (decode_folder(root, on_unreadable="skip", room=Room(size, tmp_path)) for size in (1.0, 1e-6))
    assert len(outside.images) == 9
    np.testing.assert_array_equal(outside.pixels[:].numpy(), inside.images)


def test_images_that_no_disk_holds_are_refused_beforehand(
    make_folder: MakeFolder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = make_folder({"cat": 2, "dog": 2})
    monkeypatch.setattr("shutil.disk_usage", lambda _: SimpleNamespace(free=2 * 10**7))
    with pytest.raises(DataError, match=re.escape("4 images of 3x1000x1000 need 0.024 GB in ")):
        decode_folder(root, image_size=1000, room=Room(0.01, tmp_path, copies=2))
    assert len(decode_folder(root, image_size=1000, room=Room(0.01, tmp_path)).images) == 4
