"""Counted and predicted memory against planners: one that is known."""

from dataclasses import replace
from pathlib import Path

import pytest

from benchmarks import memory
from surrogate_nas.hardware.planned.planners import PLANNERS
from tests.hardware.planned.known_planner import use_known_planner


def table(capsys: pytest.CaptureFixture[str]) -> list[list[str]]:
    lines = capsys.readouterr().out.splitlines()[2:]
    return [[cell.strip() for cell in line.split("|")[1:-1]] for line in lines]


@pytest.mark.slow
def test_the_fit_mends_what_the_count_gets_wrong(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    use_known_planner(monkeypatch)
    monkeypatch.setenv("SURROGATE_NAS_CACHE", str(tmp_path))
    monkeypatch.setattr(memory, "LocalWorkers", _Nobody)
    assert memory.main(["--spaces", "quick", "--planners", "vela", "--networks", "12"]) == 0
    ram, flash = table(capsys)
    assert (ram[4], flash[4]) == ("ram_bytes", "flash_bytes")
    for one in (ram, flash):
        counted, fitted = float(one[7].rstrip("%")), float(one[9].rstrip("%"))
        assert counted > 10 > 2 > fitted
        assert one[12] == f"{one[3]} of {one[3]}"


def test_planners_that_are_not_there_are_refused(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert memory.main(["--planners", "tflm"]) == 2
    assert "--planners takes tflite_micro, vela, executorch (got 'tflm')" in capsys.readouterr().err
    lacking = {**PLANNERS, "vela": replace(PLANNERS["vela"], packages={"no-such-package": "no_such_package"})}
    monkeypatch.setattr("surrogate_nas.hardware.planned.planners.PLANNERS", lacking)
    assert memory.main(["--planners", "vela"]) == 2
    assert "pip install 'surrogate_nas[vela]'" in capsys.readouterr().err


class _Nobody:
    """Stands for workers that leave planning to this process."""

    def __init__(self, _count: int) -> None:
        pass

    def __enter__(self) -> None:
        return None

    def __exit__(self, *_: object) -> None:
        pass
