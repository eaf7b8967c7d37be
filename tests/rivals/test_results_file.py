"""Records on rivals are read as they were written, and damage is reported with the remedy."""

from pathlib import Path

import pytest

from surrogate_nas.errors import StoreError
from surrogate_nas.hardware.measurement import Measurement
from surrogate_nas.rivals.fit import FittedRival
from surrogate_nas.rivals.results_file import (
    Comparison,
    RivalRecords,
    TrainedRecord,
    read_rivals,
    verdict,
    write_rivals,
)
from surrogate_nas.rivals.rival import Interface
from surrogate_nas.rivals.rival_network import Counts, RivalNetwork

LATENCY = Measurement(1.0, 0.1, 10, 0, False, "2026-01-01T00:00:00+00:00")
FITTED = FittedRival(RivalNetwork("resnet20", 0.5, Interface(3, 32, 10)), Counts(1, 2, 3), LATENCY)


def comparison(limit: float, percent: float) -> Comparison:
    return Comparison({"latency_ms": limit}, "12", percent, "ResNet-20", 70.0, "undecided")


def test_it_is_read_as_it_was_written(tmp_path: Path) -> None:
    records = RivalRecords("a", (FITTED,), LATENCY).with_trained("12", TrainedRecord(71.0, 70.0, 72.0))
    records = records.with_comparison(comparison(1.0, 71.0))
    write_rivals(tmp_path / "rivals.json", records)
    assert read_rivals(tmp_path / "rivals.json") == records


def test_no_file_is_no_records(tmp_path: Path) -> None:
    assert read_rivals(tmp_path / "rivals.json") == RivalRecords()


def test_a_comparison_replaces_an_earlier_one_at_the_same_budgets() -> None:
    records = RivalRecords().with_comparison(comparison(1.0, 71.0)).with_comparison(comparison(2.0, 72.0))
    records = records.with_comparison(comparison(1.0, 75.0))
    assert [(one.budgets["latency_ms"], one.found_percent) for one in records.comparisons] == [(2.0, 72.0), (1.0, 75.0)]


@pytest.mark.parametrize("text", ["{", '{"fitted": [{"network": 3}]}', '{"trained": []}'])
def test_damage_is_reported_with_the_remedy(tmp_path: Path, text: str) -> None:
    path = tmp_path / "rivals.json"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(StoreError, match="remove the file"):
        read_rivals(path)


@pytest.mark.parametrize(
    ("mine", "its", "expected"),
    [
        ((90.0, 89.0, 91.0), (93.0, 92.0, 94.0), "rival"),
        ((90.0, 89.0, 91.0), (87.0, 86.0, 88.0), "space"),
        ((90.0, 89.0, 91.0), (91.5, 90.9, 92.1), "undecided"),
    ],
)
def test_overlapping_intervals_decide_nothing(
    mine: tuple[float, float, float], its: tuple[float, float, float], expected: str
) -> None:
    assert verdict(TrainedRecord(*mine), TrainedRecord(*its)) == expected
