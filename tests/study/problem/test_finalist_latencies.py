"""Latencies of finalists come back as they were, of the same costs only."""

import json
from pathlib import Path

import pytest

from surrogate_nas._support.files import write_json
from surrogate_nas.errors import StoreError
from surrogate_nas.hardware.measurement import Measurement
from surrogate_nas.study.problem.finalist_latencies import (
    FinalistLatencies,
    read_finalist_latencies,
    write_finalist_latencies,
)

LATENCIES = FinalistLatencies(
    {
        "0012": Measurement(1.25, 0.01, 9, 0, False, "2026-01-01T00:00:00+00:00"),
        "0011": Measurement(2.5, 1.0, 9, 3, True, "2026-01-01T00:00:00+00:00"),
    },
    frozenset({"0012"}),
)


def test_they_come_back_for_the_same_costs(tmp_path: Path) -> None:
    path = tmp_path / "finalist_latencies.json"
    assert read_finalist_latencies(path, "these") == FinalistLatencies()
    write_finalist_latencies(path, "these", LATENCIES)
    assert read_finalist_latencies(path, "these") == LATENCIES
    assert read_finalist_latencies(path, "others") == FinalistLatencies()


@pytest.mark.parametrize(
    "latencies", [None, [], {"0012": None}, {"0012": {}}, {"0012": {"median_ms": -1}}, "text"], ids=str
)
def test_damage_is_said(tmp_path: Path, latencies: object) -> None:
    path = tmp_path / "finalist_latencies.json"
    write_finalist_latencies(path, "these", LATENCIES)
    write_json(path, json.loads(path.read_text()) | {"latencies": latencies})
    with pytest.raises(StoreError, match=r"are damaged: .*; remove the file, and they are measured again"):
        read_finalist_latencies(path, "these")


def test_a_file_without_marks_is_of_single_measurements(tmp_path: Path) -> None:
    path = tmp_path / "finalist_latencies.json"
    write_finalist_latencies(path, "these", LATENCIES)
    content = json.loads(path.read_text())
    del content["twice"]
    write_json(path, content)
    assert read_finalist_latencies(path, "these") == FinalistLatencies(LATENCIES.found)
    write_json(path, content | {"twice": 3})
    with pytest.raises(StoreError, match="are damaged"):
        read_finalist_latencies(path, "these")
