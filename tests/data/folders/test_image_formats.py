"""Formats that Pillow alone does not read: with a plug-in they are images, without one they are named."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image, features

from surrogate_nas.data.folders.image_formats import (
    is_image,
    open_image,
    plug_in_for,
    readable_suffixes,
    unreadable_formats,
)


@pytest.fixture(autouse=True)
def _asked_anew() -> Iterator[None]:
    readable_suffixes.cache_clear()
    yield
    readable_suffixes.cache_clear()


def test_photos_of_a_phone_are_images_where_the_plug_in_is_installed(tmp_path: Path) -> None:
    plug_in = pytest.importorskip("pillow_heif")
    assert is_image(Path("a.HEIC"))
    assert plug_in_for(Path("a.HEIC")) is None
    image = Image.new("RGB", (16, 16), (200, 40, 40))
    plug_in.from_pillow(image).save(tmp_path / "a.heic", quality=100)
    with open_image(tmp_path / "a.heic") as read:
        assert read.size == (16, 16)
        red, green, blue = read.convert("RGB").getpixel((8, 8))  # type: ignore[misc]
    assert abs(red - 200) < 9
    assert abs(green - 40) < 9
    assert abs(blue - 40) < 9


def test_without_the_plug_in_they_are_named_with_the_remedy(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("pillow_heif", "pillow_jxl"):
        monkeypatch.setitem(sys.modules, name, None)
    monkeypatch.setattr(features, "check", lambda name: name != "avif")
    assert not is_image(Path("a.heic"))
    assert unreadable_formats({".heic": 2, ".heif": 1, ".avif": 1, ".jxl": 3, ".txt": 4, ".jpg": 9}) == [
        "3 images cannot be read here (.heic, .heif): pip install 'surrogate_nas[heic]'",
        "1 image cannot be read here (.avif): pip install --upgrade pillow",
        "3 images cannot be read here (.jxl): pip install pillow-jxl-plugin",
    ]
    with pytest.raises(OSError, match=r"\.heic files cannot be read here: pip install 'surrogate_nas\[heic\]'"):
        open_image("photos/a.HEIC")
    assert plug_in_for(Path(".hidden.heic")) is None


def test_camera_raw_files_are_no_pictures() -> None:
    for suffix in (".dng", ".CR2", ".nef", ".ARW"):
        assert "export them" in str(plug_in_for(Path(f"a{suffix}")))
