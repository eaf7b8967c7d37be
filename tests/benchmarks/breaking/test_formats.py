"""Every format has a good file that its reader takes, beside a program of strangers that never runs."""

from pathlib import Path

import pytest

from benchmarks.breaking.formats import FORMATS, OUTSIDE, RAN, lay_out, seeds
from surrogate_nas.errors import ProgramError, SettingsError

# Their readers know no other run than one of the smallest study.
WITHOUT_A_RUN = (
    "study",
    "space",
    "model-json",
    "model-weights",
    "onnx",
    "picture",
    "images",
    "images-index",
    "accuracy-csv",
    "accuracy-parquet",
    "latency-csv",
    "latency-parquet",
    "device-results",
    "device-kept",
    "tool-log",
    "weights",
    "weights-torch",
    "finalist-latencies",
    "distribution",
    "zero-cost",
    "rivals",
)


@pytest.mark.slow
@pytest.mark.parametrize("name", WITHOUT_A_RUN)
def test_a_good_file_is_read_and_a_stranger_s_program_is_not(name: str, trained_run: Path, tmp_path: Path) -> None:
    lay_out(name, trained_run, tmp_path / "at")
    good = seeds(name, tmp_path / "at")
    assert good
    for path, data in good[:2]:
        path.write_bytes(data)
        FORMATS[name].read(tmp_path / "at")
    if name in ("study", "space"):
        path, data = good[-1]
        path.write_bytes(data)
        with pytest.raises((ProgramError, SettingsError)):
            FORMATS[name].read(tmp_path / "at")
    assert not (tmp_path / OUTSIDE / RAN).exists()


@pytest.mark.slow
@pytest.mark.parametrize("name", FORMATS)
def test_good_files_of_a_run_are_read(name: str, broken_run: Path, tmp_path: Path) -> None:
    lay_out(name, broken_run, tmp_path / "at")
    path, data = seeds(name, tmp_path / "at")[0]
    path.write_bytes(data)
    FORMATS[name].read(tmp_path / "at")
