"""The cache survives damage, two writers and folders that it cannot write to."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from surrogate_nas.errors import SurrogateNasWarning
from surrogate_nas.hardware.measure.measurement_cache import REFERENCE, MeasurementCache
from surrogate_nas.hardware.measurement import Measurement

IDENTITY = {"machine": "abacus", "threads": 1}


def measurement(median_ms: float) -> Measurement:
    return Measurement(median_ms, 0.1, 15, 0, noisy=False, measured_at="2026-11-22T08:46:27+00:00")


def test_measurements_come_back_exactly(tmp_path: Path) -> None:
    kept = {"a": measurement(1 / 3), "b": measurement(2e-5)}
    assert MeasurementCache(tmp_path, IDENTITY).add(kept) == kept
    assert MeasurementCache(tmp_path, IDENTITY).read() == kept
    assert MeasurementCache(tmp_path, {**IDENTITY, "threads": 2}).read() == {}


def test_the_first_of_two_writers_wins_for_both(tmp_path: Path) -> None:
    one, other = (MeasurementCache(tmp_path, IDENTITY) for _ in range(2))
    one.add({"a": measurement(1.0)})
    used = other.add({"a": measurement(2.0), "b": measurement(3.0)})
    assert used == {"a": measurement(1.0), "b": measurement(3.0)}
    assert one.read() == used


def test_replacing_keeps_what_is_not_replaced(tmp_path: Path) -> None:
    cache = MeasurementCache(tmp_path, IDENTITY)
    cache.add({"a": measurement(1.0), "b": measurement(2.0)})
    assert cache.replace({"a": measurement(4.0)}) == {"a": measurement(4.0)}
    assert cache.read() == {"a": measurement(4.0), "b": measurement(2.0)}


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\xff\xfe",
        b"[]",
        b"{}",
        b'{"measurements": {}, "identity": {"machine": "another"}}',
        b'{"identity": {"machine": "abacus", "threads": 1}, "measurements": {"a": {"median_ms": 1}}}',
    ],
)
def test_a_damaged_file_is_ignored_with_a_warning_and_made_anew(tmp_path: Path, content: bytes) -> None:
    cache = MeasurementCache(tmp_path, IDENTITY)
    cache.path.write_bytes(content)
    with pytest.warns(SurrogateNasWarning, match="cannot be used and is made again"):
        assert cache.read() == {}
    with pytest.warns(SurrogateNasWarning):
        cache.add({"a": measurement(1.0)})
    assert cache.read() == {"a": measurement(1.0)}
    assert json.loads(cache.path.read_text())["identity"] == IDENTITY


def test_a_folder_that_cannot_be_written_to_costs_only_a_warning(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    cache = MeasurementCache(tmp_path / "file", IDENTITY)
    assert cache.read() == {}
    with pytest.warns(SurrogateNasWarning, match="set SURROGATE_NAS_CACHE to a folder"):
        assert cache.add({"a": measurement(1.0)}) == {"a": measurement(1.0)}


def test_a_noisy_measurement_does_not_replace_a_calm_one(tmp_path: Path) -> None:
    cache = MeasurementCache(tmp_path, {})
    calm, noisy = measurement(3.0), replace(measurement(9.0), noisy=True)
    cache.add({"calm": calm, "noisy": noisy})
    again = replace(measurement(7.0), noisy=True)
    assert cache.replace({"calm": again, "noisy": again}) == {"calm": calm, "noisy": again}
    assert cache.replace({"calm": measurement(4.0)}) == {"calm": measurement(4.0)}


@pytest.mark.parametrize(("noisy", "reference"), [(True, 2.0), (False, 3.0)])
def test_a_calm_reference_takes_the_place_of_a_noisy_one_and_scales_what_was_measured_beside_it(
    tmp_path: Path, noisy: bool, reference: float
) -> None:
    cache = MeasurementCache(tmp_path, {})
    cache.add({REFERENCE: replace(measurement(3.0), noisy=noisy), "a": measurement(6.0)})
    used = cache.add({REFERENCE: measurement(2.0), "b": measurement(10.0)})
    kept = cache.read()
    assert used[REFERENCE] == kept[REFERENCE]
    assert kept[REFERENCE].median_ms == reference
    assert kept["a"].median_ms == pytest.approx(2 * reference)
    assert kept["b"].median_ms == pytest.approx(5 * reference)


def test_measuring_again_scales_what_was_not_measured_again(tmp_path: Path) -> None:
    cache = MeasurementCache(tmp_path, {})
    cache.add({REFERENCE: measurement(1.5), "a": measurement(3.0), "b": measurement(4.5)})
    cache.replace({REFERENCE: measurement(1.0), "a": measurement(2.0)})
    assert {name: one.median_ms for name, one in cache.read().items()} == pytest.approx(
        {REFERENCE: 1.0, "a": 2.0, "b": 3.0}
    )
    cache.replace({REFERENCE: replace(measurement(4.0), noisy=True), "c": replace(measurement(8.0), noisy=True)})
    assert cache.read()["c"].median_ms == pytest.approx(2.0)
    assert cache.read()[REFERENCE] == measurement(1.0)
