"""Folders that are a bench, and others."""

import json
from pathlib import Path

import pytest

from surrogate_nas.errors import SettingsError
from surrogate_nas.hardware.transfer import remote_runner
from surrogate_nas.hardware.transfer.bench_folder import bench_files, read_manifest, results_file
from tests.hardware.transfer.made_results import made_bench


def test_the_files_of_a_bench_are_named(tmp_path: Path) -> None:
    bench = made_bench(tmp_path / "bench", "f", ["01", "02"])
    (bench / "measure.py").write_text("raise SystemExit('the code of a stranger')")
    *files, program = bench_files(bench)
    assert [path.name for path in files] == ["manifest.json", "01.onnx", "02.onnx"]
    assert program == Path(str(remote_runner.__file__))
    assert results_file(bench, "pi") == bench / "results-pi.csv"
    (bench / "02.onnx").unlink()
    with pytest.raises(SettingsError, match=r"lacks 02\.onnx; make the bench again"):
        bench_files(bench)


@pytest.mark.parametrize(
    ("code", "name"),
    [
        ("01", "../secret"),
        ("01", "/secret.onnx"),
        ("01", "numpy.py"),
        ("01", "remote_runner.py"),
        ("x;touch PWNED", "01.onnx"),
        ("$(touch PWNED)", "01.onnx"),
        ("../01", "01.onnx"),
        ("-rf", "01.onnx"),
    ],
)
def test_a_manifest_names_models_alone(tmp_path: Path, code: str, name: str) -> None:
    bench = made_bench(tmp_path / "bench", "f", ["01"])
    (tmp_path / "secret").touch()
    manifest = read_manifest(bench) | {"models": {code: name}}
    (bench / "manifest.json").write_text(json.dumps(manifest))
    with pytest.raises(SettingsError, match=r"manifest\.json: a model has a code of letters.*; make the bench again"):
        read_manifest(bench)


@pytest.mark.posix
def test_a_link_is_no_model(tmp_path: Path) -> None:
    bench = made_bench(tmp_path / "bench", "f", ["01"])
    (tmp_path / "secret").touch()
    (bench / "01.onnx").unlink()
    (bench / "01.onnx").symlink_to(tmp_path / "secret")
    with pytest.raises(SettingsError, match=r"01\.onnx is a link; put the file itself in its place"):
        bench_files(bench)


_REST = '"space_fingerprint": "f", "network": {}'


@pytest.mark.parametrize(
    "text",
    [
        None,
        "[]",
        "{",
        '{"models": {"0": 1}}',
        '{"models": {"0": "0.onnx"}}',
        f'{{"models": {{}}, "input_shape": [1], {_REST}}}',
        f'{{"models": {{"0": "0.onnx"}}, "input_shape": {{"a": 1}}, {_REST}}}',
    ],
)
def test_folders_that_are_no_bench_are_refused(tmp_path: Path, text: str | None) -> None:
    if text is not None:
        (tmp_path / "manifest.json").write_text(text)
    with pytest.raises(SettingsError, match=r"is not a bench; make one in a new folder with: .*export-bench SPACE"):
        read_manifest(tmp_path)
