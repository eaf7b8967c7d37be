"""The runner computes correctly, and needs no other part of this project."""

import argparse
import ast
import csv
import errno
import itertools
import json
import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from unittest.mock import Mock

import numpy as np
import pytest

from surrogate_nas._support.files import NO_SUCH_CALL
from surrogate_nas.hardware.measurement import summarize
from surrogate_nas.hardware.transfer import remote_runner


def test_it_needs_numpy_and_onnxruntime_alone() -> None:
    tree = ast.parse(Path(str(remote_runner.__file__)).read_text(encoding="utf-8"))
    imports = {
        name.name.split(".")[0] for node in ast.walk(tree) if isinstance(node, ast.Import) for name in node.names
    }
    others = {node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    assert others == {"__future__", "collections.abc", "typing"}
    assert imports - set(sys.stdlib_module_names) == {"numpy", "onnxruntime"}


def test_samples_are_summarised_as_at_home() -> None:
    samples = np.random.default_rng(0).gamma(9, 1e-4, 200)
    ours, theirs = summarize(samples, 0.1), remote_runner.summarize(samples, 0.1)
    for name in ("median_ms", "iqr_ms", "repeats", "disturbed", "noisy"):
        assert theirs[name] == pytest.approx(getattr(ours, name))


def test_runs_are_timed_in_turns() -> None:
    order: list[int] = []
    remote_runner.measure([lambda: order.append(0), lambda: order.append(1)], seconds=0, repeats=4)
    changes = sum(one != other for one, other in itertools.pairwise(order))
    assert changes >= 4


def test_a_folder_without_a_manifest_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match=r"error: manifest\.json cannot be read"):
        remote_runner.read_manifest(str(tmp_path))


@pytest.fixture
def bench(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """Lays out a bench of 50 models that are not there; returns the list of blocks that are measured."""
    manifest = {"models": {f"{n:02}": "" for n in range(50)}, "input_shape": [1, 3, 4, 4], "input": "image"}
    manifest |= {"space_fingerprint": "f", "network": {"channels": 2}}
    (tmp_path / "manifest.json").write_text(json.dumps(manifest))
    monkeypatch.setattr(remote_runner, "__file__", str(tmp_path / "measure.py"))
    monkeypatch.setitem(sys.modules, "onnxruntime", SimpleNamespace(__version__="1"))
    monkeypatch.chdir(tmp_path)
    blocks: list[list[str]] = []

    def sessions(_folder: str, _manifest: object, codes: list[str], _options: object) -> list[str]:
        blocks.append(codes)
        return codes

    row = {"median_ms": 2.0, "iqr_ms": 0.1, "repeats": 15, "disturbed": 0, "noisy": False}
    monkeypatch.setattr(remote_runner, "open_sessions", sessions)
    monkeypatch.setattr(remote_runner, "measure_block", lambda codes, _options: [dict(row) for _ in codes])
    return blocks


@pytest.mark.parametrize(
    ("used", "fails"), [(["CPUExecutionProvider"], True), (["NPU", "CPUExecutionProvider"], False)]
)
def test_a_provider_that_cannot_start_is_no_label(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, used: list[str], fails: bool
) -> None:
    session = SimpleNamespace(run=lambda *_: [], get_providers=lambda: used)
    options = SimpleNamespace(add_session_config_entry=lambda *_: None)
    runtime = SimpleNamespace(
        SessionOptions=lambda: options,
        get_available_providers=lambda: ["NPU", "CPUExecutionProvider"],
        InferenceSession=lambda *_, **__: session,
    )
    monkeypatch.setitem(sys.modules, "onnxruntime", runtime)
    manifest = {"models": {"00": "00.onnx"}, "input_shape": [1, 3, 4, 4], "input": "image"}
    asked = argparse.Namespace(threads=1, provider="NPU")
    if fails:
        with pytest.raises(SystemExit, match="the provider NPU cannot start here, and CPUExecutionProvider would run"):
            remote_runner.open_sessions(str(tmp_path), manifest, ["00"], asked)
    else:
        assert len(remote_runner.open_sessions(str(tmp_path), manifest, ["00"], asked)) == 1


def test_an_attempt_as_long_as_the_fastest_settles_it(monkeypatch: pytest.MonkeyPatch) -> None:
    noisy = np.linspace(1e-3, 2e-3, 20)
    attempts = [np.column_stack([noisy, noisy]), np.column_stack([np.full(20, 1.1e-3), np.full(20, 3e-3)])]
    monkeypatch.setattr(remote_runner, "measure", lambda *_: attempts.pop(0))
    options = argparse.Namespace(attempts=2, seconds=0.1, repeats=3, noise=0.15)
    found = remote_runner.measure_block([lambda: None] * 2, options)
    # The second one was slowed down evenly, which looks calm.
    assert [one["noisy"] for one in found] == [False, True]


def test_an_interrupted_measurement_goes_on_where_it_was(
    bench: list[list[str]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = remote_runner.measure_block

    def stops(codes: list[str], options: argparse.Namespace) -> list[dict[str, object]]:
        if len(bench) == 3:
            raise KeyboardInterrupt
        return whole(codes, options)  # type: ignore[arg-type]

    monkeypatch.setattr(remote_runner, "measure_block", stops)
    with pytest.raises(SystemExit) as stopped:
        remote_runner.main(["--device", "a"])
    assert stopped.value.code == 130
    assert not (tmp_path / "results.csv").exists()
    with pytest.raises(SystemExit, match=r"results\.csv\.part holds measurements with device a, not b; give the same"):
        remote_runner.main(["--device", "b"])
    del bench[:]
    monkeypatch.setattr(remote_runner, "measure_block", whole)
    remote_runner.main(["--device", "a"])
    assert [len(block) for block in bench] == [10, 3]  # the rest, and what is timed again
    with (tmp_path / "results.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["code"] for row in rows] == [f"{n:02}" for n in range(50)]
    assert sum(bool(row["again_ms"]) for row in rows) == 3
    assert not (tmp_path / "results.csv.part").exists()


@pytest.mark.parametrize(
    "content", [b"\xfd", b"a,b\n1,2\n", b",".join(c.encode() for c in remote_runner.COLUMNS) + b"\n0"]
)
def test_damaged_measurements_are_refused_with_the_way_on(
    bench: list[list[str]], tmp_path: Path, content: bytes
) -> None:
    (tmp_path / "results.csv.part").write_bytes(content)
    with pytest.raises(SystemExit, match=r"results\.csv\.part is damaged .*; remove it to measure everything again"):
        remote_runner.main(["--device", "a"])
    assert not bench


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--output", "missing/r.csv"], "missing/r.csv.part cannot be written: No such file or directory"),
        (["--attempts", "0"], r"--attempts must be at least 1 \(got 0\)"),
        (["--device", "my phone"], r"--device must be of letters, .* \(got 'my phone'\)"),
    ],
)
def test_what_cannot_end_well_ends_before_anything_is_measured(
    bench: list[list[str]], words: list[str], message: str
) -> None:
    with pytest.raises(SystemExit, match=message):
        remote_runner.main(words)
    assert not bench


def test_a_file_system_that_cannot_flush_is_no_error_and_a_full_disk_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert remote_runner.NO_SUCH_CALL == NO_SUCH_CALL
    path = str(tmp_path / "results.csv")

    for number in NO_SUCH_CALL:
        monkeypatch.setattr(os, "fsync", Mock(side_effect=OSError(number, os.strerror(number))))
        remote_runner.write_rows(path, [])
    monkeypatch.setattr(os, "fsync", Mock(side_effect=OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))))
    with pytest.raises(SystemExit, match=r"results\.csv cannot be written: No space left"):
        remote_runner.write_rows(path, [])


@pytest.mark.posix
def test_it_ends_with_its_connection() -> None:
    program = f"import sys; sys.path.insert(0, {str(Path(remote_runner.__file__).parent)!r})\n"
    program += "import remote_runner, time; remote_runner.read_manifest = lambda _: time.sleep(60)\n"
    program += "remote_runner.main(['--while-connected'])"
    process = subprocess.Popen([sys.executable, "-c", program], stdin=subprocess.PIPE)
    with pytest.raises(subprocess.TimeoutExpired):
        process.wait(1)
    assert process.stdin is not None
    process.stdin.close()
    assert process.wait(10) == 1
