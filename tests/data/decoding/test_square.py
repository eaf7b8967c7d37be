"""Pixels of every kind of image against values worked out by hand."""

import time
import zlib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from surrogate_nas.data.decoding.square import one_large, reason_of, square_pixels

Mode = Literal["L", "RGB"]


def solid(mode: str, colour: float | tuple[int, ...]) -> Image.Image:
    return Image.new(mode, (4, 4), colour)


def palette_with_hole() -> Image.Image:
    image = Image.new("P", (4, 4), 1)
    image.putpalette([0, 0, 0, 255, 0, 0])
    image.info["transparency"] = 1
    return image


@pytest.mark.parametrize(
    ("image", "mode", "pixel"),
    [
        (solid("RGB", (10, 20, 30)), "RGB", [10, 20, 30]),
        (solid("RGB", (10, 10, 10)), "L", [10]),
        (solid("L", 77), "RGB", [77, 77, 77]),
        (solid("L", 77), "L", [77]),
        (solid("1", 1), "L", [255]),
        (solid("RGBA", (10, 20, 30, 255)), "RGB", [10, 20, 30]),
        (solid("RGBA", (10, 20, 30, 0)), "RGB", [255, 255, 255]),
        (solid("RGBA", (0, 0, 0, 51)), "RGB", [204, 204, 204]),
        (solid("LA", (0, 0)), "L", [255]),
        (solid("CMYK", (0, 0, 0, 0)), "RGB", [255, 255, 255]),
        (palette_with_hole(), "RGB", [255, 255, 255]),
        (Image.fromarray(np.full((4, 4), 65535, np.uint16)), "L", [255]),
        (Image.fromarray(np.full((4, 4), 257 * 100, np.uint16)), "RGB", [100, 100, 100]),
        (Image.fromarray(np.full((4, 4), 257 * 100, np.int32)), "L", [100]),
    ],
)
def test_every_kind_of_pixel_becomes_eight_bits_on_white(image: Image.Image, mode: Mode, pixel: list[int]) -> None:
    pixels = square_pixels(image, 4, mode)
    assert pixels.dtype == np.uint8
    np.testing.assert_array_equal(pixels, np.broadcast_to(np.reshape(pixel, (-1, 1, 1)), (len(pixel), 4, 4)))


@pytest.mark.parametrize("values", [np.full((4, 4), 0.5, np.float32), np.full((4, 4), 70000, np.int32)])
def test_pixels_without_an_agreed_white_are_refused(values: np.ndarray[Any, Any]) -> None:
    with pytest.raises(ValueError, match=r"floating-point|32-bit"):
        square_pixels(Image.fromarray(values), 4, "L")


@given(st.integers(1, 6), st.integers(1, 5), st.integers(0, 4), st.booleans())
def test_a_whole_factor_shrinks_by_the_mean_of_blocks(side: int, factor: int, longer: int, wide: bool) -> None:
    short = side * factor
    shape = (short, short + longer) if wide else (short + longer, short)
    values = np.random.default_rng(side).integers(0, 256, size=shape, dtype=np.uint8)
    start = longer // 2
    square = values[:, start : start + short] if wide else values[start : start + short]
    means = square.reshape(side, factor, side, factor).mean(axis=(1, 3))
    assert (
        np.abs(square_pixels(Image.fromarray(values), side, "L")[0] - means).max() <= 0.6
    )  # Pillow rounds in fixed point


def test_shrinking_by_other_factors_is_antialiased() -> None:
    stripes = np.zeros((30, 30), np.uint8)
    stripes[:, ::2] = 255  # every second column: a plain pick of pixels would give black, white, or beats
    shrunk = square_pixels(Image.fromarray(stripes), 7, "L")[0, :, 1:-1].astype(int)
    assert np.abs(shrunk - 127).max() < 32


@settings(max_examples=20)
@given(st.integers(1, 40), st.integers(1, 40), st.integers(1, 24), st.sampled_from(["L", "RGB"]))
def test_any_size_becomes_the_asked_one(width: int, height: int, side: int, mode: Mode) -> None:
    assert square_pixels(Image.new("RGB", (width, height), "red"), side, mode).shape == (
        3 if mode == "RGB" else 1,
        side,
        side,
    )


def test_a_photo_taken_sideways_is_turned_upright(tmp_path: Path) -> None:
    image = Image.new("L", (16, 16))
    image.paste(255, (0, 0, 16, 8))
    exif = Image.Exif()
    exif[0x0112] = 6  # the camera was turned: rotate by 90 degrees clockwise
    image.save(tmp_path / "x.jpg", exif=exif, quality=100)
    with Image.open(tmp_path / "x.jpg") as stored:
        upright = square_pixels(stored, 16, "L")[0]
    assert upright[:, :7].max() < 30
    assert upright[:, 9:].min() > 225


def test_a_large_jpeg_decoded_at_reduced_size_looks_the_same(tmp_path: Path) -> None:
    ramp = np.linspace(0, 255, 512, dtype=np.uint8)
    image = Image.fromarray(np.stack([np.tile(ramp, (512, 1))] * 3, axis=2))
    image.save(tmp_path / "x.jpg", quality=95)
    with Image.open(tmp_path / "x.jpg") as stored:
        small = square_pixels(stored, 16, "RGB").astype(int)
    means = np.asarray(image).reshape(16, 32, 16, 32, 3).mean(axis=(1, 3)).transpose(2, 0, 1)
    assert np.abs(small - means).max() <= 4


@pytest.mark.parametrize("mode", ["1", "L", "RGBA", "I;16"])
def test_an_image_of_more_pixels_than_can_be_held_is_refused_before_they_are(mode: str, tmp_path: Path) -> None:
    path = tmp_path / "x.png"
    Image.new("1", (8000, 8000)).save(path)
    content = bytearray(path.read_bytes())
    content[24:26] = {"1": b"\x01\0", "L": b"\x08\0", "RGBA": b"\x08\x06", "I;16": b"\x10\0"}[mode]  # depth, colours
    content[29:33] = zlib.crc32(content[12:29]).to_bytes(4, "big")
    path.write_bytes(content)
    with Image.open(path) as image:
        assert image.mode == mode
        with pytest.raises(ValueError, match="8000x8000 pixels are too many; make it smaller"):
            square_pixels(image, 8, "L")


def test_a_large_photo_is_decoded_at_the_size_that_is_needed(tmp_path: Path) -> None:
    path = tmp_path / "x.jpg"
    Image.new("L", (8000, 8000), 70).save(path)
    with Image.open(path) as image:
        assert square_pixels(image, 32, "L").tolist() == [[[70] * 32] * 32]
        assert image.size == (1000, 1000)


def test_sixteen_bits_are_rounded_to_the_nearest_of_eight() -> None:
    values = np.arange(2**16, dtype=np.uint16).reshape(256, 256)
    pixels = square_pixels(Image.fromarray(values), 256, "L")
    np.testing.assert_array_equal(pixels[0], np.floor(values / 257 + 0.5).astype(np.uint8))


@pytest.mark.parametrize(("width", "height"), [(64, 32), (32, 64)])
def test_a_whole_image_lies_between_black_borders(width: int, height: int) -> None:
    values = np.random.default_rng(0).integers(1, 256, size=(height, width), dtype=np.uint8)
    (padded,) = square_pixels(Image.fromarray(values), 16, "L", "pad")
    wide = padded if width > height else padded.T
    assert not wide[:4].any()
    assert not wide[12:].any()
    means = values.reshape(height // 4, 4, width // 4, 4).mean(axis=(1, 3))
    assert np.abs(wide[4:12] - (means if width > height else means.T)).max() <= 0.6


@settings(max_examples=30)
@given(st.integers(1, 60), st.integers(1, 60), st.integers(1, 24))
def test_borders_are_as_wide_as_the_image_is_oblong(width: int, height: int, side: int) -> None:
    (padded,) = square_pixels(Image.new("L", (width, height), 255), side, "L", "pad")
    assert padded.shape == (side, side)
    rows, columns = (int((padded > 127).any(axis=axis).sum()) for axis in (1, 0))
    long = max(width, height)
    assert columns == max(1, round(width * side / long))
    assert rows == max(1, round(height * side / long))


def test_square_images_have_no_borders() -> None:
    values = np.random.default_rng(0).integers(0, 256, size=(21, 21, 3), dtype=np.uint8)
    cropped, padded = (square_pixels(Image.fromarray(values), 9, "RGB", fit) for fit in ("crop", "pad"))
    np.testing.assert_array_equal(cropped, padded)


def test_one_large_image_is_held_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("surrogate_nas.data.decoding.square.LARGE_PIXELS", 10)
    held, most = 0, 0

    def hold(size: int) -> None:
        nonlocal held, most
        with one_large(Image.new("L", (size, size)), 2) as large:
            assert large
            # The same thread may ask again.
            assert square_pixels(Image.new("L", (size, size)), 2, "L").shape == (1, 2, 2)
            held += 1
            most = max(most, held)
            time.sleep(0.01)
            held -= 1

    with ThreadPoolExecutor(4) as threads:
        list(threads.map(hold, [8] * 8))
    assert most == 1
    with one_large(Image.new("L", (2, 2)), 2) as large:
        assert not large


def test_a_reason_is_a_few_words() -> None:
    assert reason_of(OSError(5, "Input/output error")) == "Input/output error"
    assert reason_of(ValueError("a\n b" * 100)) == ("a b" * 100)[:100] + "..."
    assert reason_of(ValueError()) == "ValueError"


def test_a_png_whose_orientation_stands_behind_its_pixels_is_turned(tmp_path: Path) -> None:
    image = Image.new("L", (16, 16))
    image.paste(255, (0, 0, 16, 8))
    exif = Image.Exif()
    exif[0x0112] = 6
    image.save(tmp_path / "x.png", exif=exif)
    content = (tmp_path / "x.png").read_bytes()
    at = content.index(b"eXIf") - 4
    length = 12 + int.from_bytes(content[at : at + 4], "big")
    block, rest = content[at : at + length], content[:at] + content[at + length :]
    end = rest.index(b"IEND") - 4
    (tmp_path / "late.png").write_bytes(rest[:end] + block + rest[end:])
    found = []
    for name in ("x.png", "late.png"):
        with Image.open(tmp_path / name) as stored:
            found.append(square_pixels(stored, 16, "L")[0])
    np.testing.assert_array_equal(found[0], found[1])
    assert found[0][0, 0] != found[0][0, -1]


def test_transparent_parts_of_16_bits_become_white(tmp_path: Path) -> None:
    values = np.full((4, 4), 200 * 257, np.uint16)
    values[:2] = 0
    Image.fromarray(values).save(tmp_path / "x.png", transparency=0)
    with Image.open(tmp_path / "x.png") as stored:
        assert "transparency" in stored.info
        assert square_pixels(stored, 4, "L")[0][:, 0].tolist() == [255, 255, 200, 200]
