"""Counted memory against planners: one that is known, and the real ones where they are installed."""

from dataclasses import replace

import pytest
from torch import Tensor, nn

from benchmarks import memory
from benchmarks.planners import PLANNERS, Plan

KNOWN = PLANNERS["cortex_m"]


def _plan(network: nn.Module, example: Tensor) -> Plan:
    """Plans twice the weights, and the same RAM for every network."""
    return Plan(5000 + 2 * example.numel(), 2 * sum(one.numel() for one in network.parameters()))


def table(capsys: pytest.CaptureFixture[str]) -> list[list[str]]:
    lines = capsys.readouterr().out.splitlines()[2:]
    return [[cell.strip() for cell in line.split("|")[1:-1]] for line in lines]


def test_the_fit_mends_what_the_count_gets_wrong(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(PLANNERS, "cortex_m", replace(KNOWN, packages=(), plan=_plan))
    assert memory.main(["--spaces", "quick", "--planners", "cortex_m", "--networks", "12"]) == 0
    ram, flash = table(capsys)
    assert (ram[3], flash[3]) == ("RAM", "flash")
    assert flash[6:] == ["50.0%", "0.0%", "0.0%"]
    assert float(ram[6].rstrip("%")) > 50
    assert ram[7] == "0.0%"


def test_a_network_that_cannot_be_planned_is_named(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_network: nn.Module, _example: Tensor) -> Plan:
        raise ValueError("no\nkernel")

    monkeypatch.setitem(PLANNERS, "cortex_m", replace(KNOWN, packages=(), plan=refuse))
    assert memory.main(["--spaces", "quick", "--planners", "cortex_m", "--networks", "4"]) == 0
    out, err = capsys.readouterr()
    assert "cannot be planned: no kernel" in err
    assert out.splitlines()[2].startswith("| quick | ExecuTorch, Cortex-M | 0 |")


def test_planners_that_are_not_there_are_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert memory.main(["--planners", "tflm"]) == 2
    assert "--planners takes portable, cortex_m (got 'tflm')" in capsys.readouterr().err
