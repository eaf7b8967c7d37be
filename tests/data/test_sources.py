"""The table of sources."""

import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from surrogate_nas.data.sources import PATH_USE, SOURCES, open_source, open_test_source
from surrogate_nas.errors import DataError

MakeFolder = Callable[..., Path]


def test_every_source_says_what_its_path_is_for() -> None:
    assert SOURCES.keys() == PATH_USE.keys()


def test_an_unknown_source_lists_the_choices() -> None:
    with pytest.raises(DataError, match=re.escape("called 'imagnet'; choose one of: digits, folder, cifar10")):
        open_source("imagnet", None)


def test_a_path_may_start_with_the_home_folder(make_folder: MakeFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    root = make_folder({"cat": 1, "dog": 2})
    monkeypatch.setenv("HOME", str(root.parent))
    monkeypatch.setenv("USERPROFILE", str(root.parent))
    assert len(open_source("folder", str(Path("~", root.name)))) == 3


@pytest.mark.parametrize("name", ["digits", "folder"])
def test_every_source_that_needs_no_download_keeps_the_promises_of_a_source(name: str, make_folder: MakeFolder) -> None:
    path = str(make_folder({"cat": 3, "dog": 2})) if PATH_USE[name] == "required" else None
    source = open_source(name, path)
    assert source.labels.dtype == np.int64
    assert np.unique(source.labels).tolist() == list(range(len(source.class_names)))
    for index in (0, len(source) - 1):
        with source.open_image(index) as image:
            assert min(image.size) > 0
        assert source.describe(index)
    assert len({source.describe(index) for index in range(len(source))}) == len(source)


def test_the_test_part_of_a_source_that_has_one(make_folder: MakeFolder) -> None:
    root = make_folder({"train/cat": 3, "train/dog": 2, "test/cat": 1})
    source = open_test_source("folder", str(root), ("cat", "dog"))
    assert source is not None
    assert source.labels.tolist() == [0]
    assert open_test_source("digits", None, tuple("0123456789")) is None
