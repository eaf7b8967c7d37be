"""Sets by name: a tiny MNIST written by hand, and every failure of a download without touching the network."""

import re
import socket
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.error import URLError

import numpy as np
import pytest
import torchvision.datasets

from surrogate_nas.data.torchvision_sets import (
    TORCHVISION_SETS,
    default_root,
    open_torchvision_set,
    open_torchvision_test,
)
from surrogate_nas.errors import DataError

MakeFolder = Callable[..., Path]


def write_mnist(root: Path, images: np.ndarray[Any, np.dtype[np.uint8]], labels: list[int]) -> None:
    """Writes the IDX files of MNIST, by its published format: a magic number, sizes, bytes."""
    raw = root / "MNIST" / "raw"
    raw.mkdir(parents=True)
    for part in ("train", "t10k"):
        (raw / f"{part}-images-idx3-ubyte").write_bytes(struct.pack(">4i", 0x803, *images.shape) + images.tobytes())
        (raw / f"{part}-labels-idx1-ubyte").write_bytes(struct.pack(">2i", 0x801, len(labels)) + bytes(labels))


def without_network(monkeypatch: pytest.MonkeyPatch, class_name: str) -> None:
    def fail(*_: object, root: str, download: bool, **__: object) -> None:
        if not download:
            raise RuntimeError("Dataset not found or corrupted.")
        raise URLError("Name or service not known")

    monkeypatch.setattr(torchvision.datasets, class_name, fail)


@pytest.mark.parametrize("name", TORCHVISION_SETS)
def test_every_row_names_a_class_that_torchvision_has(name: str) -> None:
    assert callable(getattr(torchvision.datasets, TORCHVISION_SETS[name].class_name))


def test_a_copy_on_disk_is_opened_without_a_download(tmp_path: Path) -> None:
    images = np.arange(3 * 4 * 4, dtype=np.uint8).reshape(3, 4, 4)
    write_mnist(tmp_path, images, [7, 0, 9])
    source = open_torchvision_set("mnist", tmp_path)
    assert source.labels.tolist() == [7, 0, 9]
    assert len(source.class_names) == 10
    assert source.describe(1) == "mnist image 1"
    np.testing.assert_array_equal(np.stack([np.asarray(source.open_image(i)) for i in range(3)]), images)


def test_the_test_part_is_another_one(tmp_path: Path) -> None:
    images = np.zeros((2, 4, 4), dtype=np.uint8)
    write_mnist(tmp_path, images, [7, 0])
    raw = tmp_path / "MNIST" / "raw"
    (raw / "t10k-labels-idx1-ubyte").write_bytes(struct.pack(">2i", 0x801, 2) + bytes([3, 4]))
    source = open_torchvision_test("mnist", tmp_path)
    assert source is not None
    assert source.labels.tolist() == [3, 4]
    assert open_torchvision_test("eurosat", tmp_path) is None


def test_without_a_network_the_ways_out_are_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    without_network(monkeypatch, "CIFAR10")
    before = socket.getdefaulttimeout()
    with pytest.raises(DataError, match=re.escape(f"cifar10 could not be downloaded into {tmp_path}")) as caught:
        open_torchvision_set("cifar10", tmp_path)
    message = str(caught.value)
    assert "Name or service not known" in message
    assert "set data.path to a folder with torchvision's copy of it" in message
    assert 'data.source = "folder"' in message
    assert "\n" not in message
    assert socket.getdefaulttimeout() == before


@pytest.mark.parametrize("counts", [{"cat": 1, "dog": 1}, {"train/cat": 1, "train/dog": 1}])
def test_a_folder_of_images_is_not_downloaded_into(
    make_folder: MakeFolder, monkeypatch: pytest.MonkeyPatch, counts: dict[str, int]
) -> None:
    without_network(monkeypatch, "CIFAR10")
    root = make_folder(counts)
    with pytest.raises(
        DataError, match=re.escape("holds folders of images, no torchvision copy of cifar10: set data.so")
    ):
        open_torchvision_set("cifar10", root)


def test_a_file_is_no_place_for_a_set(tmp_path: Path) -> None:
    (tmp_path / "cifar.tgz").write_bytes(b"")
    with pytest.raises(DataError, match=re.escape(f"is a file, not the folder of cifar10: {tmp_path / 'cifar.tgz'}")):
        open_torchvision_set("cifar10", tmp_path / "cifar.tgz")


def test_what_torchvision_prints_stays_off_standard_output(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    class Talkative:
        classes = ("a", "b")

        def __init__(self, download: bool, **_: object) -> None:
            if not download:
                raise RuntimeError("not found")
            print("Downloading")
            self.targets = [0, 1]

    monkeypatch.setattr(torchvision.datasets, "CIFAR100", Talkative)
    assert open_torchvision_set("cifar100", tmp_path).class_names == ("a", "b")
    assert capsys.readouterr().out == ""


def test_downloads_go_to_the_cache_of_the_user(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SURROGATE_NAS_CACHE", str(tmp_path))
    assert default_root() == tmp_path / "images"
    monkeypatch.delenv("SURROGATE_NAS_CACHE")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert default_root() == tmp_path / "surrogate_nas" / "images"
