"""Images as people have them, and what is wrong with those that cannot be read."""

import os
import warnings
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from surrogate_nas._support.model_format import Preprocessing
from surrogate_nas.data.folders.image_folder import open_folder, open_test_folder
from surrogate_nas.data.folders.listing import listing
from surrogate_nas.deploy.pictures import find_images, pictures_of, pixels_of
from surrogate_nas.errors import PredictionError, SettingsError

COLOUR = Preprocessing(8, 3, (0.5,) * 3, (0.2,) * 3)


def test_folders_stand_for_the_images_in_them(images: Path) -> None:
    inside = [images / "b.png", images / "inner" / "a.jpg"]
    assert pictures_of(images) == pictures_of(str(images)) == pictures_of([images]) == inside
    (images / "raw.NEF").write_bytes(b"")
    assert pictures_of(images) == [images / "b.png", inside[1], images / "raw.NEF"]


def test_the_working_folder_is_a_folder_as_any(images: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(images)
    found = [str(path) for path in find_images([Path()])]
    assert found == ["b.png", os.path.join("inner", "a.jpg")]
    assert len(find_images([Path("inner", "..")])) == 2
    before = listing("folder", ".")
    (images / "new.png").write_bytes(b"")
    assert listing("folder", ".") != before


@pytest.mark.posix
def test_a_link_that_leads_nowhere_is_an_image_that_cannot_be_read(images: Path) -> None:
    (images / "gone.png").symlink_to(images / "nowhere.png")
    found = pictures_of(images)
    assert images / "gone.png" in found
    with pytest.raises(PredictionError, match="No such file"):
        pixels_of(images / "gone.png", COLOUR)


def test_an_image_of_the_caller_stays_as_it_is(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    Image.fromarray(rng.integers(0, 256, (96, 128, 3), dtype=np.uint8)).save(tmp_path / "a.jpg")
    image = Image.open(tmp_path / "a.jpg")
    pixels_of(image, COLOUR)
    assert image.size == (128, 96)
    large = replace(COLOUR, size=64)
    np.testing.assert_array_equal(pixels_of(image, large), pixels_of(Image.open(tmp_path / "a.jpg"), large))


def test_an_array_of_four_axes_is_several_images() -> None:
    assert len(pictures_of(np.zeros((5, 8, 8, 3), np.uint8))) == 5
    assert len(pictures_of(np.zeros((5, 8, 3), np.uint8))) == 1
    assert len(pictures_of(np.zeros((5, 8), np.uint8))) == 1


@pytest.mark.parametrize("shape", [(9, 12), (9, 12, 1), (9, 12, 3), (9, 12, 4)])
def test_arrays_are_images_of_their_depth(shape: tuple[int, ...]) -> None:
    array = np.full(shape, 255, np.uint8)
    assert (pixels_of(array, COLOUR) == 255).all()


@pytest.mark.parametrize(
    "array", [np.zeros((8, 8, 3)), np.zeros((8, 8, 2), np.uint8), np.zeros(8, np.uint8), np.zeros((0, 8), np.uint8)]
)
def test_other_arrays_are_refused(array: NDArray[np.uint8]) -> None:
    with pytest.raises(PredictionError, match="an array must be uint8 of shape"):
        pixels_of(array, COLOUR)


def test_what_cannot_be_read_is_said(images: Path) -> None:
    cases: list[tuple[str, str]] = [
        ("notes.txt", "unknown image format"),
        ("missing.png", "No such file"),
        ("cut.png", "truncated"),
        ("raw.nef", r"\.nef files cannot be read here: export them"),
    ]
    (images / "cut.png").write_bytes((images / "b.png").read_bytes()[:60])
    (images / "raw.nef").write_bytes(b"")
    for name, reason in cases:
        with pytest.raises(PredictionError, match=reason):
            pixels_of(images / name, COLOUR)
    with pytest.raises(PredictionError, match="floating-point pixels"):
        pixels_of(Image.new("F", (4, 4)), COLOUR)


def test_other_things_are_no_images() -> None:
    with pytest.raises(PredictionError, match=r"an image is a path, a Pillow image or an array of numpy \(got int\)"):
        pictures_of(7)  # type: ignore[arg-type]
    with pytest.raises(PredictionError, match=r"\(got float\)"):
        pixels_of(pictures_of([0.5])[0], COLOUR)  # type: ignore[list-item]


def test_paths_that_lead_nowhere_are_refused(images: Path) -> None:
    with pytest.raises(SettingsError, match="no image or folder of images"):
        find_images([images / "missing.png"])
    (images / "empty").mkdir()
    with pytest.raises(SettingsError, match="holds no image"):
        find_images([images / "empty"])
    if hasattr(os, "mkfifo"):
        os.mkfifo(images / "pipe.png")
        with pytest.raises(SettingsError, match="is neither an image nor a folder of images"):
            find_images([images / "pipe.png"])


@pytest.mark.posix
def test_images_behind_links_are_found_and_hidden_ones_are_not(images: Path, tmp_path: Path) -> None:
    folder = tmp_path / "linked"
    (folder / ".thumbnails").mkdir(parents=True)
    Image.new("L", (8, 8)).save(folder / ".thumbnails" / "a.png")
    Image.new("L", (8, 8)).save(folder / "._b.png")
    (folder / "cat").symlink_to(images)
    (folder / "again").symlink_to(folder)
    assert find_images([folder]) == [folder / "cat" / file.relative_to(images) for file in find_images([images])]


@pytest.mark.posix
def test_training_test_resume_check_and_prediction_find_the_same_images(tmp_path: Path) -> None:
    root, elsewhere = tmp_path / "photos", tmp_path / "elsewhere"
    for part in ("train", "test"):
        hidden = ("cat/.thumbs/c.png", "cat/._a.png", "dog/__MACOSX/d.png")
        for name in ("cat/a.png", "cat/inner/b.JPG", "dog/e.png", *hidden):
            (root / part / name).parent.mkdir(parents=True, exist_ok=True)
            Image.new("L", (4, 4)).save(root / part / name)
        (root / part / "dog" / "up").symlink_to(root / part, target_is_directory=True)
    before = listing("folder", str(root))
    elsewhere.mkdir()
    Image.new("L", (4, 4)).save(elsewhere / "f.png")
    for part in ("train", "test"):
        (root / part / "dog" / "more").symlink_to(elsewhere, target_is_directory=True)
    expected = {"cat/a.png", "cat/inner/b.JPG", "dog/e.png", "dog/more/f.png"}
    training, test = open_folder(root), open_test_folder(root, ("cat", "dog"))
    assert test is not None
    for part, source in (("train", training), ("test", test)):
        assert {source.describe(index) for index in range(len(source))} == expected
        found = find_images([root / part])
        assert {file.relative_to(root / part).as_posix() for file in found} == expected
    known = listing("folder", str(root))
    assert known != before
    Image.new("L", (4, 4), 9).save(root / "train" / "cat" / ".thumbs" / "new.png")
    assert listing("folder", str(root)) == known
    Image.new("L", (4, 4), 9).save(elsewhere / "new.png")
    assert listing("folder", str(root)) != known


def test_an_address_on_the_web_is_to_be_downloaded() -> None:
    with pytest.raises(SettingsError, match=r"^a\.jpg is on the web: download it, and name the file"):
        find_images([Path("https://example.com/a.jpg")])


def test_what_pillow_says_of_an_image_is_not_printed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    Image.new("RGB", (8, 8)).save(tmp_path / "a.png")

    def noisy(path: Path) -> Image.Image:
        warnings.warn("Corrupt EXIF data", UserWarning, stacklevel=1)
        return Image.open(path)

    monkeypatch.setattr("surrogate_nas.deploy.pictures.open_image", noisy)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert pixels_of(tmp_path / "a.png", Preprocessing(8, 1, (0.5,), (0.5,))).shape == (1, 8, 8)
