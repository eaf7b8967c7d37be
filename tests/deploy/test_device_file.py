"""The file for a device, and its plan next to the budgets."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import nn

from surrogate_nas.deploy.device_file import DeviceFile, plan_delivered, runtimes_with_planner
from surrogate_nas.errors import ExportError
from surrogate_nas.export.runtimes.protocol import Source
from surrogate_nas.export.runtimes.table import RUNTIME_FILES
from surrogate_nas.hardware.planned import planners
from surrogate_nas.hardware.planned.planners import PlannerRow
from surrogate_nas.hardware.settings import HardwareSettings
from tests.hardware.planned.known_planner import SETTINGS, make, plan, use_known_planner

NETWORK = nn.Sequential(nn.Conv2d(1, 3, 3), nn.Flatten(), nn.Linear(12, 2))
SOURCE = Source(NETWORK, {}, torch.zeros(1, 1, 4, 4), {}, 1)
DESCRIPTION = {
    "created_with": "0.1.0",
    "space": {"name": "quick"},
    "code": "1",
    "class_names": ["a", "b"],
    "preprocessing": {"size": 4, "channels": 1, "mean": [0.5], "std": [0.5]},
}
WEIGHTS = 3 * 9 + 3 + 12 * 2 + 2


def test_words_name_the_budget_that_is_kept_or_not() -> None:
    one = DeviceFile("model.int8.tflite", "Known", {"ram_bytes": 200_000.0, "flash_bytes": 1_200_000.0})
    budgets = {"ram_bytes": 256_000.0, "flash_bytes": 1e6}
    assert one.words("ram_bytes", budgets) == "200 KB, within the budget of 256 KB"
    assert one.words("flash_bytes", budgets) == "1.2 MB, OVER the budget of 1 MB"
    assert one.words("flash_bytes", {}) == "1.2 MB"
    assert one.over(budgets) == ["flash_bytes"]


def test_the_delivered_file_itself_is_planned(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    use_known_planner(monkeypatch)
    assert runtimes_with_planner(("openvino",), SETTINGS) == ("openvino", "litert")
    assert plan_delivered(tmp_path, SOURCE, SETTINGS) is None
    (tmp_path / "model.int8.tflite").write_bytes(make(NETWORK, SOURCE.calibration))
    found = plan_delivered(tmp_path, SOURCE, SETTINGS)
    assert found is not None
    assert (found.file, found.planner) == ("model.int8.tflite", "Known")
    assert found.costs == {"ram_bytes": 50_300, "flash_bytes": 2 * WEIGHTS}
    (tmp_path / "model.int8.tflite").write_bytes(b"damaged")
    with pytest.raises(ExportError, match="Known cannot plan"):
        plan_delivered(tmp_path, SOURCE, SETTINGS)


def test_a_program_for_cortex_m_is_written_first(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(planners, "PLANNERS", {"vela": PlannerRow("Known", {}, "vela", "pte", make, plan)})
    assert runtimes_with_planner((), SETTINGS) == ()
    found = plan_delivered(tmp_path, SOURCE, SETTINGS)
    assert found is not None
    assert (tmp_path / found.file).read_bytes() == make(NETWORK, SOURCE.calibration)


def test_what_firmware_holds_as_it_is_is_c_source_too(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    row = PlannerRow("Known", {}, "vela", "pte", make, plan, embedded=True)
    monkeypatch.setattr(planners, "PLANNERS", {"vela": row})
    found = plan_delivered(tmp_path, replace(SOURCE, description=DESCRIPTION), SETTINGS)
    assert found is not None
    assert found.sources == ("model.c", "model.h")
    size = (tmp_path / found.file).stat().st_size
    assert f"SURROGATE_NAS_MODEL_SIZE {size} " in (tmp_path / "model.h").read_text(encoding="utf-8")
    assert {"model.c", "model.h"} <= set(RUNTIME_FILES)


def test_nothing_is_planned_without_a_planner(tmp_path: Path) -> None:
    assert runtimes_with_planner((), HardwareSettings()) == ()
    assert plan_delivered(tmp_path, SOURCE, HardwareSettings()) is None
