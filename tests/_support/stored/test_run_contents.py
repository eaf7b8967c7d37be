"""Files of a run are known by their names and their folder."""

from pathlib import Path

import pytest

from surrogate_nas._support.stored.run_contents import is_of_run


@pytest.mark.parametrize("name", ["lookup.json", "study.toml", "best/model.json", "models/3/model.onnx", "labels.h5"])
def test_what_a_study_writes_is_of_its_run(tmp_path: Path, name: str) -> None:
    assert not is_of_run(tmp_path / name)
    (tmp_path / "study.toml").touch()
    assert not is_of_run(tmp_path / name)  # somebody's own study
    (tmp_path / "environment.json").touch()
    assert is_of_run(tmp_path / name)
    assert not is_of_run(tmp_path / "mine.json")
