"""Folders that are a bench, and others."""

import json
from pathlib import Path

import pytest

from surrogate_nas.errors import SettingsError
from surrogate_nas.hardware.transfer.bench_folder import bench_files, read_manifest, results_file
from tests.hardware.transfer.made_results import made_bench


def test_the_files_of_a_bench_are_named(tmp_path: Path) -> None:
    bench = made_bench(tmp_path / "bench", "f", ["01", "02"])
    assert [path.name for path in bench_files(bench)] == ["manifest.json", "measure.py", "01.onnx", "02.onnx"]
    assert results_file(bench, "pi") == bench / "results-pi.csv"
    (bench / "02.onnx").unlink()
    with pytest.raises(SettingsError, match=r"lacks 02\.onnx; make the bench again"):
        bench_files(bench)


def test_a_manifest_reaches_no_file_outside(tmp_path: Path) -> None:
    bench = made_bench(tmp_path / "bench", "f", ["01"])
    (tmp_path / "secret").touch()
    manifest = read_manifest(bench) | {"models": {"01": "../secret"}}
    (bench / "manifest.json").write_text(json.dumps(manifest))
    with pytest.raises(SettingsError, match=r"lacks \.\./secret"):
        bench_files(bench)


@pytest.mark.parametrize("text", [None, "[]", "{", '{"models": {"0": 1}}', '{"models": {"0": "0.onnx"}}'])
def test_folders_that_are_no_bench_are_refused(tmp_path: Path, text: str | None) -> None:
    if text is not None:
        (tmp_path / "manifest.json").write_text(text)
    with pytest.raises(SettingsError, match="is not a bench; make one with: export-bench SPACE"):
        read_manifest(tmp_path)
