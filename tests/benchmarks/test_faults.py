"""The table of kills and of crash points."""

import sys
from pathlib import Path

import pytest

from benchmarks.breaking.crash_points import Stops
from benchmarks.breaking.kills import KILL, Campaign, Cycle, Interruption
from benchmarks.faults import kills_in, main, stops_table, table


def test_the_table_has_a_row_for_each_command_signal_and_victim() -> None:
    kill = Interruption(KILL, "worker", 3.0, "labels", 1, 0.5)
    cycles = [
        Cycle(0, 0, "study", [kill, Interruption("SIGTERM", "group", 4.0, "labels", 130, 2.5)]),
        Cycle(1, 0, "study", [kill], ["another lookup.csv"]),
    ]
    assert kills_in(cycles) == 2
    lines = table(cycles)
    assert "| study | SIGKILL | worker | 2 | 1 | 0.5 |" in lines
    assert "| study | SIGTERM | group | 1 | 0 | 2.5 |" in lines
    assert "After the stage: study labels 3" in lines
    assert "2 runs, 2 SIGKILLs; 1 runs ended as the undisturbed one." in lines
    assert lines[-1] == "- cycle 0-1 (study): another lookup.csv"


def test_the_table_of_writers_names_each_fault() -> None:
    lines = stops_table([Stops("best/", "kill", 3, 2, 1, ("operation 4: a mixture",))])
    assert "| best/ | kill | 6 | 3 | 2 | 1 | 1 |" in lines
    assert lines[-1] == "- best/, kill: operation 4: a mixture"


def test_other_systems_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "platform", "win32")
    assert main(["--folder", str(tmp_path)]) == 2
    assert "run this on Linux" in capsys.readouterr().err


@pytest.mark.posix
@pytest.mark.slow
def test_a_short_campaign_loses_nothing(broken_campaign: Campaign, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--folder", str(broken_campaign.folder), "--kills", "2", "--seed", "1"]) == 0
    shown = capsys.readouterr().out
    assert "| study |" in shown or "| train |" in shown
    assert "- cycle" not in shown
    assert "| best/ | kill |" in shown
