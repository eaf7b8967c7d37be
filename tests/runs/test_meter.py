"""Counters made of files."""

from pathlib import Path

from surrogate_nas.runs.meter import Meter


def write(root: Path, package: int, microjoules: int) -> None:
    for name in (f"intel-rapl:{package}", f"intel-rapl:{package}:0"):
        (root / name).mkdir(parents=True, exist_ok=True)
        (root / name / "energy_uj").write_text(f"{microjoules}\n")
        (root / name / "name").write_text(f"package-{package}\n")
        (root / name / "max_energy_range_uj").write_text("10000000\n")


def test_packages_are_added_and_a_counter_that_went_round_is_mended(tmp_path: Path) -> None:
    write(tmp_path, 0, 1_000_000)
    write(tmp_path, 1, 9_000_000)
    meter = Meter(tmp_path)
    write(tmp_path, 0, 3_500_000)
    write(tmp_path, 1, 1_000_000)
    assert meter.joules == 2.5 + 2.0
    assert meter.seconds >= 0


def test_what_cannot_be_read_is_not_known(tmp_path: Path) -> None:
    assert Meter(tmp_path / "nothing").joules is None
    write(tmp_path, 0, 5)
    meter = Meter(tmp_path)
    (tmp_path / "intel-rapl:0" / "energy_uj").unlink()
    assert meter.joules is None


def test_a_platform_that_has_the_packages_in_it_is_not_added(tmp_path: Path) -> None:
    write(tmp_path, 0, 1_000_000)
    write(tmp_path, 1, 1_000_000)
    (tmp_path / "intel-rapl:1" / "name").write_text("psys\n")
    meter = Meter(tmp_path)
    write(tmp_path, 0, 3_000_000)
    (tmp_path / "intel-rapl:1" / "energy_uj").write_text("9000000")
    assert meter.joules == 2.0
