"""Layouts of a folder of images, against torchvision's ImageFolder and by hand; and every way to get it wrong."""

import os
import re
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from torchvision.datasets import ImageFolder

from surrogate_nas.data.folders.image_folder import open_folder, open_test_folder, open_validation_folder
from surrogate_nas.data.folders.image_formats import IMAGE_SUFFIXES
from surrogate_nas.data.image_source import ImageSource
from surrogate_nas.errors import DataError

MakeFolder = Callable[..., Path]


def names(source: ImageSource) -> list[str]:
    return [source.describe(index) for index in range(len(source))]


def test_a_clean_folder_is_read_as_torchvision_reads_it(make_folder: MakeFolder) -> None:
    root = make_folder({"dog": 3, "cat": 2, "Eel": 1, "10": 1, "9": 1})
    source, reference = open_folder(root), ImageFolder(str(root))
    assert list(source.class_names) == reference.classes
    assert source.labels.tolist() == reference.targets
    assert [str(root / name) for name in names(source)] == [file for file, _ in reference.samples]
    assert source.notes == ()
    np.testing.assert_array_equal(np.asarray(source.open_image(4)), np.asarray(reference[4][0]))


def test_every_suffix_counts_in_capital_and_small_letters(make_folder: MakeFolder) -> None:
    root = make_folder({"cat": 1, "dog": 1})
    for suffix in IMAGE_SUFFIXES:
        for spelling in (suffix, suffix.upper()):
            Image.new("RGB", (4, 4)).save(root / "cat" / f"x{spelling}", format="PNG")
    assert len(open_folder(root)) == 2 + 2 * len(IMAGE_SUFFIXES)


def test_hidden_files_and_folders_are_passed_over(make_folder: MakeFolder) -> None:
    root = make_folder({"cat": 2, "dog": 2, ".ipynb_checkpoints": 1, "__MACOSX": 1, "dog/.thumbs": 3})
    (root / "cat" / "._0000.png").write_bytes(b"resource fork")
    (root / "cat" / ".DS_Store").write_bytes(b"")
    source = open_folder(root)
    assert source.class_names == ("cat", "dog")
    assert len(source) == 4
    assert source.notes == ()


def test_folders_inside_a_class_belong_to_it(make_folder: MakeFolder) -> None:
    source = open_folder(make_folder({"cat": 1, "cat/tabby": 2, "dog": 1}))
    assert names(source) == ["cat/0000.png", "cat/tabby/0000.png", "cat/tabby/0001.png", "dog/0000.png"]
    assert source.labels.tolist() == [0, 0, 0, 1]


@pytest.mark.posix
def test_a_link_back_up_is_followed_once(make_folder: MakeFolder) -> None:
    root = make_folder({"cat": 2, "dog": 1})
    (root / "cat" / "again").symlink_to(root / "cat", target_is_directory=True)
    assert len(open_folder(root)) == 3


def test_a_link_to_a_folder_around_it_is_neither_a_class_nor_part_of_one(make_folder: MakeFolder) -> None:
    root = make_folder({"cat": 2, "dog": 1})
    (root / "loop").symlink_to(root, target_is_directory=True)
    (root / "above").symlink_to(root.parent, target_is_directory=True)
    (root / "cat" / "up").symlink_to(root, target_is_directory=True)
    source = open_folder(root)
    assert source.class_names == ("cat", "dog")
    assert source.labels.tolist() == [0, 0, 1]


def test_a_class_may_be_a_link_to_a_folder_elsewhere(make_folder: MakeFolder, tmp_path: Path) -> None:
    root = make_folder({"cat": 2})
    elsewhere = tmp_path / "elsewhere" / "dogs"
    elsewhere.mkdir(parents=True)
    Image.new("L", (4, 4)).save(elsewhere / "a.png")
    Image.new("L", (4, 4)).save(elsewhere.parent / "stranger.png")
    (elsewhere / "up").symlink_to(elsewhere.parent, target_is_directory=True)
    (root / "dog").symlink_to(elsewhere, target_is_directory=True)
    assert names(open_folder(root)) == ["cat/0000.png", "cat/0001.png", "dog/a.png"]


@pytest.mark.parametrize("train", ["train", "Train", "training"])
@pytest.mark.parametrize(
    ("beside", "words"),
    [
        (["test"], "; test is kept for the trained model"),
        (["val"], "; val labels architectures"),
        (["test", "valid"], "; valid labels architectures; test is kept for the trained model"),
        (["extra"], "; not used: extra"),
    ],
)
def test_only_the_training_folder_is_searched_on_and_the_rest_is_named(
    make_folder: MakeFolder, train: str, beside: list[str], words: str
) -> None:
    held_out = {f"{name}/{label}": 4 for name in beside for label in ("cat", "dog")}
    root = make_folder({f"{train}/cat": 2, f"{train}/dog": 3} | held_out)
    source = open_folder(root)
    assert names(source)[0] == "cat/0000.png"
    assert len(source) == 5
    assert source.notes == (f"{root / train} is used for the search{words}",)


def test_train_may_be_a_class_beside_cars_and_boats(make_folder: MakeFolder) -> None:
    source = open_folder(make_folder({"boat": 1, "car": 2, "train": 3}))
    assert source.class_names == ("boat", "car", "train")


def test_what_is_left_out_is_noted(make_folder: MakeFolder) -> None:
    root = make_folder({"cat": 2, "dog": 2})
    (root / "labels").mkdir()
    (root / "cat" / "list.txt").write_text("x")
    (root / "dog" / "README").write_text("x")
    Image.new("L", (4, 4)).save(root / "stray.png")
    assert open_folder(root).notes == (
        f"1 sub-folder of {root} without images ignored: labels",
        f"1 image of {root} outside the class folders ignored",
        f"2 files of {root} ignored: not images (.txt, no suffix)",
    )


def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=re.escape(f"does not exist: {tmp_path / 'nowhere'}")):
        open_folder(tmp_path / "nowhere")


def test_no_path_is_said_to_be_missing() -> None:
    with pytest.raises(DataError, match=re.escape("data.path is missing")):
        open_folder(None)


@pytest.mark.parametrize(("name", "remedy"), [("set.zip", "unpack it and name the folder"), ("cat.png", "DIR/<class>")])
def test_a_file_is_no_folder(tmp_path: Path, name: str, remedy: str) -> None:
    (tmp_path / name).write_bytes(b"")
    with pytest.raises(DataError, match=re.escape(f"is a file, not a folder of images: {tmp_path / name}")) as caught:
        open_folder(tmp_path / name)
    assert remedy in str(caught.value)


@pytest.mark.parametrize(
    ("counts", "message"),
    [
        ({"": 0}, "has no class sub-folders: expected DIR/<class>/<image>"),
        ({"": 3}, "has 3 images but no class sub-folders: expected"),
        ({"train": 3}, "train has 3 images but no class sub-folders: expected"),
        ({"train": 3, "test": 2}, "train has 3 images but no class sub-folders: expected"),
        ({"test/cat": 3, "val/cat": 2}, "has test, val but no train folder: expected"),
        ({"cat": 3}, "at least 2 classes are needed (got only 'cat' in"),
        ({"cat": 3, "dog": 0}, "at least 2 classes are needed (got only 'cat' in"),
        ({"cat": 0, "dog": 0}, "no images in the sub-folders of"),
        ({"train/cat": 3, "test/cat": 1}, "at least 2 classes are needed (got only 'cat' in"),
    ],
)
def test_a_folder_without_classes_is_told_the_layout(
    make_folder: MakeFolder, counts: dict[str, int], message: str
) -> None:
    with pytest.raises(DataError, match=re.escape(message)):
        open_folder(make_folder(counts))


def test_a_folder_around_the_right_one_is_pointed_to_it(make_folder: MakeFolder) -> None:
    root = make_folder({"photos/cat": 2, "photos/dog": 2})
    with pytest.raises(DataError, match=re.escape(f"did you mean data.path = {str(root / 'photos')!r}?")):
        open_folder(root)


def test_files_of_other_kinds_are_named_where_no_image_is_found(make_folder: MakeFolder) -> None:
    root = make_folder({"cat": 0, "dog": 0})
    (root / "cat" / "a.MOV").write_bytes(b"")
    with pytest.raises(DataError, match=re.escape("(found only files ending in .mov)")):
        open_folder(root)


def test_images_that_need_a_plug_in_are_counted_with_the_remedy(make_folder: MakeFolder) -> None:
    root = make_folder({"cat": 2, "dog": 2})
    for name in ("cat/a.NEF", "cat/b.nef", "dog/c.dng", "dog/list.txt"):
        (root / name).write_bytes(b"")
    source = open_folder(root)
    remedy = "export them as JPEG or PNG: camera raw files hold no finished picture"
    assert source.warnings == (f"{root}: 3 images cannot be read here (.dng, .nef): {remedy}",)
    assert source.notes == (f"1 file of {root} ignored: not images (.txt)",)


def test_a_class_is_not_lost_because_a_plug_in_is_missing(make_folder: MakeFolder) -> None:
    root = make_folder({"cat": 2, "dog": 2, "eel": 0})
    (root / "eel" / "a.cr2").write_bytes(b"")
    with pytest.raises(DataError, match=re.escape(f"{root / 'eel'}: 1 image cannot be read here (.cr2): export")):
        open_folder(root)
    only = make_folder({"cat": 0, "dog": 0}, under="only")
    (only / "cat" / "a.cr2").write_bytes(b"")
    with pytest.raises(DataError, match=r"1 image cannot be read here \(\.cr2\)"):
        open_folder(only)


@pytest.mark.posix
@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="the superuser may read everything")
def test_a_folder_that_may_not_be_read_is_named(make_folder: MakeFolder) -> None:
    root = make_folder({"cat": 1, "dog": 1})
    (root / "dog").chmod(0)
    try:
        with pytest.raises(DataError, match=re.escape(f"cannot be read: {root / 'dog'}")):
            open_folder(root)
    finally:
        (root / "dog").chmod(0o755)


@pytest.mark.posix
def test_a_class_name_that_is_no_text_is_refused(make_folder: MakeFolder) -> None:
    root = make_folder({"cat": 1, "dog": 1})
    try:
        os.rename(root / "dog", os.fsencode(root) + b"/\xff")
    except OSError:
        pytest.skip("the file system takes UTF-8 only")
    with pytest.raises(DataError, match=re.escape(r"'\udcff'")):
        open_folder(root)


@pytest.mark.posix
def test_a_file_name_that_is_no_text_can_be_written(make_folder: MakeFolder) -> None:
    root = make_folder({"cat": 1, "dog": 1})
    try:
        os.rename(root / "dog" / "0000.png", os.fsencode(root) + b"/dog/wei\xdf.png")
        os.mkdir(os.fsencode(root) + b"/gr\xfcn")
        (root / "dog" / "0001.png").write_bytes((root / "cat" / "0000.png").read_bytes())
    except OSError:
        pytest.skip("the file system takes UTF-8 only")
    source = open_folder(root)
    assert names(source)[2] == "dog/wei\\udcdf.png"
    assert source.open_image(2).size == (8, 8)
    assert any("gr\\udcfcn" in note for note in source.notes)
    for text in (*names(source), *source.notes):
        text.encode()


def test_the_test_part_beside_the_training_part_has_the_same_classes(make_folder: MakeFolder) -> None:
    root = make_folder({"train/cat": 2, "train/dog": 3, "train/eel": 1, "test/dog": 2, "test/cat": 1, "val/cat": 9})
    source = open_test_folder(root, open_folder(root).class_names)
    assert source is not None
    assert source.class_names == ("cat", "dog", "eel")
    assert source.labels.tolist() == [0, 1, 1]
    assert names(source) == ["cat/0000.png", "dog/0000.png", "dog/0001.png"]
    assert source.warnings == (f"{root / 'test'} has no image of 1 class: eel",)
    validation = open_validation_folder(root, source.class_names)
    assert validation is not None
    assert validation.labels.tolist() == [0] * 9


def test_a_validation_folder_is_no_test(make_folder: MakeFolder) -> None:
    root = make_folder({"train/cat": 2, "train/dog": 3, "Val/dog": 2, "Val/cat": 1})
    source = open_validation_folder(root, ("cat", "dog"))
    assert source is not None
    assert len(source) == 3
    assert open_test_folder(root, ("cat", "dog")) is None


def test_there_may_be_no_test_part(make_folder: MakeFolder) -> None:
    root = make_folder({"cat": 2, "dog": 3})
    assert open_test_folder(root, ("cat", "dog")) is None
    # A class may be called "test".
    assert open_test_folder(make_folder({"test": 2, "dog2": 3}), ("dog2", "test")) is None


def test_a_test_part_of_other_classes_is_refused(make_folder: MakeFolder) -> None:
    root = make_folder({"train/cat": 2, "train/dog": 3, "test/dogs": 2})
    with pytest.raises(DataError, match="test has 1 class that the training images lack: dogs"):
        open_test_folder(root, ("cat", "dog"))


@pytest.mark.parametrize("name", ["test", "val", "Testing"])
def test_class_folders_beside_test_images_are_refused(make_folder: MakeFolder, name: str) -> None:
    root = make_folder({"cat": 2, "dog": 2, f"{name}/cat": 1, f"{name}/dog": 1})
    with pytest.raises(DataError, match=rf"has class folders beside {name}: move the class folders into .*train, or"):
        open_folder(root)


def test_a_class_may_be_called_test_where_it_holds_images_and_no_folders(make_folder: MakeFolder) -> None:
    assert open_folder(make_folder({"good": 2, "test": 2})).class_names == ("good", "test")


def test_images_that_are_not_used_are_warned_about(make_folder: MakeFolder) -> None:
    root = make_folder({"train/steam": 2, "train/diesel": 2, "bus": 3, "test": 2, "empty": 0})
    (root / "docs").mkdir()
    source = open_folder(root)
    (warning,) = source.warnings
    assert warning.startswith("images in bus, test are not used, since ")
    assert "docs" in source.notes[0]
    shutil.rmtree(root / "bus")
    shutil.rmtree(root / "test")
    assert open_folder(root).warnings == ()


def test_accents_in_two_forms_are_one_class(make_folder: MakeFolder) -> None:
    root = make_folder({"train/Caf\u00e9": 2, "train/Tea": 2, "test/Cafe\u0301": 3, "test/Tea": 1})
    test = open_test_folder(root, open_folder(root).class_names)
    assert test is not None
    assert test.labels.tolist() == [0, 0, 0, 1]


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no pipes of a name")
def test_a_pipe_is_no_image_and_a_link_to_nothing_is_one_that_cannot_be_read(make_folder: MakeFolder) -> None:
    root = make_folder({"cat": 2, "dog": 2})
    os.mkfifo(root / "cat" / "pipe.png")
    (root / "dog" / "link.png").symlink_to(root / "nowhere.png")
    source = open_folder(root)
    assert "cat/pipe.png" not in names(source)
    assert names(source)[-1] == "dog/link.png"
