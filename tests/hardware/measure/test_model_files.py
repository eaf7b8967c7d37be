"""Latency of ONNX files."""

from pathlib import Path

from surrogate_nas.hardware.measure.model_files import measure_models
from surrogate_nas.hardware.settings import HardwareSettings, TimingSettings

QUICK = HardwareSettings(timing=TimingSettings(seconds=0.005, min_repeats=3, max_repeats=5, attempts=1))


def test_every_model_is_measured(trained_run: Path) -> None:
    folder = trained_run / "best"
    paths = {"float": folder / "model.onnx", "int8": folder / "model.int8.onnx"}
    measured = measure_models(paths, QUICK)
    assert list(measured) == ["float", "int8"]
    assert all(one.median_ms > 0 and one.repeats >= 1 for one in measured.values())
