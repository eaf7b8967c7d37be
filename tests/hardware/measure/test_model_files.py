"""Latency of ONNX files."""

from pathlib import Path

import pytest

from surrogate_nas import load_space, measure
from surrogate_nas.errors import MeasurementError, SettingsError
from surrogate_nas.hardware.measure.model_files import measure_models
from surrogate_nas.hardware.measurement import Measurement
from surrogate_nas.hardware.settings import HardwareSettings, TimingSettings

QUICK = HardwareSettings(timing=TimingSettings(seconds=0.005, min_repeats=3, max_repeats=5, attempts=1))


def test_every_model_is_measured(trained_run: Path) -> None:
    folder = trained_run / "best"
    paths = {"float": folder / "model.onnx", "int8": folder / "model.int8.onnx"}
    measured = measure_models(paths, QUICK)
    assert list(measured) == ["float", "int8"]
    assert all(one.median_ms > 0 and one.repeats >= 1 for one in measured.values())


def test_a_model_is_measured_by_its_folder_or_file(trained_run: Path, tmp_path: Path) -> None:
    assert measure(trained_run / "best", settings=QUICK).median_ms > 0
    assert measure(str(trained_run / "best" / "model.int8.onnx"), settings=QUICK).median_ms > 0
    with pytest.raises(SettingsError, match="there is no model at"):
        measure(tmp_path)
    with pytest.raises(SettingsError, match="measure needs an architecture of the space"):
        measure(load_space("quick"))
    (tmp_path / "model.onnx").write_bytes(b"nothing")
    with pytest.raises(MeasurementError, match=r"model\.onnx cannot be run on images"):
        measure(tmp_path, settings=QUICK)


def test_a_measurement_reads_well() -> None:
    assert str(Measurement(1.2345, 0.0123, 15, 0, False, "")) == "1.23 ms (IQR 0.012 ms, 15 samples)"
    assert str(Measurement(20.0, 5.0, 1, 3, True, "")) == "20 ms (IQR 5 ms, 1 sample, noisy)"
