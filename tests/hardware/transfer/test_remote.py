"""Models out, results in; once for real."""

import csv
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from surrogate_nas.errors import SettingsError
from surrogate_nas.hardware.transfer import remote_runner
from surrogate_nas.hardware.transfer.device_results import read_results
from surrogate_nas.hardware.transfer.remote import (
    choose_to_measure,
    export_bench,
    predict_space,
    read_known,
    transfer_to_space,
)
from surrogate_nas.space.network import NetworkSpec
from surrogate_nas.space.space import Space
from tests.hardware.transfer.made_results import results, write


def test_results_predict_the_space_with_the_drift_in_their_errors(space: Space, tmp_path: Path) -> None:
    measured = read_results(write(tmp_path / "results.csv", results(space)), space)
    assert (measured.device, len(measured.codes), measured.noisy) == ("phone", 30, 0)
    assert measured.drift == pytest.approx(0.02, abs=1e-4)
    fit, errors = predict_space(space, measured, seed=0)
    expected = 1 + np.array([0, 0.1, 0.5, 2, 0.7])[space.effective(space.all_codes())].sum(axis=1)
    connected = space.is_connected(space.all_codes())
    assert np.median(np.abs(fit.predicted_ms / expected - 1)[connected]) < 0.02
    np.testing.assert_allclose(errors, fit.errors + measured.drift)


def test_networks_to_measure_are_connected_and_distinct(space: Space) -> None:
    codes = choose_to_measure(space, 50)
    assert space.is_connected(codes).all()
    assert len(np.unique(space.effective(codes), axis=0)) == 50
    with pytest.raises(SettingsError, match=r"--networks must be between 10 and .* \(got 9\)"):
        choose_to_measure(space, 9)


def test_with_tables_of_other_devices_ten_measurements_do(space: Space, tmp_path: Path) -> None:
    everything = space.all_codes()
    truth = 1 + np.array([0, 0.1, 0.5, 2, 0.7])[everything].sum(axis=1)
    others = np.stack(
        [1 + np.array(one)[everything].sum(axis=1) for one in ([0, 0.1, 1, 3, 1], [0, 0.2, 1, 2, 3])], axis=1
    )
    lines = [f"{code},{a:.6f},{b:.6f}" for code, (a, b) in zip(space.digits(everything), others, strict=True)]
    (tmp_path / "others.csv").write_text("\n".join(["code,one,two", *lines]) + "\n")
    known = read_known(tmp_path / "others.csv", [], space)
    np.testing.assert_allclose(known, others, rtol=1e-5)
    assert read_known(tmp_path / "others.csv", ["two"], space).shape == (space.size, 1)
    codes = choose_to_measure(space, 10, known)
    rows = results(space)[:10]
    for row, code in zip(rows, codes, strict=True):
        row |= {
            "code": space.digits(code[None])[0],
            "median_ms": f"{truth[space.index(code[None])[0]]:.6f}",
            "again_ms": "",
        }
    measured = read_results(write(tmp_path / "results.csv", rows), space, fewest=3)
    fit, errors = transfer_to_space(space, measured, known)
    assert np.median(np.abs(fit.predicted_ms / truth - 1)) < 0.03
    assert len(errors) == 10


def test_for_real_there_and_back(space: Space, tmp_path: Path) -> None:
    pytest.importorskip("onnx")
    pytest.importorskip("onnxruntime")
    folder, codes = tmp_path / "bench", choose_to_measure(space, 12)
    models = export_bench(space, NetworkSpec(2, 1, 4, 1, 3), folder, codes, batch=1)
    assert len(models) == 12
    with pytest.raises(SettingsError, match="must be a new or an empty folder"):
        export_bench(space, NetworkSpec(2, 1, 4, 1, 3), folder, codes, batch=1)
    words = [str(folder / "measure.py"), "--device", "here", "--seconds", "0.001", "--repeats", "3", "--noise", "9"]
    subprocess.run([sys.executable, *words], cwd=tmp_path, check=True, capture_output=True)
    measured = read_results(tmp_path / "results.csv", space)
    assert measured.device == "here"
    assert len(measured.codes) + measured.noisy == 12
    assert set(next(csv.reader((tmp_path / "results.csv").open()))) == set(remote_runner.COLUMNS)
