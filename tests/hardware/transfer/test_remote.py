"""Models out, results in; once for real."""

import csv
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from surrogate_nas.costs.number_formats import Numbers
from surrogate_nas.errors import CostTableError, MeasurementError, SettingsError
from surrogate_nas.hardware.transfer import remote, remote_runner
from surrogate_nas.hardware.transfer.device_results import read_results
from surrogate_nas.hardware.transfer.remote import (
    CALIBRATION,
    choose_to_measure,
    export_bench,
    predict_space,
    read_known,
    transfer_to_space,
)
from surrogate_nas.space.load import load_space
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


@pytest.mark.slow
def test_networks_of_a_space_too_large_to_list_are_of_all_sizes() -> None:
    large = load_space("images32")
    codes = choose_to_measure(large, 40)
    flops = large.flops(codes, large.network)
    assert len(np.unique(codes, axis=0)) == 40
    assert (np.diff(flops) >= 0).all()
    assert flops[-1] > 20 * flops[0]
    np.testing.assert_array_equal(choose_to_measure(large, 40), codes)


@pytest.mark.slow
def test_networks_of_a_large_chain_whose_latency_adds_up_are_chosen_for_what_they_say() -> None:
    """Every operation is in some layer, and in most of them."""
    large = load_space("fbnet")
    codes = choose_to_measure(large, 60)
    assert len(np.unique(codes, axis=0)) == 60
    of_layer = [len(np.unique(column)) for column in codes.T]
    assert min(of_layer) >= 7
    np.testing.assert_array_equal(choose_to_measure(large, 60), codes)


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
    np.testing.assert_array_equal(codes, space.effective(codes))
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


@pytest.mark.parametrize(("numbers", "zero"), [("int8", 0), ("int8 with signed activations", 1)])
def test_a_bench_in_8_bits_is_measured_as_such(space: Space, tmp_path: Path, numbers: Numbers, zero: int) -> None:
    """Models compute in 8 bits, the runner runs them, and results say so."""
    onnx = pytest.importorskip("onnx")
    pytest.importorskip("onnxruntime")
    folder, codes = tmp_path / "bench", choose_to_measure(space, 10)[:2]
    models = export_bench(space, NetworkSpec(2, 1, 4, 1, 3), folder, codes, 1, numbers)
    manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    assert manifest["precision"] == numbers
    assert manifest["calibration"] == CALIBRATION
    model = onnx.load(models[0])
    (points,) = {
        one.data_type for one in model.graph.initializer if one.name.endswith(f"{manifest['input']}_zero_point")
    }
    assert points == (onnx.TensorProto.INT8 if zero else onnx.TensorProto.UINT8)
    words = [str(folder / "measure.py"), "--device", "here", "--seconds", "0.001", "--repeats", "3", "--noise", "9"]
    subprocess.run([sys.executable, *words], cwd=tmp_path, check=True, capture_output=True)
    measured = read_results(tmp_path / "results.csv", space, fewest=1)
    assert measured.facts["dtype"] == numbers


def test_results_that_do_not_say_are_of_32_bits(space: Space, tmp_path: Path) -> None:
    rows = results(space)
    assert read_results(write(tmp_path / "r.csv", rows), space).facts["dtype"] == "float32"
    mixed = [row | {"precision": "int8" if at else "float32"} for at, row in enumerate(rows)]
    with pytest.raises(CostTableError, match=r"two measurements \(float32, int8\)"):
        read_results(write(tmp_path / "r.csv", mixed), space)


def test_a_network_that_cannot_be_quantised_is_named(
    space: Space, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> bytes:
        raise ValueError("no such operation")

    monkeypatch.setattr(remote, "onnx_model", fail)
    codes = choose_to_measure(space, 10)[:1]
    with pytest.raises(MeasurementError, match=r"the network \d+ cannot be quantised: no such operation; export the"):
        export_bench(space, NetworkSpec(2, 1, 4, 1, 3), tmp_path / "bench", codes, 1, "int8")


def test_an_export_that_was_interrupted_goes_on_and_other_folders_are_refused(space: Space, tmp_path: Path) -> None:
    codes = choose_to_measure(space, 10)
    folder, sizes = tmp_path / "bench", NetworkSpec(2, 1, 8, 3, 10)
    export_bench(space, sizes, folder, codes, 1)
    (folder / "manifest.json").unlink()
    (folder / f"{space.digits(codes)[0]}.onnx").write_bytes(b"half")
    models = export_bench(space, sizes, folder, codes, 1)
    assert (folder / "manifest.json").is_file()
    assert all(path.stat().st_size > 100 for path in models)
    with pytest.raises(SettingsError, match="must be a new or an empty folder"):
        export_bench(space, sizes, folder, codes, 1)


def test_a_space_with_fewer_networks_gives_all_of_them() -> None:
    small = load_space("quick")
    fewest = len(choose_to_measure(small, 10_000, or_fewer=True))
    assert 10 <= fewest < 60
    with pytest.raises(SettingsError, match=f"between 10 and {fewest}"):
        choose_to_measure(small, 60)


def test_a_table_without_latencies_names_no_other_device(space: Space, tmp_path: Path) -> None:
    rows = "".join(f"{code},1\n" for code in space.digits(space.all_codes()))
    (tmp_path / "t.csv").write_text(f"code,pi_energy_mj\n{rows}")
    with pytest.raises(CostTableError, match="has no column of latencies; add one per device"):
        read_known(tmp_path / "t.csv", [], space)
