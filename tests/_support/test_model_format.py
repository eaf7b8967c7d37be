"""A model's description is checked before anything is done with the model."""

import json
import os
import threading
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from surrogate_nas._support import model_format
from surrogate_nas._support.model_format import CROPPING_VERSION, FORMAT, Preprocessing, read_description, read_whole
from surrogate_nas.errors import StoreError

GOOD: dict[str, Any] = {
    "format": FORMAT,
    "schema_version": CROPPING_VERSION,
    "created_with": "0.1.0",
    "class_names": ["a", "b"],
    "preprocessing": {"size": 8, "channels": 1, "mean": [0.5], "std": [0.25]},
}


def test_a_description_comes_back() -> None:
    described = read_description(json.loads(json.dumps(GOOD)), "model.json")
    assert described.class_names == ("a", "b")
    assert described.preprocessing == Preprocessing(8, 1, (0.5,), (0.25,))
    assert described.preprocessing.as_json()["size"] == 8


@pytest.mark.parametrize("content", [None, 3, [], {}, {"format": "other"}])
def test_what_is_no_description_is_refused(content: object) -> None:
    with pytest.raises(StoreError, match=r"model\.json describes no model"):
        read_description(content, "model.json")


def test_another_version_is_refused_by_its_name() -> None:
    with pytest.raises(StoreError, match=r"surrogate_nas 0\.1\.0, has version 7 .* the program is older than the file"):
        read_description({**GOOD, "schema_version": 7}, "model.json")


@pytest.mark.parametrize(
    "change",
    [
        {"class_names": []},
        {"class_names": [1]},
        {"class_names": None},
        {"preprocessing": None},
        {"preprocessing": {"size": 8}},
        {"preprocessing": {"size": 0, "channels": 1, "mean": [0.5], "std": [0.25]}},
        {"preprocessing": {"size": 8, "channels": 2, "mean": [0, 0], "std": [1, 1]}},
        {"preprocessing": {"size": 8, "channels": 3, "mean": [0], "std": [1]}},
        {"preprocessing": {"size": 8, "channels": 1, "mean": [0], "std": [0]}},
        {"preprocessing": {"size": 8, "channels": 1, "mean": ["x"], "std": [1]}},
        {"preprocessing": {"size": 8, "channels": 1, "mean": [10**400], "std": [1]}},
        {"preprocessing": {"size": 100_000, "channels": 1, "mean": [0], "std": [1]}},
        {"preprocessing": {"size": 8, "channels": 1, "mean": [0.5], "std": [0.25], "fit": "stretch"}},
        {"preprocessing": {"size": True, "channels": 1, "mean": [0], "std": [1]}},
        {"class_names": ["\ud800"]},
    ],
)
def test_damage_is_refused(change: dict[str, object]) -> None:
    with pytest.raises(StoreError, match=r"damaged: model\.json"):
        read_description({**GOOD, **change}, "model.json")


_VALUES = st.none() | st.integers() | st.text(max_size=3) | st.lists(st.floats(), max_size=3)


@settings(max_examples=30)
@given(_VALUES | st.dictionaries(st.sampled_from(["size", "channels", "mean"]), _VALUES))
def test_anything_else_is_an_error_of_ours(content: object) -> None:
    with pytest.raises(StoreError):
        read_description({**GOOD, "preprocessing": content}, "model.json")


def test_a_model_of_padded_images_is_not_one_for_programs_that_crop() -> None:
    padded = Preprocessing(8, 1, (0.5,), (0.25,), "pad")
    assert (padded.schema_version, Preprocessing(8, 1, (0.5,), (0.25,)).schema_version) == (2, 1)
    content = {**GOOD, "schema_version": padded.schema_version, "preprocessing": padded.as_json()}
    assert read_description(content, "model.json").preprocessing == padded
    with pytest.raises(StoreError, match="version 3 and this program reads 2: the program is older"):
        read_description({**content, "schema_version": 3}, "model.json")


def test_a_reader_beside_a_writer_gets_one_model_whole(tmp_path: Path) -> None:
    names = ("model.json", "space.toml", "weights")
    stop = threading.Event()

    def write(version: int) -> None:
        (tmp_path / "model.json").unlink(missing_ok=True)
        for name in reversed(names):
            (tmp_path / "new").write_text(str(version))
            os.replace(tmp_path / "new", tmp_path / name)

    def write_on() -> None:
        version = 0
        while not stop.wait(0.002):
            write(version := version + 1)

    write(0)
    writer = threading.Thread(target=write_on)
    writer.start()
    try:
        found = [read_whole(tmp_path, lambda: {(tmp_path / name).read_text() for name in names}) for _ in range(50)]
    finally:
        stop.set()
        writer.join()
    assert {len(each) for each in found} == {1}


def test_a_model_that_was_cut_short_is_waited_for_and_then_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(model_format, "_PATIENCE_SECONDS", 0.1)
    (tmp_path / "space.toml").touch()
    tries = []

    def read() -> None:
        tries.append(1)
        raise StoreError("cut short")

    with pytest.raises(StoreError, match="cut short"):
        read_whole(tmp_path, read)
    assert len(tries) > 1
    tries.clear()
    with pytest.raises(StoreError, match="cut short"):
        read_whole(tmp_path / "nothing", read)
    assert len(tries) == 1
